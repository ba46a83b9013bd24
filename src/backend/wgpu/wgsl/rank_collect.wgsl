// Counts the second digit of a piece, and lists its elements whose first digit is not beyond the
// buckets, in order: later launches read the list, where it has room for them.
@group(0) @binding(4) var<storage, read_write> pieces: array<u32>;
@group(0) @binding(5) var<storage, read_write> keys: array<u32>;
@group(0) @binding(6) var<storage, read_write> columns: array<u32>;

// Which of four are candidates; counts those in the buckets.
fn pick4(key: vec4<u32>, at: u32, n: u32, want: vec2<u32>, split: bool) -> vec4<bool> {
  let present = present4(key, at, n);
  let digit = (key >> vec4(10u)) & vec4(2047u);
  let head = key >> vec4(21u);
  tally(select(vec4(NONE), digit, present & (head == vec4(want.x))), 1u);
  if (split) { tally(select(vec4(NONE), digit, present & (head == vec4(want.y))), 65536u); }
  return present & (head <= vec4(want.x)) & (head >= vec4(want.y));
}

fn run(cell: u32) {
  if (cell >= p.count) { return; }
  let piece = piece_of(cell);
  let n = piece.z;
  let want = vec2(state[p.state + piece.x * STATE + 1u], state[p.state + piece.x * STATE + 3u]);
  let split = p.two != 0u && want.x != want.y;
  let first = p.x + piece.x * p.cols + piece.y;
  let list = cell * p.cap;
  var listed = 0u;
  clear_bins();
  for (var begin = 0u; begin < n; begin += CHUNK) {
    let end = min(n, begin + CHUNK);
    for (var sweep = begin; sweep < end; sweep += SWEEP) {
      let at = sweep + tid * 4u;
      let a = ordered4(load4(first + at, left_of(at, n)));
      let b = ordered4(load4(first + at + WG * 4u, left_of(at + WG * 4u, n)));
      let c = ordered4(load4(first + at + WG * 8u, left_of(at + WG * 8u, n)));
      let d = ordered4(load4(first + at + WG * 12u, left_of(at + WG * 12u, n)));
      let keep_a = pick4(a, at, n, want, split);
      let keep_b = pick4(b, at + WG * 4u, n, want, split);
      let keep_c = pick4(c, at + WG * 8u, n, want, split);
      let keep_d = pick4(d, at + WG * 12u, n, want, split);
      listed = list_sweep(array(a, b, c, d), array(keep_a, keep_b, keep_c, keep_d), piece.y + at,
                          list, listed);
    }
    flush_bins(piece.x);
  }
  if (tid == 0u) { pieces[p.pieces_at + cell * 4u + 3u] = listed; }
}
