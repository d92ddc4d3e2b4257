// The page of a sweep: a line a run over an axis a setting, the last axis what the runs are judged by, and the runs as a table.
const { axes, trials } = found;
function counted() {
  return [["lines", "#axes path.run"], ["axes", "#axes line.axis"], ["rows", "#runs tbody tr"]];
}
const score = (trial) => (trial.diverged ? null : trial.val_accuracy ?? trial.val_mean_iou ?? -trial.val_loss);
const isAccuracy = trials.some((trial) => (trial.val_accuracy ?? trial.val_mean_iou ?? null) !== null);
const scored = (v) => (isAccuracy ? percent(v) : number(-v));
const HEIGHT = 300, TOP = 46, BOTTOM = 40;

const scores = trials.map(score).filter((v) => v !== null);
const [worst, best] = [Math.min(...scores), Math.max(...scores)];
const share = (v, low, high) => (high > low ? (v - low) / (high - low) : 0.5);

// Where a run's value lies on an axis, from 0 at the bottom to 1 at the top.
function place(axis, trial) {
  const value = axis.key === "epochs" && !("epochs" in trial.settings) ? trial.epochs : trial.settings[axis.key];
  if (axis.list) return share(axis.list.findIndex((other) => other === value), 0, axis.list.length - 1);
  const [low, high] = axis.ends;
  return axis.log ? share(Math.log(value), Math.log(low), Math.log(high)) : share(value, low, high);
}

// The texts beside an axis, and where they stand.
function ticks(axis) {
  if (axis.list) {
    const every = Math.ceil(axis.list.length / 12);
    return axis.list.map((value, i) => [String(value), share(i, 0, axis.list.length - 1)]).filter((_, i) => i % every === 0);
  }
  const [low, high] = axis.ends;
  return [0, 0.25, 0.5, 0.75, 1].map((at) => [String(+(axis.log ? low * (high / low) ** at : low + (high - low) * at).toPrecision(2)), at]);
}

// A run is brought out wherever the pointer is on it.
const parts = trials.map(() => []);
function point(part, i) {
  parts[i].push(part);
  part.addEventListener("pointerenter", () => parts[i].forEach((other) => other.classList.add("chosen")));
  part.addEventListener("pointerleave", () => parts[i].forEach((other) => other.classList.remove("chosen")));
}

function drawAll() {
  const holder = document.getElementById("axes");
  parts.forEach((list) => list.splice(0, list.length, ...list.filter((part) => part.tagName === "TR")));
  holder.replaceChildren();
  const last = { key: isAccuracy ? "validation" : "validation loss", ends: [worst, best], score: true };
  const all = [...axes, last];
  const width = Math.max(holder.clientWidth, 130 * all.length);
  const x = (i) => 20 + (width - 110) * (all.length > 1 ? i / (all.length - 1) : 0);
  const y = (at) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - at);
  const svg = shape("svg", holder, { width, height: HEIGHT, role: "img" });
  // The best are drawn last, over the others.
  trials.map((trial, i) => [trial, i]).reverse().forEach(([trial, i]) => {
    const v = score(trial);
    const end = v === null ? HEIGHT - 12 : y(share(v, worst, best));
    const points = [...axes.map((axis, at) => [x(at), y(place(axis, trial))]), [x(axes.length), end]];
    const line = shape("path", svg, { d: `M${points.map((p) => p.map((c) => c.toFixed(1)).join(" ")).join("L")}`, class: v === null ? "run diverged" : i === 0 ? "run best" : "run" });
    if (v !== null && i > 0) line.style.stroke = `color-mix(in srgb, var(--c0) ${Math.round(20 + 80 * share(v, worst, best))}%, var(--line))`;
    shape("title", line, {}, `${trial.run}: ${v === null ? "diverged" : scored(v)}`);
    point(line, i);
  });
  all.forEach((axis, at) => {
    shape("line", svg, { x1: x(at), x2: x(at), y1: TOP, y2: HEIGHT - BOTTOM, class: "axis" });
    shape("text", svg, { x: x(at) - 4, y: 18, class: "name" }, axis.key);
    const texts = axis.score ? [worst, best].filter((v, i, both) => Number.isFinite(v) && (i === 0 || v !== both[0])).map((v) => [scored(v), share(v, worst, best)]) : ticks(axis);
    for (const [text, height] of texts) shape("text", svg, { x: x(at) + 6, y: y(height) + 4, class: "tick" }, text);
  });
  if (trials.some((trial) => trial.diverged)) shape("text", svg, { x: x(axes.length) + 6, y: HEIGHT - 8, class: "tick" }, "diverged");
}

function table(holder) {
  const made = make("table", holder);
  const head = make("tr", make("thead", made));
  const keys = Object.keys(trials[0]?.settings ?? {});
  for (const name of ["", "run", ...keys, "epochs", isAccuracy ? "validation" : "validation loss", "test"]) make("th", head, name);
  const body = make("tbody", made);
  trials.forEach((trial, i) => {
    const row = make("tr", body);
    make("td", row, String(i + 1), "n");
    make("a", make("td", row), trial.run).href = `${encodeURIComponent(trial.run)}/report.html`;
    for (const key of keys) make("td", row, String(trial.settings[key]), typeof trial.settings[key] === "number" ? "n" : undefined);
    make("td", row, String(trial.epochs), "n");
    const v = score(trial);
    make("td", row, v === null ? "diverged" : scored(v), "n").title = trial.diverged ?? "";
    make("td", row, percent(trial.test_accuracy), "n");
    point(row, i);
  });
}

document.getElementById("title").textContent = found.name;
document.getElementById("about").textContent = `${found.method}: ${trials.length} of ${found.runs} runs are done. A line is a run; point at one to find it in the table.`;
table(document.getElementById("runs"));
keepDrawn(drawAll);
