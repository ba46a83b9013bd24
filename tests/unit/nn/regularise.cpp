#include "spiraltorch/nn/regularise.hpp"

#include "check_error.hpp"
#include "spiraltorch/base/philox.hpp"
#include "spiraltorch/nn/embedding.hpp"
#include "support.hpp"

using namespace nn_test;
using namespace spiraltorch::nn;

namespace {

void seed_at(const Json& want) {
  manual_seed(std::stoull(want.at("seed").get<std::string>()));
  (void)reserve_random_words(4 * want.value("first_block", std::uint64_t{0}));
}

std::uint64_t next_block() { return reserve_random_words(0).block; }

}  // namespace

TEST_CASE("golden dropout") {
  for (const Json& want : learning::file().at("dropout")) {
    Dropout layer(want.at("p").get<double>());
    const Tensor input = tensor(want.at("input"));
    seed_at(want);
    check_all(layer.forward(input), want.at("output"));
    CHECK(next_block() == want.at("next_block").get<std::uint64_t>());
    seed_at(want);
    const Tensor gradient = layer.backward(input, Tensor::ones(input.rows(), input.cols()));
    const auto keep = tensor(want.at("keep")).data();
    for (std::size_t i = 0; i < keep.size(); ++i)
      CHECK((gradient.data()[i] != 0) == (keep[i] != 0));
    layer.eval();
    const std::uint64_t before = next_block();
    CHECK(layer.forward(input).data() == input.data());
    CHECK(next_block() == before);
  }
  for (const double p : {-0.1, 1.0, double(NAN)}) {
    check_error(Errc::invalid_value, [&] { Dropout layer(p); });
  }
}

TEST_CASE("golden layer norm") {
  for (const Json& want : learning::file().at("layers")) {
    if (want.at("layer") != "LayerNorm") continue;
    LayerNorm layer(want.at("config").at("dim").get<int>(),
                    want.at("config").at("eps").get<double>());
    check_layer(layer, want);
  }
}

TEST_CASE("layer norm: gradients, plain form, rows without spread") {
  for (const std::int64_t batch : {1, 3}) {
    LayerNorm layer(4);
    {
      const NoGrad guard;
      Parameter weight = *layer.weight();
      weight.copy_(Tensor(1, 4, {0.5F, 1.5F, -1, 2}));
    }
    check_layer_gradient(layer, leaf(batch, 4, 1.0, 7));
  }
  LayerNorm plain(3, 1e-5, "n", {.affine = false});
  CHECK(plain.parameters().empty());
  CHECK(plain.repr() == "LayerNorm(3, name='n', affine=False)");
  CHECK(plain.forward(Tensor::full(1, 3, 5.0)).data() == std::vector<float>{0, 0, 0});
  check_error(Errc::invalid_value, [] { LayerNorm layer(0); });
  check_error(Errc::invalid_value, [] { LayerNorm layer(2, 0.0); });
  check_error(Errc::shape_mismatch, [&] { (void)plain.forward(Tensor(1, 2)); });
}

TEST_CASE("golden initial values of embeddings") {
  for (const Json& want : learning::file().at("init")) {
    const auto kind = want.at("layer").get<std::string>();
    if (kind != "Embedding" && kind != "PoincareEmbedding") continue;
    seed_at(want);
    const int count = want.at("count").get<int>();
    const int dim = want.at("dim").get<int>();
    if (kind == "Embedding") {
      check_all(Embedding(count, dim).weight(), want.at("weight"));
    } else {
      const PoincareEmbedding layer(count, dim, want.at("curvature").get<double>(),
                                    want.at("init_radius").get<double>());
      check_all(layer.weight(), want.at("weight"));
    }
    CHECK(next_block() == want.at("next_block").get<std::uint64_t>());
  }
}

TEST_CASE("embeddings look rows up and sum their gradients") {
  Embedding layer(4, 2);
  {
    const NoGrad guard;
    Parameter weight = layer.weight();
    weight.copy_(Tensor(4, 2, {0, 1, 10, 11, 20, 21, 30, 31}));
  }
  const Tensor numbers(2, 3, {3, 0, 3, 1, 1, 2});
  const std::vector<float> want{30, 31, 0, 1, 30, 31, 10, 11, 10, 11, 20, 21};
  const Tensor found = layer.forward(numbers);
  CHECK(found.shape() == Shape{2, 6});
  CHECK(found.data() == want);
  CHECK(layer.forward(IndexTensor::from_values(2, 3, {3, 0, 3, 1, 1, 2})).data() == want);
  CHECK(layer.forward(Tensor(2, 1, {3, 0})).shape() == Shape{2, 2});
  const Tensor input_gradient = layer.backward(numbers, Tensor::ones(2, 6));
  CHECK(input_gradient.data() == std::vector<float>(6, 0.0F));
  CHECK(layer.weight().grad()->data() == std::vector<float>{1, 1, 2, 2, 1, 1, 2, 2});
  check_error(Errc::out_of_range, [&] { (void)layer.forward(Tensor(1, 1, {4})); });
  check_error(Errc::out_of_range, [&] { (void)layer.forward(Tensor(1, 1, {-1})); });
  check_error(Errc::invalid_value, [&] { (void)layer.forward(Tensor(1, 1, {0.5F})); });
  check_error(Errc::invalid_value, [&] { (void)layer.forward(Tensor(1, 1, {NAN})); });
  check_error(Errc::invalid_value, [] { Embedding bad(0, 2); });
}

TEST_CASE("a table of points has distances") {
  for (const double curvature : {-0.5, -1.0, -2.0}) {
    PoincareEmbedding layer(3, 2, curvature, 0.3);
    const Tensor all = PoincareBall(curvature).dist_matrix(layer.weight().detach());
    CHECK(layer.distance(0, 2) == doctest::Approx(all.at(0, 2)));
    CHECK(layer.distance(1, 1) == 0);
    check_error(Errc::out_of_range, [&] { (void)layer.distance(0, 3); });
    check_error(Errc::out_of_range, [&] { (void)layer.distance(-1, 0); });
    const Tensor numbers(3, 2, {0, 1, 2, 2, 1, 0});
    check_gradient([&] { return layer.forward(numbers); }, {layer.weight()});
    CHECK(std::get<PoincareBall>(layer.weight().manifold()).curvature() == curvature);
  }
  check_error(Errc::curvature, [] { PoincareEmbedding bad(1, 1, 1.0); });
  check_error(Errc::invalid_value, [] { PoincareEmbedding bad(1, 1, -1.0, 0.0); });
}
