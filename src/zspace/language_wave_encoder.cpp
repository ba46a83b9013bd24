#include "spiraltorch/zspace/language_wave_encoder.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "spiraltorch/base/limits.hpp"
#include "spiraltorch/base/unicode.hpp"
#include "spiraltorch/geometry/poincare_ball.hpp"
#include "spiraltorch/runtime/parallel.hpp"
#include "zspace/checks.hpp"
#include "zspace/fourier.hpp"

namespace spiraltorch {
namespace {

using Spectrum = std::vector<std::complex<double>>;

double code_value(std::uint32_t code) { return static_cast<double>(code % 1024) / 1024.0; }

// Spectra are of temperature 1; the temperature, which may overflow them, joins at the end.
Spectrum whole_spectrum(const std::vector<std::uint32_t>& codes) {
  const auto n = static_cast<double>(codes.size());
  std::vector<double> samples(codes.size());
  for (std::size_t i = 0; i < codes.size(); ++i) {
    samples[i] = code_value(codes[i]) + std::abs(std::sin(static_cast<double>(i + 1) / n));
  }
  return zspace::fourier(samples);
}

// Writes the first `dim` coordinates of a spectrum's ball point, zeros past its end. Two passes
// over the bins, so that nothing of the spectrum's size is kept beside it. Moduli times `gain` =
// √κT become radii.
void write_point(const Spectrum& spectrum, double kappa, double temperature, std::int64_t dim,
                 float* out) {
  const double root = std::sqrt(kappa);
  const double gain = root * temperature;
  const auto radius = [gain](double modulus) {
    return modulus == 0.0 ? 0.0 : std::tanh(gain * modulus);
  };
  double squares = 0.0;
  for (const std::complex<double> bin : spectrum) {
    const double r = radius(std::abs(bin));
    squares += r * r;
  }
  // exp_0(v/√κ) = R·tanh(‖v‖)·v/‖v‖, clamped to the ball.
  const double norm = std::sqrt(squares);
  const double length = std::min(std::tanh(norm), kBallMax);
  const double scale = norm == 0.0 ? 0.0 : length / (norm * root);
  std::fill(out, out + dim, 0.0F);
  for (std::size_t k = 0; k < spectrum.size() && std::cmp_less(2 * k, dim); ++k) {
    const double modulus = std::abs(spectrum[k]);
    if (modulus == 0.0) continue;
    const double r = scale * radius(modulus);
    out[2 * k] = static_cast<float>(r * (spectrum[k].real() / modulus));
    if (std::cmp_equal(2 * k + 1, dim)) break;
    out[2 * k + 1] = static_cast<float>(r * (spectrum[k].imag() / modulus));
  }
}

std::int64_t checked_dim(std::string_view op, std::optional<std::int64_t> dim, std::size_t bins) {
  if (!dim) return 2 * static_cast<std::int64_t>(bins);
  if (*dim < 1) {
    fail(Errc::invalid_value, op, text("dim: got ", *dim, ", expected >= 1"));
  }
  check_shape(op, 1, *dim);
  return *dim;
}

std::vector<std::uint32_t> decode_text(std::string_view op, std::string_view text) {
  require(!text.empty(), Errc::empty_input, op, "text: got an empty one, expected code points");
  return decode_utf8(op, text);
}

}  // namespace

LanguageWaveEncoder::LanguageWaveEncoder(double curvature, double temperature)
    : curvature_(curvature), temperature_(temperature) {
  check_curvature("LanguageWaveEncoder", curvature);
  zspace::check_positive("LanguageWaveEncoder", "temperature", temperature);
}

std::string LanguageWaveEncoder::repr() const {
  return text("LanguageWaveEncoder(curvature=", curvature_, ", temperature=", temperature_, ")");
}

ComplexTensor LanguageWaveEncoder::encode_wave(std::string_view text) const {
  const Spectrum spectrum = whole_spectrum(decode_text("encode_wave", text));
  std::vector<std::complex<float>> rounded(spectrum.size());
  for (std::size_t k = 0; k < rounded.size(); ++k) {
    rounded[k] = {static_cast<float>(temperature_ * spectrum[k].real()),
                  static_cast<float>(temperature_ * spectrum[k].imag())};
  }
  return {1, static_cast<std::int64_t>(rounded.size()), rounded};
}

Tensor LanguageWaveEncoder::encode_z_space(std::string_view text,
                                           std::optional<std::int64_t> dim) const {
  const auto codes = decode_text("encode_z_space", text);
  const std::int64_t cols = checked_dim("encode_z_space", dim, codes.size());
  std::vector<float> out(static_cast<std::size_t>(cols));
  write_point(whole_spectrum(codes), -curvature_, temperature_, cols, out.data());
  return {1, cols, std::span<const float>(out)};
}

std::vector<Tensor> LanguageWaveEncoder::encode_many(std::span<const std::string> texts,
                                                     std::optional<std::int64_t> dim) const {
  require(!texts.empty(), Errc::empty_input, "encode_many", "texts: got none, expected some");
  std::vector<std::optional<Tensor>> found(texts.size());
  std::vector<std::optional<Error>> errors(texts.size());
  parallel_for(static_cast<std::int64_t>(texts.size()), 1,
               [&](std::int64_t begin, std::int64_t end) {
                 for (auto i = static_cast<std::size_t>(begin); std::cmp_less(i, end); ++i) {
                   try {
                     found[i] = encode_z_space(texts[i], dim);
                   } catch (const Error& e) {
                     errors[i] = e;
                   }
                 }
               });
  std::vector<Tensor> out;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (errors[i]) {
      throw Error(errors[i]->code(), text("[encode_many] text ", i, ": ", errors[i]->what()));
    }
    out.push_back(*found[i]);
  }
  return out;
}

namespace {

// Code points of a stream: pieces may split a multi-byte character. Decodes no further than asked,
// so that beside the piece at hand only `codes` grows.
class CodeReader {
 public:
  explicit CodeReader(const std::function<std::optional<std::string>()>& next) : next_(next) {}

  // Appends code points until `codes` holds `count` or the stream ends.
  void fill(std::vector<std::uint32_t>& codes, std::size_t count) {
    while (codes.size() < count && has_character()) {
      const auto code = first_code_point(std::string_view(piece_).substr(at_));
      if (!code) {
        fail(Errc::invalid_value, "encode_stream",
             text("text: got invalid Unicode at byte ", before_ + at_, ", expected UTF-8"));
      }
      codes.push_back(*code);
      at_ += utf8_length(piece_[at_]);
    }
  }

 private:
  // Reads on until the character at at_ is complete; false at the end of the stream.
  bool has_character() {
    while (at_ == piece_.size() || utf8_length(piece_[at_]) > piece_.size() - at_) {
      std::optional<std::string> more;
      if (!ended_) more = next_();
      if (!more) {
        ended_ = true;
        return at_ < piece_.size();  // a cut character, which decoding refuses
      }
      before_ += at_;
      piece_.erase(0, at_);  // all but the beginning of one character
      at_ = 0;
      piece_ += *more;
    }
    return true;
  }

  const std::function<std::optional<std::string>()>& next_;
  std::string piece_;
  std::size_t at_ = 0;
  std::size_t before_ = 0;  // bytes of the stream before piece_
  bool ended_ = false;
};

class Frames {
 public:
  explicit Frames(std::size_t window) : envelope_(window), taper_(window), fourier_(window) {
    const auto w = static_cast<double>(window);
    for (std::size_t j = 0; j < window; ++j) {
      const auto position = static_cast<double>(j);
      envelope_[j] = std::abs(std::sin((position + 1.0) / w));
      taper_[j] = 0.5 * (1.0 - std::cos(2.0 * std::numbers::pi * position / w));
    }
  }
  // The spectrum of the first codes of one window; zeros past their end.
  [[nodiscard]] Spectrum spectrum(const std::vector<std::uint32_t>& codes) const {
    std::vector<double> samples(envelope_.size(), 0.0);
    for (std::size_t j = 0; j < std::min(samples.size(), codes.size()); ++j) {
      samples[j] = (code_value(codes[j]) + envelope_[j]) * taper_[j];
    }
    return fourier_(samples);
  }

 private:
  std::vector<double> envelope_;
  std::vector<double> taper_;  // periodic Hann window
  zspace::Fourier fourier_;
};

}  // namespace

Tensor LanguageWaveEncoder::encode_stream(const std::function<std::optional<std::string>()>& next,
                                          std::int64_t window, std::int64_t hop,
                                          std::optional<std::int64_t> dim) const {
  if (window < 2) {
    fail(Errc::invalid_value, "encode_stream", text("window: got ", window, ", expected >= 2"));
  }
  if (hop < 1 || hop > window) {
    fail(Errc::invalid_value, "encode_stream",
         text("hop: got ", hop, ", expected 1 to window (", window, ")"));
  }
  check_shape("encode_stream", 2, window);
  const auto width = static_cast<std::size_t>(window);
  const std::int64_t cols = checked_dim("encode_stream", dim, width);
  CodeReader reader(next);
  std::vector<std::uint32_t> codes;
  reader.fill(codes, width + 1);  // one beyond the frame: whether another follows
  require(!codes.empty(), Errc::empty_input, "encode_stream",
          "text: got an empty one, expected code points");
  const Frames frames(width);
  std::vector<float> out;
  std::int64_t rows = 0;
  while (true) {
    out.resize(static_cast<std::size_t>((rows + 1) * cols));
    write_point(frames.spectrum(codes), -curvature_, temperature_, cols, out.data() + rows * cols);
    ++rows;
    if (codes.size() <= width) break;
    codes.erase(codes.begin(), codes.begin() + hop);
    reader.fill(codes, width + 1);
  }
  return {rows, cols, std::span<const float>(out)};
}

}  // namespace spiraltorch
