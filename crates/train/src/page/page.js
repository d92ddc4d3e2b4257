// What the page of runs shows.
function counted() {
  return [["masks", ".masks figure"], ["mistakes", ".gallery:not(.masks) figure"], ["maps", ".looked figure"], ["filters", ".filters img"], ["layers", ".costs tbody tr"], ["histograms", ".spread svg"]];
}
const runs = found;
const colour = (run) => css(`--c${run % 8}`);

// A chart's lines: the field of a record, how it is called, and whether it belongs to what was held out.
const CHARTS = [
  { title: "Loss", lines: [["loss", "training", "thin"], ["train_loss", "training, whole epochs", "line"], ["val_loss", "validation", "dashed"], ["test_loss", "test", "dashed"]] },
  { title: "Accuracy", percent: true, lines: [["accuracy", "training", "thin"], ["train_accuracy", "training, whole epochs", "line"], ["val_accuracy", "validation", "dashed"], ["test_accuracy", "test", "dashed"]] },
  { title: "Mean IoU", percent: true, lines: [["val_mean_iou", "validation", "dashed"], ["test_mean_iou", "test", "dashed"]] },
  { title: "Learning rate", lines: [["lr", "rate", "line"]] },
  { title: "Images a second", zero: true, lines: [["images_per_s", "training", "line"]] },
];

// The lines of all runs over the steps that any of them has; undefined where a run has no value there.
function series(chart) {
  const found = [];
  runs.forEach((run, i) => {
    for (const [field, label, style] of chart.lines) {
      const points = new Map();
      for (const record of run.log) if (Number.isFinite(record[field])) points.set(record.step, record[field]);
      if (points.size > 0) found.push({ label: runs.length > 1 ? `${run.name}: ${label}` : label, style, run: i, points });
    }
  });
  return found;
}

function draw(chart, found, card) {
  const steps = [...new Set(found.flatMap((line) => [...line.points.keys()]))].sort((a, b) => a - b);
  const data = [steps, ...found.map((line) => steps.map((step) => line.points.get(step)))];
  const shown = chart.percent ? (u, v) => (v === null || v === undefined ? "–" : percent(v)) : (u, v) => number(v);
  // Within a run, what was measured on other images is told apart by its stroke; with one run, by its colour too.
  const stroke = (line, i) => (runs.length > 1 ? colour(line.run) : colour(i));
  const axis = { stroke: css("--faint"), grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line"), width: 1 } };
  const options = {
    width: card.clientWidth - 26,
    height: 260,
    scales: { x: { time: false }, y: { range: (u, low, high) => {
      if (low === null) return [0, 1];
      const pad = (high - low) * 0.06 || Math.abs(high) * 0.06 || 1;
      return [chart.zero || low >= 0 && low < pad * 4 ? 0 : low - pad, high + pad];
    } } },
    axes: [{ ...axis, label: "step", labelSize: 18, size: 34 }, { ...axis, size: 62, values: (u, vs) => vs.map((v) => (chart.percent ? `${+(100 * v).toFixed(2)} %` : String(+v.toPrecision(6)))) }],
    series: [{ label: "step" }, ...found.map((line, i) => ({
      label: line.label, stroke: stroke(line, i), value: shown, spanGaps: true,
      width: line.style === "thin" ? 1 : 2, dash: line.style === "dashed" ? [6, 4] : undefined, points: { show: line.points.size < 40, size: 5 },
    }))],
  };
  return new uPlot(options, data, card);
}

function results(place) {
  const last = (log, field) => log.reduce((v, record) => (Number.isFinite(record[field]) ? record[field] : v), null);
  const best = (log, field) => log.reduce((v, record) => (Number.isFinite(record[field]) && (v === null || record[field] > v) ? record[field] : v), null);
  const table = make("table", place);
  const head = make("tr", table);
  for (const name of ["run", "steps", "training loss", "training", "best validation", "test, best weights", "images/s", "waited, s"]) make("th", head, name);
  runs.forEach((run, i) => {
    const row = make("tr", table);
    const name = make("td", row);
    if (runs.length > 1) make("span", name, undefined, "key").style.background = colour(i);
    name.append(run.name);
    const test = run.log.map((record) => record.test).filter(Boolean).pop();
    const tested = test && (test.best || test.last);
    const cells = [
      last(run.log, "step"), number(last(run.log, "train_loss")), percent(last(run.log, "train_accuracy")),
      percent(best(run.log, "val_accuracy")), tested ? (tested.accuracy === null ? number(tested.loss) : percent(tested.accuracy)) : percent(best(run.log, "test_accuracy")),
      number(last(run.log, "images_per_s")), number(last(run.log, "stall_s")),
    ];
    for (const cell of cells) make("td", row, cell === null ? "–" : String(cell), "n");
  });
}

// The rates that a hand changed while a run went on: its settings alone do not give it again.
function byHand(place, { name, log }) {
  const changes = log.filter((record) => Number.isFinite(record.lr_by_hand));
  if (changes.length === 0) return;
  const title = "Learning rate, changed by hand";
  make("h2", place, runs.length > 1 ? `${title}: ${name}` : title);
  const rows = changes.map((record) => [record.step, number(record.lr_by_hand)]);
  list(make("div", place, undefined, "sides"), "From the next step on", ["after step", "times the schedule's"], rows);
}

// A table of a head and rows; numbers stand to the right.
function list(place, title, head, rows) {
  const side = make("div", place);
  make("h3", side, title);
  const table = make("table", side, undefined, "list");
  const top = make("tr", table);
  for (const name of head) make("th", top, name);
  for (const cells of rows) {
    const row = make("tr", table);
    for (const cell of cells) make("td", row, String(cell), /^[–\d]/.test(String(cell)) ? "n" : undefined);
  }
}

// More classes than these do not fit as a matrix; then it is the commonest mistakes that are listed.
const MATRIX = 30;

function matrix(place, { classes, said }) {
  const side = make("div", place);
  make("h3", side, "What the images are (rows), and what they were taken for");
  const totals = classes.map((_, label) => said.reduce((sum, [of, , count]) => (of === label ? sum + count : sum), 0));
  const table = make("table", side, undefined, "matrix");
  const head = make("tr", table);
  make("th", head);
  for (const name of classes) make("th", head, name, "top");
  classes.forEach((name, label) => {
    const row = make("tr", table);
    make("th", row, name);
    classes.forEach((_, other) => {
      const found = said.find(([of, as]) => of === label && as === other);
      const cell = make("td", row, found ? String(found[2]) : "");
      if (!found) return;
      const share = found[2] / totals[label];
      cell.style.background = `color-mix(in srgb, ${css(label === other ? "--c2" : "--c4")} ${Math.round(15 + 70 * share)}%, transparent)`;
      cell.title = `${name} taken for ${classes[other]}: ${percent(share)}`;
    });
  });
}

// Of images that may have several labels, each label by itself; below them the means.
function byLabel(place, name, labels) {
  make("h2", place, runs.length > 1 ? `Test images: ${name}` : "Test images");
  const sides = make("div", place, undefined, "sides");
  const figures = ["precision", "recall", "f1", "average_precision"];
  const mean = (figure) => {
    const values = labels.map((label) => label[figure]).filter(Number.isFinite);
    return values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : null;
  };
  const rows = labels.map((label) => [label.name, label.images, ...figures.map((figure) => percent(label[figure]))]);
  rows.push(["mean of all", "", ...figures.map((figure) => percent(mean(figure)))]);
  list(sides, "By label, said above 50 %", ["label", "images", "precision", "recall", "F1", "average precision"], rows);
}

// Of pixels that have classes, each class by itself; below them the mean.
function byPixel(place, name, classes) {
  make("h2", place, runs.length > 1 ? `Test images: ${name}` : "Test images");
  const sides = make("div", place, undefined, "sides");
  const share = (part, all) => (all > 0 ? percent(part / all) : "–");
  const rows = classes.map((row) => [row.class, row.pixels, share(row.both, row.predicted), share(row.both, row.pixels), row.iou === null ? "–" : percent(row.iou)]);
  const ious = classes.map((row) => row.iou).filter(Number.isFinite);
  rows.push(["mean of all", "", "", "", ious.length > 0 ? percent(ious.reduce((sum, iou) => sum + iou, 0) / ious.length) : "–"]);
  list(sides, "Pixels by class", ["class", "pixels", "precision", "recall", "IoU"], rows);
  sides.querySelectorAll("tr").forEach((row, i) => {
    if (i === 0 || i > classes.length) return;
    const key = make("span", row.firstChild, undefined, "key");
    key.style.background = classes[i - 1].colour;
    row.firstChild.prepend(key);
  });
}

// What the best weights say of the test images, class by class.
function tested(place, { name, tested: found, inspection }) {
  if (found && found.by_pixel) byPixel(place, name, found.by_pixel);
  if (found && found.by_label) byLabel(place, name, found.by_label);
  if (!found || !found.classes || found.classes.length === 0) return;
  const { classes, said, calibration, worst } = found;
  make("h2", place, runs.length > 1 ? `Test images: ${name}` : "Test images");
  const sides = make("div", place, undefined, "sides");
  if (classes.length <= MATRIX) matrix(sides, found);
  const sum = (fits) => said.reduce((all, row) => (fits(row) ? all + row[2] : all), 0);
  const rows = classes.map((name, label) => {
    const [right, images, named] = [sum(([a, b]) => a === label && b === label), sum(([a]) => a === label), sum(([, b]) => b === label)];
    const [precision, recall] = [named ? right / named : null, images ? right / images : null];
    const f1 = images + named ? (2 * right) / (images + named) : null;
    return [name, images, percent(precision), percent(recall), percent(f1)];
  });
  list(sides, "By class", ["class", "images", "precision", "recall", "F1"], rows);
  const wrong = said.filter(([a, b]) => a !== b).sort((a, b) => b[2] - a[2]).slice(0, 12);
  list(sides, "Commonest mistakes", ["class", "taken for", "images"], wrong.map(([a, b, count]) => [classes[a], classes[b], count]));
  const bins = calibration.map(([images, right, sure], i) => [`${10 * i} to ${10 * i + 10} %`, images, images ? percent(sure / images) : "–", images ? percent(right / images) : "–"]);
  list(sides, "How sure, and how often right", ["probability", "images", "mean", "right"], bins.filter(([, images]) => images > 0));
  // As a gallery, where there are pictures.
  if (!inspection)
    list(sides, "Worst mistakes", ["image", "class", "taken for", "probability", "loss"],
    worst.map((m) => [m.image, classes[m.label], classes[m.said], percent(m.probability), number(m.loss)]));
}

function settings(place) {
  const table = make("table", place);
  const head = make("tr", table);
  make("th", head, "setting");
  runs.forEach((run) => make("th", head, run.name));
  for (const key of [...new Set(runs.flatMap((run) => Object.keys(run.settings)))]) {
    const row = make("tr", table);
    make("td", row, key);
    const values = runs.map((run) => (run.settings[key] === undefined ? "–" : String(run.settings[key])));
    for (const value of values) make("td", row, value, new Set(values).size > 1 ? "differs" : undefined);
  }
}

let charts = [];
function drawAll() {
  const place = document.getElementById("charts");
  charts.forEach((plot) => plot.destroy());
  place.replaceChildren();
  // All cards before the first chart: how wide each is depends on how many there are.
  const found = CHARTS.map((chart) => [chart, series(chart)]).filter(([, lines]) => lines.length > 0);
  const cards = found.map(([chart]) => {
    const card = make("div", place, undefined, "card");
    make("h3", card, chart.title);
    return card;
  });
  charts = found.map(([chart, lines], i) => draw(chart, lines, cards[i]));
  document.body.dataset.charts = charts.length;
}

document.getElementById("title").textContent = runs.length === 1 ? runs[0].name : `${runs.length} runs`;
document.getElementById("about").textContent = runs.map((run) => `${run.settings.model} on ${run.settings.data}, seed ${run.settings.seed}`).filter((text, i, all) => all.indexOf(text) === i).join("; ");
results(document.getElementById("runs"));
runs.forEach((run) => byHand(document.getElementById("hands"), run));
runs.forEach((run) => tested(document.getElementById("tested"), run));
runs.forEach((run) => seen(document.getElementById("seen"), run));
runs.forEach((run) => layers(document.getElementById("layers"), run));
settings(document.getElementById("settings"));
keepDrawn(drawAll);
