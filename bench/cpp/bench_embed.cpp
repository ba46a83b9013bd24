#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/embed/embedding.hpp"
#include "spiraltorch/runtime/parallel.hpp"

// Times of hierarchies and their embedding. Usage: bench_embed [threads] [nouns' epochs]
// [mammals' file]; nouns' epochs 0 takes the defaults, negative leaves them out.
namespace st = spiraltorch;

namespace {

template <class F>
double seconds(F&& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void row(const std::string& name, const st::Hierarchy& hierarchy, st::EmbeddingOptions options) {
  st::HierarchyEmbedding embedding(options);
  double rate = 0.0;
  double epochs = 1.0;
  const double training = seconds([&] {
    embedding.fit(hierarchy, [&](const st::EmbeddingProgress& p) {
      rate = p.pairs_per_second;
      epochs = static_cast<double>(p.epochs);
      return true;
    });
  });
  st::EmbeddingEvaluation result;
  const double evaluation = seconds([&] { result = embedding.evaluate(hierarchy); });
  const std::string& name_of_last = embedding.names().back();
  constexpr int kQueries = 10;
  const double query = seconds([&] {
    for (int i = 0; i < kQueries; ++i) (void)embedding.nearest(name_of_last, 10);
  });
  std::printf(
      "%-16s dim %-3lld %6.2f s, epoch %7.2f ms, %6.2f M pairs/s, evaluation %5.2f s, "
      "nearest %5.2f ms, mean rank %.4f, MAP %.4f\n",
      name.c_str(), static_cast<long long>(options.dim), training, 1e3 * training / epochs,
      rate / 1e6, evaluation, 1e3 * query / kQueries, result.mean_rank, result.map);
  std::fflush(stdout);
}

void nouns(std::int64_t epochs) {
  st::Hierarchy all = st::Hierarchy::from_edges({{"a", "b"}});
  const double reading = seconds([&] { all = st::Hierarchy::wordnet_nouns(); });
  double closing = 1e9;
  for (int i = 0; i < 3; ++i) {
    closing = std::min(closing, seconds([&] { (void)all.closure(); }));
  }
  std::printf("nouns            read %.2f s, closure %.3f s\n", reading, closing);
  st::EmbeddingOptions options;
  options.dim = 10;
  if (epochs > 0) options.epochs = epochs;
  row("nouns", all, options);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc > 1) st::set_thread_count(std::atoi(argv[1]));
  const std::int64_t epochs = argc > 2 ? std::atoll(argv[2]) : 0;
  const std::string file = argc > 3 ? argv[3] : "data/wordnet_mammals.tsv";
  std::printf("%d threads\n", st::thread_count());
  const st::Hierarchy mammals = st::Hierarchy::from_csv(file);
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    st::EmbeddingOptions options;
    options.dim = 5;
    options.seed = seed;
    row("mammals, seed " + std::to_string(seed), mammals, options);
  }
  st::EmbeddingOptions pairwise;
  pairwise.dim = 5;
  pairwise.grouped = false;
  row("mammals, by pair", mammals, pairwise);
  if (epochs >= 0) nouns(epochs);
  return 0;
} catch (const st::Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
