// Smile and term structure, drawn by plotly from what the server gives.

// Colours of the theme, by name, read once.
let colours = new Map();
export function css(name) {
  if (!colours.has(name)) colours.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
  return colours.get(name);
}
export function forgetColours() { colours = new Map(); }

const logs = (years) => years.map(Math.log);
const OPTIONS = { displayModeBar: false, responsive: true };

function axis(extra) {
  return {
    color: css("--dim"), gridcolor: css("--grid"), zerolinecolor: css("--grid"), linecolor: css("--line"),
    ...extra,
  };
}

function layout(extra) {
  return {
    margin: { l: 46, r: 10, t: 8, b: 34 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: css("--ink"), size: 11, family: "system-ui, sans-serif" }, showlegend: false,
    hovermode: "closest", ...extra,
  };
}

export const AXIS = { delta: "call delta, low strikes first", strike: "strike", moneyness: "ln(K/F)" };

function strikeTicks(view) {
  const places = view.positions[0];
  if (view.axis !== "delta" && places.length > 9) return {};
  return { tickvals: places, ticktext: view.strikes };
}

export function nearest(values, wanted) {
  let best = 0;
  values.forEach((value, i) => { if (Math.abs(value - wanted) < Math.abs(values[best] - wanted)) best = i; });
  return best;
}

const line = (x, y, name, colour, extra = {}) => ({
  type: "scatter", mode: "lines", x, y: y.map((v) => (v === null ? null : 100 * v)), name, line: { color: css(colour), width: 2, ...extra.line },
  hovertemplate: "%{y:.2f}%", ...extra, ...(extra.line ? { line: { color: css(colour), width: 2, ...extra.line } } : {}),
});
const dots = (x, y, name, colour, symbol, size = 8) => ({
  type: "scatter", mode: "markers", x, y: y.map((v) => (v === null ? null : 100 * v)), name,
  marker: { color: css(colour), symbol, size, line: { width: 1.5, color: css(colour) } }, hovertemplate: "%{y:.2f}%",
});

function slice(element, view, cut, lines, inTrade, xaxis) {
  const traces = [];
  if (lines.smooth) {
    const { x, vols, low, high } = lines.smooth;
    traces.push(line(x, low, "90% band", "--dim", { line: { width: 0 }, showlegend: false, hoverinfo: "skip", hovertemplate: null }));
    traces.push(line(x, high, "90% band", "--dim", { line: { width: 0 }, fill: "tonexty", fillcolor: css("--fill-back"), hoverinfo: "skip", hovertemplate: null }));
    traces.push(line(x, vols, "through quotes and fills", "--accent"));
  }
  lines.others.forEach((other) => traces.push(line(other.x, other.y, other.name, other.colour, { line: { dash: other.dash ?? "dash" } })));
  if (lines.cells) {
    const x = cut.map(([i, j]) => lines.at(i, j));
    const take = (rows, where) => cut.map(([i, j]) => (where(i, j) ? rows[i][j] : null));
    traces.push(dots(x, take(view.filled, (i, j) => view.quotes[i][j] === null), "fill", "--fill", "circle-open"));
    traces.push(dots(x, take(view.quotes, (i, j) => !inTrade(i, j)), "quote", "--accent", "circle"));
    traces.push(dots(x, take(view.quotes, inTrade), "in a trade", "--trade", "diamond", 10));
  }
  const kept = traces.filter((trace) => trace.y.some((v) => v !== null));
  const yaxis = axis({ tickformat: ".1f", ticksuffix: "%" });
  return Plotly.react(element, kept, layout({ xaxis: axis(xaxis), yaxis }), OPTIONS);
}

export function drawSmile(element, view, i, lines, inTrade) {
  const cut = view.strikes.map((_, j) => [i, j]);
  return slice(element, view, cut, lines, inTrade, { title: { text: AXIS[view.axis], standoff: 4 }, ...strikeTicks(view) });
}

export function drawTerm(element, view, j, lines, inTrade) {
  const cut = view.tenors.map((_, i) => [i, j]);
  return slice(element, view, cut, lines, inTrade, { tickvals: logs(view.years), ticktext: view.tenors });
}
