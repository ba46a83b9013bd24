#include <cstring>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/data/sources.hpp"
#include "spiraltorch/ops/gather.hpp"
#include "spiraltorch/tensor/autograd.hpp"

namespace spiraltorch {
namespace {

constexpr std::int64_t kThreadFloats = 65536;  // a copy of so many is an operation on all threads

// Plain numbers in host memory: copied without an operation per part.
bool is_plain(const Tensor& x) { return !x.requires_grad() && host_view(*x.buffer()) != nullptr; }

Tensor side(std::span<const Sample> samples, Tensor Sample::*member, const char* name) {
  const std::int64_t cols = (samples[0].*member).cols();
  std::int64_t rows = 0;
  bool plain = true;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const Tensor& part = samples[i].*member;
    if (part.cols() != cols) {
      fail(Errc::shape_mismatch, "batch",
           text(name, " ", i, " of the batch: got ", to_text(part.shape()), ", expected ", cols,
                " columns"));
    }
    rows += part.rows();
    plain = plain && is_plain(part);
  }
  if (!plain) {
    std::vector<Tensor> parts;
    for (const Sample& sample : samples) parts.push_back(sample.*member);
    return Tensor::cat_rows(parts);
  }
  check_shape("batch", rows, cols);
  Tensor out = Tensor::empty(rows, cols);
  auto* to = static_cast<float*>(host_view(*out.buffer()));
  for (const Sample& sample : samples) {
    const Tensor& part = sample.*member;
    std::memcpy(to, host_view(*part.buffer()),
                static_cast<std::size_t>(part.size()) * sizeof(float));
    to += part.size();
  }
  return out;
}

Tensor rows_of(const Tensor& x, std::span<const std::int64_t> numbers) {
  if (!is_plain(x) || std::ssize(numbers) * x.cols() >= kThreadFloats) {
    const std::vector<std::int64_t> values(numbers.begin(), numbers.end());
    return ops::index_select(
        x, IndexTensor::from_values(1, std::ssize(values), values, ElementType::i64, x.device()));
  }
  const std::int64_t cols = x.cols();
  Tensor out = Tensor::empty(std::ssize(numbers), cols);
  auto* to = static_cast<float*>(host_view(*out.buffer()));
  const auto* from = static_cast<const float*>(host_view(*x.buffer()));
  const std::size_t bytes = static_cast<std::size_t>(cols) * sizeof(float);
  for (const std::int64_t number : numbers) {
    std::memcpy(to, from + number * cols, bytes);
    to += cols;
  }
  return out;
}

class VectorSource final : public SampleSource {
 public:
  explicit VectorSource(std::vector<Sample> samples) : samples_(std::move(samples)) {}
  [[nodiscard]] std::int64_t size() const override { return std::ssize(samples_); }
  [[nodiscard]] Sample at(std::int64_t i) const override {
    return samples_[static_cast<std::size_t>(i)];
  }

 private:
  std::vector<Sample> samples_;
};

class TensorSource final : public SampleSource {
 public:
  TensorSource(Tensor inputs, Tensor targets)
      : inputs_(std::move(inputs)), targets_(std::move(targets)) {}
  [[nodiscard]] std::int64_t size() const override { return inputs_.rows(); }
  [[nodiscard]] Sample at(std::int64_t i) const override { return gather({&i, 1}); }
  [[nodiscard]] Batch gather(std::span<const std::int64_t> indices) const override {
    return {rows_of(inputs_, indices), rows_of(targets_, indices)};
  }

 private:
  Tensor inputs_;
  Tensor targets_;
};

}  // namespace

SampleStream::~SampleStream() = default;
SampleSource::~SampleSource() = default;

std::unique_ptr<SampleStream> SampleSource::stream() const { return nullptr; }

Batch SampleSource::gather(std::span<const std::int64_t> indices) const {
  std::vector<Sample> samples;
  samples.reserve(indices.size());
  for (const std::int64_t i : indices) samples.push_back(at(i));
  return concatenate(samples);
}

Batch concatenate(std::span<const Sample> samples) {
  require(!samples.empty(), Errc::empty_input, "batch", "samples: got none, expected at least one");
  return {side(samples, &Sample::input, "input"), side(samples, &Sample::target, "target")};
}

namespace dataset {

DataLoader from_vec(std::vector<Sample> samples) {
  return DataLoader(std::make_shared<VectorSource>(std::move(samples)));
}

DataLoader from_tensors(const Tensor& inputs, const Tensor& targets) {
  if (inputs.rows() != targets.rows()) {
    fail(Errc::shape_mismatch, "from_tensors",
         text("targets: got ", to_text(targets.shape()), ", expected ", inputs.rows(),
              " rows, as many as inputs"));
  }
  return DataLoader(std::make_shared<TensorSource>(inputs, targets));
}

}  // namespace dataset
}  // namespace spiraltorch
