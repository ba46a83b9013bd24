@group(0) @binding(1) var<storage, read_write> x: array<u32>;
@group(0) @binding(OUT_AT) var<storage, read_write> out: array<u32>;

fn slot_at(place: Place, slot: u32) -> u32 { return place.begin + 4u * slot * TEAM + place.lane; }

// Elements of slot 0 to PER - 1 of a thread; 0 or -inf beyond the row.
fn load(place: Place, slot: u32) -> vec4<u32> {
  var v = vec4<u32>(PAD);
  let j = slot_at(place, slot);
  if (slot >= PER || j >= place.end) { return v; }
  v.x = x[place.first + j];
  if (j + TEAM < place.end) { v.y = x[place.first + j + TEAM]; }
  if (j + 2u * TEAM < place.end) { v.z = x[place.first + j + 2u * TEAM]; }
  if (j + 3u * TEAM < place.end) { v.w = x[place.first + j + 3u * TEAM]; }
  return v;
}

fn store(place: Place, slot: u32, value: vec4<f32>) {
  let j = slot_at(place, slot);
  if (slot >= PER || j >= place.end) { return; }
  let v = bitcast<vec4<u32>>(value);
  out[place.first + j] = v.x;
  if (j + TEAM < place.end) { out[place.first + j + TEAM] = v.y; }
  if (j + 2u * TEAM < place.end) { out[place.first + j + 2u * TEAM] = v.z; }
  if (j + 3u * TEAM < place.end) { out[place.first + j + 3u * TEAM] = v.w; }
}
