// Pointer, wheel and keys. All of them change `view` through these functions and ask for a frame.
class Controls {
  constructor(view, painter, ask) {
    this.view = view;
    this.painter = painter;
    this.ask = ask;
    this.flight = 0;
    this.pointers = new Map();
    const canvas = painter.canvas;
    canvas.addEventListener("pointerdown", (e) => this.down(e));
    canvas.addEventListener("pointermove", (e) => this.moved(e));
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (e) => this.up(e));
    }
    canvas.addEventListener("pointerleave", () => this.hover(-1));
    canvas.addEventListener("wheel", (e) => this.wheel(e), { passive: false });
    canvas.addEventListener("keydown", (e) => this.key(e));
  }

  // The point of the disk under the screen's. Far out a pixel is a long way: there the pointer holds
  // the point nearer to the centre in its direction, the nearer the less the view is zoomed.
  under(u, v) {
    const { zoom, shrink } = this.view, [scale, cx, cy] = this.painter.frameOf(this.view);
    const x = (u - cx) / scale, y = -(v - cy) / scale, norm = Math.hypot(x, y);
    if (norm < 1e-9) return [x / shrink, y / shrink];
    const most = 5 + 2 * Math.log(Math.max(1, zoom));
    const far = Math.min(most, norm < 1 ? 2 * Math.atanh(norm) / shrink : most);
    const part = Math.tanh(far / 2) / norm;
    return [x * part, y * part];
  }

  // No further than a little beyond the farthest node: there is nothing to see, and no number left to
  // come back with. |α|² is cosh² of half the way from the origin.
  translate(from, to) {
    const next = disk.compose(disk.transvection(from, to), this.view.isometry);
    if (Math.hypot(next[0], next[1]) <= Math.cosh(this.painter.graph.farthest / 2 + 1)) {
      this.view.isometry = next;
    }
    this.ask(true);
  }

  zoomAt(factor, u, v) {
    const view = this.view, [, cx, cy] = this.painter.frameOf(view);
    const zoom = Math.min(4000, Math.max(0.5, view.zoom * factor)), ratio = zoom / view.zoom;
    view.pan = [view.pan[0] + (u - cx) * (1 - ratio), view.pan[1] + (v - cy) * (1 - ratio)];
    view.zoom = zoom;
    this.ask(true);
  }

  zoomCentre(factor) {
    this.flight = 0;
    this.zoomAt(factor, this.painter.width / 2, this.painter.height / 2);
  }

  down(e) {
    if (e.button > 0) return;
    this.flight = 0;
    this.painter.canvas.setPointerCapture(e.pointerId);
    this.pointers.set(e.pointerId, [e.offsetX, e.offsetY]);
    this.pressed = [e.offsetX, e.offsetY];
    this.dragging = false;
    this.hover(-1);
  }

  moved(e) {
    const before = this.pointers.get(e.pointerId), now = [e.offsetX, e.offsetY];
    if (!before) {
      this.hover(this.nearest(...now, 12), ...now);
      return;
    }
    // A click that trembles is no drag; once it is one, it starts where the button went down.
    if (!this.dragging && Math.hypot(now[0] - this.pressed[0], now[1] - this.pressed[1]) <= 3) return;
    this.dragging = true;
    this.pointers.set(e.pointerId, now);
    if (this.pointers.size === 2) {
      const [other] = [...this.pointers].filter(([id]) => id !== e.pointerId).map(([, at]) => at);
      const length = (p) => Math.max(1, Math.hypot(p[0] - other[0], p[1] - other[1]));
      this.zoomAt(length(now) / length(before), ...other);
    } else {
      this.painter.canvas.classList.add("dragging");
      this.translate(this.under(...before), this.under(...now));
    }
  }

  up(e) {
    if (!this.pointers.delete(e.pointerId)) return;
    this.painter.canvas.classList.remove("dragging");
    if (e.type === "pointerup" && !this.dragging) {
      const hit = this.nearest(e.offsetX, e.offsetY, 14);
      if (hit >= 0) this.view.select(hit);
    }
    this.ask(false);
  }

  wheel(e) {
    e.preventDefault();
    this.flight = 0;
    const line = e.deltaMode === 1 ? 16 : e.deltaMode === 2 ? 400 : 1;
    const pixels = e.deltaY * line * (e.ctrlKey ? 6 : 1);  // a pinch on a touch pad comes with Ctrl
    this.zoomAt(Math.exp(-Math.max(-300, Math.min(300, pixels)) * 0.0018), e.offsetX, e.offsetY);
  }

  key(e) {
    const step = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (step) {
      this.flight = 0;
      const [, u, v] = this.painter.frameOf({ ...this.view, pan: [0, 0] });
      this.translate(this.under(u, v), this.under(u + step[0] * 40, v - step[1] * 40));
    } else if (e.key === "+" || e.key === "=") this.zoomCentre(1.25);
    else if (e.key === "-") this.zoomCentre(0.8);
    else if (e.key === "0" || e.key === "Home") this.reset();
    else if (e.key === "Escape") this.view.select(-1);
    else return;
    e.preventDefault();
  }

  // Of the nodes that are drawn; of two at one place the larger.
  nearest(u, v, within) {
    const { px, py, size } = this.painter;
    let best = -1, least = within;
    for (let i = 0; i < px.length; ++i) {
      if (size[i] === 0) continue;
      const d = Math.hypot(px[i] - u, py[i] - v) - size[i];
      if (d < least) [best, least] = [i, d];
    }
    return best;
  }

  hover(i, u, v) {
    const tip = document.getElementById("tooltip");
    tip.hidden = i < 0;
    if (i < 0) return;
    tip.textContent = this.painter.graph.names[i];
    const left = Math.min(u + 14, this.painter.width - tip.offsetWidth - 4);
    tip.style.transform = `translate(${left}px, ${Math.max(4, v - 34)}px)`;
  }

  reset() {
    this.view.select(-1);
    this.flyTo(...this.painter.graph.homePoint, true);
  }

  flyToNode(i) {
    const { x, y, gap } = this.painter.graph;
    this.flyTo(x[i], y[i], gap[i], false);
  }

  // Along the geodesic to the centre, while zoom and pan go back to the whole disk.
  flyTo(x, y, gap, straight) {
    const view = this.view, from = view.isometry, [zoom, pan] = [view.zoom, view.pan];
    const [px, py] = disk.apply(from, x, y), norm = Math.hypot(px, py);
    const [a, b, c, d] = from, s = (c * x + d * y + a) ** 2 + (c * y - d * x - b) ** 2;
    const far = norm > 0 ? disk.radius(norm, gap / s) : 0;
    const [ux, uy] = norm > 0 ? [px / norm, py / norm] : [1, 0];
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const lasts = still ? 0 : Math.min(1200, 250 + 90 * far), start = performance.now();
    const flight = (this.flight = start + Math.random());
    // A reset ends unturned: what rotation the way has left is undone evenly.
    const end = disk.compose(disk.along(-far, ux, uy), from);
    const plain = disk.inverse(disk.translation(x, y));
    const turn = straight ? 2 * (Math.atan2(plain[1], plain[0]) - Math.atan2(...this.phase(end))) : 0;
    const step = (now) => {
      if (this.flight !== flight) return;
      const t = lasts > 0 ? Math.min(1, Math.max(0, (now - start) / lasts)) : 1;
      const k = t * t * (3 - 2 * t), half = wrap(turn) * k / 2;
      const moved = disk.compose(disk.along(-far * k, ux, uy), from);
      view.isometry = disk.compose([Math.cos(half), Math.sin(half), 0, 0], moved);
      view.zoom = zoom ** (1 - k);
      view.pan = [pan[0] * (1 - k), pan[1] * (1 - k)];
      if (t < 1) requestAnimationFrame(step);
      else this.flight = 0;
      this.ask(t < 1);
    };
    step(start);
  }

  phase(m) {
    return [m[1], m[0]];
  }
}

const wrap = (angle) => angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI));
