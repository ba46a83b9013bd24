// Copies words; the bindings begin at multiples of 256 bytes, the rest of an offset is a parameter.
struct Params {
  from_first: u32,
  to_first: u32,
  count: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> source: array<u32>;
@group(0) @binding(2) var<storage, read_write> target_words: array<u32>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let group = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  for (var i = 0u; i < 4u; i++) {
    let at = group * 1024u + i * 256u + lane;
    if (at < p.count) {
      target_words[p.to_first + at] = source[p.from_first + at];
    }
  }
}
