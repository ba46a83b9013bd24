@group(0) @binding(1) var<storage, read_write> x: array<vec4<u32>>;
@group(0) @binding(OUT_AT) var<storage, read_write> out: array<vec4<u32>>;

fn slot_at(place: Place, slot: u32) -> u32 { return place.begin + 4u * (slot * TEAM + place.lane); }

// Elements of slot 0 to PER - 1 of a thread; 0 or -inf beyond the row.
fn load(place: Place, slot: u32) -> vec4<u32> {
  let j = slot_at(place, slot);
  if (slot < PER && j < place.end) { return x[(place.first + j) / 4u]; }
  return vec4<u32>(PAD);
}

fn store(place: Place, slot: u32, v: vec4<f32>) {
  let j = slot_at(place, slot);
  if (slot < PER && j < place.end) { out[(place.first + j) / 4u] = bitcast<vec4<u32>>(v); }
}
