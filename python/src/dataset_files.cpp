#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <spiraltorch/base/error.hpp>
#include <spiraltorch/base/text.hpp>
#include <spiraltorch/data/sources.hpp>
#include <string>
#include <utility>
#include <vector>

#include "dataset.hpp"
#include "rank.hpp"

using namespace nb::literals;
using st::Tensor;
using st::dataset::Column;

namespace {

Column column_of(const char* op, const char* what, nb::handle object) {
  if (PyUnicode_Check(object.ptr())) return nb::cast<std::string>(object);
  return integer(op, what, object);
}

PyDataLoader from_csv(nb::handle path, nb::handle inputs, nb::handle targets,
                      const std::optional<std::string>& delimiter, bool header) {
  st::dataset::TableOptions options{.delimiter = {}, .header = header};
  if (delimiter) {
    st::require(delimiter->size() == 1, st::Errc::invalid_value, "from_csv",
                "delimiter: got another length, expected one ASCII character");
    options.delimiter = (*delimiter)[0];
  }
  const auto x = columns_of("from_csv", "inputs", inputs);
  const auto y = columns_of("from_csv", "targets", targets);
  const std::string file = path_of(path);
  const nb::gil_scoped_release unlock;
  return {st::dataset::from_csv(file, x, y, options)};
}

// Tensors, or numbers as (1, 1).
std::optional<std::vector<Tensor>> targets_of(nb::handle targets) {
  if (targets.is_none()) return {};
  std::vector<Tensor> out;
  for (nb::handle item : nb::cast<nb::iterable>(targets)) {
    if (nb::isinstance<Tensor>(item)) {
      out.push_back(nb::cast<Tensor>(item));
    } else {
      out.push_back(Tensor::full(1, 1, number("from_text", item)));
    }
  }
  return out;
}

std::string text_of(nb::handle text) {
  if (!PyUnicode_Check(text.ptr())) throw nb::type_error("[from_text] texts: expected a str each");
  Py_ssize_t size = 0;
  const char* bytes = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
  if (bytes == nullptr) {
    PyErr_Clear();
    st::fail(st::Errc::invalid_value, "from_text",
             "text: got invalid Unicode (a lone surrogate), expected code points");
  }
  return {bytes, static_cast<std::size_t>(size)};
}

PyDataLoader from_text(nb::handle texts, const st::LanguageWaveEncoder& encoder, nb::handle targets,
                       nb::handle width) {
  auto given = targets_of(targets);
  std::optional<std::int64_t> size;
  if (!width.is_none()) size = integer("from_text", "width", width);
  if (PyUnicode_Check(texts.ptr()) || nb::hasattr(texts, "__fspath__")) {
    st::require(size.has_value(), st::Errc::invalid_value, "from_text",
                "width: got None, expected one for a path");
    const std::string path = path_of(texts);
    return {st::dataset::from_text_file(path, encoder, *size, std::move(given))};
  }
  std::vector<std::string> list;
  for (nb::handle text : nb::cast<nb::iterable>(texts)) list.push_back(text_of(text));
  const nb::gil_scoped_release unlock;
  return {st::dataset::from_text(std::move(list), encoder, std::move(given), size)};
}

}  // namespace

std::vector<Column> columns_of(const char* op, const char* what, nb::handle object) {
  std::vector<Column> out;
  if (PyUnicode_Check(object.ptr()) || PySequence_Check(object.ptr()) == 0) {
    out.push_back(column_of(op, what, object));
    return out;
  }
  for (nb::handle item : object) out.push_back(column_of(op, what, item));
  return out;
}

void bind_dataset_files(nb::module_& m) {
  m.def("from_csv", from_csv, "path"_a, "inputs"_a, "targets"_a, "delimiter"_a = nb::none(),
        "header"_a = true, "Numbers in the columns of a table, by name or index.");
  m.def(
      "from_jsonl",
      [](nb::handle path, const std::string& input, const std::string& target) {
        const std::string file = path_of(path);
        const nb::gil_scoped_release unlock;
        return PyDataLoader{st::dataset::from_jsonl(file, input, target)};
      },
      "path"_a, "input"_a = "input", "target"_a = "target",
      "An object a line: a number, a list (one row) or a list of equal rows by either key.");
  m.def(
      "from_npy",
      [](nb::handle inputs, nb::handle targets) {
        const std::string x = path_of(inputs);
        const std::string y = path_of(targets);
        const nb::gil_scoped_release unlock;
        return PyDataLoader{st::dataset::from_npy(x, y)};
      },
      "inputs"_a, "targets"_a, "Two memory-mapped .npy files; axes after the first are flattened.");
  m.def("from_text", from_text, "texts"_a, "encoder"_a, "targets"_a = nb::none(),
        "width"_a = nb::none(),
        "Texts, or the lines of a file, encoded by encode_z_space; the target is the input unless "
        "given.");
}
