// One frame: every node is moved once, then edges, dots, circles and labels are drawn from typed
// arrays. Sizes on the screen depend on the gap alone, that is on the hyperbolic distance from the
// view's centre: near the rim nodes become dots, written as pixels, and edges shorter than a pixel or
// two are left out. Circles and edges have a budget, spent on large subtrees first; it is smaller
// while the view moves.
const BUDGET = { moving: { edges: 1500, circles: 700, pixels: 5 },
  still: { edges: 9000, circles: 4000, pixels: 1.5 } };

//
// A trained embedding puts most nodes many units from the centre, where the disk has no room: all
// would be at the rim. `view.shrink` < 1 shows each point in its own direction at that part of its
// distance from the view's centre; at 1 the picture is the Poincaré disk itself.
const shrunk = (part, x, y) => {
  const norm = Math.hypot(x, y);
  if (norm < 1e-9) return [x * part, y * part];
  const q = ((1 - norm) / (1 + norm)) ** part, scale = (1 - q) / ((1 + q) * norm);
  return [x * scale, y * scale];
};

const wordOf = (colour) => {  // "#rrggbb" as a word of an image: bytes red, green, blue, alpha
  const rgb = parseInt(colour.slice(1), 16);
  return (0xff << 24 | (rgb & 255) << 16 | (rgb >> 8 & 255) << 8 | rgb >> 16) >>> 0;
};

// The pixels under edges and circles: page, disk and dots. In motion one pixel a unit of the page does.
class Ground {
  constructor(target, width, height, ratio) {
    this.ratio = ratio;
    this.columns = Math.max(1, Math.round(width * ratio));
    this.lines = Math.max(1, Math.round(height * ratio));
    this.own = target ? null : document.createElement("canvas");
    if (this.own) [this.own.width, this.own.height] = [this.columns, this.lines];
    this.target = target ?? this.own.getContext("2d", { alpha: false });
    this.image = this.target.createImageData(this.columns, this.lines);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  clear([scale, cx, cy], page, inside) {
    const { pixels, columns, lines, ratio } = this, radius = scale * ratio;
    pixels.fill(page);
    const top = Math.max(0, Math.ceil((cy - scale) * ratio));
    const bottom = Math.min(lines, (cy + scale) * ratio);
    for (let line = top; line < bottom; ++line) {
      const half = Math.sqrt(Math.max(0, radius ** 2 - (line + 0.5 - cy * ratio) ** 2));
      const left = Math.max(0, Math.round(cx * ratio - half));
      const right = Math.min(columns, Math.round(cx * ratio + half));
      if (left < right) pixels.fill(inside, line * columns + left, line * columns + right);
    }
  }

  show(context, ratio) {
    this.target.putImageData(this.image, 0, 0);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (this.own) context.drawImage(this.own, 0, 0);
  }
}

class Painter {
  constructor(canvas, graph) {
    this.canvas = canvas;
    this.graph = graph;
    this.context = canvas.getContext("2d", { alpha: false });
    this.px = new Float32Array(graph.count);
    this.py = new Float32Array(graph.count);
    this.zx = new Float64Array(graph.count);  // after the view's isometry
    this.zy = new Float64Array(graph.count);
    this.near = new Float64Array(graph.count);  // and the gap there
    this.size = new Float32Array(graph.count);  // radius on the screen, 0 where it is off it
    this.round = new Int32Array(graph.count);  // stamp of the frame that last drew it as a circle
    this.edgeStamps = new Int32Array(1 << 16);
    this.stamp = 0;
    this.readColours();
    this.resize();
  }

  readColours() {
    const style = getComputedStyle(document.documentElement);
    const read = (name) => style.getPropertyValue(name).trim();
    this.colours = { page: read("--page"), disk: read("--disk"), rim: read("--rim"),
      text: read("--text") };
    this.palette = Array.from({ length: BRANCHES + 1 }, (_, i) => read("--b" + i));
    this.words = Uint32Array.from(this.palette, wordOf);
    this.pageWord = wordOf(this.colours.page);
    this.diskWord = wordOf(this.colours.disk);
  }

  resize() {
    this.ratio = Math.min(window.devicePixelRatio || 1, 3);
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    this.canvas.width = Math.max(1, Math.round(this.width * this.ratio));
    this.canvas.height = Math.max(1, Math.round(this.height * this.ratio));
    this.full = new Ground(this.context, this.width, this.height, this.ratio);
    this.coarse = this.ratio > 1 ? new Ground(null, this.width, this.height, 1) : this.full;
  }

  // Screen units of the disk's radius, and where its centre is.
  frameOf(view) {
    const scale = Math.max(40, Math.min(this.width, this.height - 40) / 2 - 14) * view.zoom;
    return [scale, this.width / 2 + view.pan[0], this.height / 2 - 18 + view.pan[1]];
  }

  move(view) {
    const { count, x, y, gap, base } = this.graph, { px, py, zx, zy, near, size } = this;
    const [a, b, c, d] = view.isometry, [scale, cx, cy] = this.frameOf(view);
    const { width, height } = this, { zoom, shrink } = view;
    const margin = 40;
    for (let i = 0; i < count; ++i) {
      const xi = x[i], yi = y[i];
      const nr = a * xi - b * yi + c, ni = a * yi + b * xi + d;
      const dr = c * xi + d * yi + a, di = c * yi - d * xi - b;
      const s = 1 / (dr * dr + di * di);
      const re = (nr * dr + ni * di) * s, im = (ni * dr - nr * di) * s;
      zx[i] = re;
      zy[i] = im;
      let g = near[i] = gap[i] * s, stretch = 1;
      if (shrink < 1) {
        const norm = Math.sqrt(re * re + im * im), q = (g / ((1 + norm) * (1 + norm))) ** shrink;
        stretch = norm > 1e-9 ? (1 - q) / ((1 + q) * norm) : shrink;
        g = 4 * q / ((1 + q) * (1 + q));
      }
      const u = cx + scale * stretch * re, v = cy - scale * stretch * im;
      px[i] = u;
      py[i] = v;
      const seen = u > -margin && v > -margin && u < width + margin && v < height + margin;
      size[i] = seen ? Math.max(0.75, base[i] * scale / zoom * Math.sqrt(Math.min(1, g * zoom))) : 0;
    }
  }

  draw(view, moving) {
    const start = performance.now(), { context: g, colours } = this;
    view.moving = moving;
    this.move(view);
    const [scale, cx, cy] = this.frameOf(view);
    const budget = moving ? BUDGET.moving : BUDGET.still;
    const circles = this.dots(view, budget);
    g.globalAlpha = 1;
    g.beginPath();
    g.arc(cx, cy, scale, 0, 2 * Math.PI);
    g.strokeStyle = colours.rim;
    g.lineWidth = 1.5;
    g.stroke();
    const edges = this.edges(view, budget);
    this.circles(circles);
    this.path(view);
    drawLabels(this, view, circles);
    return { milliseconds: performance.now() - start, edges, circles: circles.length };
  }

  edges(view, budget) {
    const { child, parent, branch } = this.graph, { context: g, px, py, size, edgeStamps } = this;
    const mark = ++this.stamp, least2 = budget.pixels ** 2, cell = 1 / (2 * budget.pixels);
    const chosen = this.palette.map(() => []);
    let left = budget.edges;
    for (let e = 0; e < child.length && left > 0; ++e) {
      const i = child[e], j = parent[e];
      if (size[i] === 0 && size[j] === 0) continue;
      const dx = px[i] - px[j], dy = py[i] - py[j];
      if (dx * dx + dy * dy < least2) continue;
      // One edge for all that run between the same two small cells of the screen.
      const key = (Math.imul(px[i] * cell | 0, 73856093) ^ Math.imul(py[i] * cell | 0, 19349663) ^
        Math.imul(px[j] * cell | 0, 83492791) ^ Math.imul(py[j] * cell | 0, 48611)) & 0xffff;
      if (edgeStamps[key] === mark) continue;
      edgeStamps[key] = mark;
      chosen[branch[i]].push(e);
      --left;
    }
    g.lineWidth = 0.9;
    g.globalAlpha = 0.5;
    chosen.forEach((list, k) => {
      g.strokeStyle = this.palette[k];
      for (let first = 0; first < list.length; first += 100) {  // one long path would be slow
        g.beginPath();
        for (const e of list.slice(first, first + 100)) this.arc(child[e], parent[e], view);
        g.stroke();
      }
    });
    g.globalAlpha = 1;
    return budget.edges - left;
  }

  // The geodesic between two nodes.
  arc(i, j, view) {
    const { context: g, px, py } = this, [scale, cx, cy] = this.frameOf(view);
    g.moveTo(px[i], py[i]);
    if (view.shrink < 1) {
      this.bend(i, j, view);
    } else {
      this.circle((px[i] - cx) / scale, (py[i] - cy) / scale, (px[j] - cx) / scale,
        (py[j] - cy) / scale, scale, cx, cy);
    }
    g.lineTo(px[j], py[j]);
  }

  // In the disk: an arc of the circle that meets the rim at right angles, whose centre k solves
  // 2 k·z = 1 + |z|² for both ends; nothing where a line is as good.
  circle(x1, y1, x2, y2, scale, cx, cy) {
    const det = 2 * (x1 * y2 - x2 * y1);
    const s1 = 1 + x1 * x1 + y1 * y1, s2 = 1 + x2 * x2 + y2 * y2;
    const kx = (s1 * y2 - s2 * y1) / det, ky = (s2 * x1 - s1 * x2) / det;
    const r2 = kx * kx + ky * ky - 1;
    const chord2 = (x1 - x2) ** 2 + (y1 - y2) ** 2;
    // The rise of the arc over its chord is about chord²/8r.
    if (!(r2 > 0) || !(chord2 * scale > 2.5 * Math.sqrt(r2))) return;
    // The tangents at both ends meet at k + (m − k) r²/|m − k|², m being the chord's middle.
    const mx = (x1 + x2) / 2 - kx, my = (y1 + y2) / 2 - ky, t = r2 / (mx * mx + my * my);
    this.context.arcTo(cx + scale * (kx + mx * t), cy + scale * (ky + my * t), cx + scale * x2,
      cy + scale * y2, scale * Math.sqrt(r2));
  }

  // With distances shrunk: some points of the true geodesic, each where a node there would be.
  bend(i, j, view) {
    const { px, py, zx, zy, near } = this, [scale, cx, cy] = this.frameOf(view);
    const pixels = Math.hypot(px[i] - px[j], py[i] - py[j]);
    if (pixels < 6) return;
    const steps = Math.min(view.moving ? 12 : 40, 3 + (pixels / (view.moving ? 20 : 5) | 0));
    const from = near[i] > near[j] ? i : j, to = from === i ? j : i;
    const out = disk.translation(zx[from], zy[from]), back = disk.inverse(out);
    const [wx, wy] = disk.apply(back, zx[to], zy[to]), norm = Math.hypot(wx, wy);
    const far = disk.distance([zx[i], zy[i], near[i]], [zx[j], zy[j], near[j]]);
    let u = px[i], v = py[i];
    for (let k = 1; k < steps; ++k) {
      const t = from === i ? k / steps : 1 - k / steps, ahead = Math.tanh(far * t / 2) / norm;
      const [x, y] = shrunk(view.shrink, ...disk.apply(out, wx * ahead, wy * ahead));
      const [nu, nv] = [cx + scale * x, cy - scale * y];
      if (k > 1) this.context.quadraticCurveTo(u, v, (u + nu) / 2, (v + nv) / 2);
      [u, v] = [nu, nv];
    }
    this.context.lineTo(u, v);
  }

  // Page, disk and what is smaller than a circle, or beyond the budget; returns the rest, smallest
  // first.
  dots(view, budget) {
    const { count, branch, base, rank } = this.graph, { px, py, size, words, round } = this;
    const ground = view.moving ? this.coarse : this.full, circles = [], mark = ++this.stamp;
    const { pixels, columns, lines, ratio } = ground;
    ground.clear(this.frameOf(view), this.pageWord, this.diskWord);
    const largest = this.frameOf(view)[0] / view.zoom;  // of size / base
    for (let k = 0; k < count && circles.length < budget.circles; ++k) {
      const i = rank[k];
      if (base[i] * largest < 1.6) break;
      if (size[i] < 1.6) continue;
      circles.push(i);
      round[i] = mark;
    }
    const most = view.moving ? 2 : 4;
    for (let i = 0; i < count; ++i) {
      if (size[i] === 0 || round[i] === mark) continue;
      const side = Math.max(1, Math.min(most, size[i] * 1.7) * ratio + 0.5 | 0);
      const left = px[i] * ratio - side / 2 + 0.5 | 0, top = py[i] * ratio - side / 2 + 0.5 | 0;
      if (left < 0 || top < 0 || left + side > columns || top + side > lines) continue;
      const word = words[branch[i]];
      for (let line = top * columns + left, n = 0; n < side; ++n, line += columns) {
        for (let at = line; at < line + side; ++at) pixels[at] = word;
      }
    }
    ground.show(this.context, this.ratio);
    return circles.sort((a, b) => size[a] - size[b]);
  }

  circles(list) {
    const { branch } = this.graph, { context: g, px, py, size } = this;
    g.strokeStyle = this.colours.disk;
    g.lineWidth = 0.8;
    for (const i of list) {
      g.beginPath();
      g.arc(px[i], py[i], size[i], 0, 2 * Math.PI);
      g.fillStyle = this.palette[branch[i]];
      g.fill();
      if (size[i] > 2.5) g.stroke();
    }
  }

  // The selected node, ringed, and its way up the tree.
  path(view) {
    if (view.selected < 0) return;
    const { tree } = this.graph, { context: g, px, py, size } = this;
    g.strokeStyle = this.colours.text;
    g.lineWidth = 2;
    g.beginPath();
    for (let i = view.selected, n = 0; tree.up[i] >= 0 && n < 1000; i = tree.up[i], ++n) {
      this.arc(i, tree.up[i], view);
    }
    g.stroke();
    g.beginPath();
    g.arc(px[view.selected], py[view.selected], size[view.selected] + 4, 0, 2 * Math.PI);
    g.stroke();
  }
}
