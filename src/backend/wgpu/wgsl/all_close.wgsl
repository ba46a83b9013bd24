// Clears close[0] where a pair is not close. Differences and tolerances are pairs; elements are
// scaled by 2^-64 or 2^64 where they are large or small, and atol comes at the three scales.
struct Params {
  count: u32, blocks: u32, stride: u32, zero: u32, equal_nan: u32, tolerance: u32,
  rtol_1: f32, rtol_2: f32, rtol_3: f32,
  down_high: f32, down_low: f32, atol_high: f32, atol_low: f32, up_high: f32, up_low: f32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> a: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> b: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> close: array<atomic<u32>>;

// f times a power of two; subnormal numbers by their integer, which no device flushes.
fn at_scale(bits: u32, scale: f32) -> f32 {
  let m = bits & 0x7FFFFFFFu;
  if (m < 0x800000u && scale > 1.0) {
    let v = f32(m) * 0x1p-85f;
    return select(v, -v, bits > m);
  }
  return bitcast<f32>(bits) * scale;
}

fn is_close(x_bits: u32, y_bits: u32) -> bool {
  let x_size = x_bits & 0x7FFFFFFFu;
  let y_size = y_bits & 0x7FFFFFFFu;
  if (x_size > 0x7F800000u || y_size > 0x7F800000u) {
    return p.equal_nan != 0u && x_size > 0x7F800000u && y_size > 0x7F800000u;
  }
  if (x_size == 0x7F800000u || y_size == 0x7F800000u) { return x_bits == y_bits; }
  if (p.tolerance == 1u) { return false; }  // NaN
  if (p.tolerance == 2u) { return y_size != 0u; }  // infinite rtol
  var scale = 1.0;
  var atol = vec2<f32>(p.atol_high, p.atol_low);
  if (max(x_size, y_size) >= 0x5F800000u) {
    scale = 0x1p-64f;
    atol = vec2<f32>(p.down_high, p.down_low);
  } else if (max(x_size, y_size) < 0x2B800000u) {
    scale = 0x1p64f;
    atol = vec2<f32>(p.up_high, p.up_low);
  }
  let x = at_scale(x_bits, scale);
  let y = at_scale(y_bits, scale);
  let size = abs(y);
  let high = leading_half(size);
  let low = size - high;
  // |x - y| - atol - rtol * |y|, rtol in two parts of 12 bits and a rest.
  var gap = two_sum(x, -y);
  if (gap.x < 0.0) { gap = -gap; }
  gap = sum_join(gap, -atol);
  gap = sum_add(sum_add(gap, -(p.rtol_1 * high)), -(p.rtol_1 * low));
  gap = sum_add(sum_add(gap, -(p.rtol_2 * high)), -(p.rtol_2 * low));
  gap = sum_add(gap, -(p.rtol_3 * size));
  return sum_value(gap) <= 0.0;
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let block = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (block >= p.blocks) { return; }
  for (var i = block * WG + lid; 4u * i < p.count; i += p.stride) {
    let x = a[i];
    let y = b[i];
    let at = 4u * i;
    let ok = is_close(x.x, y.x) && (at + 1u >= p.count || is_close(x.y, y.y)) &&
             (at + 2u >= p.count || is_close(x.z, y.z)) &&
             (at + 3u >= p.count || is_close(x.w, y.w));
    if (!ok) {
      atomicStore(&close[0], 0u);
      return;
    }
  }
}
