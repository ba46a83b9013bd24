// Joins the parts of a target's sum that begins in a piece and goes on in others: a workgroup takes
// TX columns, TX threads across and WG / TX down the pieces.
const TY: u32 = WG / TX;
var<workgroup> shared_sum: array<Acc, WG>;
var<workgroup> last: u32;

// The last piece of the target that begins in this piece and goes on; 0 if there is none.
fn last_piece(number: u32) -> u32 {
  let end = (number + 1u) * p.piece;
  if (end >= p.count) { return 0u; }
  let row = pairs[end].x;
  if (pairs[end - 1u].x != row) { return 0u; }
  let begin = number * p.piece;
  if (begin > 0u) {
    if (pairs[begin - 1u].x == row) { return 0u; }
  }
  var low = number + 1u;  // begins with the target
  var high = p.pieces;    // does not, or is past the last
  while (high - low > 1u) {
    let middle = low + (high - low) / 2u;
    if (pairs[middle * p.piece].x == row) { low = middle; } else { high = middle; }
  }
  return low;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let block = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (block >= p.blocks) { return; }
  let number = block / p.tiles;
  if (lid == 0u) { last = last_piece(number); }
  let end = workgroupUniformLoad(&last);
  if (end == 0u) { return; }
  let col = block % p.tiles * TX + lid % TX;
  var sum = acc_empty();
  if (col < p.cols) {
    for (var i = number + 1u + lid / TX; i <= end; i += TY) {
      sum = acc_join(sum, parts[2u * i * p.cols + col]);
    }
  }
  shared_sum[lid] = sum;
  for (var s = TY / 2u; s > 0u; s /= 2u) {
    workgroupBarrier();
    if (lid < s * TX) { shared_sum[lid] = acc_join(shared_sum[lid], shared_sum[lid + s * TX]); }
  }
  if (lid < TX && col < p.cols) {
    let begun = parts[(2u * number + 1u) * p.cols + col];
    put(pairs[(number + 1u) * p.piece].x, col, acc_join(begun, shared_sum[lid]));
  }
}
