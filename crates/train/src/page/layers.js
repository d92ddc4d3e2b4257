// A network's layers: memory and time, and how weights and gradients are spread.

const bytes = (count) => {
  const unit = ["B", "KiB", "MiB", "GiB"];
  const power = count > 0 ? Math.min(3, Math.floor(Math.log2(count) / 10)) : 0;
  return `${+(count / 1024 ** power).toPrecision(3)} ${unit[power]}`;
};
const grouped = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, "\u2009");
const milliseconds = (ms) => (ms === null || ms === undefined ? "–" : ms === 0 ? "" : ms >= 100 ? ms.toFixed(0) : ms.toPrecision(2));

// The first cell of a row: the layer's path, and its kind.
function layer(row, { path, kind }) {
  const cell = make("td", row);
  cell.append(path);
  make("span", cell, ` ${kind}`, "kind");
}

function headed(place, name, long, heads) {
  const table = make("table", make("div", place, undefined, long ? "long" : undefined), undefined, name);
  const top = make("tr", make("thead", table));
  for (const [text, kind] of heads) make("th", top, text, kind);
  return make("tbody", table);
}

function costs(place, { rows, other_ms: other }, long) {
  const side = make("div", place);
  make("h3", side, "Memory and time");
  const table = headed(side, "costs", long, [["layer"], ["gives", "roomy"], ["learns", "n"], ["output", "n"], ["forward", "n"], ["backward", "n"], ["", "roomy"]]);
  const all = rows.map(({ ms }) => ms || [0, 0]);
  const longest = Math.max(...all.map(([a, b]) => a + b));
  const line = (first, gives, parameters, size, ms, kind) => {
    const row = make("tr", table, undefined, kind);
    first(row);
    make("td", row, gives, "kind roomy");
    make("td", row, parameters ? grouped(parameters) : "", "n");
    make("td", row, size ? bytes(size) : "", "n");
    for (const part of ms || [null, null]) make("td", row, milliseconds(part), "n");
    const bar = make("div", make("td", row, undefined, "roomy"), undefined, "bar");
    if (ms && longest > 0 && !kind) [["--c0", ms[0]], ["--c1", ms[1]]].forEach(([colour, part]) => {
      const piece = make("span", bar);
      [piece.style.width, piece.style.background] = [`${(100 * part) / longest}%`, `var(${colour})`];
    });
  };
  for (const row of rows) line((to) => layer(to, row), row.output.slice(1).join("×"), row.parameters, row.output_bytes, row.ms);
  if (other) line((to) => make("td", to, "the rest", "kind"), "", 0, 0, other);
  const sum = (of) => rows.reduce((total, row) => total + of(row), 0);
  const timed = other && [0, 1].map((i) => other[i] + all.reduce((total, ms) => total + ms[i], 0));
  line((to) => make("td", to, "in all"), "", sum((row) => row.parameters), sum((row) => row.output_bytes), timed, "sum");
}

// A histogram as bars, and a line at 0.
function histogram(row, found, colour) {
  const cell = make("td", row);
  if (!found) return make("small", cell, "–");
  const { low, high, counts, mean, std } = found;
  const most = Math.max(...counts);
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", `0 0 ${counts.length} 26`);
  svg.setAttribute("preserveAspectRatio", "none");
  const shape = (name, attributes) => {
    const made = document.createElementNS(space, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    svg.append(made);
  };
  shape("rect", { x: 0, y: 25.5, width: counts.length, height: 0.5, fill: "var(--line)" });
  counts.forEach((count, x) => {
    const height = most > 0 ? (25 * count) / most : 0;
    if (count > 0) shape("rect", { x: x + 0.08, y: 25.5 - Math.max(height, 0.6), width: 0.84, height: Math.max(height, 0.6), fill: colour });
  });
  if (low < 0 && high > 0) shape("rect", { x: (-low / (high - low)) * counts.length - 0.12, y: 0, width: 0.24, height: 26, fill: "var(--faint)" });
  cell.append(svg);
  make("small", cell, `${short(mean)} ± ${short(std)}`);
  return cell;
}
// A mean or a deviation, in few characters.
const short = (v) => (v === 0 ? "0" : Math.abs(v) >= 0.001 ? String(+v.toPrecision(2)) : v.toExponential(0));

function spreads(place, { rows }, long) {
  const side = make("div", place);
  make("h3", side, "Weights and gradients");
  const table = headed(side, "spread", long, [["layer"], ["weights"], ["gradients"]]);
  for (const found of rows.filter((row) => row.weights)) {
    const row = make("tr", table);
    layer(row, found);
    histogram(row, found.weights, "var(--c0)");
    histogram(row, found.gradients, "var(--c1)");
  }
}

function layers(place, { inspection }) {
  if (!inspection) return;
  const { layers: found, device } = inspection;
  const long = found.rows.length > 24;
  make("h2", place, "Layers");
  make("p", place, `A step of ${found.batch} training images, not augmented, with the weights after the last epoch and without an update, on ${device}. Times are milliseconds of the kernels; what a layer's kernels do for the next one, such as a ReLU, is counted with it. A histogram reaches four deviations from the mean, and what is beyond is in its outermost bars.`);
  const tables = make("div", place, undefined, "tables");
  costs(tables, found, long);
  spreads(tables, found, long);
}
