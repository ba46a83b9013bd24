// The page's data: typed arrays of points, a tree over the edges, sizes, branches and their colours.
const BRANCHES = 8;

function decode(text, type) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; ++i) bytes[i] = raw.charCodeAt(i);
  const words = new DataView(bytes.buffer);
  const out = new type(raw.length / 4);
  const real = type === Float32Array;
  for (let i = 0; i < out.length; ++i) {
    out[i] = real ? words.getFloat32(4 * i, true) : words.getInt32(4 * i, true);
  }
  return out;
}

// Compressed rows: targets of node i are list[start[i]] to list[start[i + 1] - 1].
function rows(count, from, to) {
  const start = new Int32Array(count + 1);
  for (const i of from) ++start[i + 1];
  for (let i = 0; i < count; ++i) start[i + 1] += start[i];
  const next = start.slice(0, count), list = new Int32Array(from.length);
  for (let e = 0; e < from.length; ++e) list[next[from[e]]++] = to[e];
  return { start, list, of: (i) => list.subarray(start[i], start[i + 1]) };
}

// A spanning forest: each node below that of its parents which has most parents itself, so that a
// closure gives the tree it came from. Then nodes of each subtree; what lies on a cycle counts 1.
function forest(count, parents) {
  const up = new Int32Array(count).fill(-1), children = new Int32Array(count);
  const fan = (i) => parents.start[i + 1] - parents.start[i];
  for (let i = 0; i < count; ++i) {
    for (const p of parents.of(i)) if (up[i] < 0 || fan(p) > fan(up[i])) up[i] = p;
    if (up[i] >= 0) ++children[up[i]];
  }
  const size = new Int32Array(count).fill(1), left = children.slice(), order = [];
  for (let i = 0; i < count; ++i) if (left[i] === 0) order.push(i);
  for (let k = 0; k < order.length; ++k) {
    const p = up[order[k]];
    if (p < 0) continue;
    size[p] += size[order[k]];
    if (--left[p] === 0) order.push(p);
  }
  return { up, size, order };
}

// How much distances are shrunk at first: so that nine nodes in ten lie within 4.5 of the centre.
function firstShrink(tangents, home) {
  const far = new Float64Array(tangents.length / 2);
  for (let i = 0; i < far.length; ++i) {
    far[i] = Math.hypot(tangents[2 * i] - home[0], tangents[2 * i + 1] - home[1]);
  }
  far.sort();
  const most = far[Math.floor(0.9 * (far.length - 1))];
  return most > 4.5 ? Math.max(0.1, Math.round(450 / most) / 100) : 1;
}

// The largest branches: the tree's top is opened, largest node first, until eight branches hold at
// least one part in forty of the nodes each, or none opens any more.
function branches(count, tree, children) {
  let open = [];
  for (let i = 0; i < count; ++i) if (tree.up[i] < 0 && tree.size[i] > 1) open.push(i);
  const bySize = (a, b) => tree.size[b] - tree.size[a] || a - b;
  const least = Math.max(3, count / 40);
  const big = () => open.filter((i) => tree.size[i] >= least).length;
  for (let round = 0; round < 64 && open.length > 0 && big() < BRANCHES; ++round) {
    open.sort(bySize);
    const below = [...children.of(open[0])].filter((c) => tree.up[c] === open[0]);
    if (below.length === 0 || tree.size[open[0]] < 2 * least) break;
    open = open.slice(1).concat(below);
  }
  return open.filter((i) => tree.size[i] > 1).sort(bySize).slice(0, BRANCHES);
}

function load() {
  const data = JSON.parse(document.getElementById("data").textContent);
  const count = data.names.length, tangents = decode(data.points, Float32Array);
  let farthest = 0;
  const x = new Float64Array(count), y = new Float64Array(count), gap = new Float64Array(count);
  for (let i = 0; i < count; ++i) {
    const r = Math.hypot(tangents[2 * i], tangents[2 * i + 1]);
    const scale = r > 0 ? Math.tanh(r / 2) / r : 0;
    farthest = Math.max(farthest, r);
    x[i] = tangents[2 * i] * scale;
    y[i] = tangents[2 * i + 1] * scale;
    gap[i] = 1 / Math.cosh(r / 2) ** 2;
  }
  const pairs = decode(data.edges, Int32Array), edges = pairs.length / 2;
  const child = new Int32Array(edges), parent = new Int32Array(edges);
  for (let e = 0; e < edges; ++e) [child[e], parent[e]] = [pairs[2 * e], pairs[2 * e + 1]];
  const parents = rows(count, child, parent), children = rows(count, parent, child);
  const tree = forest(count, parents);
  const tops = branches(count, tree, children);
  const branch = new Uint8Array(count);
  tops.forEach((top, k) => (branch[top] = k + 1));
  for (let k = tree.order.length - 1; k >= 0; --k) {  // parents before children
    const i = tree.order[k];
    if (branch[i] === 0 && tree.up[i] >= 0) branch[i] = branch[tree.up[i]];
  }
  const degree = (i) => parents.of(i).length + children.of(i).length;
  const base = new Float32Array(count);  // radius at the disk's centre, the disk's radius being 1
  for (let i = 0; i < count; ++i) base[i] = 0.0055 + 0.0032 * Math.log2(1 + degree(i));
  // What matters most comes first: where a frame's budget ends, the least is missing.
  const rank = Int32Array.from({ length: count }, (_, i) => i);
  rank.sort((a, b) => base[b] - base[a] || a - b);
  const order = Int32Array.from({ length: edges }, (_, e) => e);
  order.sort((a, b) => tree.size[child[b]] - tree.size[child[a]] || a - b);
  return {
    ...data, count, farthest, shrink: firstShrink(tangents, data.home), x, y, gap, parents, children, degree, base, branch, tops, tree, rank,
    child: order.map((e) => child[e]), parent: order.map((e) => parent[e]),
  };
}
