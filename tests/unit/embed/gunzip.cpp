#include "embed/gunzip.hpp"

#include "check_error.hpp"
#include "pieces.hpp"
#include "spiraltorch/base/format_error.hpp"
#include "spiraltorch/base/text.hpp"

using namespace spiraltorch;

namespace {

std::string from_hex(std::string_view digits) {
  std::string out;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

// Made by Python's zlib: level 0, strategy Z_FIXED, level 9.
const std::string kStored = from_hex(
    "1f8b0800000000000403011600e9ff646f67096d616d6d616c0a636174096d616d6d616c0a332e6e2c16000000");
const std::string kFixed =
    from_hex("1f8b08000000000002034bc94fe7cc4dcccd4dcce14a4e2c813101332e6e2c16000000");
const std::string kDynamic = from_hex(
    "1f8b08000000000002032594cb01c0200843cf308d51f9edbf58137bb1968a42f22c0cbeedfab1f16b480fdbe169"
    "27bdec8eb7e5f5b18663d971c0f67530a31cc76a3bae71083b5c91969c974d38da0e978fd5f2bd0cdb372c8eef6d"
    "93be8fddebfbdaf0f4b0cb78da3052165cdfd6bec732fc2cdbe507d6ed675bb0d0637bfbb9d6e3272ce187d57265"
    "1938676afa616efa5d76db2fec6cbfdbc0f9318679eaf11bd6e137add8775971de568c8fc6588a04f435b656c651"
    "565c6e10a1bd22b56f94ce88d679313a3b97ea48a8a6dcaa2f8f6acdabba33d443a6fac9526fd9ea3399ebb5d47d"
    "414ad4962a75a4505da95521e52aa5629514ad96ba3552ba97546fc881de72a32994f795471df2ab53de75d1c66e"
    "39daf3cc5df27920cb67cbfd390261a8930f337d92904cd9f269cd86312c1ec8115a8af5f2b08e36c1bada112bb4"
    "3d56fef4e85cac7efcac790011291124a838beaa41aa0411b11245024bd4a53a055edb205ba1e0481090ae2b2421"
    "a9b09f6e2060a3e095a22062cd31a534f6931d824cc191211067dc59a0b1f2f37c0351a389206bd05bc85e90b6d4"
    "e3190ff27694374202248e9f481c51c17ddc80cc112290bad25b082f883b3dea0ff6bf645e02d9533ae1e35ef1b8"
    "05e9d331c44f87124095400255503cf04106552c2154e9a4508d1043b595efe64020325d245200a22839c422c777"
    "f14018251b699488e451921248095cefe682484a7c32292b08a58c2195b2a9feab4f2edf7f609ea124932f245356"
    "f7ffe7109bdc9274328b740a10e2295cfafd764042851211155864549811527e1afdaf2048395e520952aa79be78"
    "bd35fd27bcf40fd0ee0c7de4040000");

const std::string kAnimals = "dog\tmammal\ncat\tmammal\n";

std::string squares() {  // what kDynamic holds
  std::string out;
  for (int i = 1; i < 200; ++i) out += text(i, '\t', i * i % 97, '\n');
  return out;
}

std::string unpacked(const std::string& bytes, std::size_t piece = 1 << 16) {
  Gunzip source("test", "x.gz", pieces(bytes, piece));
  std::string out;
  for (auto part = source.next(); !part.empty(); part = source.next()) out += part;
  CHECK(source.next().empty());
  return out;
}

void check_bad(const std::string& bytes, const char* what) {
  try {
    (void)unpacked(bytes);
    FAIL_CHECK("nothing thrown, expected ", std::string(what));
  } catch (const FormatError& e) {
    const std::string message = e.what();
    CAPTURE(message);
    CHECK(message.find(what) != std::string::npos);
    CHECK(message.find("of 'x.gz', expected gzip data") != std::string::npos);
  }
}

std::string with(std::string bytes, std::size_t place, char value) {
  bytes[place] = value;
  return bytes;
}

}  // namespace

TEST_CASE("stored, fixed and dynamic blocks, whatever the pieces") {
  for (const std::size_t piece : {1U, 2U, 7U, 8U, 9U, 1000U}) {
    CHECK(unpacked(kStored, piece) == kAnimals);
    CHECK(unpacked(kFixed, piece) == kAnimals);
    CHECK(unpacked(kDynamic, piece) == squares());
  }
}

TEST_CASE("members follow one another, then zeros") {
  CHECK(unpacked(kFixed + kStored + kDynamic) == kAnimals + kAnimals + squares());
  CHECK(unpacked(kFixed + std::string(1000, '\0')) == kAnimals);
  CHECK(unpacked(kFixed + std::string(3, '\0') + kStored, 1) == kAnimals + kAnimals);
}

TEST_CASE("optional fields of a member's head") {
  // flags 31: checksum, extra (3 bytes), name, comment
  const std::string head = from_hex(
      "1f8b081f0000000000ff"
      "0300616263"
      "6e00"
      "636f00"
      "1234");
  CHECK(unpacked(head + kFixed.substr(10)) == kAnimals);
}

TEST_CASE("many pieces and members, longer than the window") {
  std::string file, expected;
  for (int i = 0; i < 600; ++i) {
    file += kDynamic;
    expected += squares();
  }
  CHECK(expected.size() > (std::size_t{1} << 19));
  CHECK(unpacked(file, 1000) == expected);
}

TEST_CASE("every cut is found") {
  for (const std::string& whole : {kStored, kFixed, kDynamic}) {
    for (std::size_t n = 0; n < whole.size(); ++n) check_bad(whole.substr(0, n), "too early");
  }
  check_bad(kFixed + kStored.substr(0, 20), "too early, at byte 55");
}

TEST_CASE("what is no gzip, or damaged") {
  check_bad(kAnimals, "another beginning at byte 0");
  check_bad(kFixed + "trailing", "more after the end of the compressed data at byte 35");
  check_bad(with(kFixed, 2, 7), "an unknown method");
  check_bad(with(kFixed, 3, 32), "an unknown method or flag");
  check_bad(with(kFixed, 10, 7), "an unknown kind of block");
  check_bad(with(kStored, 11, 0), "a damaged stored block");
  check_bad(with(kStored, 20, 'x'), "differ from their checksum");
  check_bad(with(kStored, 41, 'x'), "differ from their length");
  check_bad(with(kDynamic, 10, -3), "too many codes");
  const std::string head = kFixed.substr(0, 10);
  // A fixed block that begins with a copy: length 3 is symbol 257 (0000001), distance 1 is 00000.
  check_bad(head + from_hex("030200"), "a copy from before the beginning");
}

TEST_CASE("no change of one byte is taken for good data or does harm") {
  for (const std::string& whole : {kStored, kFixed, kDynamic}) {
    for (std::size_t i = 0; i < whole.size(); ++i) {
      for (const int change : {1, 0x10, 0x80, 0xFF}) {
        const std::string bytes = with(whole, i, static_cast<char>(whole[i] ^ change));
        std::string got;
        try {
          got = unpacked(bytes);
        } catch (const FormatError&) {
          continue;
        }
        // The time, the system and the bits before a byte's end are free.
        CHECK((got == kAnimals || got == squares()));
      }
    }
  }
}

TEST_CASE("codes that are over-subscribed or incomplete are none") {
  HuffmanCode code;
  const auto build = [&](std::initializer_list<std::uint8_t> lengths, bool single = false) {
    return code.build(std::vector<std::uint8_t>(lengths), single);
  };
  CHECK(build({1, 2, 2}));
  CHECK(code.decode(0b0).value == 0);
  CHECK(code.decode(0b01).value == 1);  // the first bit is the lowest
  CHECK(code.decode(0b11).value == 2);
  CHECK_FALSE(build({1, 1, 1}));
  CHECK_FALSE(build({1, 2}));
  CHECK_FALSE(build({1}));
  CHECK(build({0, 1}, true));
  CHECK(code.decode(0).value == 1);
  CHECK(code.decode(1).length == 0);
  CHECK_FALSE(build({0, 2}, true));
  CHECK(build({0, 0}, true));
  CHECK(code.decode(0).length == 0);
  CHECK(build({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 12}));
  CHECK(code.decode(0b011111111111).value == 11);
  CHECK(code.decode(0b111111111111).value == 12);
  CHECK(code.decode(0b011111111111).length == 12);
}
