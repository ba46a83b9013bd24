#include <sys/mman.h>

#include <atomic>
#include <bit>
#include <charconv>
#include <cstring>

#include "data/elements.hpp"
#include "data/records.hpp"
#include "spiraltorch/base/format_error.hpp"
#include "spiraltorch/base/limits.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/data/sources.hpp"

namespace spiraltorch {
namespace {

using data::InputFile;
constexpr const char* kName = "from_npy";
constexpr std::uint64_t kMapped = std::uint64_t{1} << 26;  // bytes
constexpr std::uint64_t kNeighbourhood = 65536;            // Linux's fault_around_bytes

[[noreturn]] void bad(const InputFile& file, std::string_view message) {
  throw FormatError(kName, text(file.path(), ": ", message));
}

// The rest of the header behind `'key':`, spaces skipped.
std::string_view value_of(const InputFile& file, std::string_view header, const char* key) {
  const std::size_t at = header.find(text("'", key, "'"));
  const std::size_t colon = at == std::string_view::npos ? at : header.find(':', at);
  const std::size_t begin =
      colon == std::string_view::npos ? colon : header.find_first_not_of(' ', colon + 1);
  if (begin == std::string_view::npos) bad(file, text("got a header without ", key));
  return header.substr(begin);
}

/// One memory-mapped array as rows.
class Array {
 public:
  explicit Array(const std::string& path) : file_(kName, path) {
    const std::string header = read_header();
    read_type(value_of(file_, header, "descr"));
    if (value_of(file_, header, "fortran_order").substr(0, 5) != "False") {
      bad(file_, "got Fortran order, expected C order");
    }
    read_shape(value_of(file_, header, "shape"));
    const std::uint64_t bytes = static_cast<std::uint64_t>(rows * cols) * size_;
    length_ = start_ + bytes;
    if (file_.size() < length_) {
      bad(file_, text("got ", file_.size(), " bytes, expected ", length_));
    }
    void* map = ::mmap(nullptr, length_, PROT_READ, MAP_SHARED, file_.descriptor(), 0);
    if (map == MAP_FAILED) {
      fail(Errc::io, kName, text("file: got no memory map of '", path, "', expected one"));
    }
    map_ = static_cast<const unsigned char*>(map);
  }
  ~Array() { ::munmap(const_cast<unsigned char*>(map_), length_); }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;

  [[nodiscard]] Tensor gather(std::span<const std::int64_t> numbers) const {
    std::vector<float> out;
    out.reserve(numbers.size() * static_cast<std::size_t>(cols));
    for (const std::int64_t number : numbers) {
      const unsigned char* from = map_ + start_ + static_cast<std::uint64_t>(number * cols) * size_;
      for (std::int64_t j = 0; j < cols; ++j, from += size_) {
        out.push_back(static_cast<float>(read_(from, swapped_)));
      }
    }
    forget(numbers);
    return {std::ssize(numbers), cols, std::span<const float>(out)};
  }

  std::int64_t rows = 0;
  std::int64_t cols = 1;

 private:
  // Unmaps what was read, from time to time, so that a pass over a large file stays small; the
  // pages remain in the system's cache. A jump maps a neighbourhood.
  void forget(std::span<const std::int64_t> numbers) const {
    std::uint64_t bytes =
        kNeighbourhood + numbers.size() * static_cast<std::uint64_t>(cols) * size_;
    for (std::size_t i = 1; i < numbers.size(); ++i) {
      if (numbers[i] != numbers[i - 1] + 1) bytes += kNeighbourhood;
    }
    if ((mapped_ += bytes) < kMapped) return;
    mapped_ = 0;
    (void)::madvise(const_cast<unsigned char*>(map_), length_, MADV_DONTNEED);
  }

  std::string read_header() {
    unsigned char lead[12] = {};
    const std::size_t got = file_.read(0, reinterpret_cast<char*>(lead), sizeof lead);
    if (got < 10 || std::memcmp(lead, "\x93NUMPY", 6) != 0) bad(file_, "got no .npy file");
    const int version = lead[6];
    if (version < 1 || version > 3) bad(file_, text("got version ", version, ", expected 1 to 3"));
    std::size_t length = lead[8] + 256U * lead[9];
    start_ = 10;
    if (version > 1) {
      length += (lead[10] + 256U * lead[11]) << 16;
      start_ = 12;
    }
    if (length > file_.size()) bad(file_, "got a header longer than the file");
    std::string header(length, '\0');
    if (file_.read(start_, header.data(), length) != length) bad(file_, "got a cut header");
    start_ += length;
    return header;
  }

  void read_type(std::string_view value) {
    const std::size_t end = value.size() < 2 ? 0 : value.find(value[0], 1);
    if (end == 0 || end == std::string_view::npos || value[0] != '\'' || end < 4) {
      bad(file_, "got a structured type, expected a real one");
    }
    const std::string_view type = value.substr(2, end - 2);
    read_ = data::element_reader(type);
    if (read_ == nullptr) {
      bad(file_, text("got type '", value.substr(1, end - 1), "', expected a real or bool one"));
    }
    (void)std::from_chars(type.data() + 1, type.data() + type.size(), size_);
    swapped_ = value[1] == (std::endian::native == std::endian::little ? '>' : '<');
  }

  void read_shape(std::string_view value) {
    std::vector<std::int64_t> axes;
    const std::size_t close = value.find(')');
    if (value[0] != '(' || close == std::string_view::npos) bad(file_, "got no shape");
    for (const char* at = value.data() + 1; at < value.data() + close;) {
      std::int64_t axis = 0;
      const auto [end, code] = std::from_chars(at, value.data() + close, axis);
      if (code != std::errc()) {
        ++at;  // a comma or space
        continue;
      }
      if (axis < 0 || axis > kMaxElements) bad(file_, text("got an axis of ", axis));
      axes.push_back(axis);
      at = end;
    }
    if (axes.empty()) bad(file_, "got no axis, expected rows");
    rows = axes[0];
    for (std::size_t i = 1; i < axes.size(); ++i) {
      if (axes[i] == 0 || cols > kMaxElements / axes[i]) {
        bad(file_, text("got an axis of ", axes[i], ", expected 1 to 2**40 elements a row"));
      }
      cols *= axes[i];
    }
    if (rows > kMaxElements / cols) bad(file_, "got over 2**40 elements");
  }

  InputFile file_;
  const unsigned char* map_ = nullptr;
  std::size_t length_ = 0;
  mutable std::atomic<std::uint64_t> mapped_{0};
  std::uint64_t start_ = 0;
  data::ReadElement read_ = nullptr;
  std::size_t size_ = 0;
  bool swapped_ = false;
};

class NpySource final : public SampleSource {
 public:
  NpySource(const std::string& inputs, const std::string& targets)
      : inputs_(inputs), targets_(targets) {
    if (inputs_.rows != targets_.rows) {
      fail(Errc::shape_mismatch, kName,
           text("targets: got ", targets_.rows, " rows, expected ", inputs_.rows,
                ", as many as inputs"));
    }
  }
  [[nodiscard]] std::int64_t size() const override { return inputs_.rows; }
  [[nodiscard]] Sample at(std::int64_t i) const override { return gather({&i, 1}); }
  [[nodiscard]] Batch gather(std::span<const std::int64_t> numbers) const override {
    return {inputs_.gather(numbers), targets_.gather(numbers)};
  }

 private:
  Array inputs_;
  Array targets_;
};

}  // namespace

DataLoader dataset::from_npy(const std::string& inputs, const std::string& targets) {
  return DataLoader(std::make_shared<NpySource>(inputs, targets));
}

}  // namespace spiraltorch
