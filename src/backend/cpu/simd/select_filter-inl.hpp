// One-read selection, per Highway target: running best, reservoir filter, and the ordered
// compaction that all algorithms end in. Included by select.cpp once per target.
#if defined(SPIRALTORCH_SELECT_FILTER_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef SPIRALTORCH_SELECT_FILTER_INL
#undef SPIRALTORCH_SELECT_FILTER_INL
#else
#define SPIRALTORCH_SELECT_FILTER_INL
#endif

#include "backend/cpu/simd/select_keys-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace spiraltorch::cpu::HWY_NAMESPACE {
namespace {

template <class K>
HWY_INLINE typename K::T largest_of(const float* x, std::int64_t n) {
  const typename K::D d;
  const std::int64_t lanes = lanes_of();
  auto m0 = hn::Set(d, K::lowest()), m1 = m0, m2 = m0, m3 = m0;
  std::int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    m0 = K::larger(K::load(x + i), m0);
    m1 = K::larger(K::load(x + i + lanes), m1);
    m2 = K::larger(K::load(x + i + 2 * lanes), m2);
    m3 = K::larger(K::load(x + i + 3 * lanes), m3);
  }
  m0 = K::larger(K::larger(m0, m1), K::larger(m2, m3));
  typename K::T best = hn::GetLane(hn::MaxOfLanes(d, m0));
  for (; i < n; ++i) {
    const auto v = K::key(x[i]);
    if (v > best) best = v;
  }
  return best;
}

template <class K>
std::int64_t find_key(const float* x, std::int64_t n, typename K::T key) {
  const typename K::D d;
  const std::int64_t lanes = lanes_of();
  const auto wanted = hn::Set(d, key);
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const std::intptr_t at = hn::FindFirstTrue(d, hn::Eq(K::load(x + i), wanted));
    if (at >= 0) return i + at;
  }
  for (; i < n; ++i) {
    if (K::key(x[i]) == key) return i;
  }
  return -1;
}

// Blocks that stay in the first-level cache: a block is searched only where it holds a new best.
template <class K>
std::int64_t argbest_of(const float* x, std::int64_t n) {
  constexpr std::int64_t kBlock = 4096;
  typename K::T best = K::lowest();
  std::int64_t at = -1;
  for (std::int64_t i = 0; i < n; i += kBlock) {
    const std::int64_t count = std::min(kBlock, n - i);
    const auto block = largest_of<K>(x + i, count);
    if (at >= 0 && !(block > best)) continue;
    const std::int64_t found = find_key<K>(x + i, count, block);
    if (found < 0) continue;
    best = block;
    at = i + found;
  }
  return at;
}

// A lower bound of the k-th largest: at least k of the groups' maxima reach it, so at least k
// elements do. Groups are lanes of `depth` vectors at the row's start. False where the row is too
// short for it.
template <class K>
bool group_bound(const float* x, std::int64_t n, std::int64_t k, std::uint32_t* scratch,
                 std::int64_t room, typename K::T& bound) {
  const typename K::D d;
  const std::int64_t lanes = lanes_of();
  const std::int64_t depth = std::min<std::int64_t>(16, n / (4 * k));
  if (depth < 2) return false;
  const std::int64_t wanted = (4 * k + lanes - 1) / lanes;
  const std::int64_t blocks = std::min({wanted, n / (depth * lanes), room / lanes});
  if (blocks * lanes < k) return false;
  auto* maxima = as_keys<typename K::T>(scratch);
  for (std::int64_t b = 0; b < blocks; ++b) {
    const float* at = x + b * depth * lanes;
    auto m0 = hn::Set(d, K::lowest()), m1 = m0;
    std::int64_t j = 0;
    for (; j + 2 <= depth; j += 2) {
      m0 = K::larger(K::load(at + j * lanes), m0);
      m1 = K::larger(K::load(at + (j + 1) * lanes), m1);
    }
    if (j < depth) m0 = K::larger(K::load(at + j * lanes), m0);
    hn::StoreU(K::larger(m0, m1), d, maxima + b * lanes);
  }
  bound = kth_largest(d, maxima, blocks * lanes, k, std::min(k / 4, blocks * lanes - k)).key;
  return true;
}

// Reservoir of accepted keys and their indices, in index order.
template <class K>
struct Reservoir {
  typename K::T* keys;
  std::uint32_t* index;
  typename K::T* spare;
  std::int64_t capacity;
  std::int64_t size = 0;
};

// One element's part in `shrink`.
template <class K>
HWY_INLINE void keep_one(Reservoir<K>& r, std::int64_t i, typename K::T kth, std::int64_t& ties,
                         std::int64_t& kept) {
  const typename K::T v = r.keys[i];
  if (v < kth || (v == kth && ties-- <= 0)) return;
  r.keys[kept] = v;
  r.index[kept++] = r.index[i];
}

// Keeps the k largest, ties by index: the list is in index order and stays so. Returns the k-th.
template <class K>
typename K::T shrink(Reservoir<K>& r, std::int64_t k) {
  using T = typename K::T;
  const typename K::D d;
  const std::int64_t lanes = lanes_of();
  const std::int64_t n = r.size;
  std::copy(r.keys, r.keys + n, r.spare);
  const Kth<T> kth = kth_largest(d, r.spare, n, k);
  const auto t = hn::Set(d, kth.key);
  std::int64_t ties = k - kth.above;
  std::int64_t kept = 0;
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto v = hn::LoadU(d, r.keys + i);
    const auto equal = hn::Eq(v, t);
    const std::int64_t count = ties > 0 ? static_cast<std::int64_t>(hn::CountTrue(d, equal)) : 0;
    if (count > ties) {  // the last of the wanted ties are among these
      for (std::int64_t j = i; j < i + lanes; ++j) keep_one(r, j, kth.key, ties, kept);
      ties = 0;
      continue;
    }
    auto mask = hn::Gt(v, t);
    if (count > 0) mask = hn::Or(mask, equal);
    ties -= count;
    const VU at = hn::LoadU(DU(), r.index + i);
    pack(at, hn::RebindMask(DU(), mask), DU(), r.index + kept);
    kept += pack(v, mask, d, r.keys + kept);
  }
  for (; i < n; ++i) keep_one(r, i, kth.key, ties, kept);
  r.size = kept;
  return kth.key;
}

template <bool kStrict, class D, class V>
HWY_INLINE hn::Mask<D> beats(D d, V v, V tau) {
  if constexpr (kStrict) return hn::Gt(v, tau);
  return at_least(d, v, tau);
}

template <class K, class V, class M>
HWY_INLINE void accept(Reservoir<K>& r, V v, M mask, std::uint32_t first) {
  const VU at = hn::Iota(DU(), first);
  pack(at, hn::RebindMask(DU(), mask), DU(), r.index + r.size);
  r.size += pack(v, mask, typename K::D(), r.keys + r.size);
}

// Every element accepted: no compression.
template <class K, class V>
HWY_INLINE void accept_all(Reservoir<K>& r, V v, std::uint32_t first) {
  hn::StoreU(hn::Iota(DU(), first), DU(), r.index + r.size);
  hn::StoreU(v, typename K::D(), r.keys + r.size);
  r.size += lanes_of();
}

// Four vectors at column i, of which some elements are accepted: few one by one, else packed.
template <class K, class V, class M>
HWY_INLINE void accept_block(Reservoir<K>& r, const float* x, std::int64_t i, V v0, V v1, V v2,
                             V v3, M m0, M m1, M m2, M m3) {
  constexpr int kFew = 6;
  const typename K::D d;
  const auto lanes = static_cast<int>(lanes_of());
  std::uint64_t bits = bits_of(d, m0) | bits_of(d, m1) << lanes | bits_of(d, m2) << (2 * lanes) |
                       bits_of(d, m3) << (3 * lanes);
  const int count = std::popcount(bits);
  const auto at = static_cast<std::uint32_t>(i);
  if (count <= kFew) {
    for (; bits != 0; bits &= bits - 1) {
      const int j = std::countr_zero(bits);
      r.keys[r.size] = K::key(x[i + j]);
      r.index[r.size++] = at + static_cast<std::uint32_t>(j);
    }
    return;
  }
  const auto step = static_cast<std::uint32_t>(lanes);
  if (count == 4 * lanes) {
    accept_all(r, v0, at);
    accept_all(r, v1, at + step);
    accept_all(r, v2, at + 2 * step);
    accept_all(r, v3, at + 3 * step);
    return;
  }
  accept(r, v0, m0, at);
  accept(r, v1, m1, at + step);
  accept(r, v2, m2, at + 2 * step);
  accept(r, v3, m3, at + 3 * step);
}

// Reads on from i until the reservoir is full or the row ends; returns where it stopped.
template <bool kStrict, class K>
std::int64_t scan(const float* x, std::int64_t i, std::int64_t n, typename K::T tau,
                  Reservoir<K>& r) {
  const typename K::D d;
  const std::int64_t lanes = lanes_of();
  constexpr std::int64_t kAhead =
      512;  // columns: hides the memory behind the accepted elements' branches
  const std::int64_t full = r.capacity - 4 * lanes;
  const auto t = hn::Set(d, tau);
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    __builtin_prefetch(x + i + kAhead);
    if (lanes >= 8) __builtin_prefetch(x + i + kAhead + 16);
    const auto v0 = K::load(x + i);
    const auto v1 = K::load(x + i + lanes);
    const auto v2 = K::load(x + i + 2 * lanes);
    const auto v3 = K::load(x + i + 3 * lanes);
    const auto m0 = beats<kStrict>(d, v0, t), m1 = beats<kStrict>(d, v1, t);
    const auto m2 = beats<kStrict>(d, v2, t), m3 = beats<kStrict>(d, v3, t);
    if (HWY_LIKELY(hn::AllFalse(d, hn::Or(hn::Or(m0, m1), hn::Or(m2, m3))))) continue;
    accept_block(r, x, i, v0, v1, v2, v3, m0, m1, m2, m3);
    if (r.size > full) return i + 4 * lanes;
  }
  for (; i < n; ++i) {
    const auto v = K::key(x[i]);
    if (!(kStrict ? v > tau : v >= tau)) continue;
    if (r.size > full) return i;
    r.keys[r.size] = v;
    r.index[r.size++] = static_cast<std::uint32_t>(i);
  }
  return n;
}

constexpr std::int64_t kGrow = 2;
// Where the reservoir fills within a few reads of its capacity, as on ascending data, the columns
// ahead give a bound first: most of them need not be listed then.
template <class K>
std::int64_t reservoir_of(const float* x, std::int64_t n, std::int64_t k, const RankLists& lists,
                          std::int64_t enough, std::uint32_t* out) {
  using T = typename K::T;
  Reservoir<K> r{as_keys<T>(lists.values), lists.index, as_keys<T>(lists.spare),
                 std::min(lists.capacity, kGrow * k + 96)};
  T tau = K::lowest();
  group_bound<K>(x, n, k, lists.spare, lists.capacity, tau);
  std::int64_t from = 0;
  std::int64_t i = scan<false, K>(x, 0, n, tau, r);
  while (i < n) {
    tau = shrink(r, k);
    T ahead = tau;
    const bool dense = i - from < 4 * r.capacity;
    from = i;
    if (dense && group_bound<K>(x + i, n - i, k, lists.spare, lists.capacity, ahead) &&
        ahead > tau) {
      i = scan<false, K>(x, i, n, ahead, r);
    } else {
      i = scan<true, K>(x, i, n, tau, r);
    }
  }
  if (r.size > std::max(k, enough)) shrink(r, k);
  std::copy(r.index, r.index + r.size, out);
  return r.size;
}

template <class K>
std::int64_t best_of(const float* row, const std::uint32_t* index, std::int64_t n, std::int64_t k,
                     const RankLists& lists, std::uint32_t* out) {
  using T = typename K::T;
  Reservoir<K> r{as_keys<T>(lists.values), lists.index, as_keys<T>(lists.spare), lists.capacity, n};
  for (std::int64_t i = 0; i < n; ++i) {
    r.keys[i] = K::key(row[index[i]]);
    r.index[i] = index[i];
  }
  if (n > k) shrink(r, k);
  std::copy(r.index, r.index + r.size, out);
  return r.size;
}

}  // namespace
}  // namespace spiraltorch::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
