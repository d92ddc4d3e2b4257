// The page of a learning-rate range test: the loss over the rate, what is suggested, and the steps.
const { points, suggestion } = found;
function counted() {
  return [["rows", "#steps tr"], ["suggestions", "#suggested td:first-child"]];
}
const rate = (v) => v.toExponential(1);
const MARKS = suggestion ? [["steepest", "where the loss falls most steeply", "--c2"], ["tenth_of_lowest", "a tenth of the rate of the lowest loss", "--c3"]] : [];

// From the lowest loss to what is above all smoothed ones before their lowest; what comes after is the end, and is cut off.
function heights() {
  const smoothed = points.map((point) => point.smoothed);
  const at = smoothed.indexOf(Math.min(...smoothed));
  const low = Math.min(...points.map((point) => point.loss));
  const high = Math.max(...(at > 0 ? smoothed.slice(0, at + 1) : smoothed));
  const pad = (high - low) * 0.25 || Math.abs(high) * 0.1 || 1;
  return [low - pad, high + pad];
}

function mark(u, v, name) {
  const { ctx, bbox } = u;
  const x = Math.round(u.valToPos(v, "x", true));
  ctx.save();
  ctx.strokeStyle = css(name);
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
}

function draw(card) {
  const axis = { stroke: css("--faint"), grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line"), width: 1 } };
  const isPower = (v) => v !== null && Math.abs(Math.log10(v) - Math.round(Math.log10(v))) < 1e-6;
  const [low, high] = heights();
  const shown = (u, v) => number(v);
  const options = {
    width: card.clientWidth - 26,
    height: 380,
    scales: { x: { time: false, distr: 3 }, y: { range: () => [low, high] } },
    axes: [
      { ...axis, label: "learning rate", labelSize: 18, size: 34, values: (u, vs) => vs.map((v) => (isPower(v) ? v.toExponential(0) : "")) },
      { ...axis, size: 62, values: (u, vs) => vs.map((v) => String(+v.toPrecision(4))) },
    ],
    series: [
      { label: "rate", value: (u, v) => (v === null || v === undefined ? "–" : rate(v)) },
      { label: "loss of the step", stroke: css("--c7"), width: 1, value: shown, points: { show: false } },
      { label: "smoothed", stroke: css("--c0"), width: 2, value: shown, points: { show: false } },
    ],
    hooks: { draw: [(u) => { for (const [key, , name] of MARKS) mark(u, suggestion[key], name); }] },
  };
  return new uPlot(options, [points.map((p) => p.rate), points.map((p) => p.loss), points.map((p) => p.smoothed)], card);
}

function suggested(place) {
  if (!suggestion) {
    make("p", place, "No rate of this range lowers the loss.");
    return;
  }
  const table = make("table", place);
  for (const [key, words, name] of MARKS) {
    const row = make("tr", table);
    const cell = make("td", row);
    make("span", cell, undefined, "key").style.background = `var(${name})`;
    cell.append(rate(suggestion[key]));
    make("td", row, suggestion[key] === suggestion.lr ? `take this one: --lr ${suggestion.lr}` : "");
    make("td", row, words);
  }
}

function steps(place) {
  const table = make("table", place);
  const head = make("tr", make("thead", table));
  for (const name of ["step", "rate", "loss", "smoothed"]) make("th", head, name);
  const body = make("tbody", table);
  points.forEach((point, i) => {
    const row = make("tr", body);
    for (const cell of [i + 1, point.rate.toExponential(2), number(point.loss), number(point.smoothed)]) make("td", row, String(cell), "n");
  });
}

let plot;
function drawAll() {
  const place = document.getElementById("charts");
  if (plot) plot.destroy();
  place.replaceChildren();
  const card = make("div", place, undefined, "card");
  make("h3", card, "Loss over the learning rate");
  plot = draw(card);
  document.body.dataset.charts = place.children.length;
}

document.getElementById("title").textContent = document.title;
document.getElementById("about").textContent = `${found.optimizer}, batches of ${found.batch_size}, seed ${found.seed}, on ${found.device}; ${points.length} steps, ${found.end}`;
suggested(document.getElementById("suggested"));
steps(document.getElementById("steps"));
keepDrawn(drawAll);
