// Pictures of a network's test images, and of its filters.

// A PNG, about so many pixels wide and high on the screen.
function picture(place, png, side, name) {
  const image = make("img", place, undefined, name);
  image.alt = "";
  image.addEventListener("load", () => {
    const longer = Math.max(image.naturalWidth, image.naturalHeight);
    const times = Math.max(1, Math.round(side / longer));
    image.classList.toggle("tiny", times > 1);
    [image.width, image.height] = [image.naturalWidth * times, image.naturalHeight * times];
    told();
  });
  image.src = `data:image/png;base64,${png}`;
  return image;
}

const nameOf = ({ image, file }) => file || `image ${image}`;

// Under a picture: what it is, and what was said.
function caption(place, { class: label, said, probability, loss, ...where }) {
  const text = make("figcaption", place);
  make("b", text, label);
  if (said !== label) text.append(`, taken for ${said}`);
  make("div", text, `${(100 * probability).toFixed(1)} %, loss\u00a0${+loss.toPrecision(3)}`, "faint");
  make("div", text, nameOf(where), "faint");
}

function mistakes(place, shown) {
  if (shown.length === 0) return;
  make("h2", place, "Worst mistakes");
  make("p", place, "The test images with the largest loss among those that were taken for something else, and how likely the network held that to be.");
  const gallery = make("div", place, undefined, "gallery");
  for (const one of shown) {
    const figure = make("figure", gallery);
    picture(figure, one.png, 96);
    caption(figure, one);
  }
}

function masks(place, shown) {
  if (!shown || shown.length === 0) return;
  make("h2", place, "Masks");
  make("p", place, "Test images: each as it is, with its mask laid over it, and with what the network says of its pixels. A pixel without a class is as it is.");
  const gallery = make("div", place, undefined, "gallery masks");
  for (const one of shown) {
    const figure = make("figure", gallery);
    picture(figure, one.png, 292);
    const text = make("figcaption", figure);
    make("b", text, "image, mask, network");
    make("div", text, one.mean_iou === null ? "–" : `mean IoU ${(100 * one.mean_iou).toFixed(1)} %`, "faint");
    make("div", text, nameOf(one), "faint");
  }
}

// An image, what speaks for the class that was said, and what for its own.
function looked(place, title, images, views) {
  const side = make("div", place);
  make("h3", side, title);
  if (images.length === 0) make("p", side, "There are none.");
  const list = make("div", side, undefined, "looked");
  list.style.setProperty("--wide", `${104 * views + 10}px`);
  for (const { shown, label, for_said: forSaid, for_class: forClass } of images) {
    const figure = make("figure", list);
    const row = make("div", figure, undefined, "views");
    for (const [png, text] of [[shown.png, "image"], [forSaid, `for ${label || shown.said}`], [forClass, `for ${shown.class}`]]) {
      if (!png) continue;
      const view = make("div", row, undefined, "view");
      picture(view, png, 96);
      view.append(text);
      view.title = text;
    }
    caption(figure, shown);
  }
}

function maps(place, found) {
  if (!found || found.right.length + found.wrong.length === 0) return;
  make("h2", place, "What it looks at");
  make("p", place, `Grad-CAM: the brighter, the more that part of the image speaks for the class, as layer ${found.layer} (${found.kind}) sees it in ${found.places.join(" x ")} places.`);
  const pair = make("div", place, undefined, "pair");
  looked(pair, "Recognised", found.right, 2);
  looked(pair, "Mistaken", found.wrong, 3);
}

function filters(place, found) {
  if (!found) return;
  make("h2", place, "First filters");
  const [shown, count] = [found.tiles.length, found.count];
  const what = found.in_colour ? "A tile is a filter, its three channels as colours" : "A tile is one channel of a filter";
  const some = shown < count ? `; the first ${shown} of ${count}` : "";
  make("p", place, `Layer ${found.layer} (${found.kind}). ${what}; grey is 0, each by its own largest weight${some}.`);
  const tiles = make("div", place, undefined, "filters");
  found.tiles.forEach(({ png, largest }, i) => { picture(tiles, png, 36).title = `${i}: up to ${number(largest)}`; });
}

// What the best weights see.
function seen(place, { inspection }) {
  if (!inspection) return;
  masks(place, inspection.masks);
  mistakes(place, inspection.mistakes);
  maps(place, inspection.maps);
  filters(place, inspection.filters);
}
