#include "spiraltorch/data/arrow_stream.hpp"

#include <cstring>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/format_error.hpp"
#include "spiraltorch/base/limits.hpp"
#include "spiraltorch/base/text.hpp"

namespace spiraltorch::data {
namespace {

[[noreturn]] void stream_failed(ArrowArrayStream* stream, const char* expected, int code) {
  const char* reason = stream->get_last_error(stream);
  fail(Errc::io, kFromArrow,
       text("stream: got '", reason == nullptr ? std::strerror(code) : reason, "', expected ",
            expected));
}

}  // namespace

void check_live(const ArrowArrayStream* stream) {
  require(stream != nullptr && stream->release != nullptr, Errc::invalid_value, kFromArrow,
          "stream: got one that is released, expected one that gives batches");
}

ArrowOwned<ArrowSchema> batch_schema(ArrowArrayStream* stream) {
  ArrowOwned<ArrowSchema> schema;
  if (const int code = stream->get_schema(stream, schema.get()); code != 0) {
    stream_failed(stream, "a schema", code);
  }
  const std::string_view format = schema->format == nullptr ? "" : schema->format;
  if (format != "+s") {
    throw FormatError(kFromArrow, text("stream: got one of type '", format,
                                       "', expected record batches (struct, '+s')"));
  }
  return schema;
}

std::int64_t place_of(const ArrowSchema& schema, const dataset::Column& column, const char* what) {
  if (const auto* index = std::get_if<std::int64_t>(&column)) {
    if (*index < 0 || *index >= schema.n_children) {
      fail(Errc::out_of_range, kFromArrow,
           text(what, ": got column ", *index, ", expected one in [0, ", schema.n_children, ")"));
    }
    return *index;
  }
  const auto& name = std::get<std::string>(column);
  for (std::int64_t i = 0; i < schema.n_children; ++i) {
    const char* field = schema.children[i]->name;
    if (field != nullptr && name == field) return i;
  }
  fail(Errc::out_of_range, kFromArrow,
       text(what, ": got column '", name, "', expected a name of the schema"));
}

bool next_batch(ArrowArrayStream* stream, ArrowOwned<ArrowArray>& batch) {
  batch.reset();
  if (const int code = stream->get_next(stream, batch.get()); code != 0) {
    stream_failed(stream, "a batch", code);
  }
  if (batch.released()) return false;
  const std::int64_t rows = batch->length;
  if (rows < 0 || batch->offset < 0 || rows > kMaxElements || batch->offset > kMaxElements ||
      batch->n_buffers != 1) {
    throw FormatError(kFromArrow, text("batch: got ", rows, " rows at ", batch->offset,
                                       ", expected a struct of up to 2**40"));
  }
  return true;
}

const unsigned char* valid_rows(const ArrowArray& batch) {
  return batch.null_count == 0 || batch.buffers == nullptr
             ? nullptr
             : static_cast<const unsigned char*>(batch.buffers[0]);
}

}  // namespace spiraltorch::data
