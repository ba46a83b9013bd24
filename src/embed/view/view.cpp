#include "spiraltorch/embed/view.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "embed/view/layout.hpp"
#include "embed/view/page.hpp"
#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/safetensors.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/geometry/poincare_ball.hpp"

// The page's parts stand in src/embed/view/page; here they are filled with an embedding's data.
namespace spiraltorch {
namespace {

using Json = nlohmann::json;
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Little-endian words of 32 bits in base64 (RFC 4648).
class Base64 {
 public:
  void put(std::uint32_t word) {
    for (int shift = 0; shift < 32; shift += 8) {
      pending_ = pending_ << 8 | (word >> shift & 0xFF);
      if (++count_ % 3 == 0) flush(4);
    }
  }
  std::string finish() {
    const int left = count_ % 3;
    if (left > 0) {
      pending_ <<= 8 * (3 - left);
      flush(left + 1);
      text_.append(static_cast<std::size_t>(3 - left), '=');
    }
    return std::move(text_);
  }

 private:
  void flush(int characters) {
    for (int i = 0; i < characters; ++i) text_ += kAlphabet[pending_ >> (18 - 6 * i) & 63];
    pending_ = 0;
    count_ = 0;
  }
  std::string text_;
  std::uint32_t pending_ = 0;
  int count_ = 0;
};

// Points of the unit ball; for what lies elsewhere there is no disk.
std::vector<float> unit_points(const HierarchyEmbedding& embedding) {
  const EmbeddingOptions& o = embedding.options();
  if (o.manifold == "euclidean") {
    fail(Errc::unsupported, "view",
         "manifold: got 'euclidean', expected a hyperbolic embedding ('poincare' or 'lorentz')");
  }
  const auto values = embedding.to_poincare().data();
  std::vector<float> out(values.begin(), values.end());
  const double radius = PoincareBall(o.curvature).radius();
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!std::isfinite(out[i])) {
      const auto row = i / static_cast<std::size_t>(o.dim);
      fail(Errc::non_finite, "view",
           text("coordinates of '", embedding.names()[row], "': got ", out[i],
                ", expected finite numbers"));
    }
    out[i] = static_cast<float>(out[i] / radius);
  }
  return out;
}

std::string edges_of(const HierarchyEmbedding& embedding, const Hierarchy& hierarchy) {
  std::vector<std::uint32_t> rows;
  rows.reserve(hierarchy.nodes().size());
  for (const std::string& name : hierarchy.nodes()) {
    rows.push_back(static_cast<std::uint32_t>(embedding.index(name)));
  }
  Base64 out;
  for (const Edge& e : hierarchy.edges()) {
    out.put(rows[static_cast<std::size_t>(e.child)]);
    out.put(rows[static_cast<std::size_t>(e.parent)]);
  }
  return out.finish();
}

std::string note_of(std::int64_t dim, std::string_view centre) {
  if (dim <= 2) return "Poincaré disk: an isometry moves it, distances are hyperbolic.";
  return text("Projection of ", dim, " dimensions: tangent vectors at ", centre,
              ", on their two principal axes, each at its own length. Distances from ", centre,
              " are true; angles are the projection's.");
}

// JSON inside a script element: "<" never stands there as itself, so no name can end the element.
std::string script_json(const Json& data) {
  const std::string plain = data.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string out;
  out.reserve(plain.size());
  for (const char c : plain) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

std::string escape_html(std::string_view plain) {
  std::string out;
  for (const char c : plain) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

Json view_data(const HierarchyEmbedding& embedding, const ViewOptions& options,
               const std::string& title) {
  const std::int64_t dim = embedding.options().dim;
  std::optional<std::size_t> centre;
  if (options.hierarchy) {
    const auto roots = options.hierarchy->roots();
    if (roots.size() == 1) centre = static_cast<std::size_t>(embedding.index(roots[0]));
  }
  const std::vector<float> points = unit_points(embedding);
  const auto layout = detail::view_layout(points, static_cast<std::size_t>(dim), centre);
  Base64 tangents;
  for (const float v : layout.tangents) tangents.put(std::bit_cast<std::uint32_t>(v));
  return {{"title", title},
          {"note", note_of(dim, centre ? "the root" : "the origin")},
          {"unit", PoincareBall(embedding.options().curvature).radius()},
          {"home", {layout.home[0], layout.home[1]}},
          {"names", embedding.names()},
          {"points", tangents.finish()},
          {"edges", options.hierarchy ? edges_of(embedding, *options.hierarchy) : std::string()}};
}

}  // namespace

void write_view(const HierarchyEmbedding& embedding, const std::string& path,
                const ViewOptions& options) {
  require(embedding.is_fitted(), Errc::empty_input, "view",
          "embedding: got one without vectors, expected a fitted or loaded one");
  const std::string title = options.title.value_or(
      text(embedding.names().size(), " nodes in ", embedding.options().dim, " dimensions"));
  const std::string data = script_json(view_data(embedding, options, title));
  const std::string heading = escape_html(title);
  std::vector<std::span<const std::byte>> parts;
  const auto put = [&parts](std::string_view part) {
    parts.push_back(std::as_bytes(std::span(part)));
  };
  put(view_page::kHead);
  put(heading);
  put(view_page::kStyle);
  put(view_page::kBody);
  put(data);
  put(view_page::kScriptOpen);
  for (const std::string_view script : view_page::kScripts) put(script);
  put(view_page::kTail);
  write_file("view", path, parts);
}

}  // namespace spiraltorch
