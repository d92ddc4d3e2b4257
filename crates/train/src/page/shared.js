// What every page has. Whoever tests it reads the counts in the body's attributes; `counted` is the page's own.
const errors = [];
const told = () => {
  document.body.dataset.errors = errors.length;
  document.body.dataset.firstError = errors[0] || "";
  document.body.dataset.tables = document.querySelectorAll("table:not(.u-legend)").length;
  const { scrollWidth, clientWidth } = document.documentElement;
  document.body.dataset.tooWide = scrollWidth > clientWidth || [...document.querySelectorAll(".card, figure")].some((card) => card.scrollWidth > card.clientWidth);
  for (const [name, what] of counted()) document.body.dataset[name] = document.querySelectorAll(what).length;
  document.body.dataset.broken = [...document.images].filter((image) => image.complete && image.naturalWidth === 0).length;
};
window.addEventListener("error", (e) => { errors.push(String(e.message)); told(); });

const found = JSON.parse(document.getElementById("data").textContent);
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const make = (tag, parent, text, name) => {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (name) made.className = name;
  parent.append(made);
  return made;
};
const SVG = "http://www.w3.org/2000/svg";
function shape(tag, parent, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}
const number = (v) => (v === null || v === undefined || !Number.isFinite(v) ? "–" : Math.abs(v) >= 100 ? v.toFixed(0) : String(+v.toPrecision(4)));
const percent = (v) => (v === null || v === undefined ? "–" : `${(100 * v).toFixed(2)} %`);

// Draws now, and anew where colours or widths have changed.
function keepDrawn(drawAll) {
  drawAll();
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  let width = window.innerWidth;
  window.addEventListener("resize", () => { if (window.innerWidth !== width) { width = window.innerWidth; drawAll(); } });
  // The charts take their sizes once this script is done.
  setTimeout(told);
  // Pictures are decoded later.
  window.addEventListener("load", told);
}
