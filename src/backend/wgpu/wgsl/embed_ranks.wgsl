// Ranks of a node's linked nodes (hits) among all that are not linked to it, one workgroup a node.
// |u-y|²/(1-|y|²) orders nodes as the distance does. Hits come in chunks of CHUNK; each node is
// counted at the first hit of the chunk that is farther. Constants: WG, CHUNK.

struct Params {
  groups: u32,
  first: u32,  // node of the first workgroup
  nodes: u32,
  dim: u32,
  known: u32,  // 1: a second row of offsets has nodes that are left out as well
  zero: u32,   // 0
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> table: array<f32>;
@group(0) @binding(2) var<storage, read_write> offsets: array<u32>;  // i64
@group(0) @binding(3) var<storage, read_write> linked: array<u32>;
@group(0) @binding(4) var<storage, read_write> inverses: array<vec2<f32>>;
@group(0) @binding(5) var<storage, read_write> rank_sums: array<vec2<u32>>;
@group(0) @binding(6) var<storage, read_write> precisions: array<vec2<u32>>;

var<workgroup> unsorted: array<vec2<f32>, CHUNK>;
var<workgroup> hits: array<vec2<f32>, CHUNK>;
var<workgroup> closer: array<atomic<u32>, CHUNK>;       // not linked
var<workgroup> closer_hits: array<atomic<u32>, CHUNK>;  // of other chunks
var<workgroup> sums: array<vec2<f32>, WG>;
var<workgroup> ranks: array<vec2<u32>, WG>;
var<workgroup> bounds: vec4<u32>;

fn order_of(u: u32, v: u32) -> vec2<f32> {
  var squares = vec2<f32>(0.0, 0.0);
  for (var j = 0u; j < p.dim; j++) {
    squares = add_square(squares, two_sum(table[u * p.dim + j], -table[v * p.dim + j]));
  }
  return p_mul(normalised(squares), inverses[v]);
}

// The entry of `node` among the linked [first, last), or `last`.
fn entry_of(node: u32, first: u32, last: u32) -> u32 {
  var low = first;
  var high = last;
  while (low < high) {
    let middle = low + (high - low) / 2u;
    if (linked[middle] < node) { low = middle + 1u; } else { high = middle; }
  }
  if (low < last && linked[low] == node) { return low; }
  return last;
}

// The first of `count` hits that is farther than `order`, or, with ties, as far.
fn farther_than(order: vec2<f32>, count: u32, ties: bool) -> u32 {
  var low = 0u;
  var high = count;
  while (low < high) {
    let middle = low + (high - low) / 2u;
    let passes = p_less(order, hits[middle]) || (ties && !p_less(hits[middle], order));
    if (passes) { high = middle; } else { low = middle + 1u; }
  }
  return low;
}

// Sorted orders of the hits [start, start + count).
fn load_hits(lid: u32, u: u32, start: u32, count: u32) {
  for (var i = lid; i < count; i += WG) {
    unsorted[i] = order_of(u, linked[start + i]);
    atomicStore(&closer[i], 0u);
    atomicStore(&closer_hits[i], 0u);
  }
  workgroupBarrier();
  for (var i = lid; i < count; i += WG) {
    let order = unsorted[i];
    var at = 0u;
    for (var k = 0u; k < count; k++) {
      let other = unsorted[k];
      let before = p_less(other, order) || (k < i && !p_less(order, other));
      at += select(0u, 1u, before);
    }
    hits[at] = order;
  }
  workgroupBarrier();
}

fn count_nodes(lid: u32, u: u32, first: u32, last: u32, left_out: vec2<u32>, start: u32,
               count: u32) {
  let farthest = hits[count - 1u];
  for (var v = lid; v < p.nodes; v += WG) {
    let order = order_of(u, v);
    if (p_less(farthest, order) || v == u) { continue; }
    let entry = entry_of(v, first, last);
    if (entry == last) {
      if (entry_of(v, left_out.x, left_out.y) != left_out.y) { continue; }
      let at = farther_than(order, count, false);
      if (at < count) { atomicAdd(&closer[at], 1u); }
    } else if (entry < start || entry >= start + count) {
      let at = farther_than(order, count, entry < start);
      if (at < count) { atomicAdd(&closer_hits[at], 1u); }
    }
  }
  workgroupBarrier();
}

fn add_wide(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let low = a.x + b.x;
  return vec2<u32>(low, a.y + b.y + select(0u, 1u, low < a.x));
}

// Adds up what the chunk's hits come to; sums and ranks hold each thread's part.
fn add_hits(lid: u32, count: u32) {
  for (var i = lid; i < count; i += WG) {
    var before = 0u;
    var place = i + 1u;
    for (var k = 0u; k <= i; k++) {
      before += atomicLoad(&closer[k]);
      place += atomicLoad(&closer_hits[k]);
    }
    ranks[lid] = add_wide(ranks[lid], vec2<u32>(before + 1u, 0u));
    sums[lid] = p_add(sums[lid], p_div(p_of_count(place), p_of_count(before + place)));
  }
  workgroupBarrier();
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let group = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (group >= p.groups) { return; }
  pair_zero = p.zero;
  let u = p.first + group;
  if (lid == 0u) {
    bounds = vec4<u32>(offsets[2u * u], offsets[2u * u + 2u], 0u, 0u);
    if (p.known == 1u) {
      let second = 2u * (p.nodes + 1u + u);
      bounds.z = offsets[second];
      bounds.w = offsets[second + 2u];
    }
  }
  let both = workgroupUniformLoad(&bounds);
  let first = both.x;
  let last = both.y;
  sums[lid] = vec2<f32>(0.0, 0.0);
  ranks[lid] = vec2<u32>(0u, 0u);
  for (var start = first; start < last; start += CHUNK) {
    let count = min(CHUNK, last - start);
    load_hits(lid, u, start, count);
    count_nodes(lid, u, first, last, both.zw, start, count);
    add_hits(lid, count);
  }
  workgroupBarrier();
  for (var w = WG / 2u; w > 0u; w /= 2u) {
    if (lid < w) {
      sums[lid] = p_add(sums[lid], sums[lid + w]);
      ranks[lid] = add_wide(ranks[lid], ranks[lid + w]);
    }
    workgroupBarrier();
  }
  if (lid == 0u) {
    var average = sums[0];
    if (first < last) { average = p_div(average, p_of_count(last - first)); }
    rank_sums[u] = ranks[0];
    precisions[u] = f64_bits(average.x, average.y);
  }
}
