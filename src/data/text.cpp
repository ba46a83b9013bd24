#include "spiraltorch/base/text.hpp"

#include <algorithm>

#include "data/records.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/unicode.hpp"
#include "spiraltorch/data/sources.hpp"

namespace spiraltorch {
namespace {

using data::InputFile;
using data::Place;
using Targets = std::optional<std::vector<Tensor>>;
constexpr const char* kName = "from_text";

void check_width(std::int64_t width) {
  if (width < 1)
    fail(Errc::invalid_value, kName, text("width: got ", width, ", expected one >= 1"));
}

class TextSource final : public SampleSource {
 public:
  TextSource(std::vector<std::string> texts, const LanguageWaveEncoder& encoder, Targets targets,
             std::optional<std::int64_t> width)
      : texts_(std::move(texts)), encoder_(encoder), targets_(std::move(targets)) {
    std::int64_t longest = 1;
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      require(!texts_[i].empty(), Errc::empty_input, kName,
              text("text ", i, ": got none, expected at least one character"));
      longest = std::max(longest, std::ssize(decode_utf8(kName, texts_[i])));
    }
    width_ = width.value_or(2 * longest);
    check_width(width_);
    if (targets_ && targets_->size() != texts_.size()) {
      fail(Errc::length_mismatch, kName,
           text("targets: got ", targets_->size(), ", expected ", texts_.size()));
    }
  }
  [[nodiscard]] std::int64_t size() const override { return std::ssize(texts_); }
  [[nodiscard]] Sample at(std::int64_t index) const override {
    const auto i = static_cast<std::size_t>(index);
    const Tensor input = encoder_.encode_z_space(texts_[i], width_);
    return {input, targets_ ? (*targets_)[i] : input};
  }

 private:
  std::vector<std::string> texts_;
  LanguageWaveEncoder encoder_;
  Targets targets_;
  std::int64_t width_ = 1;
};

class TextFileSource final : public data::RecordSource {
 public:
  TextFileSource(std::shared_ptr<const InputFile> file, const LanguageWaveEncoder& encoder,
                 Targets targets, std::int64_t width)
      : RecordSource(std::move(file), {.skip_empty = false}),
        encoder_(encoder),
        targets_(std::move(targets)),
        width_(width) {}

  [[nodiscard]] Sample parse(std::string_view record, Place place) const override {
    if (targets_ && place.index >= std::ssize(*targets_)) {
      fail(Errc::length_mismatch, kName,
           text("targets: got ", targets_->size(), ", expected one for each line of ",
                file()->path()));
    }
    if (record.empty()) bad(place, 1, "got an empty line, expected a text");
    if (const auto at = find_invalid_utf8(record)) bad(place, *at + 1, "got invalid UTF-8");
    const Tensor input = encoder_.encode_z_space(record, width_);
    return {input, targets_ ? (*targets_)[static_cast<std::size_t>(place.index)] : input};
  }

 private:
  LanguageWaveEncoder encoder_;
  Targets targets_;
  std::int64_t width_;
};

}  // namespace

DataLoader dataset::from_text(std::vector<std::string> texts, const LanguageWaveEncoder& encoder,
                              std::optional<std::vector<Tensor>> targets,
                              std::optional<std::int64_t> width) {
  return DataLoader(
      std::make_shared<TextSource>(std::move(texts), encoder, std::move(targets), width));
}

DataLoader dataset::from_text_file(const std::string& path, const LanguageWaveEncoder& encoder,
                                   std::int64_t width, std::optional<std::vector<Tensor>> targets) {
  check_width(width);
  return DataLoader(std::make_shared<TextFileSource>(std::make_shared<InputFile>(kName, path),
                                                     encoder, std::move(targets), width));
}

}  // namespace spiraltorch
