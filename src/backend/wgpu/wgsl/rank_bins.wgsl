// A piece's histogram in workgroup memory: 16 bits for the higher rank's bucket, 16 for the
// lower's.
@group(0) @binding(2) var<storage, read_write> counters: array<atomic<u32>>;
@group(0) @binding(3) var<storage, read_write> state: array<u32>;

const SWEEP: u32 = WG * 16u;
const CHUNK: u32 = 49152u / SWEEP * SWEEP;  // elements that 16 bits can count

fn clear_bins() {
  for (var i = tid; i < BINS; i += WG) { atomicStore(&bins[i], 0u); }
  workgroupBarrier();
}

// Adds the histogram to the row's and clears it.
fn flush_bins(row: u32) {
  workgroupBarrier();
  for (var i = tid; i < BINS; i += WG) {
    let count = atomicExchange(&bins[i], 0u);
    if ((count & 0xffffu) != 0u) { atomicAdd(&counters[bins_at(row, 0u) + i], count & 0xffffu); }
    if ((count >> 16u) != 0u) { atomicAdd(&counters[bins_at(row, 1u) + i], count >> 16u); }
  }
  workgroupBarrier();
}
