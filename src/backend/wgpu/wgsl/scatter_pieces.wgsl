// A thread sums one column of one piece of the sorted source rows, target by target.
@group(0) @binding(4) var<storage, read_write> source: array<u32>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let block = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (block >= p.blocks) { return; }
  let number = (block * WG + lid) / p.cols;
  let col = (block * WG + lid) % p.cols;
  if (number >= p.pieces) { return; }
  let begin = number * p.piece;
  let end = min(begin + p.piece, p.count);
  var row = pairs[begin].x;
  var begun = false;  // by a piece before
  if (begin > 0u) { begun = pairs[begin - 1u].x == row; }
  var sum = acc_empty();
  for (var i = begin; i < end; i++) {
    let pair = pairs[i];
    if (pair.x != row) {
      if (begun) { parts[2u * number * p.cols + col] = sum; } else { put(row, col, sum); }
      begun = false;
      sum = acc_empty();
      row = pair.x;
    }
    sum = acc_add(sum, source[pair.y * p.cols + col], 1.0);
  }
  var goes_on = false;
  if (end < p.count) { goes_on = pairs[end].x == row; }
  if (begun) {
    parts[2u * number * p.cols + col] = sum;
  } else if (goes_on) {
    parts[(2u * number + 1u) * p.cols + col] = sum;
  } else {
    put(row, col, sum);
  }
}
