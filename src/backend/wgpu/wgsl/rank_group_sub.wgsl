// The workgroup with subgroup operations: threads, prefix sums, counting. Kernels define run().
// Threads are numbered by subgroup and lane, so that the order of lanes is the order of threads.
var<private> tid: u32;
var<private> lane: u32;
var<private> lanes: u32;
var<private> own: u32;  // subgroup

@compute @workgroup_size(WG)
fn main(@builtin(subgroup_id) subgroup: u32, @builtin(subgroup_size) size: u32,
        @builtin(subgroup_invocation_id) place: u32, @builtin(workgroup_id) wid: vec3<u32>,
        @builtin(num_workgroups) num: vec3<u32>) {
  tid = subgroup * size + place;
  lane = place;
  lanes = size;
  own = subgroup;
  run(wid.x + wid.y * num.x + wid.z * num.x * num.y);
}

var<workgroup> rakes: array<vec2<u32>, (WG + 3u) / 4u>;

// Sums of two numbers a thread: over the threads before (xy) and over all (zw).
fn prefix(v: vec2<u32>) -> vec4<u32> {
  let inside = subgroupExclusiveAdd(v);
  let sum = subgroupAdd(v);
  workgroupBarrier();
  if (lane == 0u) { rakes[own] = sum; }
  workgroupBarrier();
  var before = vec2(0u);
  var total = vec2(0u);
  let groups = (WG + lanes - 1u) / lanes;
  for (var i = 0u; i < groups; i++) {
    if (i == own) { before = total; }
    total += rakes[i];
  }
  return vec4(before + inside, total);
}

var<workgroup> bins: array<atomic<u32>, 2048>;

// Counts four buckets (NONE: no element). One lane counts for all where they agree.
fn tally(bucket: vec4<u32>, amount: u32) {
  let first = subgroupBroadcastFirst(bucket.x);
  if (subgroupAll(all(bucket == vec4(first)))) {
    if (lane == 0u && first != 0xffffffffu) {
      atomicAdd(&bins[first], 4u * amount * min(lanes, WG - own * lanes));
    }
    return;
  }
  if (bucket.x != 0xffffffffu) { atomicAdd(&bins[bucket.x], amount); }
  if (bucket.y != 0xffffffffu) { atomicAdd(&bins[bucket.y], amount); }
  if (bucket.z != 0xffffffffu) { atomicAdd(&bins[bucket.z], amount); }
  if (bucket.w != 0xffffffffu) { atomicAdd(&bins[bucket.w], amount); }
}
