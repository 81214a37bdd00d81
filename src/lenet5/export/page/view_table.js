// Table I as a wiring diagram and as a table whose crosses are the kernels themselves.
import { element, Maps, pictureOf, rangeOf } from "./draw.js";
import { FACTS } from "./facts.js";
import { kernelOf } from "./network.js";
import { t } from "./i18n.js";
import { pairCounts } from "./view_lesson.js";

const WIDTH = 960;
const HEIGHT = 250;
const SVG = "http://www.w3.org/2000/svg";

/** Elements of the view. */
export function tableView(app) {
  const said = element("p", { class: "wiring-said", "aria-live": "polite" }, t("tableHint", pairCounts()));
  const diagram = wiring(app);
  const table = kernelTable(app);
  const light = (side, map) => {
    lightUp(diagram, table, side, map);
    const joined = side === "c3" ? FACTS.table[map] : sourcesFor(map);
    const key = side === "c3" ? "wiringC3" : "wiringS2";
    said.textContent = side ? t(key, { map, maps: joined.join(", ") }) : t("tableHint", pairCounts());
  };
  for (const node of [...diagram.querySelectorAll("[data-side]"), ...table.querySelectorAll("[data-side]")]) {
    const { side, map } = node.dataset;
    node.addEventListener("pointerenter", () => light(side, Number(map)));
    node.addEventListener("focus", () => light(side, Number(map)));
    node.addEventListener("pointerleave", () => light(null, 0));
    node.addEventListener("blur", () => light(null, 0));
  }
  diagram.addEventListener("keydown", (event) => moveFocus(diagram, event));
  return [
    element("h3", {}, t("tableTitle")), said, element("div", { class: "wide" }, diagram),
    element("div", { class: "wide" }, table), element("p", { class: "hint" }, t("tableWhy")),
  ];
}

function sourcesFor(s2) {
  return FACTS.table.flatMap((maps, map) => (maps.includes(s2) ? [map] : []));
}

function svg(name, attributes, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** The six maps of S2 above, the sixteen of C3 below, a line for each pair of Table I. */
function wiring(app) {
  const s2 = (map) => ((map + 0.5) * WIDTH) / 6;
  const c3 = (map) => ((map + 0.5) * WIDTH) / FACTS.table.length;
  const lines = FACTS.table.flatMap((maps, to) =>
    maps.map((from) =>
      svg("path", {
        d: `M${s2(from)} 66 C${s2(from)} 130 ${c3(to)} 130 ${c3(to)} 190`, class: "wire", "data-from": from, "data-to": to,
      }),
    ),
  );
  const node = (side, map, x, y, size) =>
    svg(
      "g",
      { class: "node", tabindex: map === 0 ? "0" : "-1", role: "img", "data-side": side, "data-map": map, "aria-label": said(side, map) },
      thumbnail(app, side, map, x - size / 2, y, size),
      svg("rect", { x: x - size / 2, y, width: size, height: size }),
      svg("text", { x, y: side === "s2" ? y - 5 : y + size + 15, "text-anchor": "middle" }, document.createTextNode(map)),
    );
  const titles = [svg("text", { x: 0, y: 12, class: "side" }, "S2"), svg("text", { x: 0, y: HEIGHT - 44 - 26, class: "side" }, "C3")];
  const nodes = [
    ...[0, 1, 2, 3, 4, 5].map((map) => node("s2", map, s2(map), 18, 48)),
    ...FACTS.table.map((_, map) => node("c3", map, c3(map), 190, 40)),
  ];
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "wiring", role: "group", "aria-label": t("wiringLabel") }, ...titles, ...lines, ...nodes);
}

function said(side, map) {
  const maps = (side === "c3" ? FACTS.table[map] : sourcesFor(map)).join(", ");
  return t(side === "c3" ? "wiringC3" : "wiringS2", { map, maps });
}

/** A map's present values as an image in the diagram. */
function thumbnail(app, side, map, x, y, size) {
  const cells = side === "s2" ? 14 : 10;
  const values = app.values.lenet5 ? app.values.lenet5[side].subarray(map * cells * cells, (map + 1) * cells * cells) : new Float32Array(cells * cells);
  const canvas = element("canvas", {});
  new Maps(canvas, { maps: 1, rows: cells, columns: cells, across: 1, unit: 6, gap: 0, range: FACTS.amplitude }).paint(values);
  return svg("image", { x, y, width: size, height: size, href: canvas.toDataURL() });
}

/** Table I: a row for each S2 map, a column for each C3 map, a kernel for each cross. */
function kernelTable(app) {
  const { arrays } = app.weights.lenet5;
  const most = rangeOf(arrays["c3.weight"]);
  const heads = FACTS.table.map((_, map) => element("th", { scope: "col", "data-side": "c3", "data-map": map }, String(map)));
  const rows = [0, 1, 2, 3, 4, 5].map((from) =>
    element(
      "tr",
      {},
      element("th", { scope: "row", "data-side": "s2", "data-map": from }, String(from)),
      FACTS.table.map((maps, to) => {
        if (!maps.includes(from)) return element("td", { "aria-label": t("noConnection") });
        const kernel = kernelOf("lenet5", to, from);
        const label = t("kernelLabel", { from, map: to });
        const picture = pictureOf(arrays["c3.weight"].subarray(25 * kernel, 25 * kernel + 25), 5, 5, { unit: 7 * app.larger, range: most, label });
        return element("td", { "data-side": "c3", "data-map": to, "data-from": from, "data-to": to }, picture);
      }),
    ),
  );
  return element("table", { class: "table-i" }, element("thead", {}, element("tr", {}, element("td", {}, "S2 \\ C3"), heads)), element("tbody", {}, rows));
}

function lightUp(diagram, table, side, map) {
  const lit = (from, to) => (side === "c3" ? Number(to) === map : Number(from) === map);
  for (const node of [...diagram.querySelectorAll("[data-to]"), ...table.querySelectorAll("[data-to]")]) {
    node.classList.toggle("lit", side !== null && lit(node.dataset.from, node.dataset.to));
  }
  diagram.classList.toggle("pointed", side !== null);
  for (const node of [...diagram.querySelectorAll("g"), ...table.querySelectorAll("th")]) {
    const { side: other } = node.dataset;
    const its = Number(node.dataset.map);
    const joined = other === side ? its === map : side === "c3" ? FACTS.table[map].includes(its) : FACTS.table[its]?.includes(map);
    node.classList.toggle("lit", side !== null && Boolean(joined));
  }
}

/** Arrows go from map to map, up and down from layer to layer. */
function moveFocus(diagram, event) {
  const node = event.target.closest("g[data-side]");
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key] ?? 0;
  const side = { ArrowUp: "s2", ArrowDown: "c3" }[event.key];
  if (!node || (!step && !side)) return;
  event.preventDefault();
  const next = `g[data-side="${side ?? node.dataset.side}"][data-map="${side ? 0 : Number(node.dataset.map) + step}"]`;
  diagram.querySelector(next)?.focus();
}
