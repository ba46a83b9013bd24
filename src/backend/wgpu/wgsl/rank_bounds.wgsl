// What the walk found for a row.
fn bounds_of(row: u32) -> Bounds {
  let at = p.state + row * STATE;
  return Bounds(state[at], state[at + 1u], state[at + 2u], state[at + 3u], state[at + 4u]);
}
