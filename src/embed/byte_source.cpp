#include "embed/byte_source.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "embed/gunzip.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 18;

// Pipes and devices are files too.
class FileSource final : public ByteSource {
 public:
  FileSource(const char* op, std::string path)
      : op_(op),
        path_(std::move(path)),
        file_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC)),
        buffer_(kChunk) {
    if (file_ >= 0) return;
    fail(Errc::io, op_,
         text("file: got '", path_, "' (", std::strerror(errno), "), expected one to read"));
  }
  ~FileSource() override { ::close(file_); }

  std::string_view next() override {
    for (;;) {
      const auto got = ::read(file_, buffer_.data(), buffer_.size());
      if (got >= 0) return {buffer_.data(), static_cast<std::size_t>(got)};
      if (errno == EINTR) continue;
      fail(Errc::io, op_,
           text("file: got a read error in '", path_, "' (", std::strerror(errno),
                "), expected data"));
    }
  }

 private:
  const char* op_;
  std::string path_;
  int file_;
  std::vector<char> buffer_;
};

}  // namespace

std::unique_ptr<ByteSource> open_file(const char* op, const std::string& path) {
  return std::make_unique<FileSource>(op, path);
}

std::unique_ptr<ByteSource> open_bytes(const char* op, const std::string& path) {
  auto file = open_file(op, path);
  if (!path.ends_with(".gz")) return file;
  return std::make_unique<Gunzip>(op, path, std::move(file));
}

}  // namespace spiraltorch
