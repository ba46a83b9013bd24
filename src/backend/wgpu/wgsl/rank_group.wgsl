// The workgroup without subgroup operations: threads, prefix sums, counting. Kernels define run().
var<private> tid: u32;

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) li: u32, @builtin(workgroup_id) wid: vec3<u32>,
        @builtin(num_workgroups) num: vec3<u32>) {
  tid = li;
  run(wid.x + wid.y * num.x + wid.z * num.x * num.y);
}

const RAKES: u32 = (WG + 15u) / 16u;
var<workgroup> shares: array<vec2<u32>, WG>;
var<workgroup> rakes: array<vec2<u32>, RAKES>;

// Sums of two numbers a thread: over the threads before (xy) and over all (zw).
fn prefix(v: vec2<u32>) -> vec4<u32> {
  workgroupBarrier();
  shares[tid] = v;
  workgroupBarrier();
  if (tid < RAKES) {
    var sum = vec2(0u);
    let end = min(WG, 16u * tid + 16u);
    for (var i = 16u * tid; i < end; i++) {
      let here = shares[i];
      shares[i] = sum;
      sum += here;
    }
    rakes[tid] = sum;
  }
  workgroupBarrier();
  var before = vec2(0u);
  var total = vec2(0u);
  for (var i = 0u; i < RAKES; i++) {
    if (i == tid / 16u) { before = total; }
    total += rakes[i];
  }
  return vec4(before + shares[tid], total);
}

var<workgroup> bins: array<atomic<u32>, 2048>;

// Counts four buckets (NONE: no element).
fn tally(bucket: vec4<u32>, amount: u32) {
  if (all(bucket == bucket.xxxx)) {
    if (bucket.x != 0xffffffffu) { atomicAdd(&bins[bucket.x], 4u * amount); }
    return;
  }
  if (bucket.x != 0xffffffffu) { atomicAdd(&bins[bucket.x], amount); }
  if (bucket.y != 0xffffffffu) { atomicAdd(&bins[bucket.y], amount); }
  if (bucket.z != 0xffffffffu) { atomicAdd(&bins[bucket.z], amount); }
  if (bucket.w != 0xffffffffu) { atomicAdd(&bins[bucket.w], amount); }
}
