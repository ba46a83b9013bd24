// Sorts tiles of TILE pairs in workgroup memory. FIRST 1: makes the pairs from rows[i * STRIDE] and
// sorts the tiles; 0: ends a merge of longer runs, from steps of TILE / 2 on.
struct Params { count: u32, blocks: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read_write> pairs: array<vec2<u32>>;
@group(0) @binding(2) var<storage, read_write> rows: array<u32>;

var<workgroup> tile: array<vec2<u32>, TILE>;

fn compare(run: u32, flip: bool, lid: u32) {
  workgroupBarrier();
  for (var k = lid; k < TILE / 2u; k += WG) {
    let a = lower_place(k, run);
    let b = partner(a, run, flip);
    let low = tile[a];
    let high = tile[b];
    if (is_before(high, low)) {
      tile[a] = high;
      tile[b] = low;
    }
  }
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(num_workgroups) num: vec3<u32>,
        @builtin(local_invocation_index) lid: u32) {
  let block = wid.x + wid.y * num.x + wid.z * num.x * num.y;
  if (block >= p.blocks) { return; }
  let begin = block * TILE;
  for (var k = lid; k < TILE; k += WG) {
    let i = begin + k;
    var pair = vec2<u32>(0xFFFFFFFFu, 0xFFFFFFFFu);
    if (i < p.count) {
      if (FIRST == 1u) { pair = vec2<u32>(rows[i * STRIDE], i); } else { pair = pairs[i]; }
    }
    tile[k] = pair;
  }
  for (var run = select(TILE / 2u, 1u, FIRST == 1u); run < TILE; run *= 2u) {
    if (FIRST == 1u) { compare(run, true, lid); }
    for (var step = select(run, run / 2u, FIRST == 1u); step > 0u; step /= 2u) {
      compare(step, false, lid);
    }
  }
  workgroupBarrier();
  for (var k = lid; k < TILE; k += WG) {
    if (begin + k < p.count) { pairs[begin + k] = tile[k]; }
  }
}
