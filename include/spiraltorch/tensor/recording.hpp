#pragma once

#include "spiraltorch/tensor/autograd.hpp"

namespace spiraltorch {

/// Operations are recorded, whatever the thread's setting, while it lives.
class Recording {
 public:
  Recording() : before_(grad_enabled()) { set_grad_enabled(true); }
  ~Recording() { set_grad_enabled(before_); }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

 private:
  bool before_;
};

}  // namespace spiraltorch
