#include "spiraltorch/zspace/language_wave_encoder.hpp"

#include <cmath>
#include <complex>
#include <cstdint>

#include "check_error.hpp"
#include "golden.hpp"
#include "spiraltorch/base/unicode.hpp"
#include "spiraltorch/runtime/parallel.hpp"
#include "zspace/fourier.hpp"

using namespace spiraltorch;
using golden::Json;

namespace {

LanguageWaveEncoder encoder_of(const Json& in) {
  return {golden::number(in.at("curvature")), golden::number(in.at("temperature"))};
}

constexpr long double kPi = 3.141592653589793238462643383279502884L;

std::complex<long double> direct_bin(const std::vector<double>& x, std::size_t k) {
  std::complex<long double> sum;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto turns =
        static_cast<long double>(k * i % x.size()) / static_cast<long double>(x.size());
    sum += static_cast<long double>(x[i]) *
           std::complex<long double>(std::cos(2 * kPi * turns), -std::sin(2 * kPi * turns));
  }
  return sum;
}

std::vector<std::complex<long double>> direct(const std::vector<double>& x) {
  std::vector<std::complex<long double>> out;
  for (std::size_t k = 0; k < x.size(); ++k) out.push_back(direct_bin(x, k));
  return out;
}

std::string sample_text(std::size_t bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i) out.push_back(static_cast<char>('a' + (i * i) % 26));
  return out;
}

Tensor stream(const LanguageWaveEncoder& e, const std::string& text, std::size_t piece,
              std::int64_t window, std::int64_t hop, std::optional<std::int64_t> dim = {}) {
  std::size_t at = 0;
  return e.encode_stream(
      [&]() -> std::optional<std::string> {
        if (at >= text.size()) return {};
        const std::string part = text.substr(at, piece);
        at += piece;
        return part;
      },
      window, hop, dim);
}

}  // namespace

TEST_CASE("golden waves and points") {
  golden::each_case("LanguageWaveEncoder.encode_wave", [](const Json& in, const Json& one) {
    const ComplexTensor wave = encoder_of(in).encode_wave(in.at("text").get<std::string>());
    golden::compare(golden::widen(wave.real().data()), one.at("expected").at("re"), one);
    golden::compare(golden::widen(wave.imag().data()), one.at("expected").at("im"), one);
  });
  golden::each_case("LanguageWaveEncoder.encode_z_space", [](const Json& in, const Json& one) {
    std::optional<std::int64_t> dim;
    if (in.contains("dim")) dim = in.at("dim").get<std::int64_t>();
    const Tensor z = encoder_of(in).encode_z_space(in.at("text").get<std::string>(), dim);
    golden::compare(golden::widen(z.data()), one.at("expected"), one);
  });
}

TEST_CASE("the transform equals direct summation, prime lengths included") {
  std::vector<std::size_t> lengths{257, 499, 1009, 1024, 1155, 2003};
  for (std::size_t n = 1; n <= 200; ++n) lengths.push_back(n);
  for (const std::size_t n : lengths) {
    CAPTURE(n);
    std::vector<double> x(n);
    for (std::size_t i = 0; i < n; ++i) x[i] = std::abs(std::sin(double(i * i + 1)));
    const auto got = zspace::fourier(x);
    const auto want = direct(x);
    double size = 0;
    for (const double v : x) size += v;
    for (std::size_t k = 0; k < n; ++k) {
      REQUIRE(std::abs(std::complex<long double>(got[k]) - want[k]) <= 2e-15L * size);
    }
  }
}

TEST_CASE("the transform is exact to double at large lengths") {
  for (const std::size_t n : {65537UL, 100003UL, 98304UL, 90090UL}) {
    CAPTURE(n);
    std::vector<double> x(n);  // without a mean, whose bin would hide the others' errors
    double squares = 0;
    for (std::size_t i = 0; i < n; ++i) {
      x[i] = std::sin(double(i % 9973 * (i % 9973)));
      squares += x[i] * x[i];
    }
    const auto got = zspace::fourier(x);
    for (const std::size_t k : {std::size_t{0}, std::size_t{1}, n / 7, n / 2, n - 2, n - 1}) {
      const auto error = std::abs(std::complex<long double>(got[k]) - direct_bin(x, k));
      CHECK(double(error) <= 1e-15 * std::log2(double(n)) * std::sqrt(squares));
    }
  }
}

TEST_CASE("the transform does not depend on the number of threads") {
  const int before = thread_count();
  for (const std::size_t n : {40009UL, 90090UL}) {
    std::vector<double> x(n);
    for (std::size_t i = 0; i < n; ++i) x[i] = std::sin(double(i));
    set_thread_count(1);
    const auto one = zspace::fourier(x);
    set_thread_count(4);
    CHECK(zspace::fourier(x) == one);
  }
  set_thread_count(before);
}

TEST_CASE("Unicode is decoded strictly") {
  const std::string text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8C\x80";  // a, é, €, cyclone
  CHECK(decode_utf8("test", text) == std::vector<std::uint32_t>{0x61, 0xE9, 0x20AC, 0x1F300});
  for (const std::string bad : {"\x80", "a\xC3", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80",
                                "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x28\xA1"}) {
    check_error(Errc::invalid_value, [&] { (void)decode_utf8("test", bad); });
  }
  try {
    (void)LanguageWaveEncoder(-1.0, 0.5).encode_wave("ab\xFF");
    FAIL("accepted");
  } catch (const Error& e) {
    CHECK(std::string(e.what()).find("byte 2") != std::string::npos);
  }
}

TEST_CASE("encoder conditions") {
  check_error(Errc::curvature, [] { (void)LanguageWaveEncoder(1.0, 0.5); });
  check_error(Errc::invalid_value, [] { (void)LanguageWaveEncoder(-1.0, 0.0); });
  check_error(Errc::non_finite, [] { (void)LanguageWaveEncoder(-1.0, NAN); });
  const LanguageWaveEncoder e(-1.0, 0.5);
  check_error(Errc::empty_input, [&] { (void)e.encode_wave(""); });
  check_error(Errc::empty_input, [&] { (void)e.encode_z_space(""); });
  check_error(Errc::invalid_value, [&] { (void)e.encode_z_space("a", 0); });
  check_error(Errc::empty_input, [&] { (void)e.encode_many({}); });
  check_error(Errc::empty_input, [&] { (void)stream(e, "", 1, 4, 2); });
  check_error(Errc::invalid_value, [&] { (void)stream(e, "abc", 1, 1, 1); });
  check_error(Errc::invalid_value, [&] { (void)stream(e, "abc", 1, 4, 5); });
  check_error(Errc::invalid_value, [&] { (void)stream(e, "ab\xC3", 1, 4, 2); });
  check_error(Errc::invalid_value, [&] { (void)stream(e, "abc", 1, 4, 0); });
  check_error(Errc::invalid_value, [&] { (void)stream(e, "abc", 1, 4, 2, 0); });
  check_error(Errc::invalid_shape, [&] { (void)stream(e, "abc", 1, INT64_MAX, 2); });
  const std::vector<std::string> texts{"a", "b", ""};
  try {
    (void)e.encode_many(texts);
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.code() == Errc::empty_input);
    CHECK(std::string(error.what()).find("text 2") != std::string::npos);
  }
  CHECK(e.repr() == "LanguageWaveEncoder(curvature=-1, temperature=0.5)");
}

TEST_CASE("restriction keeps the first coordinates and never increases the norm") {
  const LanguageWaveEncoder e(-2.0, 0.7);
  const Tensor whole = e.encode_z_space("hyperbolic");
  const Tensor part = e.encode_z_space("hyperbolic", 6);
  CHECK(part.norm().item() <= whole.norm().item() * (1 + 1e-6));
  const Tensor longer = e.encode_z_space("hyperbolic", 30);
  CHECK(longer.slice({}, {.stop = 20}).data() == whole.data());
  CHECK(longer.slice({}, {.start = 20}).abs().max().item() == 0);
}

TEST_CASE("many texts give the individual results") {
  const LanguageWaveEncoder e(-1.0, 0.5);
  const std::vector<std::string> texts{"one", "two", "a longer third text", "4"};
  const auto many = e.encode_many(texts, 16);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    CHECK(many[i].data() == e.encode_z_space(texts[i], 16).data());
  }
}

TEST_CASE("a stream depends on the concatenation only, frames follow their definition") {
  const LanguageWaveEncoder e(-1.0, 0.5);
  const std::string text = "na\xC3\xAFve \xE2\x82\xAC 100 streams of text";
  const Tensor whole = stream(e, text, text.size(), 8, 3);
  const auto codes = decode_utf8("test", text);
  const auto expected_frames = 1 + (static_cast<std::int64_t>(codes.size()) - 8 + 2) / 3;
  CHECK(whole.shape() == Shape{expected_frames, 16});
  for (const std::size_t piece : {1, 2, 3, 7}) {
    CHECK(stream(e, text, piece, 8, 3).data() == whole.data());
  }
  CHECK(stream(e, "abc", 1, 8, 3).rows() == 1);
  CHECK(stream(e, "abcdefgh", 1, 8, 3).rows() == 1);
  CHECK(stream(e, "abcdefghi", 1, 8, 3).rows() == 2);
  CHECK(stream(e, text, 5, 8, 3, 4).cols() == 4);
  // Frame 1 by the formulas.
  std::vector<double> samples(8);
  for (std::size_t j = 0; j < 8; ++j) {
    const double value = double(codes[3 + j] % 1024) / 1024 + std::abs(std::sin(double(j + 1) / 8));
    samples[j] = 0.5 * value * 0.5 * (1 - std::cos(2 * M_PI * double(j) / 8));
  }
  std::vector<double> v;
  double squares = 0;
  for (const auto& bin : direct(samples)) {
    const double r = std::tanh(double(std::abs(bin)));
    v.push_back(r * std::cos(double(std::arg(bin))));
    v.push_back(r * std::sin(double(std::arg(bin))));
  }
  for (const double x : v) squares += x * x;
  for (std::size_t j = 0; j < 16; ++j) {
    const double expected = std::tanh(std::sqrt(squares)) * v[j] / std::sqrt(squares);
    CHECK(std::abs(whole.at(1, std::int64_t(j)) - expected) <= 1e-6);
  }
}

TEST_CASE("one symbol, and a long text of prime length") {
  const LanguageWaveEncoder e(-1.0, 0.5);
  CHECK(e.encode_wave("a").real().item() ==
        doctest::Approx(0.5 * (97.0 / 1024 + std::sin(1.0))).epsilon(1e-6));
  const Tensor z = e.encode_z_space(sample_text(100003));
  CHECK(z.cols() == 200006);
  CHECK(z.norm().item() <= 1 - 1e-5 + 1e-6);
}

TEST_CASE("a stream names the byte, counted from its beginning") {
  const LanguageWaveEncoder e(-1.0, 0.5);
  for (const std::size_t piece : {1, 2, 5, 100}) {
    try {
      (void)stream(e, "0123456\xE2\x82\xAC\xE2(", piece, 4, 2);
      FAIL("accepted");
    } catch (const Error& error) {
      CHECK(error.code() == Errc::invalid_value);
      CHECK(std::string(error.what()).find("byte 10,") != std::string::npos);
    }
  }
}

TEST_CASE("one long piece is no dearer than many short ones") {
  // Moving the rest of the text at each frame would take minutes here.
  const LanguageWaveEncoder e(-1.0, 0.5);
  const std::string text = sample_text(300000);
  const Tensor z = stream(e, text, text.size(), 4, 1, 2);
  CHECK(z.rows() == 299997);
  CHECK(z.data() == stream(e, text, 1000, 4, 1, 2).data());
}

TEST_CASE("extreme temperatures saturate or vanish, without NaN") {
  for (const double temperature : {1e-320, 1e-160, 1e30, 1e308}) {
    for (const double curvature : {-1e12, -1.0, -1e-12}) {
      const LanguageWaveEncoder e(curvature, temperature);
      const Tensor z = e.encode_z_space("abcdefghijk");
      for (const float v : z.data()) REQUIRE(std::isfinite(v));
      CHECK(z.norm().item() * std::sqrt(-curvature) <= 1 - 1e-5 + 1e-6);
    }
  }
  const Tensor z = LanguageWaveEncoder(-1.0, 1e308).encode_z_space("abcdefghijk");
  CHECK(z.norm().item() == doctest::Approx(std::tanh(std::sqrt(11.0))).epsilon(1e-5));
}
