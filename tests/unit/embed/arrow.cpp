#include "arrow_stream.hpp"
#include "check_error.hpp"
#include "spiraltorch/embed/hierarchy.hpp"

using namespace spiraltorch;
using arrow_stream::bytes;
using arrow_stream::Column;
using arrow_stream::Field;

namespace {

using Names = std::vector<std::string>;

// Column of strings with 32-bit or 64-bit offsets.
template <class Offset>
Column strings(const Names& values) {
  std::vector<Offset> offsets{0};
  std::string data;
  for (const std::string& value : values) {
    data += value;
    offsets.push_back(static_cast<Offset>(data.size()));
  }
  return {std::ssize(values), {"", bytes(offsets), data}};
}

Column views(const std::string& far) {
  // "short", then 13 bytes of buffer 0 from place 2.
  std::string cells("\x05\0\0\0short\0\0\0\0\0\0\0", 16);
  cells += std::string("\x0D\0\0\0", 4) + far.substr(2, 4) + std::string("\0\0\0\0\x02\0\0\0", 8);
  return {2, {"", cells, far, bytes(std::vector<std::int64_t>{std::ssize(far)})}};
}

Column batch(std::vector<Column> columns) {
  const std::int64_t rows = columns[0].length;
  return {rows, {""}, std::move(columns)};
}

Hierarchy read(std::vector<Field> fields, std::vector<Column> batches, int fails_at = -1,
               const std::optional<ArrowEdgeColumn>& weight = {}) {
  ArrowArrayStream stream =
      arrow_stream::stream({"+s", "", std::move(fields)}, std::move(batches), fails_at);
  const int before = arrow_stream::live() - 1;
  struct Check {
    int before;
    ~Check() { CHECK(arrow_stream::live() == before); }
  } check{before};
  return Hierarchy::from_arrow(&stream, "child", 1, weight);
}

const std::vector<Field> kStrings{{"u", "child"}, {"U", "parent"}};

}  // namespace

TEST_CASE("strings, batch by batch") {
  const Hierarchy h =
      read(kStrings, {batch({strings<std::int32_t>({"a", "b"}), strings<std::int64_t>({"b", "c"})}),
                      batch({strings<std::int32_t>({}), strings<std::int64_t>({})}),
                      batch({strings<std::int32_t>({"\xC3\xA9"}), strings<std::int64_t>({"c"})})});
  CHECK(h.nodes() == Names{"a", "b", "c", "\xC3\xA9"});
  CHECK(h.edges().size() == 3);
}

TEST_CASE("integers are names, numbers are weights, offsets count") {
  Column parents = arrow_stream::numbers<std::uint64_t>({0, 18446744073709551615U, 5});
  parents.offset = 1;
  parents.length = 2;
  const Hierarchy h = read({{"c", "child"}, {"L", "parent"}, {"g", "w"}},
                           {batch({arrow_stream::numbers<std::int8_t>({-3, 7}), parents,
                                   arrow_stream::numbers<double>({0.1, 2.0})})},
                           -1, "w");
  CHECK(h.nodes() == Names{"-3", "18446744073709551615", "7", "5"});
  CHECK(h.edges()[0].weight == 0.1);
  CHECK(h.edges()[1].weight == 2.0);
}

TEST_CASE("views of strings") {
  const Hierarchy h = read({{"vu", "child"}, {"u", "parent"}},
                           {batch({views("__thirteen char"), strings<std::int32_t>({"p", "q"})})});
  CHECK(h.nodes() == Names{"short", "p", "thirteen char", "q"});
  check_error(Errc::io, [] {  // the buffer is shorter than the view says
    (void)read({{"vu", "child"}, {"u", "parent"}},
               {batch({views("__thirteen cha"), strings<std::int32_t>({"p", "q"})})});
  });
}

TEST_CASE("streams that do not fit give everything back") {
  const Column good = batch({strings<std::int32_t>({"a"}), strings<std::int64_t>({"b"})});
  check_error(Errc::io, [&] { (void)read(kStrings, {good, good}, 1); });
  check_error(Errc::empty_input, [] { (void)read(kStrings, {}); });
  check_error(Errc::io, [&] { (void)read({{"f", "child"}, {"u", "parent"}}, {good}); });
  check_error(Errc::out_of_range, [&] { (void)read({{"u", "x"}, {"u", "y"}}, {good}); });
  check_error(Errc::out_of_range, [&] { (void)read({{"u", "child"}}, {good}); });
  check_error(Errc::out_of_range, [&] { (void)read(kStrings, {good}, -1, "w"); });
  check_error(Errc::io, [&] { (void)read(kStrings, {good}, -1, 0); });  // a weight of strings
  const auto with = [](const Column& child) {
    return [child] { (void)read(kStrings, {batch({child, strings<std::int64_t>({"b"})})}); };
  };
  Column bad = strings<std::int32_t>({"a"});
  bad.buffers[1] = bytes(std::vector<std::int32_t>{1, 0});
  check_error(Errc::io, with(bad));
  bad.buffers[1] = bytes(std::vector<std::int32_t>{-1, 1});
  check_error(Errc::io, with(bad));
  bad = strings<std::int32_t>({"a"});
  bad.buffers[0] = std::string(1, '\0');  // not there
  bad.nulls = 1;
  check_error(Errc::io, with(bad));
  bad.buffers[0] = "";
  check_error(Errc::io, with(bad));
  bad = strings<std::int32_t>({"a"});
  bad.buffers.pop_back();
  check_error(Errc::io, with(bad));
  check_error(Errc::invalid_value, with(strings<std::int32_t>({""})));
  check_error(Errc::invalid_value, with(strings<std::int32_t>({"\xFF"})));
  check_error(Errc::io, with(strings<std::int32_t>({std::string((1 << 20) + 1, 'x')})));
  ArrowArrayStream released{};
  check_error(Errc::invalid_value, [&] { (void)Hierarchy::from_arrow(&released); });
}
