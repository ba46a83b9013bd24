@group(0) @binding(3) var<storage, read_write> weights: array<f32>;

fn weight_of(i: u32) -> f32 { return weights[i]; }
