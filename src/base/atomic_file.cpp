#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/safetensors.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch {
namespace {

// An open file that is closed, and a temporary one that is removed, whatever happens.
class Temporary {
 public:
  Temporary(std::string_view op, const std::string& target) : op_(op), target_(target) {
    static std::atomic<unsigned> counter{0};
    for (int attempt = 0; attempt < 1000 && file_ < 0; ++attempt) {
      name_ = text(target, ".", getpid(), ".", counter++, ".partial");
      file_ = ::open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
      if (file_ < 0 && errno != EEXIST) break;
    }
    if (file_ < 0) refuse("open");
  }
  ~Temporary() {
    if (file_ >= 0) ::close(file_);
    if (!done_) std::remove(name_.c_str());
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(file_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) refuse("write");
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  void finish() {
    if (::fsync(file_) != 0) refuse("flush");
    if (::close(std::exchange(file_, -1)) != 0) refuse("close");
    if (std::rename(name_.c_str(), target_.c_str()) != 0) refuse("rename");
    done_ = true;
    flush_folder();
  }

 private:
  [[noreturn]] void refuse(const char* what) const {
    fail(Errc::io, op_,
         text("file '", target_, "': got '", std::strerror(errno), "' (", what,
              "), expected a file that can be written"));
  }

  // The renaming itself survives a crash then; a folder that cannot be flushed is not an error.
  void flush_folder() const {
    const auto folder = std::filesystem::path(target_).parent_path();
    const int opened = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC);
    if (opened < 0) return;
    (void)::fsync(opened);
    ::close(opened);
  }

  std::string_view op_;
  const std::string& target_;
  std::string name_;
  int file_ = -1;
  bool done_ = false;
};

}  // namespace

void write_file(std::string_view op, const std::string& path,
                std::span<const std::span<const std::byte>> parts) {
  Temporary file(op, path);
  for (const auto part : parts) file.write(part);
  file.finish();
}

}  // namespace spiraltorch
