// Counts the first or the last digit of a piece: of its list of candidates where it has one.
@group(0) @binding(4) var<storage, read_write> pieces: array<u32>;
@group(0) @binding(5) var<storage, read_write> keys: array<u32>;

fn count4(raw: vec4<u32>, at: u32, n: u32, want: vec2<u32>) {
  let key = ordered4(raw);
  let present = present4(key, at, n);
  if (DIGIT == 0u) {
    tally(select(vec4(NONE), key >> vec4(21u), present), 1u);
    return;
  }
  let digit = key & vec4(1023u);
  let head = key >> vec4(10u);
  tally(select(vec4(NONE), digit, present & (head == vec4(want.x))), 1u);
  if (want.y != NONE) {
    tally(select(vec4(NONE), digit, present & (head == vec4(want.y))), 65536u);
  }
}

fn count_list(cell: u32, row: u32, n: u32, want: vec2<u32>) {
  for (var i = tid; i < n; i += WG) {
    let key = keys[p.keys + cell * p.cap + i];
    if ((key >> 10u) == want.x) { atomicAdd(&counters[bins_at(row, 0u) + (key & 1023u)], 1u); }
    if (want.y != NONE && (key >> 10u) == want.y) {
      atomicAdd(&counters[bins_at(row, 1u) + (key & 1023u)], 1u);
    }
  }
}

fn run(cell: u32) {
  if (cell >= p.count) { return; }
  let piece = piece_of(cell);
  let n = piece.z;
  var want = vec2(NONE);
  if (DIGIT != 0u) {
    let at = p.state + piece.x * STATE;
    want = vec2(state[at + 1u], state[at + 3u]);
    if (p.two == 0u || want.x == want.y) { want.y = NONE; }
    let listed = pieces[p.pieces_at + cell * 4u + 3u];
    if (listed <= p.cap) {
      count_list(cell, piece.x, listed, want);
      return;
    }
  }
  clear_bins();
  let first = p.x + piece.x * p.cols + piece.y;
  for (var begin = 0u; begin < n; begin += CHUNK) {
    let end = min(n, begin + CHUNK);
    for (var at = begin + tid * 4u; at < end + tid * 4u; at += SWEEP) {
      let a = load4(first + at, left_of(at, n));
      let b = load4(first + at + WG * 4u, left_of(at + WG * 4u, n));
      let c = load4(first + at + WG * 8u, left_of(at + WG * 8u, n));
      let d = load4(first + at + WG * 12u, left_of(at + WG * 12u, n));
      count4(a, at, n, want);
      count4(b, at + WG * 4u, n, want);
      count4(c, at + WG * 8u, n, want);
      count4(d, at + WG * 12u, n, want);
    }
    flush_bins(piece.x);
  }
}
