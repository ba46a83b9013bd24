// Any bytes give a sound hierarchy or one Error; all else (another exception, a crash, what a
// sanitizer sees) is a finding.
#include "readers.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <set>

#include "embed/ancestors.hpp"
#include "embed/gunzip.hpp"
#include "embed/readers.hpp"
#include "pieces.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/unicode.hpp"

using namespace spiraltorch;

namespace {

enum Reader : std::uint8_t {
  csv,
  csv_options,
  jsonl,
  jsonl_weights,
  wordnet,
  gzip_csv,
  gzip_jsonl
};
constexpr std::uint8_t kReaders = 7;
constexpr char kBetween = '\f';  // stands between data.noun and index.noun

void demand(bool ok, const char* what) {
  if (ok) return;
  std::cerr << "finding: " << what << '\n';
  std::abort();
}

LineReader lines(const std::string& bytes, std::size_t piece) {
  return {"fuzz", pieces(bytes, piece)};
}

LineReader unpacked(const std::string& bytes, std::size_t piece) {
  return {"fuzz", std::make_unique<Gunzip>("fuzz", "x.gz", pieces(bytes, piece))};
}

Hierarchy read(std::uint8_t choice, const std::string& bytes) {
  const std::size_t piece = choice >= 128 ? 3 : 1 << 16;
  switch (choice % kReaders) {
    case csv:
      return read_csv(lines(bytes, piece), {});
    case csv_options:
      return read_csv(lines(bytes, piece),
                      {.delimiter = ';', .columns = {2, 0}, .weight = 1, .comment = "//"});
    case jsonl:
      return read_jsonl(lines(bytes, piece), {"child", "parent", {}});
    case jsonl_weights:
      return read_jsonl(lines(bytes, piece), {"child", "parent", "weight"});
    case wordnet: {
      const std::size_t between = std::min(bytes.find(kBetween), bytes.size());
      return read_wordnet(lines(bytes.substr(0, between), piece),
                          lines(bytes.substr(std::min(between + 1, bytes.size())), piece));
    }
    case gzip_csv:
      return read_csv(unpacked(bytes, piece), {});
    default:
      return read_jsonl(unpacked(bytes, piece), {"child", "parent", {}});
  }
}

void check(const Hierarchy& h) {
  demand(h.len() >= 2 && !h.edges().empty(), "no nodes or edges");
  for (std::int32_t i = 0; i < h.len(); ++i) {
    const std::string& name = h.nodes()[static_cast<std::size_t>(i)];
    demand(!name.empty() && !find_invalid_utf8(name), "a bad name");
    demand(h.index(name) == i, "a name that is not found");
  }
  std::set<std::pair<std::int32_t, std::int32_t>> seen;
  for (const Edge& e : h.edges()) {
    demand(e.child >= 0 && e.child < h.len() && e.parent >= 0 && e.parent < h.len(), "a bad id");
    demand(e.child != e.parent && seen.emplace(e.child, e.parent).second, "a bad edge");
    demand(std::isfinite(e.weight) && e.weight > 0, "a bad weight");
  }
}

void use(const Hierarchy& h) {
  (void)h.roots();
  (void)h.leaves();
  (void)h.subtree(h.nodes()[static_cast<std::size_t>(h.edges()[0].parent)]);
  const Hierarchy closed = h.closure(CyclePolicy::collapse);
  check(closed);
  demand(ancestors_of("fuzz", closed).ids.size() == closed.edges().size(), "an open closure");
  const auto [train, test] = closed.split(0.5, 1);
  demand(train.edges().size() + test.edges().size() == closed.edges().size(), "a bad split");
}

// The squares of 1 to 59, modulo 97, in a dynamic block (Python's zlib, level 9).
std::string dynamic_gzip() {
  return std::string(
      "\x1F\x8B\x08\x00\x00\x00\x00\x00\x02\x03\x15\x4F\xC7\x11\x00\x41\x08\x7A\x43\x35\x67\xC0\xD0"
      "\x7F\x63\xE7\x7E\x1C\x06\x09\x6A\x30\x3A\x92\x81\x65\xC2\x8A\x82\x8B\x85\x28\x36\x72\x39\xA8"
      "\xE4\x62\x8C\xF6\x21\x68\x06\x4F\xDA\x39\x9A\x16\x68\xA7\x25\x6E\x08\x71\x8A\x42\x1D\x6E\xAC"
      "\x68\x83\x38\xF9\xA2\x3F\xFA\x07\x73\xBA\x41\x41\x77\x6C\xD1\x03\x99\xF4\xC4\x5E\xBB\x90\xC7"
      "\x17\xF6\x98\x86\x4E\x3F\x18\xFA\xA2\xC4\xF8\xE0\xCD\x30\xCC\x30\x1C\xBA\x43\x03\xEE\x8C\xC4"
      "\x2C\x43\x28\x63\xDC\xB5\xA7\x6C\xD8\xE1\xB3\x16\xE3\xBC\xC5\xFC\x90\xC3\x34\x84\x33\x1D\x76"
      "\x38\x70\xF4\xB5\x06\x53\x18\x31\x0B\x7D\x7F\x37\xFA\xF0\xA0\x8F\xDF\x37\xF5\x3D\x46\xF6\xB6"
      "\xF2\xA7\x54\x3C\x97\xF2\x02\xA4\x97\xA5\x7A\xB9\xEA\xD7\xA1\x79\x7D\xDA\xD7\xFD\x03\xCE\x7E"
      "\x45\x23\x51\x01\x00\x00",
      190);
}

}  // namespace

bool reads(std::string_view input) {
  if (input.empty()) return false;
  std::optional<Hierarchy> h;
  try {
    h = read(static_cast<std::uint8_t>(input[0]), std::string(input.substr(1)));
    check(*h);
    if (h->len() < 200) use(*h);
  } catch (const Error& e) {
    demand(e.code() != Errc::internal && std::string(e.what()).size() < 2000, e.what());
  }
  return h.has_value();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)reads({reinterpret_cast<const char*>(data), size});
  return 0;
}

std::vector<std::string> good_inputs() {
  const std::string rows = "dog,mammal\n\"big, cat\",mammal\r\n# a note\nmammal,animal\n";
  const std::string objects =
      "{\"child\": \"d\\u00f6g\", \"parent\": \"mammal\", \"weight\": 2.5, \"more\": [1, {}]}\n\n"
      "{\"parent\": 17, \"child\": -3, \"weight\": 1e-3}\n";
  const std::string nouns =
      "  1 a licence\n"
      "00001740 03 n 01 entity 0 001 ~ 00001930 n 0000 | all  \n"
      "00001930 03 n 02 Physical_entity 0 thing 1 002 @ 00001740 n 0000 @i 00001740 n 0000 | x\n";
  const std::string index =
      "  1 a licence\nentity n 1 1 ~ 1 1 00001740\nphysical_entity n 1 2 @ ~ 1 1 00001930\n";
  // "dog\tmammal\ncat\tmammal\n" in a fixed block, and stored.
  const std::string fixed(
      "\x1F\x8B\x08\0\0\0\0\0\x02\x03\x4B\xC9\x4F\xE7\xCC\x4D\xCC\xCD\x4D\xCC\xE1\x4A\x4E\x2C\x81"
      "\x31\x01\x33\x2E\x6E\x2C\x16\0\0\0",
      35);
  const std::string stored(
      "\x1F\x8B\x08\0\0\0\0\0\x04\x03\x01\x16\0\xE9\xFF"
      "dog\tmammal\ncat\tmammal\n\x33\x2E\x6E\x2C\x16\0\0\0",
      45);
  const std::string object(  // {"child":"a","parent":"b"}
      "\x1F\x8B\x08\x00\x00\x00\x00\x00\x02\x03\xAB\x56\x4A\xCE\xC8\xCC\x49\x51\xB2\x52\x4A\x54\xD2"
      "\x51\x2A\x48\x2C\x4A\xCD\x2B\x01\x72\x92\x94\x6A\xB9\x00\x07\x4F\xEF\x38\x1B\x00\x00\x00",
      45);
  std::vector<std::string> out;
  const auto add = [&](std::uint8_t reader, const std::string& bytes) {
    out.push_back(static_cast<char>(reader) + bytes);
    out.push_back(static_cast<char>(reader + 19 * kReaders) + bytes);  // in pieces of three bytes
  };
  add(csv, rows);
  add(csv,
      "\xEF\xBB\xBF"
      "child\tparent\na\tb\nc\tb\nb\tr\na\tb\nr\tr\nd\tc\nd\tb\n");
  add(csv_options, "mammal;0.5;dog\n// no\nanimal;2;mammal\nanimal;1e3;cat\n");
  add(jsonl, objects);
  add(jsonl_weights, objects);
  add(wordnet, nouns + kBetween + index);
  add(gzip_csv, fixed + stored);
  add(gzip_csv, dynamic_gzip());
  add(gzip_jsonl, object + std::string(3, '\0'));
  return out;
}

std::vector<std::string> tokens() {
  return {"\n",
          "\r\n",
          "\t",
          ",",
          ";",
          "\"",
          "\"\"",
          "#",
          "//",
          "{",
          "}",
          "[",
          "\"child\"",
          "\"parent\"",
          ":",
          "null",
          "1e999",
          "-1",
          "\\ud800",
          "\xFF",
          "\xEF\xBB\xBF",
          "\xC3\xA9",
          "\f",
          " n ",
          "@",
          "@i",
          "00001740",
          "ffffffff",
          "\x1F\x8B\x08",
          "child",
          std::string(1, '\0')};
}
