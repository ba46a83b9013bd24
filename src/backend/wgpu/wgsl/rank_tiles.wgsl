// Sorts the survivors of a row in tiles of N, as composites.
@group(0) @binding(1) var<storage, read_write> values: array<u32>;
@group(0) @binding(2) var<storage, read_write> indices: array<u32>;
@group(0) @binding(3) var<storage, read_write> lists: array<vec2<u32>>;

fn run(cell: u32) {
  if (cell >= p.count) { return; }
  let tiles = (p.k + N - 1u) / N;
  let begin = cell % tiles * N;
  let row = cell / tiles * p.k;
  for (var i = tid; i < N; i += WG) {
    var column = NONE;
    if (begin + i < p.k) { column = indices[p.indices + row + begin + i]; }
    var key = NONE;
    if (column != NONE) { key = ordered(values[p.values + row + begin + i]); }
    major[i] = key;
    minor[i] = column;
  }
  sort_composites();
  for (var i = tid; i < N && begin + i < p.k; i += WG) {
    lists[p.merged + row + begin + i] = vec2(major[i], minor[i]);
  }
}
