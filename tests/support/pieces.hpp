#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "embed/byte_source.hpp"

/// A text's bytes, in pieces of one size.
class Pieces final : public spiraltorch::ByteSource {
 public:
  Pieces(std::string bytes, std::size_t size) : bytes_(std::move(bytes)), size_(size) {}
  std::string_view next() override {
    const std::string_view rest = std::string_view(bytes_).substr(place_);
    const std::string_view piece = rest.substr(0, size_);
    place_ += piece.size();
    return piece;
  }

 private:
  std::string bytes_;
  std::size_t size_;
  std::size_t place_ = 0;
};

inline std::unique_ptr<spiraltorch::ByteSource> pieces(std::string bytes,
                                                       std::size_t size = 1 << 16) {
  return std::make_unique<Pieces>(std::move(bytes), size);
}
