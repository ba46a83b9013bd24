"use strict";
// Isometries of the Poincaré disk, z → (αz + β)/(β̄z + ᾱ) with |α|² − |β|² = 1, as the four doubles
// [Re α, Im α, Re β, Im β]. A point carries its gap 1 − |z|² besides, which at the rim the
// coordinates alone would lose.
const disk = {
  identity: [1, 0, 0, 0],

  compose([a, b, c, d], [e, f, g, h]) {  // the second first
    const re = a * e - b * f + c * g + d * h;
    const im = a * f + b * e + d * g - c * h;
    const br = a * g - b * h + c * e + d * f;
    const bi = a * h + b * g + d * e - c * f;
    const scale = 1 / Math.sqrt(re * re + im * im - br * br - bi * bi);
    return [re * scale, im * scale, br * scale, bi * scale];
  },

  inverse: ([a, b, c, d]) => [a, -b, -c, -d],

  apply([a, b, c, d], x, y) {
    const nr = a * x - b * y + c, ni = a * y + b * x + d;
    const dr = c * x + d * y + a, di = c * y - d * x - b;
    const s = 1 / (dr * dr + di * di);
    return [(nr * dr + ni * di) * s, (ni * dr - nr * di) * s];
  },

  // The translation along a geodesic from the origin: to distance r in direction (ux, uy).
  along(r, ux, uy) {
    const s = Math.sinh(r / 2);
    return [Math.cosh(r / 2), 0, s * ux, s * uy];
  },

  translation(x, y) {  // takes the origin to (x, y)
    const s = 1 / Math.sqrt(1 - x * x - y * y);
    return [s, 0, x * s, y * s];
  },

  // The translation along the geodesic through p and q that takes p to q.
  transvection([px, py], [qx, qy]) {
    const to = disk.translation(px, py), back = disk.inverse(to);
    const [x, y] = disk.apply(back, qx, qy);
    return disk.compose(to, disk.compose(disk.translation(x, y), back));
  },

  radius: (norm, gap) => (norm < 0.5 ? 2 * Math.atanh(norm) : Math.log((1 + norm) ** 2 / gap)),

  // d(p, q) = 2 arsinh(|p − q|/√(gap_p gap_q))
  distance: (p, q) =>
    2 * Math.asinh(Math.hypot(p[0] - q[0], p[1] - q[1]) / Math.sqrt(p[2] * q[2])),
};
