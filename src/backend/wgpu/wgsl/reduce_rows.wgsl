// A team of TEAM threads reduces one piece of a group; WG / TEAM pieces a workgroup.
var<workgroup> shared_acc: array<Acc, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let block = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (block >= p.blocks) { return; }
  let lane = lid % TEAM;
  let task = block * (WG / TEAM) + lid / TEAM;
  let live = task < p.groups * p.splits;
  var acc = acc_empty();
  if (live) {
    let begin = (task % p.splits) * p.piece;
    acc = gather(task / p.splits, begin, min(begin + p.piece, p.count), lane);
  }
  shared_acc[lid] = acc;
  for (var s = TEAM / 2u; s > 0u; s /= 2u) {
    workgroupBarrier();
    if (lane < s) { shared_acc[lid] = acc_join(shared_acc[lid], shared_acc[lid + s]); }
  }
  if (live && lane == 0u) { put(task, shared_acc[lid]); }
}
