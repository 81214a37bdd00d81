// Every weight as a picture.
import { element, Maps, mostOf } from "./draw.js";
import { number, t } from "./i18n.js";

/** Elements of the view. */
export function kernelsView(app) {
  const networks = app.beside ? ["lenet5", "concise"] : ["lenet5"];
  return [
    element("p", { class: "hint" }, t("kernelScale")),
    ...networks.flatMap((network) => [
      networks.length > 1 ? element("h3", {}, t(network === "lenet5" ? "paperNetwork" : "conciseNetwork")) : null,
      ...kernels(app.weights[network], app.larger),
    ].filter(Boolean)),
  ];
}

function kernels(weights, larger) {
  const { arrays, network, classes } = weights;
  const linear = network === "concise";
  const width = document.getElementById("panel").clientWidth;
  const group = (title, values, { unit, ...shape }) => kernelGroup(title, values, { unit: unit * larger, ...shape }, width);
  const groups = [group(t("kernelsC1"), arrays["c1.weight"], { rows: 5, columns: 5, unit: 9 })];
  if (!linear) groups.push(coefficients("s2", arrays));
  const count = arrays["c3.weight"].length / 25;
  groups.push(group(t("kernelsC3", { count }), arrays["c3.weight"], { rows: 5, columns: 5, unit: 5 }));
  if (!linear) groups.push(coefficients("s4", arrays));
  // Each column holds the 16 kernels of a unit, which stand one after another.
  groups.push(group(t("kernelsC5"), arrays["c5.weight"], { rows: 80, columns: 5, unit: 2, gap: 3 }));
  groups.push(group(t("kernelsF6"), arrays["f6.weight"], { rows: 10, columns: 12, unit: 4 }));
  const pictures = linear ? arrays["output.weight"] : weights.codes.flatMap((code) => [...code]);
  const title = linear ? t("kernelsLinear") : t("kernelsOutput", { count: classes.length });
  groups.push(group(title, pictures, { rows: 12, columns: 7, unit: 4, gap: 8 }));
  return groups;
}

function kernelGroup(title, values, { rows, columns, unit, gap = 6 }, width) {
  const maps = values.length / (rows * columns);
  const canvas = element("canvas", { role: "img", "aria-label": title });
  const across = Math.min(maps, Math.max(1, Math.floor((width + gap) / (columns * unit + gap))));
  new Maps(canvas, { maps, rows, columns, across, unit, gap, range: mostOf(values) }).paint(values);
  return element("figure", { class: "group" }, element("figcaption", {}, title), canvas);
}

function coefficients(layer, arrays) {
  const row = (title, values) =>
    element("tr", {}, element("th", { scope: "row" }, title), [...values].map((value) => element("td", {}, number(value, 2))));
  const named = [arrays[`${layer}.coefficient`], arrays[`${layer}.bias`]];
  const title = t("kernelsS", { layer: layer.toUpperCase() });
  const table = element("table", { class: "coefficients" }, row(t("coefficient"), named[0]), row(t("bias"), named[1]));
  return element("figure", { class: "group" }, element("figcaption", {}, title), element("div", { class: "wide" }, table));
}
