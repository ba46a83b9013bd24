// Down the columns of a matrix of `count` rows and `groups` columns: a workgroup takes TX columns
// of one piece of the rows, TX threads across and WG / TX down. Part s of column j: s * groups + j.
@group(0) @binding(1) var<storage, read_write> x: array<u32>;

const TY: u32 = WG / TX;
var<workgroup> shared_acc: array<Acc, WG>;

fn down(col: u32, begin: u32, end: u32) -> Acc {
  var acc = acc_empty();
  var i = begin;
  let step = TY * p.groups;
  while (i + 3u * TY < end) {
    let at = i * p.groups + col;
    let v = vec4<u32>(x[at], x[at + step], x[at + 2u * step], x[at + 3u * step]);
    acc = acc_add4(acc, v, vec4<f32>(weight_of(i), weight_of(i + TY), weight_of(i + 2u * TY),
                                     weight_of(i + 3u * TY)));
    i += 4u * TY;
  }
  while (i < end) {
    acc = acc_add(acc, x[i * p.groups + col], weight_of(i));
    i += TY;
  }
  return acc;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let block = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (block >= p.blocks) { return; }
  let col = (block / p.splits) * TX + lid % TX;
  let split = block % p.splits;
  let live = col < p.groups;
  var acc = acc_empty();
  if (live) {
    let begin = split * p.piece;
    acc = down(col, begin + lid / TX, min(begin + p.piece, p.count));
  }
  shared_acc[lid] = acc;
  for (var s = TY / 2u; s > 0u; s /= 2u) {
    workgroupBarrier();
    if (lid < s * TX) { shared_acc[lid] = acc_join(shared_acc[lid], shared_acc[lid + s * TX]); }
  }
  if (live && lid < TX) { put(split * p.groups + col, shared_acc[lid]); }
}
