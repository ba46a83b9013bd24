#include "spiraltorch/data/data_loader.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "check_error.hpp"
#include "learning.hpp"
#include "spiraltorch/data/sources.hpp"

using namespace spiraltorch;

namespace {

using Orders = std::vector<std::vector<std::int64_t>>;

// Sample i is the row (i, i/2) with target -i.
DataLoader numbered(std::int64_t count) {
  return dataset::from_tensors(
      Tensor::from_fn(count, 2,
                      [](std::int64_t i, std::int64_t j) {
                        return static_cast<double>(i) / static_cast<double>(j + 1);
                      }),
      Tensor::from_fn(count, 1,
                      [](std::int64_t i, std::int64_t) { return -static_cast<double>(i); }));
}

Orders drained(DataIterator batches) {
  Orders out;
  while (const auto batch = batches.next()) {
    std::vector<std::int64_t> order;
    REQUIRE(batch->input.rows() == batch->target.rows());
    for (std::int64_t i = 0; i < batch->input.rows(); ++i) {
      order.push_back(static_cast<std::int64_t>(batch->input.at(i, 0)));
      CHECK(batch->input.at(i, 1) == batch->input.at(i, 0) / 2);
      CHECK(batch->target.at(i, 0) == -batch->input.at(i, 0));
    }
    out.push_back(order);
  }
  CHECK_FALSE(batches.next());
  return out;
}

std::optional<std::uint64_t> seed_of(const learning::Json& value) {
  if (value.is_null()) return {};
  return value.get<std::uint64_t>();
}

DataLoader adapted(const DataLoader& loader, const learning::Json& a) {
  const auto name = a[0].get<std::string>();
  if (name == "shuffle") return loader.shuffle(a[1].get<std::uint64_t>());
  if (name == "take") return loader.take(a[1].get<std::int64_t>());
  if (name == "skip") return loader.skip(a[1].get<std::int64_t>());
  if (name == "shard") {
    return loader.shard(a[1].get<std::int64_t>(), a[2].get<std::int64_t>(), a[3].get<bool>());
  }
  const auto [first, rest] = loader.split(a[1].get<double>(), seed_of(a[2]));
  REQUIRE((name == "split_first" || name == "split_second"));
  return name == "split_first" ? first : rest;
}

// A source without a length: a new stream each epoch.
class Counted final : public SampleSource {
 public:
  explicit Counted(std::int64_t count) : count_(count) {}
  [[nodiscard]] bool sized() const noexcept override { return false; }
  [[nodiscard]] std::int64_t size() const override { return -1; }
  [[nodiscard]] Sample at(std::int64_t) const override { return {Tensor(1, 1), Tensor(1, 1)}; }
  [[nodiscard]] std::unique_ptr<SampleStream> stream() const override {
    class Stream final : public SampleStream {
     public:
      explicit Stream(std::int64_t count) : count_(count) {}
      std::optional<Sample> next() override {
        if (drawn_ == count_) return {};
        const auto i = static_cast<float>(drawn_++);
        return Sample{Tensor(1, 2, {i, i / 2}), Tensor(1, 1, {-i})};
      }

     private:
      std::int64_t count_;
      std::int64_t drawn_ = 0;
    };
    return std::make_unique<Stream>(count_);
  }

 private:
  std::int64_t count_;
};

}  // namespace

TEST_CASE("adapters give the golden orders, with each prefetch depth") {
  for (const auto& c : learning::file().at("loader")) {
    DataLoader loader = numbered(c.at("count").get<std::int64_t>());
    for (const auto& adapter : c.at("adapters")) loader = adapted(loader, adapter);
    loader = loader.batched(c.at("batch").get<std::int64_t>(), c.at("drop_last").get<bool>());
    const std::string name = c.dump().substr(0, 120);
    CAPTURE(name);
    for (const std::int64_t depth : {0, 1, 2, 8}) {
      const DataLoader ahead = loader.prefetch(depth);
      CHECK(ahead.prefetch_depth() == depth);
      for (std::size_t epoch = 0; epoch < 3; ++epoch) {
        CHECK(ahead.epoch() == epoch);
        CHECK(drained(ahead.iter()) == c.at("epochs")[epoch].get<Orders>());
        CHECK(drained(loader.at_epoch(static_cast<std::int64_t>(epoch))) ==
              c.at("epochs")[epoch].get<Orders>());
      }
    }
    CHECK(loader.epoch() == 0);
    CHECK(loader.num_batches() == std::ssize(c.at("epochs")[0]));
  }
}

TEST_CASE("a window gives the golden orders, by number and by stream") {
  for (const auto& c : learning::file().at("windows")) {
    const auto seed = std::stoull(c.at("seed").get<std::string>());
    const auto window = c.at("window").get<std::int64_t>();
    const auto count = c.at("count").get<std::int64_t>();
    const auto epoch = c.at("epoch").get<std::int64_t>();
    const Orders want{c.at("order").get<std::vector<std::int64_t>>()};
    CHECK(drained(numbered(count).shuffle(seed, window).batched(count).at_epoch(epoch)) == want);
    const DataLoader unsized(std::make_shared<Counted>(count));
    CHECK(drained(unsized.shuffle(seed, window).batched(count).at_epoch(epoch)) == want);
  }
}

TEST_CASE("a source without a length streams") {
  const DataLoader loader(std::make_shared<Counted>(11));
  const DataLoader twin = numbered(11);
  CHECK_FALSE(loader.len());
  CHECK_FALSE(loader.num_batches());
  CHECK(loader.repr() == "DataLoader(len=None, batch_size=1)");
  check_error(Errc::dtype, [&] { (void)loader.is_empty(); });
  check_error(Errc::invalid_value, [&] { (void)loader.shuffle(1); });
  check_error(Errc::invalid_value, [&] { (void)loader.split(0.5); });
  check_error(Errc::invalid_value, [&] { (void)loader.shard(0, 2, true); });
  const auto same = [&](auto&& adapt) {
    for (const std::int64_t depth : {0, 2}) {
      CHECK(drained(adapt(loader).batched(3).prefetch(depth).iter()) ==
            drained(adapt(twin).batched(3).iter()));
      CHECK(drained(adapt(loader).batched(3, true).prefetch(depth).iter()) ==
            drained(adapt(twin).batched(3, true).iter()));
    }
  };
  same([](const DataLoader& l) { return l; });
  same([](const DataLoader& l) { return l.take(4); });
  same([](const DataLoader& l) { return l.take(0); });
  same([](const DataLoader& l) { return l.skip(4); });
  same([](const DataLoader& l) { return l.skip(12); });
  same([](const DataLoader& l) { return l.shard(2, 3); });
  same([](const DataLoader& l) { return l.skip(2).shard(0, 4).shuffle(7, 2).take(2); });
}

TEST_CASE("shards are disjoint and complete") {
  const DataLoader loader = numbered(23).shuffle(9).batched(4);
  for (const std::int64_t world : {1, 2, 5, 23, 30}) {
    for (std::int64_t epoch = 0; epoch < 2; ++epoch) {
      std::vector<std::int64_t> all;
      std::vector<std::int64_t> even;
      for (std::int64_t rank = 0; rank < world; ++rank) {
        for (const auto& b : drained(loader.shard(rank, world).at_epoch(epoch))) {
          all.insert(all.end(), b.begin(), b.end());
        }
        CHECK(loader.shard(rank, world, true).len() == 23 / world);
        for (const auto& b : drained(loader.shard(rank, world, true).at_epoch(epoch))) {
          even.insert(even.end(), b.begin(), b.end());
        }
      }
      std::sort(all.begin(), all.end());
      std::vector<std::int64_t> want(23);
      for (std::size_t i = 0; i < 23; ++i) want[i] = static_cast<std::int64_t>(i);
      CHECK(all == want);
      std::sort(even.begin(), even.end());
      CHECK(std::ssize(even) == 23 / world * world);
      CHECK(std::adjacent_find(even.begin(), even.end()) == even.end());
    }
  }
}

TEST_CASE("counts, representation and the epoch counter") {
  const DataLoader loader = numbered(64).batched(8);
  CHECK(loader.repr() == "DataLoader(len=64, batch_size=8)");
  CHECK(loader.batched(7).num_batches() == 10);
  CHECK(loader.batched(7, true).num_batches() == 9);
  CHECK_FALSE(loader.is_empty());
  CHECK(loader.take(0).is_empty());
  CHECK(loader.split(0.5).second.len() == 32);
  CHECK(numbered(10).split(0.25).first.len() == 2);
  CHECK(numbered(10).split(0.35).first.len() == 4);
  CHECK(numbered(10).split(1.0).second.len() == 0);
  CHECK(loader.epoch() == 0);
  const DataLoader copy = loader;
  (void)loader.iter();
  CHECK(copy.epoch() == 1);
  (void)loader.at_epoch(41);
  CHECK(loader.epoch() == 1);
  CHECK(loader.take(3).epoch() == 0);
  int batches = 0;
  auto epoch = loader.iter();
  for (const Batch& batch : epoch) batches += batch.input.rows() == 8 ? 1 : 100;
  CHECK(batches == 8);
}

TEST_CASE("bad arguments") {
  const DataLoader loader = numbered(4);
  check_error(Errc::invalid_value, [&] { (void)loader.batched(0); });
  check_error(Errc::invalid_value, [&] { (void)loader.prefetch(-1); });
  check_error(Errc::invalid_value, [&] { (void)loader.take(-1); });
  check_error(Errc::invalid_value, [&] { (void)loader.skip(-1); });
  check_error(Errc::invalid_value, [&] { (void)loader.shuffle(1, 0); });
  check_error(Errc::invalid_value, [&] { (void)loader.split(1.5); });
  check_error(Errc::invalid_value, [&] { (void)loader.split(std::nan("")); });
  check_error(Errc::invalid_value, [&] { (void)loader.shuffle(1).take(2).split(0.5); });
  check_error(Errc::invalid_value, [&] { (void)loader.shuffle(1, 3).split(0.5); });
  check_error(Errc::invalid_value, [&] { (void)loader.shard(2, 2); });
  check_error(Errc::invalid_value, [&] { (void)loader.shard(0, 0); });
  check_error(Errc::invalid_value, [&] { (void)loader.map({}); });
  check_error(Errc::invalid_value, [&] { (void)loader.at_epoch(std::int64_t{1} << 32); });
  check_error(Errc::invalid_value, [&] { (void)loader.at_epoch(-1); });
  CHECK(drained(loader.batched(4).at_epoch((std::int64_t{1} << 32) - 1)).size() == 1);
  check_error(Errc::shape_mismatch,
              [] { (void)dataset::from_tensors(Tensor(3, 2), Tensor(2, 1)); });
}

TEST_CASE("samples in a list: several rows, widths, none at all") {
  CHECK(dataset::from_vec({}).is_empty());
  CHECK_FALSE(dataset::from_vec({}).batched(4).iter().next());
  const DataLoader loader = dataset::from_vec({{Tensor(2, 1, {1, 2}), Tensor(1, 2, {3, 4})},
                                               {Tensor(1, 1, {5}), Tensor(2, 2, {6, 7, 8, 9})},
                                               {Tensor(1, 2), Tensor(1, 2)}});
  auto batches = loader.batched(2).iter();
  const auto batch = batches.next();
  REQUIRE(batch);
  CHECK(batch->input.data() == std::vector<float>{1, 2, 5});
  CHECK(batch->target.data() == std::vector<float>{3, 4, 6, 7, 8, 9});
  CHECK(batches.next()->input.cols() == 2);
  auto uneven = loader.batched(3).iter();
  check_error(Errc::shape_mismatch, [&] { (void)uneven.next(); });
  CHECK_FALSE(uneven.next());
}

TEST_CASE("a batch of tracked inputs records, and rows are shared") {
  Tensor x(3, 2, {1, 2, 3, 4, 5, 6});
  const DataLoader loader = dataset::from_tensors(x, Tensor(3, 1)).skip(1).batched(2);
  x.fill_(7);
  CHECK(loader.iter().next()->input.at(0, 0) == 7);
  x.requires_grad_();
  loader.iter().next()->input.sum().backward();
  CHECK(x.grad()->data() == std::vector<float>{0, 0, 1, 1, 1, 1});
}

TEST_CASE("maps apply in order, when a sample is drawn") {
  int calls = 0;
  const DataLoader loader = numbered(10)
                                .map([&](Sample s) {
                                  ++calls;
                                  return Sample{s.input + 1.0, s.target};
                                })
                                .shuffle(5)
                                .take(3)
                                .map([](Sample s) {
                                  return Sample{s.input * 2.0, s.target};
                                });
  CHECK(calls == 0);
  const auto batch = loader.batched(3).iter().next();
  CHECK(calls == 3);
  for (std::int64_t i = 0; i < 3; ++i) {
    CHECK(batch->input.at(i, 0) == 2 * (1 - batch->target.at(i, 0)));
  }
}
