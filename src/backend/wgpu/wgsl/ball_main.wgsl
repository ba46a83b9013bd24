// Row by row, LANES threads a row: scales, inner products, what finish_products makes of them, and
// the entries. Comes after ball_forward or ball_backward.
@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) tid: u32, @builtin(workgroup_id) wid: vec3<u32>,
        @builtin(num_workgroups) num: vec3<u32>) {
  let group = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (group >= p.groups) { return; }
  pair_zero = p.zero;
  let local = tid / LANES;
  let row = group * ROWS + local;
  let valid = row < p.rows;
  to_row(row);
  find_tops(tid, valid);
  workgroupBarrier();
  scale_row(local);
  sum_products(tid, valid);
  workgroupBarrier();
  if (tid < ROWS && group * ROWS + tid < p.rows) {
    to_row(group * ROWS + tid);
    scale_row(tid);
    finish_products(tid, group * ROWS + tid);
  }
  if (!STORES_ROWS) { return; }
  workgroupBarrier();
  if (!valid) { return; }
  to_row(row);
  scale_row(local);
  for (var j = tid % LANES; j < p.cols; j = j + LANES) { store_entry(local, row, j); }
}
