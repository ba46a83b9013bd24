#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>

#include "embed/hierarchy_builder.hpp"
#include "embed/readers.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/format_error.hpp"
#include "spiraltorch/base/text.hpp"

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

[[noreturn]] void bad_line(const LineReader& lines) {
  throw FormatError(kName, text(lines.where(), ": got a malformed entry, expected WordNet 3.0"));
}

// Words of a line, separated by single spaces.
class Words {
 public:
  explicit Words(const LineReader& lines) : lines_(lines), rest_(lines.line()) {}

  std::string_view next() {
    const std::size_t end = rest_.find(' ');
    const std::string_view word = rest_.substr(0, end);
    if (word.empty()) bad_line(lines_);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return word;
  }
  std::uint32_t number(int base = 10) {
    const std::string_view word = next();
    std::uint32_t value = 0;
    const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), value, base);
    if (code != std::errc() || end != word.data() + word.size()) bad_line(lines_);
    return value;
  }
  void skip(std::uint64_t count) {
    for (; count > 0; --count) (void)next();
  }

 private:
  const LineReader& lines_;
  std::string_view rest_;
};

// Goes to the next entry; the licence before them is indented.
bool next_entry(LineReader& lines) {
  while (lines.next()) {
    if (lines.line().empty() || lines.line()[0] == ' ') continue;
    lines.check_text();
    return true;
  }
  return false;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// Sense numbers: a lemma's synsets in the order of index.noun, counted from 1.
class Senses {
 public:
  explicit Senses(LineReader& lines) {
    while (next_entry(lines)) {
      Words words(lines);
      const std::string_view lemma = words.next();
      if (lemmas_.find(lemma) >= 0) bad_line(lines);
      lemmas_.add(lemma);
      words.skip(1);
      const std::uint32_t synsets = words.number();
      words.skip(std::uint64_t{words.number()} + 2);
      if (synsets == 0) bad_line(lines);
      for (std::uint32_t i = 0; i < synsets; ++i) offsets_.push_back(words.number());
      ends_.push_back(offsets_.size());
    }
  }

  // dog.n.01 for a synset with the first word dog.
  [[nodiscard]] std::string name(std::string_view word, std::uint32_t offset) const {
    const std::string lemma = lower(word);
    const std::int32_t id = lemmas_.find(lemma);
    const auto i = static_cast<std::size_t>(id);
    const auto first = offsets_.begin() + static_cast<std::ptrdiff_t>(id <= 0 ? 0 : ends_[i - 1]);
    const auto last = offsets_.begin() + static_cast<std::ptrdiff_t>(id < 0 ? 0 : ends_[i]);
    const auto found = std::find(first, last, offset);
    if (found == last) {
      throw FormatError(kName,
                        text("index.noun: got no sense of '", shown(lemma), "' for synset ", offset,
                             ", expected one (data.noun and index.noun of the same "
                             "release)"));
    }
    const auto sense = found - first + 1;
    return text(lemma, ".n.", sense < 10 ? "0" : "", sense);
  }

 private:
  NameTable lemmas_;
  std::vector<std::uint32_t> offsets_;
  std::vector<std::size_t> ends_;  // of each lemma's offsets
};

struct Synset {
  std::uint32_t offset = 0;
  std::string name;
  std::vector<std::uint32_t> hypernyms;  // offsets
};

Synset parse(const LineReader& lines, const Senses& senses) {
  Words words(lines);
  Synset out;
  out.offset = words.number();
  words.skip(2);
  const std::uint32_t count = words.number(16);
  if (count == 0) bad_line(lines);
  out.name = senses.name(words.next(), out.offset);
  words.skip(2 * std::uint64_t{count} - 1);
  for (std::uint32_t left = words.number(); left > 0; --left) {
    const std::string_view symbol = words.next();
    const std::uint32_t target = words.number();
    const std::string_view part = words.next();
    words.skip(1);
    if ((symbol == "@" || symbol == "@i") && part == "n") out.hypernyms.push_back(target);
  }
  return out;
}

// Synsets in the order of the file, and their places by offset.
struct Synsets {
  std::vector<Synset> all;
  std::vector<std::pair<std::uint32_t, std::size_t>> places;

  Synsets(LineReader& lines, const Senses& senses) {
    while (next_entry(lines)) {
      all.push_back(parse(lines, senses));
      places.emplace_back(all.back().offset, places.size());
    }
    std::sort(places.begin(), places.end());
    const auto same =
        std::adjacent_find(places.begin(), places.end(),
                           [](const auto& a, const auto& b) { return a.first == b.first; });
    if (same == places.end()) return;
    throw FormatError(kName, text("synset ", same->first, ": got it twice, expected it once"));
  }

  [[nodiscard]] std::size_t hypernym(const Synset& of, std::uint32_t offset) const {
    const auto found =
        std::lower_bound(places.begin(), places.end(), std::pair(offset, std::size_t{0}));
    if (found != places.end() && found->first == offset) return found->second;
    throw FormatError(kName, text("synset ", of.offset, ": got the unknown hypernym ", offset,
                                  ", expected one of the file's"));
  }
};

}  // namespace

Hierarchy read_wordnet(LineReader data, LineReader index) {
  const Senses senses(index);
  const Synsets synsets(data, senses);
  HierarchyBuilder builder(kName);
  std::vector<std::int32_t> ids(synsets.all.size(), -1);
  const auto node = [&](std::size_t i) {
    if (ids[i] < 0) ids[i] = builder.node(synsets.all[i].name);
    return ids[i];
  };
  for (std::size_t i = 0; i < synsets.all.size(); ++i) {
    for (const std::uint32_t target : synsets.all[i].hypernyms) {
      const std::int32_t child = node(i);
      builder.edge(child, node(synsets.hypernym(synsets.all[i], target)));
    }
  }
  return builder.finish();
}

Hierarchy Hierarchy::wordnet_nouns(const std::optional<std::string>& path) {
  const fs::path file = find_data_file(path);
  return read_wordnet(LineReader(kName, file.string()),
                      LineReader(kName, (file.parent_path() / "index.noun").string()));
}

Hierarchy Hierarchy::wordnet_mammals(const std::optional<std::string>& path) {
  return wordnet_nouns(path).subtree("mammal.n.01");
}

}  // namespace spiraltorch
