@group(0) @binding(2) var<storage, read_write> g: array<u32>;

fn load_g(place: Place, slot: u32) -> vec4<u32> {
  var v = vec4<u32>(0u);
  let j = slot_at(place, slot);
  if (slot >= PER || j >= place.end) { return v; }
  v.x = g[place.first + j];
  if (j + TEAM < place.end) { v.y = g[place.first + j + TEAM]; }
  if (j + 2u * TEAM < place.end) { v.z = g[place.first + j + 2u * TEAM]; }
  if (j + 3u * TEAM < place.end) { v.w = g[place.first + j + 3u * TEAM]; }
  return v;
}
