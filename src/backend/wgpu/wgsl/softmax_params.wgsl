// OP 0: softmax, 1: log_softmax, 2: softmax_grad, 3: log_softmax_grad. A team of TEAM threads takes
// a piece of up to 4 * PER * TEAM columns of a row, `splits` pieces a row; `blocks` workgroups.
struct Params {
  rows: u32, cols: u32, splits: u32, blocks: u32, zero: u32,
}
@group(0) @binding(0) var<uniform> p: Params;

const PIECE: u32 = 4u * PER * TEAM;
const OUT_AT: u32 = select(2u, 3u, OP >= 2u);  // binding of the result
const PAD: u32 = select(0xFF800000u, 0u, OP >= 2u);  // bits beyond a row: no maximum, no term

// A row's greatest element (as an ordered integer) and the sum its op needs.
struct Stats { top: u32, high: f32, low: f32 }

// Where a thread works: its row's number and first element, its piece of the columns.
struct Place { row: u32, first: u32, begin: u32, end: u32, lane: u32 }

// Threads without a row get an empty piece.
fn place_of(block: u32, lid: u32) -> Place {
  let task = block * (WG / TEAM) + lid / TEAM;
  let row = task / p.splits;
  let begin = (task % p.splits) * PIECE;
  let end = select(0u, min(begin + PIECE, p.cols), row < p.rows);
  return Place(row, row * p.cols, begin, end, lid % TEAM);
}
