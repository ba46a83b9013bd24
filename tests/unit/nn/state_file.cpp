#include "spiraltorch/nn/state_file.hpp"

#include <array>
#include <fstream>
#include <iterator>
#include <sstream>

#include "check_error.hpp"
#include "spiraltorch/base/format_error.hpp"
#include "spiraltorch/base/philox.hpp"
#include "spiraltorch/nn/embedding.hpp"
#include "spiraltorch/nn/linear.hpp"
#include "support.hpp"
#include "temporary.hpp"

using namespace nn_test;

namespace {

std::string decoded(const std::string& base64) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : base64) {
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const auto digit = kDigits.find(c);
    if (digit == std::string_view::npos) break;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    if ((count += 6) < 8) continue;
    count -= 8;
    out.push_back(static_cast<char>(bits >> count & 255));
  }
  return out;
}

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// A tensor's bytes as a golden file's list of numbers has them.
std::vector<std::byte> bytes_of(const Json& tensor) {
  std::vector<std::byte> out;
  const auto put = [&out](auto value) {
    const auto raw = std::as_bytes(std::span(&value, 1));
    out.insert(out.end(), raw.begin(), raw.end());
  };
  const std::string dtype = tensor[0];
  for (const Json& v : tensor[2]) {
    if (dtype == "F32") put(v.get<float>());
    if (dtype == "F64") put(v.get<double>());
    if (dtype == "U64") {
      put(v.is_string() ? std::uint64_t{std::stoull(v.get<std::string>())}
                        : v.get<std::uint64_t>());
    }
  }
  return out;
}

}  // namespace

TEST_CASE("golden state files: canonical bytes, and the values back") {
  const TemporaryFolder folder;
  const std::string path = folder.file("state");
  for (const Json& want : learning::file().at("state_files")) {
    CAPTURE(want.at("note").get<std::string>());
    std::vector<SafetensorsEntry> entries;
    std::vector<std::vector<std::byte>> kept;
    for (const auto& [name, tensor] : want.at("tensors").items()) {
      kept.push_back(bytes_of(tensor));
      entries.push_back({name, tensor[0], tensor[1].get<std::vector<std::int64_t>>(), kept.back()});
    }
    const auto metadata = want.at("metadata").get<SafetensorsMetadata>();
    write_safetensors("test", path, entries, metadata);
    CHECK(content(path) == decoded(want.at("base64")));
    const SafetensorsFile back = read_safetensors("test", path);
    CHECK(back.metadata == metadata);
    CHECK(back.entries.size() == entries.size());
  }
}

TEST_CASE("golden malformed files are refused, naming file and reason") {
  for (const Json& bad : learning::file().at("malformed_files")) {
    const std::string raw = decoded(bad.at("base64"));
    CAPTURE(bad.at("name").get<std::string>());
    const auto bytes = std::as_bytes(std::span(raw));
    try {
      (void)parse_safetensors("load", "the/path", {bytes.begin(), bytes.end()});
      FAIL_CHECK("nothing thrown");
    } catch (const FormatError& error) {
      const std::string what = error.what();
      CAPTURE(what);
      CHECK(what.find("the/path") != std::string::npos);
      std::istringstream words(bad.at("reason").get<std::string>());
      for (std::string word; words >> word;) CHECK(what.find(word) != std::string::npos);
    }
  }
}

TEST_CASE("modules are saved and loaded, and what fails changes nothing") {
  const TemporaryFolder folder;
  const std::string path = folder.file("layer");
  manual_seed(1);
  const nn::Linear first(3, 2);
  first.save(path);
  nn::Linear second(3, 2);
  const auto before = second.parameters()[0].data();
  CHECK(before != first.parameters()[0].data());
  second.load(path);
  CHECK(second.parameters()[0].data() == first.parameters()[0].data());
  nn::Linear other(3, 2, "other");
  const auto kept = other.parameters()[0].data();
  check_error(Errc::invalid_value, [&] { other.load(path); });
  CHECK(other.parameters()[0].data() == kept);
  check_error(Errc::io, [&] { first.save(folder.file("no/folder")); });
  check_error(Errc::io, [&] { other.load(folder.file("absent")); });
  const nn::PoincareEmbedding ball(4, 2, -2.0);
  ball.save(path);
  nn::PoincareEmbedding flatter(4, 2, -1.0);
  check_error(Errc::curvature_mismatch, [&] { flatter.load(path); });
  nn::PoincareEmbedding twin(4, 2, -2.0);
  twin.load(path);
  CHECK(twin.parameters()[0].data() == ball.parameters()[0].data());
}

TEST_CASE("a file keeps what it held when a write cannot finish") {
  const TemporaryFolder folder;
  const std::string path = folder.write("kept", "former");
  const std::array<std::span<const std::byte>, 0> nothing{};
  check_error(Errc::io, [&] { write_file("test", folder.file("none/kept"), nothing); });
  CHECK(content(path) == "former");
  const std::string next = "next";
  const std::array parts{std::as_bytes(std::span(next))};
  write_file("test", path, parts);
  CHECK(content(path) == "next");
}
