// The page of a bench: how near each operator is to what the device can do, and where the time of whole steps goes.
const { now, before } = found;
function counted() {
  return [["points", "#roofline circle.now"], ["earlier", "#roofline circle.before"], ["roofs", "#roofline path"], ["rows", "#kernels tbody tr"], ["networks", "#training tbody.steps tr"], ["parts", "#training tbody.parts tr"]];
}
const HEIGHT = 420, LEFT = 64, RIGHT = 14, TOP = 10, BOTTOM = 46;
const { peak } = now;
const ridge = peak.gflops / peak.gb_per_s;

const earlier = new Map((before ? [...before.kernels.map((row) => [row.name, row.median_ms]), ...before.training.map((row) => [row.name, row.step_ms])] : []));
const factor = (name, ms) => (earlier.has(name) ? `${(earlier.get(name) / ms).toFixed(2)}x` : "–");
const compute = (report) => report.kernels.filter((row) => row.gflops > 0 && row.gb_per_s > 0);
const intensity = (row) => row.gflops / row.gb_per_s;

// The commonest operators have colours of their own.
const family = (row) => row.name.split(" ")[0].replace(/_bwd.*/, "");
const counts = new Map();
for (const row of compute(now)) counts.set(family(row), (counts.get(family(row)) ?? 0) + 1);
const shown = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a)).slice(0, 7);
const colour = (row) => `var(--c${shown.includes(family(row)) ? shown.indexOf(family(row)) : 7})`;

const about = (row) => `${row.name}: ${number(row.median_ms)} ms, ${number(row.gflops)} GFLOP/s, ${number(row.gb_per_s)} GB/s, ${(100 * row.peak_share).toFixed(0)} % of the peak`;

function drawAll() {
  const holder = document.getElementById("roofline");
  holder.replaceChildren();
  const rows = [...(before ? compute(before).map((row) => [row, "before"]) : []), ...compute(now).map((row) => [row, "now"])];
  if (rows.length === 0) return;
  const width = Math.max(holder.clientWidth, 320);
  const spread = (values) => [Math.log10(Math.min(...values)) - 0.15, Math.log10(Math.max(...values)) + 0.15];
  const [x0, x1] = spread([ridge, ...rows.map(([row]) => intensity(row))]);
  const [y0, y1] = spread([peak.gflops, ...rows.map(([row]) => row.gflops)]);
  const x = (v) => LEFT + ((width - LEFT - RIGHT) * (Math.log10(v) - x0)) / (x1 - x0);
  const y = (v) => TOP + ((HEIGHT - TOP - BOTTOM) * (y1 - Math.log10(v))) / (y1 - y0);
  const svg = shape("svg", holder, { width, height: HEIGHT, role: "img", class: "plot" });
  for (let power = Math.ceil(x0); power <= x1; power++) {
    shape("line", svg, { x1: x(10 ** power), x2: x(10 ** power), y1: TOP, y2: HEIGHT - BOTTOM, class: "grid" });
    shape("text", svg, { x: x(10 ** power), y: HEIGHT - BOTTOM + 16, "text-anchor": "middle" }, String(10 ** power));
  }
  for (let power = Math.ceil(y0); power <= y1; power++) {
    shape("line", svg, { x1: LEFT, x2: width - RIGHT, y1: y(10 ** power), y2: y(10 ** power), class: "grid" });
    shape("text", svg, { x: LEFT - 8, y: y(10 ** power) + 4, "text-anchor": "end" }, String(10 ** power));
  }
  shape("text", svg, { x: (LEFT + width - RIGHT) / 2, y: HEIGHT - 8, "text-anchor": "middle" }, "operations a byte");
  shape("text", svg, { x: 14, y: HEIGHT / 2, "text-anchor": "middle", transform: `rotate(-90 14 ${HEIGHT / 2})` }, "GFLOP/s");
  // The roof: as fast as memory brings the operands, and then as fast as the device computes.
  const floor = Math.max(10 ** x0, 10 ** y0 / peak.gb_per_s);
  const roof = [[floor, floor * peak.gb_per_s], [ridge, peak.gflops], [10 ** x1, peak.gflops]];
  shape("path", svg, { d: `M${roof.map(([a, b]) => `${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join("L")}`, class: "roof" });
  for (const [row, when] of rows) {
    const dot = shape("circle", svg, { cx: x(intensity(row)).toFixed(1), cy: y(row.gflops).toFixed(1), r: 4.5, class: when });
    dot.style.setProperty("--own", colour(row));
    shape("title", dot, {}, when === "now" ? about(row) : `before, ${about(row)}`);
  }
}

function families(place) {
  for (const name of [...shown, ...(counts.size > shown.length ? ["others"] : [])]) {
    const entry = make("span", place, undefined, "entry");
    make("span", entry, undefined, "key").style.background = `var(--c${shown.includes(name) ? shown.indexOf(name) : 7})`;
    entry.append(name);
  }
  if (before) make("span", place, "rings: before", "entry");
}

// A table whose rows are sorted by whichever head is chosen, from the largest; texts from the first letter.
function sorted(place, heads, rows, paint) {
  const holder = make("div", place, undefined, "scroll rows");
  const table = make("table", holder);
  const head = make("tr", make("thead", table));
  const body = make("tbody", table);
  const fill = (list) => {
    body.replaceChildren();
    for (const row of list) paint(make("tr", body), row);
  };
  for (const [name, value, kind] of heads) {
    const cell = make("th", head, name, kind ? `sorts ${kind}` : "sorts");
    cell.addEventListener("click", () => fill([...rows].sort((a, b) => (typeof value(a) === "string" ? value(a).localeCompare(value(b)) : value(b) - value(a)))));
  }
  fill(rows);
}

function bar(cell, share) {
  const holder = make("span", cell, undefined, "bar share");
  const filled = make("span", holder);
  filled.style.width = `${Math.min(100, 100 * share).toFixed(1)}%`;
  filled.style.background = "var(--c0)";
  cell.append(`${(100 * share).toFixed(0)} %`);
}

function kernels(place) {
  if (now.kernels.length === 0) return;
  make("h2", place, "Operators");
  const compared = before ? [["as fast", (row) => (earlier.get(row.name) ?? 0) / row.median_ms, "n"]] : [];
  const heads = [["row", (row) => row.name], ["ms", (row) => row.median_ms, "n"], ...compared, ["GFLOP/s", (row) => row.gflops, "n"], ["GB/s", (row) => row.gb_per_s, "n"], ["of the peak", (row) => row.peak_share]];
  sorted(place, heads, now.kernels, (tr, row) => {
    make("td", tr, row.name);
    for (const text of [number(row.median_ms), ...(before ? [factor(row.name, row.median_ms)] : []), row.gflops > 0 ? number(row.gflops) : "–", number(row.gb_per_s)]) make("td", tr, text, "n");
    bar(make("td", tr), row.peak_share);
  });
}

function training(place) {
  if (now.training.length === 0) return;
  make("h2", place, "Training steps");
  const holder = make("div", place, undefined, "scroll rows");
  const table = make("table", holder);
  const head = make("tr", make("thead", table));
  for (const name of ["network", "ms", ...(before ? ["as fast"] : []), "images/s", "host, ms", "read, ms", "first, s", "launches", "MiB"]) make("th", head, name, name === "network" ? undefined : "n");
  const body = make("tbody", table, undefined, "steps");
  for (const row of now.training) {
    const tr = make("tr", body);
    make("td", tr, row.name);
    for (const text of [number(row.step_ms), ...(before ? [factor(row.name, row.step_ms)] : []), number(row.images_per_s), number(row.host_ms), number(row.read_ms), number(row.first_step_s), String(row.launches), String(Math.round(row.peak_bytes / 2 ** 20))]) make("td", tr, text, "n");
  }
  const sides = make("div", place, undefined, "sides");
  for (const row of now.training.filter((row) => row.kernels)) {
    const side = make("div", sides, undefined, "rows");
    make("h3", side, `Where the time of ${row.name} goes`);
    const parts = make("tbody", make("table", side), undefined, "parts");
    for (const kernel of row.kernels.slice(0, 12)) {
      const tr = make("tr", parts);
      make("td", tr, kernel.name);
      make("td", tr, `${number(kernel.ms)} ms`, "n");
      bar(make("td", tr), kernel.share);
    }
  }
}

document.getElementById("title").textContent = now.device;
const compared = before ? `, beside ${before.device} (wgrad ${before.version})` : "";
document.getElementById("about").textContent = `wgrad ${now.version}${compared}; peak, measured: ${number(peak.gflops)} GFLOP/s, ${number(peak.gb_per_s)} GB/s; a replayed launch takes ${number(peak.launch_us)} µs`;
document.getElementById("roof").hidden = compute(now).length === 0;
families(document.getElementById("families"));
training(document.getElementById("training"));
kernels(document.getElementById("kernels"));
if (now.skipped.length > 0) make("p", document.getElementById("skipped"), `Left out, since they take long: ${now.skipped.join("; ")}.`);
keepDrawn(drawAll);
