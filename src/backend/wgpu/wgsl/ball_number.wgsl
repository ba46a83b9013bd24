// Numbers of ball_coefficients.wgsl as values alone. Needs pair_math.wgsl.

alias Num = vec2<f32>;

fn n_of(a: f32) -> Num { return vec2<f32>(a, 0.0); }
fn n_add(a: Num, b: Num) -> Num { return p_add(a, b); }
fn n_sub(a: Num, b: Num) -> Num { return p_sub(a, b); }
fn n_mul(a: Num, b: Num) -> Num { return p_mul(a, b); }
fn n_div(a: Num, b: Num) -> Num { return p_div(a, b); }
fn n_neg(a: Num) -> Num { return -a; }
// a·2^k or a·(a small integer) whose product is exact in float32.
fn n_times(a: Num, b: f32) -> Num { return p_mul_f(a, b); }
fn n_sqrt(a: Num) -> Num { return p_sqrt(a); }
fn n_value(a: Num) -> vec2<f32> { return a; }
fn tanh_ratio(n: Num) -> Num { return tanh_ratio_value(n); }
fn artanh_ratio(n: Num) -> Num { return artanh_ratio_value(n); }
fn sinh_ratio(n: Num) -> Num { return sinh_ratio_value(n); }
fn cosh_root(n: Num) -> Num { return cosh_root_value(n); }
fn asinh_ratio(n: Num) -> Num { return asinh_ratio_value(n); }
