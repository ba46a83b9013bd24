// Candidates of items, one workgroup an item: its linked nodes, then negatives drawn one after
// another and rejected where they are the node itself or linked to it. Each batch's pairs (row,
// slot) go to a block of their own, to be sorted. Constants: WG, GROUPED, WEIGHTED.

struct Params {
  items: u32,
  first: u32,      // of the items, in the epoch's order
  nodes: u32,
  slots: u32,      // candidates of an item at most
  negatives: u32,
  most: u32,       // words drawn at most
  batch: u32,
  block: u32,      // pairs of a batch, padded
  start: u32,      // first node that can be drawn
  seed_low: u32,
  seed_high: u32,
  epoch: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> offsets: array<u32>;  // i64
@group(0) @binding(2) var<storage, read_write> linked: array<u32>;
@group(0) @binding(3) var<storage, read_write> order: array<u32>;
@group(0) @binding(4) var<storage, read_write> last_words: array<u32>;  // that choose each node
@group(0) @binding(5) var<storage, read_write> rows: array<u32>;
@group(0) @binding(6) var<storage, read_write> heads: array<u32>;  // node, linked, candidates
@group(0) @binding(7) var<storage, read_write> pairs: array<vec2<u32>>;

var<workgroup> accepted: array<u32, WG>;
var<workgroup> accepted_total: u32;

// The node whose linked nodes hold entry k: the last with offset <= k.
fn owner_of(k: u32) -> u32 {
  var low = 0u;
  var high = p.nodes;
  while (high - low > 1u) {
    let middle = low + (high - low) / 2u;
    if (offsets[2u * middle] <= k) { low = middle; } else { high = middle; }
  }
  return low;
}

fn chosen_by(word: u32) -> u32 {
  if (WEIGHTED == 0u) { return wide_product(word, p.nodes).y; }
  var low = p.start;
  var high = p.nodes - 1u;
  while (low < high) {
    let middle = low + (high - low) / 2u;
    if (word <= last_words[middle]) { high = middle; } else { low = middle + 1u; }
  }
  return low;
}

fn is_linked(node: u32, first: u32, last: u32) -> bool {
  var low = first;
  var high = last;
  while (low < high) {
    let middle = low + (high - low) / 2u;
    if (linked[middle] < node) { low = middle + 1u; } else { high = middle; }
  }
  return low < last && linked[low] == node;
}

fn put(item: u32, slot: u32, row: u32) {
  if (slot < p.slots) { rows[item * p.slots + slot] = row; }
  let number = (item % p.batch) * (p.slots + 1u) + slot;
  pairs[(item / p.batch) * p.block + number] = vec2<u32>(row, number);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let item = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (item >= p.items) { return; }
  let id = order[p.first + item];
  var u = id;
  if (GROUPED == 0u) { u = owner_of(id); }
  let first = offsets[2u * u];
  let last = offsets[2u * u + 2u];
  var positives = 1u;
  var from_entry = id;
  if (GROUPED != 0u) {
    positives = last - first;
    from_entry = first;
  }
  for (var i = lid; i < positives; i += WG) { put(item, i, linked[from_entry + i]); }
  var taken = 0u;
  for (var base = 0u; base < p.most && taken < p.negatives; base += 4u * WG) {
    // Each thread tries a block of four words.
    let k = base + 4u * lid;
    let words = philox(vec4<u32>(k / 4u, p.epoch, id, 2u), vec2<u32>(p.seed_low, p.seed_high));
    var nodes: array<u32, 4>;
    var good = 0u;
    for (var i = 0u; i < 4u; i++) {
      if (k + i >= p.most) { break; }
      let node = chosen_by(words[i]);
      if (node == u || is_linked(node, first, last)) { continue; }
      nodes[good] = node;
      good += 1u;
    }
    accepted[lid] = good;
    workgroupBarrier();
    var at = taken;
    for (var i = 0u; i < lid; i++) { at += accepted[i]; }
    for (var i = 0u; i < good; i++) {
      if (at + i < p.negatives) { put(item, positives + at + i, nodes[i]); }
    }
    if (lid == WG - 1u) { accepted_total = at + good; }
    taken = workgroupUniformLoad(&accepted_total);
  }
  if (lid == 0u) {
    heads[3u * item] = u;
    heads[3u * item + 1u] = positives;
    heads[3u * item + 2u] = positives + min(taken, p.negatives);
    put(item, p.slots, u);
  }
}
