// Elements four words at a time: rows and pieces begin at multiples of four. Loads do not branch,
// so that several are under way; what is not to be read is replaced by what may be.
@group(0) @binding(1) var<storage, read_write> x: array<vec4<u32>>;

fn load1(at: u32) -> u32 { return x[at >> 2u][at & 3u]; }

// Four elements, of which `left` exist.
fn load4(at: u32, left: u32) -> vec4<u32> { return x[select(p.x, at, left > 0u) >> 2u]; }
