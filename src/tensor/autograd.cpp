#include "spiraltorch/tensor/autograd.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "spiraltorch/base/error.hpp"
#include "spiraltorch/base/text.hpp"
#include "spiraltorch/tensor/detail.hpp"

namespace spiraltorch {

namespace detail {

// Where a gradient goes: to the node that made an input, or into a leaf.
struct GraphEdge {
  std::shared_ptr<GraphNode> node;
  std::shared_ptr<TensorImpl> leaf;
};

struct GraphNode {
  GraphNode() = default;
  GraphNode(const GraphNode&) = delete;
  GraphNode& operator=(const GraphNode&) = delete;
  ~GraphNode() { release(); }

  // Gives up what the backward pass reads.
  void forget() {
    for (const Tensor& x : saved) x.impl()->storage->kept.fetch_sub(1);
    saved.clear();
    backward = nullptr;
    freed = true;
  }

  // The same at the end of life; long chains are unlinked without recursion.
  void release() {
    forget();
    std::vector<std::shared_ptr<GraphNode>> pending;
    const auto take = [&pending](GraphNode& node) {
      for (GraphEdge& edge : node.edges) {
        if (edge.node != nullptr) pending.push_back(std::move(edge.node));
      }
      node.edges.clear();
    };
    take(*this);
    while (!pending.empty()) {
      const std::shared_ptr<GraphNode> node = std::move(pending.back());
      pending.pop_back();
      if (node.use_count() == 1) take(*node);
    }
  }

  std::string_view op;
  std::vector<GraphEdge> edges;  // one an input
  std::vector<bool> needed;
  std::vector<Tensor> saved;
  BackwardFunction backward;
  Shape shape;  // of the result
  bool freed = false;
};

}  // namespace detail

namespace {

using detail::GraphEdge;
using detail::GraphNode;

thread_local bool recording = true;

bool is_tracked(const Tensor& x) { return x.impl()->requires_grad || x.impl()->node != nullptr; }

void check_not_freed(const GraphNode& node) {
  if (!node.freed) return;
  fail(Errc::graph, "backward",
       text("graph at '", node.op,
            "': got a freed graph, expected a live one (retain_graph keeps it for a second pass)"));
}

// Numbers objects by first appearance. Graphs of a training step are small: a walk through a short
// list is quicker than a hash.
class Numbers {
 public:
  /// The object's number; a new one is the count so far.
  std::size_t of(const void* object) {
    if (map_.empty()) {
      const auto found = std::find(objects_.begin(), objects_.end(), object);
      if (found != objects_.end()) return static_cast<std::size_t>(found - objects_.begin());
      objects_.push_back(object);
      if (objects_.size() > kShort) {
        for (std::size_t i = 0; i < objects_.size(); ++i) map_.emplace(objects_[i], i);
      }
      return objects_.size() - 1;
    }
    return map_.try_emplace(object, map_.size()).first->second;
  }

 private:
  static constexpr std::size_t kShort = 32;
  std::vector<const void*> objects_;
  std::unordered_map<const void*, std::size_t> map_;
};

using Leaf = std::shared_ptr<detail::TensorImpl>;

bool has_sink(const detail::TensorImpl& leaf) { return leaf.sink != nullptr && leaf.sink->takes(); }

// Whether a gradient may stay rows of the host's memory.
bool takes_rows(const detail::TensorImpl& leaf) {
  return !has_sink(leaf) && leaf.storage->buffer->device() == DeviceId{};
}

// Whether no other tensor, graph or exchange partner can see these elements.
bool is_exclusive(const Tensor& x) {
  return x.impl().use_count() == 1 && x.impl()->storage.use_count() == 1 &&
         x.buffer().use_count() == 1;
}

void accumulate(std::optional<Tensor>& sum, Tensor part) {
  if (!sum) {
    sum = std::move(part);
  } else if (is_exclusive(*sum)) {
    sum->add_scaled_inplace(part, 1.0);
  } else {
    sum = sum->add(part);
  }
}

// What one pass found for a leaf.
struct Found {
  Leaf leaf;
  std::optional<Tensor> dense;
  std::vector<detail::RowGradient> rows;
};

// A contribution to a leaf, after all that can fail.
class Store {
 public:
  explicit Store(Found found) : leaf_(std::move(found.leaf)) {
    if (has_sink(*leaf_)) {
      sink_ = leaf_->sink->prepare(*found.dense);
      return;
    }
    if (leaf_->row_grad != nullptr) found.rows.insert(found.rows.begin(), *leaf_->row_grad);
    if (found.dense) {
      // Storage of its own: a gradient may be shared with another leaf or the caller.
      if (leaf_->grad) {
        sum_ = leaf_->grad->add(*found.dense);
      } else {
        sum_ = is_exclusive(*found.dense) ? std::move(*found.dense) : found.dense->clone();
      }
    } else if (leaf_->grad) {
      sum_ = leaf_->grad->clone();
    } else {
      keep_rows(found.rows);
      return;
    }
    for (const detail::RowGradient& part : found.rows) detail::add_rows(part, *sum_);
  }
  void operator()() {
    if (sink_) return sink_();
    leaf_->grad = std::move(sum_);
    leaf_->row_grad = std::move(row_sum_);
  }

 private:
  // Few rows stay rows.
  void keep_rows(std::span<const detail::RowGradient> parts) {
    detail::RowGradient sum = detail::merged(parts);
    if (sum.values.rows() * detail::kRowGradientShare <= leaf_->shape.rows) {
      row_sum_ = std::make_shared<const detail::RowGradient>(std::move(sum));
      return;
    }
    sum_ = Tensor(leaf_->shape.rows, leaf_->shape.cols);
    detail::add_rows(sum, *sum_);
  }

  Leaf leaf_;
  std::optional<Tensor> sum_;
  std::shared_ptr<const detail::RowGradient> row_sum_;
  std::function<void()> sink_;
};

// Gradients found by one backward pass, added to the leaves only when all of it succeeded.
class Pass {
 public:
  explicit Pass(GraphNode* root) { find_order(root); }

  void run(Tensor gradient) {
    at_node_.resize(order_.size());
    at_node_[numbers_.of(order_.front())] = std::move(gradient);
    for (GraphNode* node : order_) visit(*node);
    std::vector<Store> stores;  // all of them before any leaf changes
    stores.reserve(leaves_.size());
    for (Found& found : leaves_) stores.emplace_back(std::move(found));
    for (Store& store : stores) store();
  }

  void forget() {
    for (GraphNode* node : order_) node->forget();
  }

 private:
  // Nodes reachable from `root`, every node before the nodes of its inputs.
  void find_order(GraphNode* root) {
    std::vector<std::pair<GraphNode*, std::size_t>> stack{{root, 0}};
    std::size_t known = numbers_.of(root) + 1;
    while (!stack.empty()) {
      auto& [node, next] = stack.back();
      check_not_freed(*node);
      if (next == node->edges.size()) {
        order_.push_back(node);
        stack.pop_back();
        continue;
      }
      GraphNode* child = node->edges[next++].node.get();
      if (child == nullptr || numbers_.of(child) < known) continue;
      ++known;
      stack.emplace_back(child, 0);
    }
    std::reverse(order_.begin(), order_.end());
  }

  void visit(GraphNode& node) {
    std::optional<Tensor>& found = at_node_[numbers_.of(&node)];
    if (!found) return;
    const Tensor gradient = *std::exchange(found, std::nullopt);
    std::optional<detail::RowGradient> rows;
    const GraphEdge& first = node.edges.front();
    const bool offered = first.leaf != nullptr && takes_rows(*first.leaf);
    auto parts = node.backward({gradient, node.saved, node.needed, offered ? &rows : nullptr});
    if (rows) at_leaf(first.leaf).rows.push_back(*std::move(rows));
    for (std::size_t i = 0; i < node.edges.size(); ++i) {
      if (!node.needed[i] || !parts[i]) continue;
      Tensor part = *std::exchange(parts[i], std::nullopt);
      const GraphEdge& edge = node.edges[i];
      accumulate(
          edge.node != nullptr ? at_node_[numbers_.of(edge.node.get())] : at_leaf(edge.leaf).dense,
          std::move(part));
    }
  }

  Found& at_leaf(const Leaf& leaf) {
    const std::size_t i = leaf_numbers_.of(leaf.get());
    if (i == leaves_.size()) leaves_.push_back({leaf, std::nullopt, {}});
    return leaves_[i];
  }

  std::vector<GraphNode*> order_;
  Numbers numbers_;
  std::vector<std::optional<Tensor>> at_node_;
  Numbers leaf_numbers_;
  std::vector<Found> leaves_;
};

}  // namespace

bool grad_enabled() noexcept { return recording; }
void set_grad_enabled(bool enabled) noexcept { recording = enabled; }

bool is_recorded(std::initializer_list<const Tensor*> inputs) {
  return recording &&
         std::any_of(inputs.begin(), inputs.end(), [](const Tensor* x) { return is_tracked(*x); });
}

Tensor record(Tensor result, std::string_view op, const std::vector<Tensor>& inputs,
              const std::vector<Tensor>& saved, BackwardFunction backward) {
  if (!recording || std::none_of(inputs.begin(), inputs.end(), is_tracked)) return result;
  auto node = std::make_shared<GraphNode>();
  node->op = op;
  node->shape = result.shape();
  node->backward = std::move(backward);
  for (const Tensor& x : inputs) {
    node->needed.push_back(is_tracked(x));
    node->edges.push_back({x.impl()->node, x.impl()->requires_grad ? x.impl() : nullptr});
  }
  for (const Tensor& x : saved) {
    node->saved.push_back(x.detach());  // a handle of the result itself would be a cycle
    x.impl()->storage->kept.fetch_add(1);
  }
  result.impl()->node = std::move(node);
  return result;
}

void check_inplace(std::string_view op, const Tensor& target) {
  const auto refuse = [op](std::string_view what) {
    fail(Errc::graph, op, text("in-place change: got ", what, ", expected a free tensor"));
  };
  if (target.impl()->node != nullptr) refuse("the result of a recorded operation");
  if (target.is_kept_by_graph()) refuse("a tensor kept by a live graph");
  if (target.impl()->requires_grad && recording) refuse("a tracked leaf outside no_grad");
}

void check_same_device(std::string_view op, std::initializer_list<const Tensor*> tensors) {
  const DeviceId first = (*tensors.begin())->device();
  for (const Tensor* x : tensors) {
    if (x->device() == first) continue;
    fail(Errc::device, op,
         text("operands: got devices ", to_text(first), " and ", to_text(x->device()),
              ", expected one device"));
  }
}

bool Tensor::requires_grad() const noexcept { return is_tracked(*this); }

void Tensor::requires_grad_(bool flag) {
  if (impl_->node != nullptr) {
    require(flag, Errc::graph, "requires_grad_",
            "tensor: got the result of a recorded operation, expected a leaf (use detach)");
    return;
  }
  impl_->requires_grad = flag;
}

bool Tensor::is_leaf() const noexcept { return impl_->node == nullptr; }
bool Tensor::is_kept_by_graph() const noexcept { return impl_->storage->kept.load() > 0; }
std::optional<Tensor> Tensor::grad() const {
  if (has_sink(*impl_)) return impl_->sink->gradient();
  detail::make_gradient_dense(*this);
  return impl_->grad;
}

void Tensor::set_grad(std::optional<Tensor> grad) {
  if (grad) {
    check_same_shape("grad", "gradient", grad->shape(), shape());
    check_same_device("grad", {this, &*grad});
    grad = grad->detach();
  }
  if (has_sink(*impl_)) return impl_->sink->assign(grad);
  impl_->grad = std::move(grad);
  impl_->row_grad.reset();
}

void Tensor::zero_grad() {
  if (has_sink(*impl_)) return impl_->sink->assign({});
  impl_->grad.reset();
  impl_->row_grad.reset();
}

void Tensor::backward(const std::optional<Tensor>& gradient, bool retain_graph) const {
  require(requires_grad(), Errc::graph, "backward",
          "tensor: got one that is not tracked, expected a result of tracked tensors");
  if (!gradient && size() != 1) {
    fail(Errc::shape_mismatch, "backward",
         text("gradient: got none for shape ", to_text(shape()),
              ", expected a gradient of that shape, or a (1, 1) tensor"));
  }
  if (gradient) {
    check_same_shape("backward", "gradient", gradient->shape(), shape());
    check_same_device("backward", {this, &*gradient});
    if (gradient->requires_grad() && recording) {
      fail(Errc::unsupported, "backward",
           "gradient: got a tracked tensor, expected a constant: derivatives of derivatives are "
           "not available");
    }
  }
  const NoGrad guard;
  const Tensor start = gradient
                           ? gradient->detach()
                           : Tensor::full(1, 1, 1.0, {.requires_grad = false, .device = device()});
  if (impl_->node == nullptr) {
    Store({impl_, start, {}})();
    return;
  }
  Pass pass(impl_->node.get());
  pass.run(start);
  if (!retain_graph) pass.forget();
}

}  // namespace spiraltorch
