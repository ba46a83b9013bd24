#include <atomic>
#include <mutex>
#include <utility>

#include "data/arrow_column.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/format_error.hpp"
#include "spiraltorch/base/limits.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/data/arrow_stream.hpp"
#include "spiraltorch/data/sources.hpp"

namespace spiraltorch {
namespace {

using data::ArrowColumn;
using data::ArrowOwned;
using data::check_live;
using data::kFromArrow;
using data::place_of;
using dataset::ArrowOpen;
using dataset::Column;
using Stream = data::ArrowStreamOwned;

/// Chosen columns of a stream, the inputs' before the targets'.
struct Columns {
  std::vector<ArrowColumn> all;
  std::size_t inputs = 0;
  std::int64_t widths[2] = {0, 0};
};

Columns columns_of(ArrowArrayStream* stream, std::span<const Column> inputs,
                   std::span<const Column> targets) {
  const ArrowOwned<ArrowSchema> schema = data::batch_schema(stream);
  Columns out;
  const auto add = [&](std::span<const Column> wanted, const char* what, std::int64_t& width) {
    require(!wanted.empty(), Errc::empty_input, kFromArrow,
            text(what, ": got no column, expected at least one"));
    for (const Column& column : wanted) {
      const std::int64_t index = place_of(*schema, column, what);
      out.all.emplace_back(*schema->children[index], index);
      width += out.all.back().width();
    }
    check_shape(kFromArrow, 1, width);
  };
  add(inputs, "inputs", out.widths[0]);
  out.inputs = out.all.size();
  add(targets, "targets", out.widths[1]);
  return out;
}

class ArrowStream final : public SampleStream {
 public:
  ArrowStream(Stream stream, Columns columns, std::atomic<bool>& gave)
      : stream_(std::move(stream)), columns_(std::move(columns)), gave_(gave) {}

  std::optional<Sample> next() override {
    while (at_ == rows_) {
      if (!next_batch()) return {};
    }
    if (valid_ != nullptr && !data::arrow_bit(valid_, batch_->offset + at_)) {
      throw FormatError(kFromArrow, text("row ", place_, ": got null, expected numbers"));
    }
    const auto side = [&](std::size_t begin, std::size_t end, std::int64_t width) {
      values_.clear();
      for (std::size_t i = begin; i < end; ++i) columns_.all[i].read(at_, place_, values_);
      return Tensor(1, width, std::span<const float>(values_));
    };
    Tensor input = side(0, columns_.inputs, columns_.widths[0]);
    Tensor target = side(columns_.inputs, columns_.all.size(), columns_.widths[1]);
    ++at_;
    ++place_;
    return Sample{std::move(input), std::move(target)};
  }

 private:
  // False at the end.
  bool next_batch() {
    if (stream_.released()) return false;
    rows_ = at_ = 0;
    if (!data::next_batch(stream_.get(), batch_)) {
      stream_.reset();
      if (place_ > 0) {
        gave_ = true;
      } else {
        require(!gave_, Errc::invalid_value, kFromArrow,
                "source: got an empty stream after one with rows, expected a new stream each "
                "epoch");
      }
      return false;
    }
    const std::int64_t rows = batch_->length;
    if (rows > 0) {
      for (ArrowColumn& column : columns_.all) column.bind(*batch_, rows);
      valid_ = data::valid_rows(*batch_);
    }
    rows_ = rows;
    return true;
  }

  Stream stream_;
  Columns columns_;
  std::atomic<bool>& gave_;  // the source's, which the loader's plan keeps
  ArrowOwned<ArrowArray> batch_;
  const unsigned char* valid_ = nullptr;  // of the batch's rows
  std::int64_t rows_ = 0;                 // of the batch
  std::int64_t at_ = 0;
  std::int64_t place_ = 0;  // rows given
  std::vector<float> values_;
};

class ArrowSource final : public SampleSource {
 public:
  // `first` is checked before it is taken.
  ArrowSource(ArrowArrayStream* first, ArrowOpen open, std::span<const Column> inputs,
              std::span<const Column> targets)
      : open_(std::move(open)),
        inputs_(inputs.begin(), inputs.end()),
        targets_(targets.begin(), targets.end()) {
    check_live(first);
    (void)columns_of(first, inputs_, targets_);
    first_.take(first);
  }

  [[nodiscard]] bool sized() const noexcept override { return false; }
  [[nodiscard]] std::int64_t size() const override { no_numbers(); }
  [[nodiscard]] Sample at(std::int64_t) const override { no_numbers(); }

  [[nodiscard]] std::unique_ptr<SampleStream> stream() const override {
    Stream stream;
    {
      const std::lock_guard lock(mutex_);
      if (!first_.released()) stream.take(first_.get());
    }
    if (stream.released()) {
      require(static_cast<bool>(open_), Errc::invalid_value, kFromArrow,
              "source: got a second epoch of a one-shot stream, expected one that gives a new "
              "stream each epoch");
      open_(stream.get());
      check_live(stream.get());
    }
    Columns columns = columns_of(stream.get(), inputs_, targets_);
    return std::make_unique<ArrowStream>(std::move(stream), std::move(columns), gave_);
  }

 private:
  [[noreturn]] static void no_numbers() {
    fail(Errc::internal, kFromArrow, "source: got a number, expected a pass in order");
  }

  ArrowOpen open_;
  std::vector<Column> inputs_;
  std::vector<Column> targets_;
  mutable std::mutex mutex_;
  mutable Stream first_;  // until an epoch takes it
  mutable std::atomic<bool> gave_{false};
};

}  // namespace

DataLoader dataset::from_arrow(ArrowArrayStream* stream, std::span<const Column> inputs,
                               std::span<const Column> targets) {
  return DataLoader(std::make_shared<ArrowSource>(stream, ArrowOpen{}, inputs, targets));
}

DataLoader dataset::from_arrow(ArrowOpen open, std::span<const Column> inputs,
                               std::span<const Column> targets) {
  require(static_cast<bool>(open), Errc::invalid_value, kFromArrow,
          "open: got none, expected a function");
  Stream first;
  open(first.get());
  return DataLoader(std::make_shared<ArrowSource>(first.get(), std::move(open), inputs, targets));
}

}  // namespace spiraltorch
