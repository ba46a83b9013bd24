#include "embed/line_reader.hpp"

#include <vector>

#include "check_error.hpp"
#include "pieces.hpp"
#include "temporary.hpp"

using namespace spiraltorch;

namespace {

std::vector<std::string> lines(const std::string& bytes, std::size_t piece = 1 << 16) {
  LineReader reader("test", pieces(bytes, piece));
  std::vector<std::string> out;
  while (reader.next()) {
    out.emplace_back(reader.line());
    CHECK(reader.number() == std::ssize(out));
  }
  return out;
}

// Gives one byte for ever, and counts.
class Endless final : public ByteSource {
 public:
  explicit Endless(std::size_t& given) : given_(given) {}
  std::string_view next() override {
    given_ += piece_.size();
    return piece_;
  }

 private:
  std::size_t& given_;
  std::string piece_ = std::string(1 << 16, 'x');
};

std::string failure(LineReader& reader) {
  try {
    while (reader.next()) reader.check_text();
  } catch (const Error& e) {
    CHECK(e.code() == Errc::invalid_value);
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("lines, whatever the pieces") {
  const std::vector<std::string> expected{"a", "", "bcd", "e\rf", "", "last"};
  for (const std::size_t piece : {1U, 2U, 3U, 5U, 100U}) {
    CHECK(lines("a\n\nbcd\r\ne\rf\n\r\nlast", piece) == expected);
    CHECK(lines("a\n\nbcd\r\ne\rf\n\r\nlast\n", piece) == expected);
    CHECK(lines("\xEF\xBB\xBF"
                "a\n\xEF\xBB\xBF"
                "b",
                piece) == std::vector<std::string>{"a",
                                                   "\xEF\xBB\xBF"
                                                   "b"});
  }
  CHECK(lines("").empty());
  CHECK(lines("\n") == std::vector<std::string>{""});
}

TEST_CASE("a line has at most 1 MiB, and no more of it is read") {
  const std::string longest(LineReader::kLongest, 'x');
  CHECK(lines("a\n" + longest + "\nb")[1] == longest);
  CHECK(lines("a\n" + longest)[1] == longest);
  LineReader in_one("test", pieces("a\n" + longest + "x\nb", 1 << 22));
  CHECK(failure(in_one).starts_with("[test] line 2, 'xxxx"));
  std::size_t given = 0;
  LineReader endless("test", std::make_unique<Endless>(given));
  const std::string message = failure(endless);
  CHECK(message == "[test] line 1, '" + std::string(80, 'x') +
                       "': got more than 1048576 bytes, expected a shorter line");
  CHECK(given <= LineReader::kLongest + (1 << 17));
}

TEST_CASE("places of what is no text") {
  LineReader utf8("test", pieces("\xEF\xBB\xBF"
                                 "ab\r\nc\xC3(\n",
                                 4));
  CHECK(failure(utf8) ==
        "[test] line 2: got invalid UTF-8 at byte 8 of the file, expected UTF-8 text");
  LineReader nul("test", pieces(std::string("ab\nc\0d", 6), 4));
  CHECK(failure(nul) == "[test] line 2: got a NUL at byte 4 of the file, expected UTF-8 text");
}

TEST_CASE("a text is shown up to a whole character, without controls") {
  CHECK(shown("a\tb") == "a\tb");
  CHECK(shown(std::string("\0\x1B\x7F\xFF", 4)) == "\\x00\\x1B\\x7F\\xFF");
  CHECK(shown(std::string(79, 'a') + "\xC3\xA9") == std::string(79, 'a'));
  CHECK(shown(std::string(78, 'a') + "\xC3\xA9"
                                     "b") == std::string(78, 'a') + "\xC3\xA9");
}

TEST_CASE("files that cannot be read") {
  const TemporaryFolder folder;
  check_error(Errc::io, [&] { LineReader("test", folder.file("absent")); });
  check_error(Errc::io, [&] { LineReader("test", folder.file("")).next(); });
  check_error(Errc::io, [&] { LineReader("test", folder.write("plain.gz", "a\tb\n")).next(); });
}
