// Names of the largest circles, as many as fit without touching each other.
const LABELS = 48;

function drawLabels(painter, view, circles) {
  const { context: g, px, py, size, graph, width, height, colours } = painter;
  const font = (radius) => (radius > 9 ? 14 : radius > 6 ? 12.5 : 11);
  const placed = [];
  const place = (i, strong) => {
    const pixels = strong ? 14 : font(size[i]);
    g.font = `${strong || size[i] > 9 ? "600 " : ""}${pixels}px system-ui, "DejaVu Sans", sans-serif`;
    const name = graph.names[i].length > 40 ? graph.names[i].slice(0, 39) + "…" : graph.names[i];
    const wide = g.measureText(name).width;
    for (const side of strong ? [1, -1] : [1, -1, 0]) {
      const left = side === 0 ? px[i] - wide / 2
        : side > 0 ? px[i] + size[i] + 4 : px[i] - size[i] - 4 - wide;
      const top = side === 0 ? py[i] + size[i] + 2 : py[i] - pixels / 2;
      const box = [left - 3, top - 2, left + wide + 3, top + pixels + 2];
      if (box[0] < 0 || box[1] < 0 || box[2] > width || box[3] > height) continue;
      if (!strong && placed.some((b) => box[0] < b[2] && b[0] < box[2] && box[1] < b[3] && b[1] < box[3])) {
        continue;
      }
      placed.push(box);
      g.strokeText(name, left, top + pixels / 2);
      g.fillText(name, left, top + pixels / 2);
      return;
    }
  };
  g.textBaseline = "middle";
  g.lineJoin = "round";
  g.lineWidth = 3.5;
  g.strokeStyle = colours.disk;
  g.fillStyle = colours.text;
  if (view.selected >= 0) place(view.selected, true);
  const least = circles.length <= LABELS ? 0 : graph.child.length > 0 ? 3.2 : 2.2;
  for (let k = circles.length - 1, tried = 0; k >= 0 && tried < 4 * LABELS; --k, ++tried) {
    const i = circles[k];
    if (size[i] < least || placed.length >= LABELS) break;
    if (i !== view.selected) place(i, false);
  }
}
