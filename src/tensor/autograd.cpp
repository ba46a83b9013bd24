#include "spiraltorch/tensor/autograd.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

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

// Nodes reachable from `root`, every node before the nodes of its inputs.
std::vector<GraphNode*> topological_order(GraphNode* root) {
  std::vector<GraphNode*> order;
  std::unordered_set<GraphNode*> seen{root};
  std::vector<std::pair<GraphNode*, std::size_t>> stack{{root, 0}};
  while (!stack.empty()) {
    auto& [node, next] = stack.back();
    check_not_freed(*node);
    if (next == node->edges.size()) {
      order.push_back(node);
      stack.pop_back();
      continue;
    }
    GraphNode* child = node->edges[next++].node.get();
    if (child != nullptr && seen.insert(child).second) stack.emplace_back(child, 0);
  }
  std::reverse(order.begin(), order.end());
  return order;
}

void accumulate(std::optional<Tensor>& sum, const Tensor& part) {
  sum = sum ? sum->add(part) : part;
}

bool has_sink(const detail::TensorImpl& leaf) { return leaf.sink != nullptr && leaf.sink->takes(); }

// The storing of a contribution, after all that can fail.
std::function<void()> prepared(const std::shared_ptr<detail::TensorImpl>& leaf,
                               const Tensor& part) {
  if (has_sink(*leaf)) return leaf->sink->prepare(part);
  // Storage of its own: a gradient may be shared with another leaf or the caller.
  Tensor sum = leaf->grad ? leaf->grad->add(part) : part.clone();
  return [leaf, sum = std::move(sum)] { leaf->grad = sum; };
}

// Gradients found by one backward pass, added to the leaves only when all of it succeeded.
class Pass {
 public:
  void run(const std::shared_ptr<GraphNode>& root, const Tensor& gradient) {
    const auto order = topological_order(root.get());
    at_node_[root.get()] = gradient;
    for (GraphNode* node : order) visit(*node);
    std::vector<std::function<void()>> stores;  // all of them before any leaf changes
    for (const auto& [leaf, part] : at_leaf_) stores.push_back(prepared(leaf, *part));
    for (const auto& store : stores) store();
  }

 private:
  void visit(GraphNode& node) {
    const auto found = at_node_.find(&node);
    if (found == at_node_.end() || !found->second) return;
    const Tensor gradient = *found->second;
    at_node_.erase(found);
    const auto parts = node.backward({gradient, node.saved, node.needed});
    for (std::size_t i = 0; i < node.edges.size(); ++i) {
      if (!node.needed[i] || !parts[i]) continue;
      const GraphEdge& edge = node.edges[i];
      accumulate(edge.node != nullptr ? at_node_[edge.node.get()] : at_leaf_[edge.leaf], *parts[i]);
    }
  }

  std::unordered_map<GraphNode*, std::optional<Tensor>> at_node_;
  std::unordered_map<std::shared_ptr<detail::TensorImpl>, std::optional<Tensor>> at_leaf_;
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
  return has_sink(*impl_) ? impl_->sink->gradient() : impl_->grad;
}

void Tensor::set_grad(std::optional<Tensor> grad) {
  if (grad) {
    check_same_shape("grad", "gradient", grad->shape(), shape());
    check_same_device("grad", {this, &*grad});
    grad = grad->detach();
  }
  if (has_sink(*impl_)) return impl_->sink->assign(grad);
  impl_->grad = std::move(grad);
}

void Tensor::zero_grad() {
  if (has_sink(*impl_)) return impl_->sink->assign({});
  impl_->grad.reset();
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
    prepared(impl_, start)();
    return;
  }
  Pass().run(impl_->node, start);
  if (retain_graph) return;
  for (GraphNode* node : topological_order(impl_->node.get())) node->forget();
}

}  // namespace spiraltorch
