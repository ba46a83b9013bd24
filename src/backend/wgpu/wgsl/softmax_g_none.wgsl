fn load_g(place: Place, slot: u32) -> vec4<u32> { return vec4<u32>(0u); }
