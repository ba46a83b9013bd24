fn weight_of(i: u32) -> f32 { return 1.0; }
