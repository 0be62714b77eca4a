// The page: what is chosen and shown, by pointer, keyboard and sliders.

import { AXIS, css, drawSmile, drawTerm, forgetColours, nearest } from "./slices.js";
import * as sliders from "./sliders.js";
import { drawScene, handle, ticksOf, turn } from "./surface.js";

const $ = (id) => document.getElementById(id);
const state = { view: null, chosen: [0, 0], show: "today", slid: null, repaired: null, result: "filled" };

async function ask(path, body) {
  const options = body === undefined ? {} : { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  const answer = await fetch(path, { credentials: "same-origin", ...options });
  const found = await answer.json();
  if (!answer.ok) throw new Error(`${found.error.message} (${found.error.reference})`);
  return found;
}

const shown = (vol) => (vol === null ? "" : (100 * vol).toFixed(2));
const inTrade = (i, j) => state.view.trades.some((t) => t.cells.some(([a, b]) => a === i && b === j));
const suspect = (i, j) => state.view.suspects.find((s) => s.cell[0] === i && s.cell[1] === j);
const column = (rows, j) => rows.map((row) => row[j]);

// Whether a surface is on the sheet's own tenors and strikes.
function sameAxes(drawn) {
  const { view } = state, near = (a, b) => a.length === b.length && a.every((x, k) => Math.abs(x - b[k]) <= 1e-9 * Math.max(1, Math.abs(x)));
  return drawn.axis === view.axis && near(drawn.years, view.years) && drawn.positions.every((row, i) => near(row, view.positions[i]));
}

// The view as if it had other vols on its own nodes.
const onNodes = (vols) => ({ years: state.view.years, positions: state.view.positions, vols });

// Whether the sliders' surface has other axes than the sheet's.
const strange = () => state.show === "slid" && state.slid !== null && !sameAxes(state.slid);

// The surface at once, the slices with the next frame.
let pending = 0;
function draw() {
  drawScene($("surface"), scene());
  cancelAnimationFrame(pending);
  pending = requestAnimationFrame(drawSlices);
}

function drawSlices() {
  const { view, chosen: [i, j], slid } = state, other = strange();
  const frame = other ? slid : view;
  const row = Math.min(i, frame.tenors.length - 1), col = Math.min(j, frame.strikes.length - 1);
  const others = (cut, x) => lines().map((other) => ({ ...other, x, y: cut(other.vols) }));
  drawLegend(lines());
  const smooth = view.smooth, place = view.positions[i][j];
  const at = smooth.rows[i];
  const along = smooth.positions.map((places) => nearest(places, place));
  const pick = (rows) => rows.map((r, k) => r[along[k]]);
  drawSmile($("smile"), frame, row, {
    smooth: other ? null : { x: smooth.positions[at], vols: smooth.vols[at], low: smooth.low[at], high: smooth.high[at] },
    others: others((vols) => vols[row], frame.positions[row]), cells: !other, at: (a, b) => view.positions[a][b],
  }, inTrade);
  const x = smooth.years.map(Math.log);
  drawTerm($("term"), frame, col, {
    smooth: other ? null : { x, vols: pick(smooth.vols), low: pick(smooth.low), high: pick(smooth.high) },
    others: others((vols) => column(vols, col), frame.years.map(Math.log)), cells: !other, at: (a) => Math.log(view.years[a]),
  }, inTrade);
  $("smile").setAttribute("aria-label", `Smile of ${frame.tenors[row]}; the table of vols has its numbers`);
  $("term").setAttribute("aria-label", `Term structure at ${frame.strikes[col]}; the table of vols has its numbers`);
}

const LEGEND = [
  ["dot", "--accent", "quote"], ["dot open", "--fill", "fill"], ["diamond", "--trade", "quote in a trade"],
  ["line", "--accent", "through quotes and fills"], ["area", "--fill-back", "90% band"],
];

function drawLegend(others) {
  const { view } = state;
  const kept = LEGEND.filter(([kind]) => kind !== "diamond" || view.trades.length);
  others.forEach((o) => kept.push([o.dash === "solid" ? "line" : "dash", o.colour, o.name]));
  $("legend").replaceChildren(...kept.map(([className, colour, textContent]) => {
    const entry = Object.assign(document.createElement("span"), { className, textContent });
    entry.style.setProperty("--mark", `var(${colour})`);
    return entry;
  }));
}

// What is drawn beside today's: in the slices as dashed lines.
function lines() {
  const { view, show, slid, repaired } = state;
  if (show === "yesterday") return [{ vols: view.yesterday, name: "yesterday", colour: "--other" }];
  if (show === "repair" && repaired) return [{ vols: repaired.vols, name: "repaired", colour: "--other" }];
  if (show === "slid" && slid) return [{ vols: slid.vols, name: strange() ? "generated" : "sliders", colour: "--other", dash: "solid" }];
  return [];
}

// What the 3-D picture shows: the surface of choice, others as nets, the band as veils, quotes and fills, the two slices.
function scene() {
  const { view, show, slid, repaired, chosen: [i, j] } = state, other = strange();
  const smooth = view.smooth, veils = [];
  let base = smooth;
  if (show === "slid" && slid) base = other ? slid : onNodes(slid.vols);
  if (show === "repair" && repaired) base = onNodes(repaired.vols.map((row, a) => row.map((vol, b) => vol ?? view.filled[a][b])));
  if (show === "yesterday") veils.push([onNodes(view.yesterday), "--other"]);
  if (base !== smooth && !other) veils.push([onNodes(view.filled), "--dim"]);
  if ($("band").checked && show === "today") veils.push([{ ...smooth, vols: smooth.low }, "--fill", 0.25], [{ ...smooth, vols: smooth.high }, "--fill", 0.25]);
  const frame = other ? slid : view;
  const meshes = [mesh(base), ...veils.map(([drawn, name, alpha]) => ({ ...mesh(drawn), colour: css(name), alpha, wire: !alpha }))];
  const nodes = cellsOf(frame, other ? slid.vols : view.filled);
  return {
    meshes, nodes, points: other ? [] : nodes.map(point), lines: sections(base, frame, i, j),
    axes: axesOf(frame, meshes, other ? [] : nodes), grid: css("--line"), text: css("--ink"),
  };
}

const mesh = (drawn) => ({ x: drawn.positions, y: drawn.years.map(Math.log), z: drawn.vols.map((row) => row.map((v) => (v === null ? null : 100 * v))) });

function cellsOf(frame, vols) {
  return frame.years.flatMap((year, i) => frame.positions[i].map((place, j) => ({ i, j, at: [place, Math.log(year), 100 * vols[i][j]] })));
}

function point(node) {
  const { i, j } = node, back = css("--card");
  if (state.view.quotes[i][j] === null) return { ...node, size: 3.5, symbol: "open", colour: css("--fill"), back };
  if (inTrade(i, j)) return { ...node, size: 7, symbol: "diamond", colour: css("--trade"), back };
  return { ...node, size: 4.5, symbol: "full", colour: css("--accent"), back };
}

// The chosen smile and term structure as lines on the surface.
function sections(drawn, frame, i, j) {
  const row = Math.min(i, frame.years.length - 1), col = Math.min(j, frame.positions[row].length - 1);
  const colour = css("--ink"), y = drawn.years.map(Math.log), at = nearest(y, Math.log(frame.years[row]));
  const place = frame.positions[row][col];
  const across = drawn.positions[at].map((x, k) => [x, y[at], 100 * drawn.vols[at][k]]);
  const along = drawn.positions.map((places, k) => { const n = nearest(places, place); return [places[n], y[k], 100 * drawn.vols[k][n]]; });
  return [{ at: across, colour }, { at: along, colour }];
}

function axesOf(frame, meshes, nodes) {
  const ends = (values) => ({ least: Math.min(...values), most: Math.max(...values) });
  const x = meshes.flatMap((m) => m.x.flat()), y = meshes[0].y;
  const z = ends([...meshes.flatMap((m) => m.z.flat().filter((v) => v !== null)), ...nodes.map((n) => n.at[2])]);
  const few = frame.axis === "delta" || frame.positions[0].length <= 9;
  const xTicks = few ? frame.positions[0] : ticksOf(Math.min(...x), Math.max(...x));
  const zTicks = ticksOf(z.least, z.most);
  const text = (v) => String(+v.toPrecision(5));
  return {
    x: { ...ends(x), ticks: xTicks, texts: few ? frame.strikes : xTicks.map(text), title: AXIS[frame.axis] },
    y: { ...ends(y), ticks: frame.years.map(Math.log), texts: frame.tenors, title: "tenor" },
    z: { ...z, ticks: zTicks, texts: zTicks.map((v) => `${text(v)}%`) },
  };
}

function choose(i, j, { say = true, focus = false } = {}) {
  const { view } = state;
  state.chosen = [i, j];
  $("tenor").value = i;
  $("strike").value = j;
  document.querySelectorAll("#cells td").forEach((cell) => {
    const mine = +cell.dataset.i === i && +cell.dataset.j === j;
    cell.setAttribute("aria-selected", mine);
    cell.tabIndex = mine ? 0 : -1;
    if (mine && focus) cell.focus();
  });
  if (say) $("live").textContent = words(i, j);
  draw();
}

function words(i, j) {
  const { view } = state;
  const name = `${view.tenors[i]} ${view.strikes[j]}`;
  const found = suspect(i, j);
  let said = view.quotes[i][j] === null
    ? `${name}: fill ${shown(view.filled[i][j])}%, 90% band ${shown(view.low[i][j])}% to ${shown(view.high[i][j])}%`
    : `${name}: quote ${shown(view.quotes[i][j])}%, ${Math.abs(view.zscore[i][j] ?? 0).toFixed(1)} standard deviations from what the others imply`;
  if (found) said += `; suspect: the others imply ${shown(found.implied)}%`;
  if (inTrade(i, j)) said += "; takes part in a trade";
  if (view.yesterday && view.yesterday[i][j] !== null) said += `; yesterday ${shown(view.yesterday[i][j])}%`;
  return said;
}

function fillTable() {
  const { view } = state;
  const table = $("cells");
  const head = table.createTHead().insertRow();
  head.append(document.createElement("td"));
  view.strikes.forEach((strike) => head.append(Object.assign(document.createElement("th"), { textContent: strike, scope: "col" })));
  const body = table.createTBody();
  view.tenors.forEach((tenor, i) => {
    const row = body.insertRow();
    row.append(Object.assign(document.createElement("th"), { textContent: tenor, scope: "row" }));
    view.strikes.forEach((_, j) => {
      const cell = row.insertCell();
      Object.assign(cell.dataset, { i, j });
      cell.setAttribute("role", "gridcell");
      cell.textContent = shown(view.filled[i][j]);
      cell.className = view.quotes[i][j] === null ? "fill" : "quote";
      if (suspect(i, j)) cell.classList.add("suspect");
      if (inTrade(i, j)) cell.classList.add("trade");
      cell.title = words(i, j);
    });
  });
  const place = (event) => event.target.closest("td[data-i]");
  table.addEventListener("click", (e) => { const c = place(e); if (c) choose(+c.dataset.i, +c.dataset.j, { focus: true }); });
  table.addEventListener("pointerover", (e) => { const c = place(e); if (c && e.pointerType === "mouse") choose(+c.dataset.i, +c.dataset.j, { say: false }); });
  table.addEventListener("keydown", moveInTable);
}

function moveInTable(event) {
  const [i, j] = state.chosen, rows = state.view.tenors.length - 1, columns = state.view.strikes.length - 1;
  const to = {
    ArrowUp: [i - 1, j], ArrowDown: [i + 1, j], ArrowLeft: [i, j - 1], ArrowRight: [i, j + 1],
    Home: [i, 0], End: [i, columns], PageUp: [0, j], PageDown: [rows, j],
  }[event.key];
  if (!to) return;
  event.preventDefault();
  choose(Math.min(Math.max(to[0], 0), rows), Math.min(Math.max(to[1], 0), columns), { focus: true });
}

function fillFindings() {
  const { view } = state;
  const add = (text, kind, cell) => {
    const item = document.createElement("li"), button = document.createElement("button");
    Object.assign(button, { type: "button", className: kind, textContent: text });
    button.addEventListener("click", () => choose(...cell));
    item.append(button);
    $("findings").append(item);
  };
  view.trades.forEach((t) => add(`${t.kind}: ${t.trade} (${t.bp.toFixed(1)} bp of vol)`, "trade", t.cells[0]));
  view.suspects.forEach((s) => add(`${s.label}: ${shown(view.quotes[s.cell[0]][s.cell[1]])}%, the others imply ${shown(s.implied)}% ± ${shown(s.std)} (z ${s.z.toFixed(1)})`, "suspect", s.cell));
  if (!view.trades.length && !view.suspects.length) $("findings").replaceWith(Object.assign(document.createElement("p"), { textContent: "No static arbitrage, no suspect quote." }));
  view.warnings.forEach((text) => $("warnings").append(Object.assign(document.createElement("li"), { textContent: text })));
  if (!view.warnings.length) $("warnings").remove();
}

// One request at a time: while it runs, only where the sliders stand last is remembered.
let running = false, waiting = null;
async function slide(moved = performance.now()) {
  if (running) { waiting = moved; return; }
  running = true;
  try {
    const kind = sliders.kind();
    const found = await ask("slide", sliders.asked());
    if (found.refused) throw new Error(found.refused);
    state.slid = found;
    state.result = kind === "move" ? "moved" : "generated";
    if (kind === sliders.kind()) sliders.tell(found.values);
    const trades = state.slid.trades.length ? `${state.slid.trades.length} trades` : "no static arbitrage";
    $("said").textContent = [trades, state.slid.said].filter(Boolean).join("; ");
    show("slid");
    performance.measure("slider", { start: moved, end: performance.now() });
  } catch (error) { $("said").textContent = error.message; }
  running = false;
  if (waiting !== null) { const next = waiting; waiting = null; slide(next); }
}

async function show(name) {
  document.querySelector(`input[name="show"][value="${name}"]`).checked = true;
  if (name === "repair" && !state.repaired) {
    try { state.repaired = await ask("repair", {}); } catch (error) { $("said").textContent = error.message; name = "today"; }
  }
  if (name === "slid" && !state.slid) { slide(); return; }
  state.show = name;
  if (name === "repair") { state.result = "repaired"; $("said").textContent = `repair, ${state.repaired.said}`; }
  if (name === "today" || name === "yesterday") state.result = "filled";
  draw();
}

// What became of what was sent: the book's program asks for it about every second while the page is open.
const PATIENCE = 8000, AGAIN = 250, AWAKE = 20000; // milliseconds
async function send() {
  const { book } = state.view.source;
  try {
    const { cells } = await ask("send", { what: state.result });
    const name = `the ${state.result} surface (${cells.length} x ${cells[0].length} cells)`;
    $("said").textContent = `sending ${name} to ${book} …`;
    const said = await arrival();
    if (said) $("said").textContent = said.startsWith("=") ? `${book}: ${said.slice(1)}` : `${book} has not taken it: ${said.slice(1)}`;
    else $("said").textContent = `${book} does not answer; press From page in its voladdin menu or ribbon, and ${name} is written beside its grid`;
  } catch (error) { $("said").textContent = error.message; }
}

async function arrival() {
  for (let waited = 0; waited < PATIENCE; waited += AGAIN) {
    const { arrived } = await ask("arrived");
    if (arrived) return arrived;
    await new Promise((done) => setTimeout(done, AGAIN));
  }
  return "";
}

async function copy() {
  try {
    const { cells } = await ask("send", { what: state.result });
    await navigator.clipboard.writeText(cells.map((row) => row.map((c) => c ?? "").join("\t")).join("\n"));
    $("said").textContent = `copied the ${state.result} surface; paste it into any sheet`;
  } catch (error) { $("said").textContent = error.message; }
}

function theme(name) {
  document.documentElement.dataset.theme = name;
  $("theme").textContent = name === "dark" ? "Light" : "Dark";
  forgetColours();
  if (state.view) draw();
}

// Paper is light, whatever the screen is.
function printed() {
  const dark = document.documentElement.dataset.theme === "dark";
  if (!dark) return;
  theme("light");
  drawSlices();
  addEventListener("afterprint", () => theme("dark"), { once: true });
}

function options(select, labels) {
  labels.forEach((text, value) => select.append(new Option(text, value)));
}

function listen() {
  document.querySelectorAll('input[name="show"]').forEach((r) => r.addEventListener("change", () => show(r.value)));
  $("band").addEventListener("change", () => draw());
  $("tenor").addEventListener("change", (e) => choose(+e.target.value, state.chosen[1]));
  $("strike").addEventListener("change", (e) => choose(state.chosen[0], +e.target.value));
  $("send").addEventListener("click", send);
  $("copy").addEventListener("click", copy);
  $("print").addEventListener("click", () => window.print());
  addEventListener("beforeprint", printed);
  $("theme").addEventListener("click", () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
}

function follow() {
  const redraw = () => drawScene($("surface"), scene());
  handle($("surface"), redraw, (i, j) => {
    if (strange() || (i === state.chosen[0] && j === state.chosen[1])) return;
    choose(i, j);
  });
  new ResizeObserver(redraw).observe($("surface"));
  document.querySelectorAll("[data-turn], [data-zoom]").forEach((b) => b.addEventListener("click", () => {
    turn(...(b.dataset.turn ?? "0,0").split(",").map(Number), +(b.dataset.zoom ?? 1));
    redraw();
  }));
}

async function start() {
  theme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  try {
    state.view = await ask("view");
  } catch (error) { $("model").textContent = error.message; return; }
  const { view } = state;
  document.title = `${view.title} – voladdin`;
  $("title").textContent = view.title;
  $("model").textContent = `${view.source.book} ${view.source.range}; filled by ${view.model}`;
  $("send").disabled = !view.source.host;
  if (!view.source.host) $("send").title = "This page was opened from a file: copy the cells instead";
  document.querySelector('input[value="yesterday"]').disabled = view.yesterday === null;
  options($("tenor"), view.tenors);
  options($("strike"), view.strikes);
  fillTable(); fillFindings(); sliders.start(view, slide); listen();
  const middle = view.axis === "delta" ? nearest(view.positions[0], 0.5) : Math.floor(view.strikes.length / 2);
  choose(Math.floor(view.tenors.length / 2), middle, { say: false });
  follow();
  if (view.source.host) setInterval(() => ask("arrived").catch(() => {}), AWAKE);
  document.documentElement.dataset.drawn = "true";
}

start();
