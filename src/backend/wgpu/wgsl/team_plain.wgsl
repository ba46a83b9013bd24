const SUBGROUP: u32 = 1u;

fn near_max(key: u32, span: u32) -> u32 { return key; }
fn near_sum(sum: vec2<f32>, span: u32) -> vec2<f32> { return sum; }
