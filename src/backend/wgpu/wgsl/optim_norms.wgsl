// |g|/λ of each row, into `second`. Needs optim_rows.wgsl.
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
  if (tid >= ROWS || group * ROWS + tid >= p.rows) { return; }
  scale_row(tid);
  let inside = products_of(tid);
  let gap = p_add_f(-p_mul(kappa_pair(), inside.gram.xx), 1.0);
  let norm = p_mul(gap, p_sqrt(inside.gram.gg));
  second[group * ROWS + tid] = scale_by_power(0.5 * norm.x, -power_g);
}
