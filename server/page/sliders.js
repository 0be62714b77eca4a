// The sliders: what they move, in which words, and where they stand.

const $ = (id) => document.getElementById(id);
const LABELS = {
  level: "Level", skew: "Skew", curv: "Curvature", term: "Term slope, a year",
  atm: "ATM", rr: "25Δ risk reversal", bf: "25Δ butterfly", scenario: "Scenario",
};
const POINTS = new Set(["level", "term", "atm", "rr", "bf"]); // vols, shown in percent points
const stand = { kind: "move", words: "paper", values: [], open: [], scenario: 0, tenor: 0 };
let view = null, moved = () => {};

const text = (name, value) => {
  if (name === "scenario") return String(value);
  return POINTS.has(name) ? `${(100 * value).toFixed(2)}%` : value.toFixed(3);
};

// What the server is asked for.
export function asked() {
  const { kind, words, values, open, scenario, tenor } = stand;
  return {
    kind, words, scenario,
    values: values.map((value, i) => (kind === "generate" && open[i] ? null : value)),
    years: words === "market" ? view.years[tenor] : null,
    decay: $("decay").value, wings: $("wings").value,
  };
}

export const kind = () => stand.kind;

// The numbers that the surface drawn has, beside the sliders.
export function tell(values) {
  set().forEach(([name], i) => {
    const shown = values[i] === null ? "" : text(name, values[i]);
    $(`has-${name}`).textContent = stand.kind === "move" || stand.open[i] ? `→ ${shown}` : "";
  });
}

// The sliders of the kind and words chosen; a set a tenor where they differ by it.
function set() {
  const sets = view.ranges[stand.kind][stand.words];
  return sets[Math.min(stand.tenor, sets.length - 1)];
}

export function fill() {
  const market = stand.words === "market", move = stand.kind === "move";
  stand.values = set().map(([, , , start]) => start);
  stand.open = set().map(() => false);
  stand.scenario = 0;
  $("sliders").replaceChildren(...set().map((one, i) => row(...one, (value) => { stand.values[i] = value; }, move ? null : i)));
  if (!move) $("sliders").append(row("scenario", 0, 50, 0, (value) => { stand.scenario = value; }, null));
  $("at").hidden = !market;
  $("how").hidden = !(market && move);
}

function row(name, least, most, start, put, place) {
  const box = document.createElement("div");
  box.className = "slider";
  const step = name === "scenario" ? 1 : (most - least) / 400;
  const input = Object.assign(document.createElement("input"), { type: "range", id: `slider-${name}`, min: least, max: most, step });
  input.value = start;
  const output = Object.assign(document.createElement("output"), { textContent: text(name, +start) });
  output.htmlFor = input.id;
  const has = Object.assign(document.createElement("span"), { id: `has-${name}`, className: "has" });
  const caption = Object.assign(document.createElement("label"), { htmlFor: input.id, textContent: LABELS[name] });
  const say = () => { output.textContent = text(name, +input.value); input.setAttribute("aria-valuetext", output.textContent); };
  input.addEventListener("input", () => { put(+input.value); say(); moved(); });
  say();
  box.append(caption, input, output, has);
  if (place !== null) box.append(opener(name, place, input));
  return box;
}

// A number that is left open is the mean of what the others leave, or drawn: scenario 0, or another.
function opener(name, place, input) {
  const label = document.createElement("label"), check = document.createElement("input");
  Object.assign(check, { type: "checkbox", id: `open-${name}` });
  check.addEventListener("change", () => { stand.open[place] = input.disabled = check.checked; moved(); });
  label.className = "open";
  label.append(check, "open");
  check.setAttribute("aria-label", `${LABELS[name]} left open`);
  return label;
}

// Calls `move` whenever a slider has moved, or another set was chosen.
export function start(given, move) {
  view = given;
  moved = move;
  const spoken = Object.keys(view.ranges.move);
  stand.words = spoken.includes("market") ? "market" : "paper";
  $("words").hidden = spoken.length < 2;
  document.querySelector(`input[name="words"][value="${stand.words}"]`).checked = true;
  view.tenors.forEach((tenor, i) => $("at-tenor").append(new Option(tenor, i)));
  const month = view.years.map((years) => Math.abs(Math.log(12 * years)));
  stand.tenor = month.indexOf(Math.min(...month));
  $("at-tenor").value = stand.tenor;
  const chosen = (name, take) => document.querySelectorAll(`input[name="${name}"]`).forEach((r) => r.addEventListener("change", () => { take(r.value); fill(); moved(); }));
  chosen("kind", (value) => { stand.kind = value; });
  chosen("words", (value) => { stand.words = value; });
  $("at-tenor").addEventListener("change", (e) => { stand.tenor = +e.target.value; fill(); moved(); });
  ["decay", "wings"].forEach((id) => $(id).addEventListener("change", () => moved()));
  $("reset").addEventListener("click", () => { fill(); moved(); });
  fill();
}
