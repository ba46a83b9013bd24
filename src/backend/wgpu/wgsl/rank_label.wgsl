// Labels a piece by band (0 Above, 1 Here, 2 Beneath) and sums |g| of each band: as integers, one
// sum for each exponent, the 24 bits of a number in two halves. Sums are exact in any order. A
// piece has at most 2^20 elements, so that 32 bits hold its sums.
@group(0) @binding(2) var<storage, read_write> state: array<u32>;
@group(0) @binding(3) var<storage, read_write> pieces: array<u32>;
@group(0) @binding(4) var<storage, read_write> labels: array<u32>;
@group(0) @binding(5) var<storage, read_write> sums: array<atomic<u32>>;

const SUMS: u32 = 1536u;  // three bands of 256 exponents, low and high halves
var<workgroup> halves: array<atomic<u32>, SUMS>;

fn clear_halves() {
  for (var i = tid; i < SUMS; i += WG) { atomicStore(&halves[i], 0u); }
  workgroupBarrier();
}

// Adds this piece's sums to the total's 64 bits.
fn flush_halves() {
  workgroupBarrier();
  for (var i = tid; i < SUMS; i += WG) {
    let part = atomicExchange(&halves[i], 0u);
    if (part != 0u) {
      let old = atomicAdd(&sums[2u * i], part);
      if (old + part < old) { atomicAdd(&sums[2u * i + 1u], 1u); }
    }
  }
  workgroupBarrier();
}

fn add(band: u32, bits: u32) {
  let exponent = bits >> 23u;
  let whole = (bits & 0x7fffffu) | select(0u, 0x800000u, exponent != 0u);
  let at = 2u * (band * 256u + exponent);
  if ((whole & 0xfffu) != 0u) { atomicAdd(&halves[at], whole & 0xfffu); }
  if ((whole >> 12u) != 0u) { atomicAdd(&halves[at + 1u], whole >> 12u); }
}

// Copies of a boundary's key before this one: `seen` of the lower, of the higher.
fn band_of(key: u32, bits: u32, seen: vec2<u32>, b: Bounds) -> u32 {
  let high_seen = select(seen.y, seen.x, b.low == b.high);
  if (bits <= p.tolerance) { return 1u; }
  let is_above = key < b.low || (key == b.low && seen.x <= b.low_rank);
  if (p.above != 0u && is_above) { return 0u; }
  let is_beneath = key > b.high || (key == b.high && high_seen >= b.high_rank);
  return select(1u, 2u, p.beneath != 0u && is_beneath);
}

fn run(cell: u32) {
  if (cell >= p.count) { return; }
  let piece = piece_of(cell);
  let b = bounds_of(piece.x);
  let first = p.x + piece.y;
  var done = vec2(pieces[p.pieces_at + cell * 4u + 1u], pieces[p.pieces_at + cell * 4u + 2u]);
  clear_halves();
  for (var begin = 0u; begin < piece.z; begin += WG * 4u) {
    let at = begin + tid * 4u;
    let bits = load4(first + at, left_of(at, piece.z)) & vec4(0x7fffffffu);
    let key = ~(bits ^ vec4(0x80000000u));
    let present = vec4(at, at + 1u, at + 2u, at + 3u) < vec4(piece.z);
    let low = select(vec4(0u), vec4(1u), present & (key == vec4(b.low)));
    let high = select(vec4(0u), vec4(1u),
                      present & (key == vec4(b.high)) & vec4(b.low != b.high));
    let before = prefix(vec2(low.x + low.y + low.z + low.w, high.x + high.y + high.z + high.w));
    var seen = done + before.xy;
    for (var i = 0u; i < 4u; i++) {
      if (present[i]) {
        let band = band_of(key[i], bits[i], seen, b);
        labels[p.values + piece.y + at + i] = band;
        add(band, bits[i]);
        seen += vec2(low[i], high[i]);
      }
    }
    done += before.zw;
  }
  flush_halves();
}
