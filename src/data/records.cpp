#include "data/records.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "spiraltorch/base/format_error.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch::data {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 18;
constexpr std::size_t kLongest = std::size_t{1} << 28;  // bytes of a record

class RecordStream final : public SampleStream {
 public:
  RecordStream(const RecordSource& source, RecordReader reader)
      : source_(source), reader_(std::move(reader)) {}
  std::optional<Sample> next() override {
    if (!reader_.next()) return {};
    return source_.parse(reader_.record(), {reader_.offset(), index_++});
  }

 private:
  const RecordSource& source_;  // the loader's plan keeps it
  RecordReader reader_;
  std::int64_t index_ = 0;
};

}  // namespace

InputFile::InputFile(const char* op, std::string path)
    : op_(op), path_(std::move(path)), descriptor_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC)) {
  struct stat facts {};
  if (descriptor_ >= 0 && ::fstat(descriptor_, &facts) == 0 && S_ISREG(facts.st_mode)) return;
  const std::string reason = descriptor_ < 0 ? std::strerror(errno) : "no regular file";
  if (descriptor_ >= 0) ::close(descriptor_);
  fail(Errc::io, op, text("file: got '", path_, "' (", reason, "), expected one to read"));
}

InputFile::~InputFile() { ::close(descriptor_); }

std::uint64_t InputFile::size() const {
  struct stat facts {};
  if (::fstat(descriptor_, &facts) != 0) {
    fail(Errc::io, op_, text("file: got a read error in '", path_, "', expected data"));
  }
  return static_cast<std::uint64_t>(facts.st_size);
}

std::size_t InputFile::read(std::uint64_t offset, char* to, std::size_t bytes) const {
  std::size_t done = 0;
  while (done < bytes) {
    const auto got =
        ::pread(descriptor_, to + done, bytes - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      fail(Errc::io, op_, text("file: got a read error in '", path_, "', expected data"));
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

RecordReader::RecordReader(std::shared_ptr<const InputFile> file, RecordRules rules,
                           std::uint64_t offset)
    : file_(std::move(file)), rules_(rules), base_(offset) {}

// Drops what was consumed and reads on; false at the file's end.
bool RecordReader::refill() {
  buffer_.erase(0, begin_);
  base_ += begin_;
  end_ -= begin_;
  begin_ = 0;
  if (end_ > kLongest) {
    throw FormatError(file_->op(), text(file_->path(), ", byte ", base_, ": got a record of over ",
                                        kLongest, " bytes, expected a shorter one"));
  }
  const std::size_t more = std::max(kChunk, end_);
  buffer_.resize(end_ + more);
  const std::size_t got = file_->read(base_ + end_, buffer_.data() + end_, more);
  end_ += got;
  buffer_.resize(end_);
  return got != 0;
}

bool RecordReader::next_line() {
  std::size_t scanned = 0;  // from begin_
  bool quoted = false;
  for (;;) {
    const std::string_view rest(buffer_.data() + begin_ + scanned, end_ - begin_ - scanned);
    const std::size_t line = rest.find('\n');
    if (line == std::string_view::npos) {
      if (refill()) continue;
      if (end_ == begin_) return false;
      record_ = std::string_view(buffer_.data() + begin_, end_ - begin_);
    } else {
      if (rules_.quotes &&
          std::count(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(line), '"') % 2 !=
              0) {
        quoted = !quoted;
      }
      scanned += line + 1;
      if (quoted) continue;
      record_ = std::string_view(buffer_.data() + begin_, scanned - 1);
    }
    offset_ = base_ + begin_;
    begin_ = line == std::string_view::npos ? end_ : begin_ + scanned;
    if (!record_.empty() && record_.back() == '\r') record_.remove_suffix(1);
    return true;
  }
}

bool RecordReader::next() {
  while (next_line()) {
    const bool empty = rules_.skip_spaces
                           ? record_.find_first_not_of(" \t\r") == std::string_view::npos
                           : record_.empty();
    if (!empty || !rules_.skip_empty) return true;
  }
  return false;
}

RecordSource::RecordSource(std::shared_ptr<const InputFile> file, RecordRules rules)
    : file_(std::move(file)), rules_(rules) {
  char mark[3] = {};
  if (file_->read(0, mark, 3) == 3 && std::memcmp(mark, "\xEF\xBB\xBF", 3) == 0) start_ = 3;
}

const std::vector<std::uint64_t>& RecordSource::offsets() const {
  const std::lock_guard lock(mutex_);
  if (!offsets_.empty()) return offsets_;
  std::vector<std::uint64_t> out;
  RecordReader reader(file_, rules_, start_);
  while (reader.next()) out.push_back(reader.offset());
  out.push_back(reader.position());
  offsets_ = std::move(out);
  return offsets_;
}

std::int64_t RecordSource::size() const { return std::ssize(offsets()) - 1; }

Sample RecordSource::at(std::int64_t index) const {
  const auto& all = offsets();
  const std::uint64_t begin = all[static_cast<std::size_t>(index)];
  std::string bytes(all[static_cast<std::size_t>(index) + 1] - begin, '\0');
  bytes.resize(file_->read(begin, bytes.data(), bytes.size()));
  std::string_view record = bytes;
  // The line end, and the skipped lines behind it.
  while (!record.empty() && record.back() == '\n') {
    record.remove_suffix(1);
    if (!record.empty() && record.back() == '\r') record.remove_suffix(1);
    if (!rules_.skip_empty) break;
  }
  return parse(record, {begin, index});
}

std::unique_ptr<SampleStream> RecordSource::stream() const {
  return std::make_unique<RecordStream>(*this, RecordReader(file_, rules_, start_));
}

void RecordSource::bad(Place place, std::size_t column, std::string_view message) const {
  std::uint64_t line = 1;
  std::string chunk(kChunk, '\0');
  for (std::uint64_t at = 0; at < place.offset;) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, place.offset - at));
    const std::size_t got = file_->read(at, chunk.data(), want);
    if (got == 0) break;
    line += static_cast<std::uint64_t>(
        std::count(chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(got), '\n'));
    at += got;
  }
  throw FormatError(file_->op(),
                    text(file_->path(), ", line ", line,
                         column == 0 ? std::string() : text(", column ", column), ": ", message));
}

}  // namespace spiraltorch::data
