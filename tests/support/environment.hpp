#pragma once

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Environment variables that get their former values back with the object's end. A variable
/// without a value is unset.
class Environment {
 public:
  Environment() = default;
  ~Environment() {
    for (auto it = before_.rbegin(); it != before_.rend(); ++it) put(it->first, it->second);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  Environment& set(const std::string& name, const std::optional<std::string>& value = {}) {
    const char* old = std::getenv(name.c_str());
    before_.emplace_back(name, old == nullptr ? std::optional<std::string>() : std::string(old));
    put(name, value);
    return *this;
  }

 private:
  static void put(const std::string& name, const std::optional<std::string>& value) {
    if (value) {
      setenv(name.c_str(), value->c_str(), 1);
    } else {
      unsetenv(name.c_str());
    }
  }
  std::vector<std::pair<std::string, std::optional<std::string>>> before_;
};
