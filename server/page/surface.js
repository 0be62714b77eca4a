// The surface in perspective on a plain canvas: quads from back to front. It needs no WebGL, which desktops
// without a graphics card, such as remote ones, have only slowly or not at all.

const STOPS = [[0, 34, 78], [18, 53, 112], [59, 73, 108], [87, 93, 109], [112, 113, 115], [138, 134, 120], [165, 156, 116], [195, 179, 105], [225, 204, 85], [254, 232, 56]];
const SIZE = { x: 1.15, y: 1.15, z: 0.72 }; // half sides of the box
const FAR = 5.2; // the eye, from the middle of the box
export const camera = { around: 0.8, up: 0.5, zoom: 1 };

function colour(share, light) {
  const at = Math.min(Math.max(share, 0), 1) * (STOPS.length - 1), i = Math.min(Math.floor(at), STOPS.length - 2), f = at - i;
  return STOPS[i].map((c, k) => Math.round((c + f * (STOPS[i + 1][k] - c)) * light));
}

// Points of the box to pixels and depth; the box with its labels fits into the canvas, nearer or farther by choice.
function projection(canvas, unit) {
  const { around, up, zoom } = camera, [c, s, d, e] = [Math.cos(around), Math.sin(around), Math.cos(up), Math.sin(up)];
  const seen = ([x, y, z]) => {
    const away = s * x + c * y, depth = d * away - e * z, f = 1 / (FAR + depth);
    return [f * (c * x - s * y), -f * (d * z + e * away), depth];
  };
  const corners = [-1, 1].flatMap((x) => [-1, 1].flatMap((y) => [-1, 1].map((z) => seen([x * SIZE.x, y * SIZE.y, z * SIZE.z]))));
  const ends = (k) => [Math.min(...corners.map((p) => p[k])), Math.max(...corners.map((p) => p[k]))];
  const [[left, right], [top, bottom]] = [ends(0), ends(1)], room = 42 * unit;
  const scale = zoom * Math.min((canvas.width - 2 * room) / (right - left), (canvas.height - 1.4 * room) / (bottom - top));
  const [x0, y0] = [canvas.width / 2 - scale * (left + right) / 2, canvas.height / 2 - 0.3 * room - scale * (top + bottom) / 2];
  return (point) => { const [x, y, depth] = seen(point); return [x0 + scale * x, y0 + scale * y, depth]; };
}

// Values of each axis to the box from -1 to 1 times its half sides.
function boxed(scene) {
  const to = (name) => {
    const { least, most } = scene.axes[name], span = most - least || 1;
    return (v) => (2 * (v - least) / span - 1) * SIZE[name];
  };
  const [x, y, z] = ["x", "y", "z"].map(to);
  return (point) => [x(point[0]), y(point[1]), z(point[2])];
}

function quads(mesh, place, project, scene, items) {
  const { least, most } = scene.axes.z;
  const at = mesh.z.map((row, i) => row.map((z, j) => (z === null ? null : place([mesh.x[i][j], mesh.y[i], z]))));
  const seen = at.map((row) => row.map((p) => p && project(p)));
  for (let i = 0; i + 1 < at.length; i++) {
    for (let j = 0; j + 1 < at[i].length; j++) {
      const corners = [[i, j], [i, j + 1], [i + 1, j + 1], [i + 1, j]];
      const [a, b, c, d] = corners.map(([k, l]) => at[k][l]);
      if (!a || !b || !c || !d) continue;
      const path = corners.map(([k, l]) => seen[k][l]);
      const depth = (path[0][2] + path[1][2] + path[2][2] + path[3][2]) / 4;
      const z = corners.reduce((sum, [k, l]) => sum + mesh.z[k][l], 0) / 4;
      const fill = mesh.colour ?? `rgb(${colour((z - least) / (most - least || 1), lit(a, b, d))})`;
      items.push({ depth, path, fill, alpha: mesh.alpha ?? 1, wire: mesh.wire });
    }
  }
}

// Light from above the viewer's left, on the quad's normal.
function lit(a, b, d) {
  const u = [b[0] - a[0], b[1] - a[1], b[2] - a[2]], v = [d[0] - a[0], d[1] - a[1], d[2] - a[2]];
  const n = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
  const size = Math.hypot(...n) || 1, dot = Math.abs((-0.4 * n[0] - 0.5 * n[1] + 0.77 * n[2]) / size);
  return 0.72 + 0.28 * dot;
}

const NEARER = 0.06; // marks and lines lie on the surface: they are drawn before what is just in front

function marks(scene, place, project, items) {
  scene.points.forEach((p) => {
    const at = project(place(p.at));
    items.push({ depth: at[2] - NEARER, at, mark: p });
  });
  scene.lines.forEach((line) => {
    for (let k = 0; k + 1 < line.at.length; k++) {
      const [a, b] = [line.at[k], line.at[k + 1]].map((p) => project(place(p)));
      items.push({ depth: (a[2] + b[2]) / 2 - NEARER, from: a, to: b, colour: line.colour });
    }
  });
}

function paint(context, item, unit) {
  if (item.path) {
    context.globalAlpha = item.alpha;
    context.fillStyle = context.strokeStyle = item.fill;
    context.beginPath();
    item.path.forEach(([x, y], k) => (k ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.closePath();
    if (!item.wire) context.fill();
    if (item.wire || item.alpha === 1) { context.lineWidth = item.wire ? 1.3 * unit : 0.7; context.stroke(); } // no seams between quads
    context.globalAlpha = 1;
  } else if (item.mark) {
    dot(context, item.at, item.mark, unit);
  } else {
    context.strokeStyle = item.colour;
    context.lineWidth = 2.2 * unit;
    context.beginPath();
    context.moveTo(item.from[0], item.from[1]);
    context.lineTo(item.to[0], item.to[1]);
    context.stroke();
  }
}

function dot(context, [x, y], mark, unit) {
  const r = mark.size * unit;
  context.beginPath();
  if (mark.symbol === "diamond") [[0, -r], [r, 0], [0, r], [-r, 0]].forEach(([a, b], k) => (k ? context.lineTo(x + a, y + b) : context.moveTo(x + a, y + b)));
  else context.arc(x, y, r, 0, 7);
  context.closePath();
  context.lineWidth = 1.6 * unit;
  context.fillStyle = mark.symbol === "open" ? mark.back : mark.colour;
  context.strokeStyle = mark.symbol === "open" ? mark.colour : mark.back;
  context.fill();
  context.stroke();
}

// Floor and the two walls behind, with their grid lines, and the labels at the edges in front.
function drawBox(context, scene, place, project, unit) {
  const { axes } = scene, ends = ["x", "y", "z"].map((name) => [axes[name].least, axes[name].most]);
  const depth = (x, y) => project(place([x, y, ends[2][0]]))[2];
  const behind = (x0, x1, y0, y1) => depth(x0, y0) > depth(x1, y1);
  const backX = behind(ends[0][1], ends[0][0], ends[1][0], ends[1][0]) ? 1 : 0;
  const backY = behind(ends[0][0], ends[0][0], ends[1][1], ends[1][0]) ? 1 : 0;
  const [wallX, wallY, floor] = [ends[0][backX], ends[1][backY], ends[2][0]];
  const [frontX, frontY] = [ends[0][1 - backX], ends[1][1 - backY]];
  context.strokeStyle = scene.grid;
  context.lineWidth = unit;
  const stroke = (...path) => {
    context.beginPath();
    path.map((p) => project(place(p))).forEach(([x, y], k) => (k ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.stroke();
  };
  axes.x.ticks.forEach((x) => stroke([x, frontY, floor], [x, wallY, floor], [x, wallY, ends[2][1]]));
  axes.y.ticks.forEach((y) => stroke([frontX, y, floor], [wallX, y, floor], [wallX, y, ends[2][1]]));
  axes.z.ticks.forEach((z) => stroke([frontX, wallY, z], [wallX, wallY, z], [wallX, frontY, z]));
  const label = labeller(context, scene, place, project, unit);
  axes.x.ticks.forEach((x, k) => label([x, frontY, floor], [x, wallY, floor], axes.x.texts[k], 13));
  axes.y.ticks.forEach((y, k) => label([frontX, y, floor], [wallX, y, floor], axes.y.texts[k], 13));
  axes.z.ticks.forEach((z, k) => label([frontX, wallY, z], [wallX, wallY, z], axes.z.texts[k], 18));
  label([(ends[0][0] + ends[0][1]) / 2, frontY, floor], [(ends[0][0] + ends[0][1]) / 2, wallY, floor], axes.x.title, 46);
  label([frontX, (ends[1][0] + ends[1][1]) / 2, floor], [wallX, (ends[1][0] + ends[1][1]) / 2, floor], axes.y.title, 40);
}

// Writes a text beyond an edge of the box, on the way out from a point inside.
function labeller(context, scene, place, project, unit) {
  context.fillStyle = scene.text;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.font = `${12 * unit}px system-ui, sans-serif`;
  return (edge, inside, text, gap) => {
    const [a, b] = [project(place(edge)), project(place(inside))];
    const size = Math.hypot(a[0] - b[0], a[1] - b[1]) || 1;
    context.fillText(text, a[0] + (a[0] - b[0]) / size * gap * unit, a[1] + (a[1] - b[1]) / size * gap * unit);
  };
}

export function drawScene(canvas, scene) {
  const unit = window.devicePixelRatio || 1, box = canvas.getBoundingClientRect();
  canvas.width = Math.round(box.width * unit);
  canvas.height = Math.round(box.height * unit);
  const context = canvas.getContext("2d"), project = projection(canvas, unit), place = boxed(scene), items = [];
  drawBox(context, scene, place, project, unit);
  scene.meshes.forEach((mesh) => quads(mesh, place, project, scene, items));
  marks(scene, place, project, items);
  items.sort((a, b) => b.depth - a.depth).forEach((item) => paint(context, item, unit));
  canvas.nodes = scene.nodes.map((node) => ({ ...node, seen: project(place(node.at)) }));
}

// The node nearest to the pointer, within 40 pixels.
export function nodeAt(canvas, event) {
  const unit = window.devicePixelRatio || 1, box = canvas.getBoundingClientRect();
  const [x, y] = [(event.clientX - box.left) * unit, (event.clientY - box.top) * unit];
  let best = null, least = 40 * unit;
  (canvas.nodes ?? []).forEach((node) => {
    const away = Math.hypot(node.seen[0] - x, node.seen[1] - y);
    if (away < least) { least = away; best = node; }
  });
  return best;
}

export function turn(around, up, zoom = 1) {
  camera.around += around;
  camera.up = Math.min(Math.max(camera.up + up, -0.3), 1.55);
  camera.zoom = Math.min(Math.max(camera.zoom / zoom, 0.4), 4);
}

// Drag turns, the wheel zooms, arrow keys and + - do the same; a pointer that only moves chooses a node.
export function handle(canvas, redraw, chosen) {
  let held = null;
  canvas.addEventListener("pointerdown", (e) => { held = [e.clientX, e.clientY]; canvas.setPointerCapture(e.pointerId); });
  canvas.addEventListener("pointerup", () => { held = null; });
  canvas.addEventListener("pointermove", (e) => {
    if (held) {
      turn((e.clientX - held[0]) / 150, (e.clientY - held[1]) / 150);
      held = [e.clientX, e.clientY];
      redraw();
      return;
    }
    const node = nodeAt(canvas, e);
    if (node) chosen(node.i, node.j);
  });
  canvas.addEventListener("wheel", (e) => { e.preventDefault(); turn(0, 0, Math.exp(e.deltaY / 1000)); redraw(); }, { passive: false });
  const keys = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1], "+": [0, 0, 0.9], "-": [0, 0, 1.1] };
  canvas.addEventListener("keydown", (e) => { if (keys[e.key]) { e.preventDefault(); turn(...keys[e.key]); redraw(); } });
}

export function ticksOf(least, most, count = 5) {
  const raw = (most - least || 1) / count, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((m) => m * power >= raw) * power, found = [];
  for (let v = Math.ceil(least / step - 1e-9) * step; v <= most + 1e-9 * step; v += step) found.push(v);
  return found;
}
