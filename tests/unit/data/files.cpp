#include <doctest/doctest.h>

#include <string>

#include "check_error.hpp"
#include "learning.hpp"
#include "spiraltorch/base/format_error.hpp"
#include "spiraltorch/data/sources.hpp"
#include "temporary.hpp"

using namespace spiraltorch;
using dataset::Column;

namespace {

std::vector<std::vector<double>> rows_of(const learning::Json& json) {
  return json.get<std::vector<std::vector<double>>>();
}

const std::vector<Column> kX{std::string("x")};
const std::vector<Column> kY{std::string("y")};

// Drains a loader by stream and by number; both must fail with a message that holds `want`.
void check_malformed(const DataLoader& loader, const std::string& want) {
  for (const DataLoader& one : {loader, loader.skip(0)}) {
    try {
      auto batches = one.iter();
      while (batches.next()) {
      }
      FAIL("no error");
    } catch (const FormatError& e) {
      const std::string what = e.what();
      CAPTURE(what);
      CHECK(what.find(want) != std::string::npos);
    }
  }
}

std::string npy(const std::string& header, std::size_t bytes) {
  std::string out("\x93NUMPY\x01\x00", 8);
  out.push_back(static_cast<char>(header.size()));
  out.push_back('\0');
  return out + header + std::string(bytes, '\1');
}

}  // namespace

TEST_CASE("the golden table, streamed, counted and by number") {
  const auto& c = learning::file().at("csv");
  const TemporaryFolder folder;
  const auto path = folder.write("a.csv", c.at("text").get<std::string>());
  const std::vector<Column> inputs{std::string("x, left"), std::int64_t{2}};
  const DataLoader loader =
      dataset::from_csv(path, inputs, std::vector<Column>{std::string("label")});
  for (const DataLoader& one : {loader, loader.skip(0), loader.shuffle(1, 1)}) {
    const auto batch = one.batched(8).iter().next();
    REQUIRE(batch);
    CHECK(batch->input.tolist() == rows_of(c.at("input")));
    CHECK(batch->target.tolist() == rows_of(c.at("target")));
  }
  CHECK(loader.len() == 3);
}

TEST_CASE("tables: line ends in quotes, byte-order mark, empty lines, tabs, no header") {
  const TemporaryFolder folder;
  const auto path =
      folder.write("a.tsv", "\xEF\xBB\xBF\"x\ny\"\tx\ty\r\n\r\n\"a\n\"\"b\"\t+1\t 2 \n\nc\t3\t4");
  const DataLoader loader = dataset::from_csv(path, kX, kY);
  CHECK(loader.len() == 2);
  const auto batch = loader.skip(0).batched(2).iter().next();
  CHECK(batch->input.data() == std::vector<float>{1, 3});
  CHECK(batch->target.data() == std::vector<float>{2, 4});
  const std::vector<Column> first{std::int64_t{0}};
  const auto plain = folder.write("b.csv", "1;2\n3;4\n");
  const auto bare = dataset::from_csv(plain, first, first, {.delimiter = ';', .header = false});
  CHECK(bare.batched(3).iter().next()->input.data() == std::vector<float>{1, 3});
  check_error(Errc::out_of_range,
              [&] { (void)dataset::from_csv(plain, kX, kX, {.delimiter = ';', .header = false}); });
  check_error(Errc::out_of_range,
              [&] { (void)dataset::from_csv(path, std::vector<Column>{std::int64_t{3}}, kY); });
  check_error(Errc::empty_input, [&] { (void)dataset::from_csv(path, {}, kY); });
  check_error(Errc::io, [&] { (void)dataset::from_csv(folder.file("absent"), kX, kY); });
  check_error(Errc::io, [&] { (void)dataset::from_csv(folder.write("c.csv", ""), kX, kY); });
}

TEST_CASE("a malformed table names path, line and column") {
  const TemporaryFolder folder;
  const auto with = [&](const std::string& body) {
    return dataset::from_csv(folder.write("bad.csv", "x,\"y\"\n\n1,2\n" + body), kX, kY);
  };
  check_malformed(with("3,nan\n"), "bad.csv, line 4, column 2: got 'nan'");
  check_malformed(with("3,inf\n"), "line 4, column 2");
  check_malformed(with("3,0x1\n"), "line 4, column 2");
  check_malformed(with("3,1e39\n"), "line 4, column 2");
  check_malformed(with("\n,1\n"), "line 5, column 1");
  check_malformed(with("3\n"), "line 4, column 2: got 1 columns, expected 2");
  check_malformed(with("3,4,5\n"), "line 4, column 3");
  check_malformed(with("3,\"4\n"), "line 4, column 2: got an open quote");
  CHECK(with("1e-400,2\n").skip(1).iter().next()->input.item() == 0.0);
}

TEST_CASE("objects, one a line") {
  const auto& c = learning::file().at("jsonl");
  const TemporaryFolder folder;
  const DataLoader loader =
      dataset::from_jsonl(folder.write("a.jsonl", c.at("text").get<std::string>()));
  for (const DataLoader& one : {loader, loader.skip(0)}) {
    const auto batch = one.batched(8).iter().next();
    REQUIRE(batch);
    CHECK(batch->input.tolist() == rows_of(c.at("input")));
    CHECK(batch->target.tolist() == rows_of(c.at("target")));
  }
  const auto more = dataset::from_jsonl(
      folder.write("b.jsonl", " \r\n{\"a\": [[1], [2]], \"b\": 3}\r\n  \n"), "a", "b");
  CHECK(more.len() == 1);
  CHECK(more.skip(0).iter().next()->input.shape() == Shape{2, 1});
  const auto with = [&](const std::string& line) {
    return dataset::from_jsonl(folder.write("bad.jsonl", "\n" + line), "a", "a");
  };
  check_malformed(with("{\"a\": 1,}"), "bad.jsonl, line 2, column 9");
  check_malformed(with("[1]"), "line 2, column 1: got array");
  check_malformed(with("{}"), "got no key 'a'");
  check_malformed(with("{\"a\": []}"), "empty list");
  check_malformed(with("{\"a\": [[1], [1, 2]]}"), "unequal rows");
  check_malformed(with("{\"a\": [1, null]}"), "got null");
  check_malformed(with("{\"a\": 1e39}"), "beyond float32");
  check_malformed(with("{\"a\": 1e999}"), "line 2");
}

TEST_CASE("arrays: malformed files") {
  const TemporaryFolder folder;
  const auto load = [&](const std::string& bytes) {
    const auto path = folder.write("a.npy", bytes);
    return dataset::from_npy(path, path);
  };
  const std::string good = "{'descr': '|b1', 'fortran_order': False, 'shape': (2, 3), }\n";
  const auto batch = load(npy(good, 6)).batched(2).iter().next();
  CHECK(batch->input.data() == std::vector<float>(6, 1.0F));
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string header = good;
    header.replace(header.find(from), from.size(), to);
    return npy(header, 6);
  };
  for (const std::string& bytes :
       {std::string(), std::string("\x93NUMPY\x01"), npy(good, 5), replaced("False", "True"),
        replaced("'|b1'", "'<c8'"), replaced("'|b1'", "[('a', '<f4')]"), replaced("'|b1'", "''"),
        replaced("(2, 3)", "()"), replaced("(2, 3)", "(2, 0)"), replaced("(2, 3)", "(-2, 3)"),
        replaced("(2, 3)", "(99999999999999, 99999999999999)"), replaced("'shape'", "'form'"),
        npy(good, 0).substr(0, 20)}) {
    CAPTURE(bytes);
    CHECK_THROWS_AS((void)load(bytes), FormatError);
  }
  const auto a = folder.write("1.npy", npy(good, 6));
  const auto b = folder.write("2.npy", replaced("(2, 3)", "(6,)"));
  check_error(Errc::shape_mismatch, [&] { (void)dataset::from_npy(a, b); });
}

TEST_CASE("texts in memory and in a file") {
  const LanguageWaveEncoder encoder(-1.0, 0.5);
  const std::vector<std::string> texts{"spiral", "\xC3\xA9t\xC3\xA9"};
  const auto loader = dataset::from_text(texts, encoder);
  auto batch = loader.batched(2).iter().next();
  CHECK(batch->input.shape() == Shape{2, 12});
  CHECK(batch->target.data() == batch->input.data());
  CHECK(batch->input.row(1).data() == encoder.encode_z_space(texts[1], 12).data());
  const TemporaryFolder folder;
  const std::vector<Tensor> targets{Tensor(1, 1, {5}), Tensor(1, 1, {6})};
  const auto file = dataset::from_text_file(
      folder.write("a.txt", texts[0] + "\r\n" + texts[1] + "\n"), encoder, 12, targets);
  CHECK(file.len() == 2);
  for (const DataLoader& one : {file, file.skip(0)}) {
    const auto same = one.batched(2).iter().next();
    CHECK(same->input.data() == batch->input.data());
    CHECK(same->target.data() == std::vector<float>{5, 6});
  }
  check_malformed(dataset::from_text_file(folder.write("b.txt", "a\n\nb"), encoder, 4),
                  "b.txt, line 2, column 1");
  check_malformed(dataset::from_text_file(folder.write("c.txt", "a\nb\xFF"), encoder, 4),
                  "c.txt, line 2, column 2");
  check_error(Errc::invalid_value, [&] { (void)dataset::from_text({"\xFF"}, encoder); });
  check_error(Errc::empty_input, [&] { (void)dataset::from_text({""}, encoder); });
  check_error(Errc::invalid_value, [&] { (void)dataset::from_text(texts, encoder, {}, 0); });
  check_error(Errc::length_mismatch, [&] { (void)dataset::from_text({"a"}, encoder, targets); });
  CHECK(dataset::from_text({}, encoder).is_empty());
}
