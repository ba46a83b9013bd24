#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unordered_map>

#include "embed/hierarchy_builder.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/embed/hierarchy.hpp"

// Princeton WordNet's database files, as wndb(5WN) describes them.
namespace spiraltorch {
namespace {

namespace fs = std::filesystem;
constexpr const char* kName = "wordnet_nouns";

fs::path find_data_file(const std::optional<std::string>& path) {
  if (path) {
    const fs::path given(*path);
    const fs::path file = fs::is_directory(given) ? given / "data.noun" : given;
    if (fs::is_regular_file(file)) return file;
    fail(Errc::io, kName, text("file: got '", *path, "', expected data.noun or its folder"));
  }
  for (const char* folder : {"/usr/share/wordnet", "/usr/share/wordnet-3.0",
                             "/usr/local/WordNet-3.0/dict", "/usr/share/wordnet/dict"}) {
    const fs::path file = fs::path(folder) / "data.noun";
    if (fs::is_regular_file(file)) return file;
  }
  fail(Errc::io, kName,
       "database: got no data.noun in the usual places, expected WordNet 3.0 (Debian and Ubuntu: "
       "apt-get install wordnet-base) or a path to it");
}

std::ifstream open(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    fail(Errc::io, kName, text("file: got '", file.string(), "', expected a readable file"));
  }
  return in;
}

[[noreturn]] void fail_line(const fs::path& file, std::int64_t line) {
  fail(Errc::io, kName,
       text("line ", line, " of '", file.string(),
            "': got a malformed entry, expected WordNet 3.0"));
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Sense numbers: a lemma's synsets in the order of index.noun, counted from 1.
using Senses = std::unordered_map<std::string, std::vector<std::string>>;

Senses read_senses(const fs::path& file) {
  std::ifstream in = open(file);
  Senses out;
  std::int64_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty() || line[0] == ' ') continue;  // licence text
    std::istringstream fields(line);
    std::string lemma, skip;
    std::size_t synsets = 0, pointers = 0;
    fields >> lemma >> skip >> synsets >> pointers;
    for (std::size_t i = 0; i < pointers + 2; ++i) fields >> skip;
    auto& offsets = out[lemma];
    for (std::size_t i = 0; i < synsets && fields >> skip; ++i) offsets.push_back(skip);
    if (offsets.size() != synsets || synsets == 0) fail_line(file, number);
  }
  return out;
}

struct Synset {
  std::string offset;
  std::string lemma;
  std::vector<std::string> hypernyms;  // offsets
};

bool parse(const std::string& line, Synset& out) {
  std::istringstream fields(line);
  std::string skip, count;
  fields >> out.offset >> skip >> skip >> count >> out.lemma;
  std::size_t words = 0;
  if (std::from_chars(count.data(), count.data() + count.size(), words, 16).ec != std::errc()) {
    return false;
  }
  for (std::size_t i = 1; i < 2 * words; ++i) fields >> skip;
  std::size_t pointers = 0;
  if (words == 0 || !(fields >> pointers)) return false;
  out.hypernyms.clear();
  for (std::size_t i = 0; i < pointers; ++i) {
    std::string symbol, target, part;
    if (!(fields >> symbol >> target >> part >> skip)) return false;
    if ((symbol == "@" || symbol == "@i") && part == "n") out.hypernyms.push_back(target);
  }
  return true;
}

std::vector<Synset> read_synsets(const fs::path& file) {
  std::ifstream in = open(file);
  std::vector<Synset> out;
  std::int64_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty() || line[0] == ' ') continue;  // licence text
    Synset synset;
    if (!parse(line, synset)) fail_line(file, number);
    out.push_back(std::move(synset));
  }
  return out;
}

std::string name_of(const Synset& synset, const Senses& senses) {
  const std::string lemma = lower(synset.lemma);
  const auto found = senses.find(lemma);
  const auto* offsets = found == senses.end() ? nullptr : &found->second;
  const auto at = offsets == nullptr ? std::vector<std::string>::const_iterator()
                                     : std::find(offsets->begin(), offsets->end(), synset.offset);
  if (offsets == nullptr || at == offsets->end()) {
    fail(Errc::io, kName,
         text("index.noun: got no sense of '", lemma, "' for synset ", synset.offset,
              ", expected one (data.noun and index.noun of the same release)"));
  }
  const auto sense = at - offsets->begin() + 1;
  return text(lemma, ".n.", sense < 10 ? "0" : "", sense);
}

}  // namespace

Hierarchy Hierarchy::wordnet_nouns(const std::optional<std::string>& path) {
  const fs::path file = find_data_file(path);
  const Senses senses = read_senses(file.parent_path() / "index.noun");
  const std::vector<Synset> synsets = read_synsets(file);
  std::unordered_map<std::string, std::string> names;
  for (const Synset& synset : synsets) names[synset.offset] = name_of(synset, senses);
  HierarchyBuilder builder(kName);
  for (const Synset& synset : synsets) {
    for (const std::string& target : synset.hypernyms) {
      const auto parent = names.find(target);
      if (parent == names.end()) {
        fail(Errc::io, kName,
             text("synset ", synset.offset, ": got the unknown hypernym ", target,
                  ", expected one of the file's"));
      }
      const std::int32_t child = builder.node(names[synset.offset]);
      builder.edge(child, builder.node(parent->second));
    }
  }
  return builder.finish();
}

Hierarchy Hierarchy::wordnet_mammals(const std::optional<std::string>& path) {
  return wordnet_nouns(path).subtree("mammal.n.01");
}

}  // namespace spiraltorch
