#include "spiraltorch/zspace/language_wave_encoder.hpp"

#include <algorithm>
#include <cmath>

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

Spectrum whole_spectrum(const std::vector<std::uint32_t>& codes, double temperature) {
  const auto n = static_cast<double>(codes.size());
  std::vector<double> samples(codes.size());
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const double envelope = std::abs(std::sin(static_cast<double>(i + 1) / n));
    samples[i] = temperature * (code_value(codes[i]) + envelope);
  }
  return zspace::fourier(samples);
}

// Writes the first `dim` coordinates of a spectrum's ball point, zeros past its end. Two passes
// over the bins, so that nothing of the spectrum's size is kept beside it.
void write_point(const Spectrum& spectrum, double kappa, std::int64_t dim, float* out) {
  const double root = std::sqrt(kappa);
  double squares = 0.0;
  for (const std::complex<double> bin : spectrum) {
    const double r = std::tanh(root * std::abs(bin));
    squares += r * r;
  }
  // exp_0(v/√κ) = R·tanh(‖v‖)·v/‖v‖, clamped to the ball.
  const double norm = std::sqrt(squares);
  const double length = std::min(std::tanh(norm), kBallMax);
  const double scale = norm == 0.0 ? 0.0 : length / (norm * root);
  const auto used = std::min<std::int64_t>(dim, 2 * static_cast<std::int64_t>(spectrum.size()));
  for (std::int64_t j = 0; j < used; ++j) {
    const std::complex<double> bin = spectrum[static_cast<std::size_t>(j / 2)];
    const double modulus = std::abs(bin);
    const double part = j % 2 == 0 ? bin.real() : bin.imag();
    const double v = modulus == 0.0 ? 0.0 : std::tanh(root * modulus) * (part / modulus);
    out[j] = static_cast<float>(scale * v);
  }
  std::fill(out + used, out + dim, 0.0F);
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
  const Spectrum spectrum = whole_spectrum(decode_text("encode_wave", text), temperature_);
  const std::vector<std::complex<float>> rounded(spectrum.begin(), spectrum.end());
  return {1, static_cast<std::int64_t>(rounded.size()), rounded};
}

Tensor LanguageWaveEncoder::encode_z_space(std::string_view text,
                                           std::optional<std::int64_t> dim) const {
  const auto codes = decode_text("encode_z_space", text);
  const std::int64_t cols = checked_dim("encode_z_space", dim, codes.size());
  std::vector<float> out(static_cast<std::size_t>(cols));
  write_point(whole_spectrum(codes, temperature_), -curvature_, cols, out.data());
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

// Code points of a stream: pieces may split a multi-byte character.
class CodeReader {
 public:
  explicit CodeReader(const std::function<std::optional<std::string>()>& next) : next_(next) {}

  // Appends code points until `codes` holds `count` or the stream ends.
  void fill(std::vector<std::uint32_t>& codes, std::size_t count) {
    while (codes.size() < count && !ended_) {
      const auto piece = next_();
      if (!piece) {
        ended_ = true;
        if (!rest_.empty()) append(codes, rest_.size());  // reports the cut character
        return;
      }
      rest_ += *piece;
      append(codes, complete_length());
    }
  }
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  // Bytes of rest_ up to the last character that is complete.
  [[nodiscard]] std::size_t complete_length() const {
    const std::size_t size = rest_.size();
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, size); ++back) {
      const auto byte = static_cast<unsigned char>(rest_[size - back]);
      if ((byte & 0xC0U) == 0x80U) continue;
      const std::size_t announced = byte >= 0xF0 ? 4 : (byte >= 0xE0 ? 3 : (byte >= 0xC0 ? 2 : 1));
      return announced > back ? size - back : size;
    }
    return size;
  }

  void append(std::vector<std::uint32_t>& codes, std::size_t bytes) {
    const auto part = decode_utf8("encode_stream", std::string_view(rest_).substr(0, bytes));
    codes.insert(codes.end(), part.begin(), part.end());
    rest_.erase(0, bytes);
  }

  const std::function<std::optional<std::string>()>& next_;
  std::string rest_;
  bool ended_ = false;
};

struct Frames {
  std::size_t window;
  double temperature;
  std::vector<double> envelope;
  std::vector<double> taper;  // periodic Hann window

  Frames(std::size_t w, double t) : window(w), temperature(t), envelope(w), taper(w) {
    for (std::size_t j = 0; j < w; ++j) {
      const double position = static_cast<double>(j) / static_cast<double>(w);
      envelope[j] = std::abs(std::sin(static_cast<double>(j + 1) / static_cast<double>(w)));
      taper[j] = 0.5 * (1.0 - std::cos(2.0 * M_PI * position));
    }
  }
  // The spectrum of the first `window` codes; zeros past their end.
  [[nodiscard]] Spectrum spectrum(const std::vector<std::uint32_t>& codes) const {
    std::vector<double> samples(window, 0.0);
    for (std::size_t j = 0; j < std::min(window, codes.size()); ++j) {
      samples[j] = temperature * (code_value(codes[j]) + envelope[j]) * taper[j];
    }
    return zspace::fourier(samples);
  }
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
  check_shape("encode_stream", 1, 2 * window);
  const auto width = static_cast<std::size_t>(window);
  const std::int64_t cols = checked_dim("encode_stream", dim, width);
  const Frames frames(width, temperature_);
  CodeReader reader(next);
  std::vector<std::uint32_t> codes;
  reader.fill(codes, width + 1);  // one beyond the frame: whether another follows
  require(!codes.empty(), Errc::empty_input, "encode_stream",
          "text: got an empty one, expected code points");
  std::vector<float> out;
  std::int64_t rows = 0;
  while (true) {
    out.resize(static_cast<std::size_t>((rows + 1) * cols));
    write_point(frames.spectrum(codes), -curvature_, cols, out.data() + rows * cols);
    ++rows;
    if (codes.size() <= width) break;
    codes.erase(codes.begin(), codes.begin() + hop);
    reader.fill(codes, width + 1);
  }
  return {rows, cols, std::span<const float>(out)};
}

}  // namespace spiraltorch
