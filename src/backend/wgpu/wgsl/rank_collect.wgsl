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
      let key = fours_at(first, at, n);
      var keep: Marks;
      keep.a = pick4(key.a, at, n, want, split);
      keep.b = pick4(key.b, at + WG * 4u, n, want, split);
      keep.c = pick4(key.c, at + WG * 8u, n, want, split);
      keep.d = pick4(key.d, at + WG * 12u, n, want, split);
      listed = list_sweep(key, keep, piece.y + at, list, listed);
    }
    flush_bins(piece.x);
  }
  if (tid == 0u) { pieces[p.pieces_at + cell * 4u + 3u] = listed; }
}
