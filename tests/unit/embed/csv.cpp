#include "check_error.hpp"
#include "spiraltorch/embed/hierarchy.hpp"
#include "temporary.hpp"

using namespace spiraltorch;

namespace {
const TemporaryFolder kFolder;

std::string message_of(const std::string& path, const CsvOptions& options = {}) {
  try {
    (void)Hierarchy::from_csv(path, options);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}
}  // namespace

TEST_CASE("delimiters, headers, comments, quotes, line ends") {
  const auto read = [](const std::string& content, const CsvOptions& options = {}) {
    return Hierarchy::from_csv(kFolder.write("edges.csv", content), options);
  };
  const std::vector<std::string> expected{"dog", "mammal", "cat"};
  CHECK(read("dog\tmammal\ncat\tmammal\n").nodes() == expected);
  CHECK(read("dog,mammal\r\ncat,mammal\r\n").nodes() == expected);
  CHECK(read("# note\nchild,parent\ndog,mammal\n\ncat,mammal").nodes() == expected);
  CHECK(read("\xEF\xBB\xBF"
             "dog;mammal\ncat;mammal\n")
            .nodes() == expected);
  CHECK(read("\"dog\",\"mammal\"\ncat,mammal\n").nodes() == expected);
  CHECK(read("\"a, \"\"b\"\"\",c\n").nodes() == std::vector<std::string>{"a, \"b\"", "c"});
  CHECK(read("x,y\ndog,mammal\n", {.header = true}).nodes().size() == 2);
  CHECK(read("child,parent\n", {.header = false}).nodes().size() == 2);
  CHECK(read("1|dog|mammal|0.5\n", {.delimiter = '|', .columns = {1, 2}, .weight = 3})
            .edges()[0]
            .weight == 0.5);
  CHECK(read("#a,b\n", {.comment = ""}).nodes()[0] == "#a");
}

TEST_CASE("bad files say where and what") {
  check_error(Errc::io, [] { (void)Hierarchy::from_csv(kFolder.file("absent.csv")); });
  check_error(Errc::io, [] { (void)Hierarchy::from_csv(kFolder.file("")); });
  check_error(Errc::io, [] {  // a name that promises gzip
    (void)Hierarchy::from_csv(kFolder.write("plain.csv.gz", "a,b\n"));
  });
  for (const char bad : {'\n', '\r', '"', '\xC3'}) {
    check_error(Errc::invalid_value, [&] {
      (void)Hierarchy::from_csv(kFolder.write("e.csv", "a,b\n"), {.delimiter = bad});
    });
  }
  check_error(Errc::empty_input,
              [] { (void)Hierarchy::from_csv(kFolder.write("e.csv", "# nothing\n")); });
  check_error(Errc::invalid_value, [] {
    (void)Hierarchy::from_csv(kFolder.write("e.csv", "a,b\n"), {.columns = {1, 1}});
  });
  const std::string wide = "a,b\nc,d,e" + std::string(200, 'x') + "\n";
  const std::string columns = message_of(kFolder.write("wide.csv", wide));
  CHECK(columns.find("line 2") != std::string::npos);
  CHECK(columns.find("got 3 columns, expected 2") != std::string::npos);
  CHECK(columns.size() < 200);
  check_error(Errc::length_mismatch, [] { (void)Hierarchy::from_csv(kFolder.file("wide.csv")); });
  const std::string utf8 = message_of(kFolder.write("utf8.csv", "a,b\nc,\xFF\n"));
  CHECK(utf8.find("byte 6") != std::string::npos);
  check_error(Errc::invalid_value, [] { (void)Hierarchy::from_csv(kFolder.file("utf8.csv")); });
  CHECK(message_of(kFolder.write("empty.csv", "a,b\n,c\n")).find("line 2") != std::string::npos);
  const CsvOptions weighted{.weight = 2};
  check_error(Errc::invalid_value,
              [&] { (void)Hierarchy::from_csv(kFolder.write("w.csv", "a,b,heavy\n"), weighted); });
  check_error(Errc::invalid_value,
              [&] { (void)Hierarchy::from_csv(kFolder.write("w.csv", "a,b,-1\n"), weighted); });
  check_error(Errc::non_finite,
              [&] { (void)Hierarchy::from_csv(kFolder.write("w.csv", "a,b,inf\n"), weighted); });
  check_error(Errc::invalid_value,
              [] { (void)Hierarchy::from_csv(kFolder.write("q.csv", "\"a,b\n")); });
}

TEST_CASE("what is written is read back") {
  const Hierarchy h = Hierarchy::from_edges({{"a", "b", 2.0}, {"c", "b"}});
  h.write_tsv(kFolder.file("out.tsv"));
  const Hierarchy back = Hierarchy::from_csv(kFolder.file("out.tsv"), {.weight = 2});
  CHECK(back.nodes() == h.nodes());
  CHECK(back.edges()[0].weight == 2.0);
  check_error(Errc::io, [&] { h.write_tsv("/nonexistent/folder/out.tsv"); });
  for (const std::string& name :
       {std::string("a\tb"), std::string("a\n"), std::string("a\0", 2), std::string("#a")}) {
    check_error(Errc::invalid_value, [&] {
      Hierarchy::from_edges({{name, "c"}}).write_tsv(kFolder.file("bad.tsv"));
    });
  }
}
