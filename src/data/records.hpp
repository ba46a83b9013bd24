#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "spiraltorch/data/sample.hpp"

namespace spiraltorch::data {

/// A file read by offset, from several threads at once.
class InputFile {
 public:
  InputFile(const char* op, std::string path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  /// Up to `bytes` bytes; fewer only at the end.
  std::size_t read(std::uint64_t offset, char* to, std::size_t bytes) const;
  [[nodiscard]] std::uint64_t size() const;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const char* op() const noexcept { return op_; }
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

 private:
  const char* op_;
  std::string path_;
  int descriptor_;
};

/// What a record is.
struct RecordRules {
  bool quotes = false;       // a line end between double quotes belongs to the record
  bool skip_empty = true;    // lines of no characters
  bool skip_spaces = false;  // lines of white space
};

/// Records in order, in a buffer of bounded size.
class RecordReader {
 public:
  RecordReader(std::shared_ptr<const InputFile> file, RecordRules rules, std::uint64_t offset);
  [[nodiscard]] bool next();
  /// Without its line end; valid until the next call.
  [[nodiscard]] std::string_view record() const noexcept { return record_; }
  [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }
  /// Where the next line begins.
  [[nodiscard]] std::uint64_t position() const noexcept { return base_ + begin_; }

 private:
  [[nodiscard]] bool next_line();
  [[nodiscard]] bool refill();

  std::shared_ptr<const InputFile> file_;
  RecordRules rules_;
  std::string buffer_;
  std::uint64_t base_;     // file offset of the buffer
  std::size_t begin_ = 0;  // of the next line
  std::size_t end_ = 0;    // of what was read
  std::string_view record_;
  std::uint64_t offset_ = 0;
};

struct Place {
  std::uint64_t offset;
  std::int64_t index;
};

/// One sample a record: streamed without an index, or by number with one 64-bit offset a record.
class RecordSource : public SampleSource {
 public:
  RecordSource(std::shared_ptr<const InputFile> file, RecordRules rules);
  [[nodiscard]] std::int64_t size() const override;
  [[nodiscard]] Sample at(std::int64_t index) const override;
  [[nodiscard]] std::unique_ptr<SampleStream> stream() const override;

  [[nodiscard]] virtual Sample parse(std::string_view record, Place place) const = 0;

 protected:
  [[nodiscard]] const std::shared_ptr<const InputFile>& file() const noexcept { return file_; }
  [[nodiscard]] RecordRules rules() const noexcept { return rules_; }
  /// Records begin here: after a byte-order mark, a header.
  void start_at(std::uint64_t offset) noexcept { start_ = offset; }
  [[nodiscard]] std::uint64_t start() const noexcept { return start_; }
  /// Throws FormatError with path, line and column (0: none).
  [[noreturn]] void bad(Place place, std::size_t column, std::string_view message) const;

 private:
  [[nodiscard]] const std::vector<std::uint64_t>& offsets() const;

  std::shared_ptr<const InputFile> file_;
  RecordRules rules_;
  std::uint64_t start_ = 0;
  mutable std::mutex mutex_;
  mutable std::vector<std::uint64_t> offsets_;  // of each record, and the file's end
};

}  // namespace spiraltorch::data
