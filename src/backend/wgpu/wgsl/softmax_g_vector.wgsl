@group(0) @binding(2) var<storage, read_write> g: array<vec4<u32>>;

fn load_g(place: Place, slot: u32) -> vec4<u32> {
  let j = slot_at(place, slot);
  if (slot < PER && j < place.end) { return g[(place.first + j) / 4u]; }
  return vec4<u32>(0u);
}
