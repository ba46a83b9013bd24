#include "spiraltorch/train/trainer.hpp"

#include <cmath>
#include <limits>

#include "check_error.hpp"
#include "spiraltorch/nn/loss.hpp"
#include "support.hpp"

using namespace train_test;

namespace {

nn::ModulePtr golden_model(const Json& spec) {
  manual_seed(spec.at("seed").get<std::uint64_t>());
  const auto sizes = spec.at("sizes").get<std::vector<std::int64_t>>();
  std::vector<nn::ModulePtr> layers;
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    layers.push_back(std::make_shared<nn::Linear>(sizes[i], sizes[i + 1]));
    const std::string act = spec.at("acts")[i];
    if (act == "gelu") layers.push_back(std::make_shared<nn::Gelu>());
    if (act == "tanh") layers.push_back(std::make_shared<nn::Tanh>());
  }
  return std::make_shared<nn::Sequential>(layers);
}

TrainerOptions golden_options(const Json& spec, const nn::ModulePtr& model) {
  TrainerOptions options{.device = "cpu"};
  const Json& rule = spec.at("rule");
  const std::string kind = rule.at("kind");
  const double lr = rule.at("lr");
  if (kind == "adamw") {
    optim::AdamWOptions adam{.lr = lr};
    adam.weight_decay = rule.at("weight_decay");
    options.optimizer = std::make_shared<optim::AdamW>(model->parameters(), adam);
  }
  if (kind == "sgd") {
    options.optimizer = std::make_shared<optim::SGD>(
        model->parameters(), optim::SgdOptions{.lr = lr, .momentum = rule.at("momentum")});
  }
  if (kind == "fallback") options.fallback_learning_rate = lr;
  if (spec.contains("clip")) options.clip_norm = spec.at("clip").get<double>();
  return options;
}

DataLoader golden_loader(const Json& spec) {
  const DataLoader plain =
      dataset::from_tensors(tensor(spec.at("inputs")), tensor(spec.at("targets")));
  const auto batch = spec.at("batch").get<std::int64_t>();
  if (spec.at("shuffle").is_null()) return plain.batched(batch);
  return plain.shuffle(spec.at("shuffle").get<std::uint64_t>()).batched(batch);
}

void check_stats(const EpochStats& got, const Json& want) {
  CHECK(got.batches == want.at("batches").get<std::int64_t>());
  CHECK(got.samples == want.at("samples").get<std::int64_t>());
  check_near(got.total_loss, want.at("total_loss"), "training");
  check_near(got.average_loss, want.at("average_loss"), "training");
  check_near(got.mean_loss, want.at("mean_loss"), "training");
  check_near(got.grad_norm, want.at("grad_norm"), "training");
  const bool has_energy = !want.at("band_energy").is_null();
  CHECK(got.band_energy.has_value() == has_energy);
  if (!got.band_energy || !has_energy) return;
  check_near(got.band_energy->above, want.at("band_energy")[0], "training");
  check_near(got.band_energy->here, want.at("band_energy")[1], "training");
  check_near(got.band_energy->beneath, want.at("band_energy")[2], "training");
}

std::optional<RoundtableSchedule> golden_schedule(const Json& spec) {
  if (!spec.contains("schedule") || spec.at("schedule").is_null()) return {};
  const Json& s = spec.at("schedule");
  const auto w = s.at("weights").get<std::vector<double>>();
  return RoundtableSchedule(1, 1,
                            {.top_k = s.at("top_k"),
                             .bottom_k = s.at("bottom_k"),
                             .here_tolerance = s.at("here_tolerance"),
                             .weights = BandWeights{w[0], w[1], w[2]},
                             .device = "cpu"});
}

// One epoch's parameters with or without a schedule.
std::vector<std::vector<float>> after_epoch(const RoundtableSchedule* schedule) {
  const auto model = mixed_model();
  const SpiralSession session({.device = "cpu"});
  session.prepare_module(model);
  const auto trainer = session.trainer();
  (void)trainer->train_epoch(model, nn::CrossEntropy(), samples(), schedule);
  return bits(*model);
}

}  // namespace

TEST_CASE("golden training") {
  for (const Json& want : learning::file().at("training")) {
    const Json& spec = want.at("spec");
    CAPTURE(spec.at("rule").dump());
    const auto model = golden_model(spec);
    const auto parameters = model->parameters();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      check_all(parameters[i], want.at("initial")[i], "training");
    }
    if (spec.at("rule").at("kind") == "tape") {
      SpiralSession({.device = "cpu", .hyper_learning_rate = spec.at("rule").at("lr")})
          .prepare_module(model);
    }
    ModuleTrainer trainer(golden_options(spec, model));
    const bool classes = spec.at("loss") == "cross_entropy";
    const nn::CrossEntropy cross;
    const nn::MeanSquaredError square;
    const nn::Loss& loss = classes ? static_cast<const nn::Loss&>(cross) : square;
    const DataLoader loader = golden_loader(spec);
    const auto schedule = golden_schedule(spec);
    for (const Json& epoch : want.at("history")) {
      check_stats(trainer.train_epoch(model, loss, loader, schedule ? &*schedule : nullptr), epoch);
    }
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      check_all(parameters[i], want.at("final")[i], "training");
    }
    CHECK(trainer.epoch() == std::ssize(want.at("history")));
  }
}

TEST_CASE("unit weights train as no schedule does, bit for bit; other weights do not") {
  const auto plain = after_epoch(nullptr);
  const RoundtableSchedule unit(1, 3, {.device = "cpu"});
  CHECK(after_epoch(&unit) == plain);
  const RoundtableSchedule half(1, 3, {.weights = BandWeights{0.5, 1, 1}, .device = "cpu"});
  CHECK(after_epoch(&half) != plain);
}

TEST_CASE("weighting the gradient equals the bands' own backward passes") {
  manual_seed(1);
  const nn::Linear layer(4, 3);
  const Tensor x = Tensor::randn(5, 4, 2);
  const Tensor g = Tensor::randn(5, 3, 3);
  const RoundtableSchedule schedule(
      5, 3, {.top_k = 4, .bottom_k = 5, .weights = BandWeights{2, 0.5, 0.25}, .device = "cpu"});
  nn::Linear own(4, 3);
  (void)own.backward(x, schedule.weighted(g).gradient);
  const auto parts = schedule.split(g);
  nn::Linear sum(4, 3);
  (void)sum.backward(x, parts[0].scale(2));
  (void)sum.backward(x, parts[1].scale(0.5));
  (void)sum.backward(x, parts[2].scale(0.25));
  CHECK(own.parameters()[0].grad()->allclose(*sum.parameters()[0].grad(), 1e-6, 1e-6));
}

TEST_CASE("a batch that is not finite stops with its number and changes nothing") {
  for (const bool tapes : {true, false}) {
    CAPTURE(tapes);
    manual_seed(0);
    const auto layer = std::make_shared<nn::Linear>(2, 2, "layer");
    if (tapes) SpiralSession({.device = "cpu"}).prepare_module(layer);
    ModuleTrainer trainer({.device = "cpu"});
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const Tensor good(1, 2, {1, 2});
    const auto batches = [&](std::int64_t bad, const Tensor& input) {
      return EpochSource([=] {
        return NextBatch([=, i = std::int64_t{0}]() mutable -> std::optional<Batch> {
          if (i == 3) return {};
          return Batch{i++ == bad ? input : good, Tensor(1, 2, {0, 1})};
        });
      });
    };
    (void)trainer.train_epoch(layer, nn::MeanSquaredError(), batches(-1, good));
    nn::ModulePtr twin = std::make_shared<nn::Linear>(2, 2, "layer");
    const auto reference = [&] {  // the parameters after two good batches
      twin->load_state_dict(layer->state_dict());
      if (tapes) SpiralSession({.device = "cpu"}).prepare_module(twin);
      ModuleTrainer other({.device = "cpu"});
      const auto two = [&] {
        return NextBatch([good, i = 0]() mutable -> std::optional<Batch> {
          if (i++ == 2) return {};
          return Batch{good, Tensor(1, 2, {0, 1})};
        });
      };
      (void)other.train_epoch(twin, nn::MeanSquaredError(), EpochSource(two));
      return bits(*twin);
    }();
    try {
      (void)trainer.train_epoch(layer, nn::MeanSquaredError(), batches(2, Tensor(1, 2, {nan, 1})));
      FAIL("nothing thrown");
    } catch (const Error& error) {
      const std::string what = error.what();
      CAPTURE(what);
      CHECK(error.code() == Errc::non_finite);
      CHECK(what.find("batch 2") != std::string::npos);
      CHECK(what.find("layer::weight") != std::string::npos);
    }
    CHECK(bits(*layer) == reference);
    for (const auto& parameter : layer->parameters()) {
      CHECK((!parameter.grad() || parameter.grad()->squared_l2_norm() == 0));
    }
    CHECK(trainer.last_stats()->batches == 2);
  }
}

TEST_CASE("a gradient that overflows is refused too") {
  manual_seed(0);
  const auto layer = std::make_shared<nn::Linear>(2, 2, "layer");
  ModuleTrainer trainer({.device = "cpu"});
  const float big = 3e38F;
  const auto before = bits(*layer);
  const auto batches = [&] {
    return NextBatch([big, i = 0]() mutable -> std::optional<Batch> {
      if (i++ == 1) return {};
      return Batch{Tensor(2, 2, {big, 0, big, 0}), Tensor(2, 2, {0, 0, 0, 0})};
    });
  };
  class Steep final : public nn::Loss {  // value 0, gradient 1
    [[nodiscard]] Tensor forward(const Tensor& p, const Tensor& /*target*/) const override {
      return p.sub(p.detach()).sum();
    }
    [[nodiscard]] std::string repr() const override { return "Steep()"; }
  };
  check_error(Errc::non_finite,
              [&] { (void)trainer.train_epoch(layer, Steep(), EpochSource(batches)); });
  CHECK(bits(*layer) == before);
}

TEST_CASE("prefetch gives the same parameters at any depth") {
  std::vector<std::vector<std::vector<float>>> all;
  for (const std::int64_t depth : {0, 1, 2, 8}) {
    const auto model = mixed_model();
    ModuleTrainer trainer({.device = "cpu"});
    const DataLoader loader = samples().prefetch(depth);
    for (int epoch = 0; epoch < 3; ++epoch) {
      (void)trainer.train_epoch(model, nn::CrossEntropy(), loader);
    }
    all.push_back(bits(*model));
  }
  for (const auto& one : all) CHECK(one == all[0]);
}

TEST_CASE("evaluation: modes come back, nothing is drawn or changed") {
  const auto model = mixed_model();
  const auto& parts = dynamic_cast<const nn::Sequential&>(*model);
  parts.children()[2]->eval();  // the dropout alone
  ModuleTrainer trainer({.device = "cpu"});
  const auto before = bits(*model);
  const DataLoader loader = samples();
  const EvalStats first = trainer.evaluate(model, nn::CrossEntropy(), loader);
  const EvalStats second = trainer.evaluate(model, nn::CrossEntropy(), loader);
  CHECK(first.average_loss == second.average_loss);
  CHECK(first.batches == 4);
  CHECK(first.samples == 20);
  CHECK(loader.epoch() == 0);
  CHECK(model->training());
  CHECK(!parts.children()[2]->training());
  CHECK(parts.children()[3]->training());
  CHECK(bits(*model) == before);
  CHECK(trainer.evaluate(model, nn::CrossEntropy(), loader.take(0).batched(6)).average_loss == 0);
}

TEST_CASE("rates, facts and errors of a trainer") {
  ModuleTrainer trainer({.device = "cpu", .fallback_learning_rate = 0.02});
  CHECK(trainer.repr() == "ModuleTrainer(curvature=-1, hyper_lr=0.05, fallback_lr=0.02)");
  const auto layer = std::make_shared<nn::Linear>(2, 2);
  const DataLoader none = dataset::from_tensors(Tensor(1, 2), Tensor(1, 2)).take(0);
  CHECK(trainer.train_epoch(layer, nn::MeanSquaredError(), none).learning_rate == 0.02);
  CHECK(trainer.last_stats()->average_loss == 0);
  SpiralSession({.device = "cpu", .hyper_learning_rate = 0.3}).prepare_module(layer);
  CHECK(trainer.train_epoch(layer, nn::MeanSquaredError(), none).learning_rate == 0.3);
  check_error(Errc::invalid_value, [] { (void)ModuleTrainer({.fallback_learning_rate = 0}); });
  check_error(Errc::invalid_value, [] { (void)ModuleTrainer({.clip_norm = -1}); });
  check_error(Errc::curvature, [] { (void)ModuleTrainer({.curvature = 1}); });
  check_error(Errc::invalid_value,
              [&] { (void)trainer.train_epoch({}, nn::MeanSquaredError(), none); });
  check_error(Errc::shape_mismatch, [&] {
    (void)trainer.train_epoch(layer, nn::MeanSquaredError(),
                              dataset::from_tensors(Tensor(1, 3), Tensor(1, 2)));
  });
}
