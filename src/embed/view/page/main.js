// Puts the parts together: one frame when something has changed, and one more, in full, at rest.
(() => {
  const graph = load();
  const byId = (id) => document.getElementById(id);
  byId("title").textContent = graph.title;
  const homeRadius = Math.hypot(...graph.home);
  const toDisk = homeRadius > 0 ? Math.tanh(homeRadius / 2) / homeRadius : 0;
  graph.homePoint = [graph.home[0] * toDisk, graph.home[1] * toDisk, 1 / Math.cosh(homeRadius / 2) ** 2];
  const [hx, hy] = graph.homePoint;
  const view = { isometry: disk.inverse(disk.translation(hx, hy)), zoom: 1, pan: [0, 0],
    shrink: graph.shrink, selected: -1 };
  const painter = new Painter(byId("disk"), graph);
  let waiting = false, moving = false, rest = 0, last = { milliseconds: 0, edges: 0, circles: 0 };

  const ask = (inMotion) => {
    moving = inMotion;
    if (inMotion) {
      clearTimeout(rest);
      rest = setTimeout(() => ask(false), 120);
    }
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      last = painter.draw(view, moving);
    });
  };
  const controls = new Controls(view, painter, ask);

  const link = (i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link";
    button.textContent = graph.names[i];
    button.addEventListener("click", () => go(i));
    return button;
  };
  const section = (title, nodes) => {
    if (nodes.length === 0) return [];
    const heading = document.createElement("h3");
    heading.textContent = nodes.length > 20 ? `${title}: 20 of ${nodes.length}` : title;
    return [heading, ...[...nodes.subarray(0, 20)].map(link)];
  };
  view.select = (i) => {
    view.selected = i;
    byId("card").hidden = i < 0;
    if (i >= 0) {
      const depth = (disk.radius(Math.hypot(graph.x[i], graph.y[i]), graph.gap[i]) * graph.unit).toFixed(2);
      byId("card-name").textContent = graph.names[i];
      byId("card-facts").textContent = `${depth} from the origin` +
        (graph.child.length > 0 ? `, ${graph.tree.size[i] - 1} nodes below` : "");
      byId("card-links").replaceChildren(...section("Above", graph.parents.of(i)),
        ...section("Below", graph.children.of(i)));
      byId("status").textContent = `${graph.names[i]} selected`;
    }
    ask(false);
  };
  const go = (i) => {
    view.select(i);
    controls.flyToNode(i);
  };
  const search = new Search(graph.names, go);

  const scale = byId("scale");
  const setShrink = (part) => {
    view.shrink = part;
    scale.value = part;
    byId("scale-value").textContent = part < 1 ? `${Math.round(part * 100)} %` : "true";
    byId("note").textContent = graph.note + (part < 1
      ? ` Distances from the view's centre are shown at ${part} of their length.` : "");
  };
  setShrink(view.shrink);
  scale.addEventListener("input", () => {
    setShrink(Number(scale.value));
    ask(true);
  });
  byId("zoom-in").addEventListener("click", () => controls.zoomCentre(1.5));
  byId("zoom-out").addEventListener("click", () => controls.zoomCentre(1 / 1.5));
  byId("reset").addEventListener("click", () => controls.reset());
  byId("close").addEventListener("click", () => view.select(-1));
  document.addEventListener("keydown", (e) => {
    if (e.key !== "/" || e.target === search.input) return;
    search.input.focus();
    e.preventDefault();
  });
  graph.tops.forEach((top, k) => {
    const button = document.createElement("button"), dot = document.createElement("i");
    const size = document.createElement("small");
    button.type = "button";
    dot.style.background = `var(--b${k + 1})`;
    size.textContent = graph.tree.size[top];
    button.append(dot, graph.names[top], size);
    button.addEventListener("click", () => go(top));
    byId("legend").append(button);
    byId("legend").hidden = false;
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    painter.readColours();
    ask(false);
  });
  new ResizeObserver(() => {
    painter.resize();
    ask(false);
  }).observe(painter.canvas);

  // What a test or a page around this one may read and do.
  const indexOf = (name) => {
    const i = graph.names.indexOf(name);
    if (i < 0) throw new RangeError(`name: got '${name}', expected a node`);
    return i;
  };
  const position = (name) => {
    const i = indexOf(name), [a, b, c, d] = view.isometry, [scale, cx, cy] = painter.frameOf(view);
    const [x, y] = disk.apply(view.isometry, graph.x[i], graph.y[i]);
    const s = (c * graph.x[i] + d * graph.y[i] + a) ** 2 + (c * graph.y[i] - d * graph.x[i] - b) ** 2;
    const [u, v] = view.shrink < 1 ? shrunk(view.shrink, x, y) : [x, y];
    return { disk: [x, y, graph.gap[i] / s], screen: [cx + scale * u, cy - scale * v] };
  };
  window.spiraltorchView = {
    nodes: graph.count,
    edges: graph.child.length,
    position,
    distance: (one, other) => disk.distance(position(one).disk, position(other).disk) * graph.unit,
    select: (name) => go(indexOf(name)),
    reset: () => controls.reset(),
    setScale(part) {
      setShrink(part);
      ask(false);
    },
    state() {
      const inverse = disk.inverse(view.isometry);
      return {
        centre: disk.apply(inverse, 0, 0), zoom: view.zoom, pan: [...view.pan], scale: view.shrink,
        selected: view.selected < 0 ? null : graph.names[view.selected],
        flying: controls.flight !== 0, drawing: waiting || moving, ...last,
      };
    },
    // Milliseconds of each of some redraws, the view turned a little before each.
    measure(frames, inMotion = true) {
      const kept = view.isometry, times = [];
      for (let k = 0; k < frames; ++k) {
        view.isometry = disk.compose(disk.translation(0.004, 0.003), view.isometry);
        times.push(painter.draw(view, inMotion).milliseconds);
      }
      view.isometry = kept;
      ask(false);
      return times;
    },
  };
  ask(false);
})();
