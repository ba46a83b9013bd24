// Readers against what files may hold: a right result, or one clear error.
#include "check_error.hpp"
#include "embed/readers.hpp"
#include "pieces.hpp"
#include "spiraltorch/base/text.hpp"
#include "temporary.hpp"

using namespace spiraltorch;

namespace {

using Names = std::vector<std::string>;

Hierarchy csv(const std::string& content, const CsvOptions& options = {}) {
  return read_csv(LineReader("from_csv", pieces(content, 7)), options);
}

Hierarchy jsonl(const std::string& content, const JsonlKeys& keys = {"child", "parent", {}}) {
  return read_jsonl(LineReader("from_jsonl", pieces(content, 7)), keys);
}

template <class F>
std::string failure(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "nothing thrown";
}

// An error of this code whose message has this part.
template <class F>
void check_failure(Errc code, const std::string& part, F&& f) {
  check_error(code, f);
  const std::string message = failure(f);
  CAPTURE(message);
  CHECK(message.find(part) != std::string::npos);
  CHECK(message.size() < 400);
}

}  // namespace

TEST_CASE("files with nothing in them") {
  for (const std::string& content :
       {std::string(), std::string("\n\n\n"), std::string("# a\n#b\tc\n"),
        std::string("child\tparent\n"), std::string("\xEF\xBB\xBF"), std::string("a\ta\n")}) {
    CAPTURE(content);
    check_failure(Errc::empty_input, "got none, expected at least one",
                  [&] { (void)csv(content); });
  }
  check_error(Errc::empty_input, [] { (void)jsonl(""); });
  check_error(Errc::empty_input, [] { (void)jsonl(" \n\t\r\n"); });
}

TEST_CASE("line ends, marks and a missing last end") {
  const Names expected{"a", "b", "c"};
  CHECK(csv("\xEF\xBB\xBF"
            "a\tb\r\nc\tb")
            .nodes() == expected);
  CHECK(csv("\r\na\tb\r\n\r\nc\tb\r\n").nodes() == expected);
  CHECK(jsonl("\xEF\xBB\xBF{\"child\":\"a\",\"parent\":\"b\"}\r\n\r\n"
              "{\"child\":\"c\",\"parent\":\"b\"}")
            .nodes() == expected);
  // A lone CR ends no line: one line of three fields.
  check_failure(Errc::length_mismatch, "line 2", [] { (void)csv("a\tb\nc\tb\rd\te\n"); });
}

TEST_CASE("duplicates, self-edges and one node") {
  const Hierarchy h = csv("a\tb\nb\ta\na\tb\na\ta\n");
  CHECK(h.nodes() == Names{"a", "b"});
  CHECK(h.report().duplicate_edges == 1);
  CHECK(h.report().self_edges == 1);
  check_failure(Errc::invalid_value, "the cycle 'a' -> 'b' -> 'a'", [&] { (void)h.closure(); });
}

TEST_CASE("bytes that are no text") {
  check_failure(Errc::invalid_value, "line 2: got invalid UTF-8 at byte 6",
                [] { (void)csv("a\tb\nc\t\xFF\n"); });
  check_failure(Errc::invalid_value, "line 1: got invalid UTF-8 at byte 0", [] {
    (void)csv(
        std::string("\xFF\xFE"
                    "a\0\t\0",
                    6));
  });  // UTF-16
  check_failure(Errc::invalid_value, "line 1: got a NUL at byte 1",
                [] { (void)csv(std::string("a\0b\tc\n", 6)); });
  check_failure(Errc::invalid_value, "line 1: got a NUL at byte 10",
                [] { (void)jsonl(std::string("{\"child\":\"\0\"}", 13)); });
  check_error(Errc::invalid_value, [] { (void)csv("a\t\xED\xA0\x80\n"); });  // a surrogate
  check_error(Errc::invalid_value, [] { (void)csv("a\t\xC0\xAF\n"); });      // overlong
}

TEST_CASE("a long line is refused, a long name below the limit is not") {
  const std::string longest(LineReader::kLongest, 'x');
  check_failure(Errc::invalid_value, "line 2, 'xxx", [&] {
    (void)read_csv(LineReader("from_csv", pieces("a\tb\n" + longest + "\tb\n")), {});
  });
  const std::string name = longest.substr(100);
  const Hierarchy h = read_csv(LineReader("from_csv", pieces(name + "\tb\n")), {});
  CHECK(h.nodes()[0] == name);
  check_failure(Errc::invalid_value, "expected a shorter line", [&] {
    (void)read_jsonl(LineReader("from_jsonl", pieces("{\"a\":\"" + longest + "\"}")),
                     {"child", "parent", {}});
  });
}

TEST_CASE("JSON lines") {
  const Hierarchy h = jsonl(
      "{\"parent\": \"animal\", \"child\": \"d\\u00f6g\", \"more\": {\"child\": [1, \"x\"]}}\n"
      "{\"child\": 7, \"parent\": \"animal\", \"child\": -8}\n"
      "{\"child\": 18446744073709551615, \"parent\": 0}\n");
  CHECK(h.nodes() == Names{"d\xC3\xB6g", "animal", "-8", "18446744073709551615", "0"});
  const JsonlKeys weighted{"from", "to", "n"};
  const Hierarchy w = jsonl(
      "{\"from\": \"a\", \"to\": \"b\", \"n\": 3}\n{\"from\": \"a\", \"to\": \"c\", \"n\": 0.25}\n",
      weighted);
  CHECK(w.edges()[0].weight == 3.0);
  CHECK(w.edges()[1].weight == 0.25);
  const TemporaryFolder folder;
  const std::string path = folder.write("e.jsonl", "{\"a\":\"x\",\"b\":\"y\"}\n");
  CHECK(Hierarchy::from_jsonl(path, "a", "b").nodes() == Names{"x", "y"});
  check_error(Errc::invalid_value, [&] { (void)Hierarchy::from_jsonl(path, "a", "a"); });
  check_error(Errc::invalid_value, [&] { (void)Hierarchy::from_jsonl(path, "a", "b", "b"); });
}

TEST_CASE("JSON lines that are none") {
  const auto bad = [](Errc code, const std::string& part, const std::string& line) {
    check_failure(code, part, [&] {
      (void)jsonl("{\"child\":\"a\",\"parent\":\"b\"}\n" + line + "\n", {"child", "parent", {}});
    });
  };
  bad(Errc::invalid_value, "line 2, '{\"child\":': got a syntax error at byte 10", "{\"child\":");
  bad(Errc::invalid_value, "got a syntax error", "{\"child\":\"a\",\"parent\":\"b\"} x");
  bad(Errc::invalid_value, "got a syntax error", "{\"child\":\"\\ud800\",\"parent\":\"b\"}");
  bad(Errc::invalid_value, "got a string, expected an object", "\"a\"");
  bad(Errc::invalid_value, "got a number, expected an object", "1");
  bad(Errc::invalid_value, "got null, expected an object", "null");
  bad(Errc::invalid_value, "got a list, expected an object", "[1]");
  bad(Errc::invalid_value, "got no key 'parent'", "{\"child\":\"a\",\"x\":{\"parent\":\"b\"}}");
  bad(Errc::invalid_value, "got null in 'parent'", "{\"child\":\"a\",\"parent\":null}");
  bad(Errc::invalid_value, "got a list in 'child'", "{\"child\":[\"a\"],\"parent\":\"b\"}");
  bad(Errc::invalid_value, "got an object in 'child'", "{\"child\":{},\"parent\":\"b\"}");
  bad(Errc::invalid_value, "got a truth value in 'child'", "{\"child\":true,\"parent\":\"b\"}");
  bad(Errc::invalid_value, "a number that is not whole", "{\"child\":1.5,\"parent\":\"b\"}");
  bad(Errc::invalid_value, "a number beyond double", "{\"child\":1e999,\"parent\":\"b\"}");
  bad(Errc::invalid_value, "line 2: got an empty name", "{\"child\":\"\",\"parent\":\"b\"}");
  bad(Errc::invalid_value, "got a list, expected an object", std::string(100'000, '['));
  bad(Errc::invalid_value, "got a syntax error",
      "{\"x\":" + std::string(100'000, '[') + std::string(99'999, ']') + "}");
  const JsonlKeys weighted{"child", "parent", "w"};
  check_failure(Errc::invalid_value, "got a string in 'w', expected a number",
                [&] { (void)jsonl("{\"child\":\"a\",\"parent\":\"b\",\"w\":\"1\"}", weighted); });
  check_failure(Errc::invalid_value, "got weight 0, expected > 0",
                [&] { (void)jsonl("{\"child\":\"a\",\"parent\":\"b\",\"w\":0}", weighted); });
}

TEST_CASE("the reader is chosen by the name") {
  const TemporaryFolder folder;
  const Names expected{"x", "y"};
  CHECK(Hierarchy::read(folder.write("e.tsv", "x\ty\n")).nodes() == expected);
  CHECK(Hierarchy::read(folder.write("e.csv", "x,y\n")).nodes() == expected);
  CHECK(Hierarchy::read(folder.write("e.txt", "x y\n")).nodes() == expected);
  CHECK(Hierarchy::read(folder.write("plain", "x\ty\n")).nodes() == expected);
  const std::string line = "{\"child\":\"x\",\"parent\":\"y\"}\n";
  CHECK(Hierarchy::read(folder.write("e.jsonl", line)).nodes() == expected);
  CHECK(Hierarchy::read(folder.write("e.ndjson", line)).nodes() == expected);
  check_failure(Errc::io, "expected gzip data",
                [&] { (void)Hierarchy::read(folder.write("e.jsonl.gz", line)); });
  check_error(Errc::io, [&] { (void)Hierarchy::read(folder.file("absent.csv")); });
}
