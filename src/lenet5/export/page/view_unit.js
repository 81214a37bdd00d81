// One unit: where its value comes from, with the numbers filled in.
import { colourOf, element, pictureOf, rangeOf, textOn } from "./draw.js";
import { explain, stateFormula } from "./explain.js";
import { FACTS } from "./facts.js";
import { layerName, number, percent, t } from "./i18n.js";

const TERMS = 5; // of a long sum are written out

/** A unit's name in words. */
export function nameOf({ layer, map, row, column }, weights) {
  const values = { layer: layerName(layer), map, row, column };
  const key = weights.network === "concise" ? "weightsOf" : "code";
  if (layer === "output") return `${layerName(layer)}, ${t(key, { label: weights.classes[map] })}`;
  return t(layer === "c5" || layer === "f6" ? "unitNameFlat" : "unitName", values);
}

/** Elements that explain a unit. */
export function unitView(app, unit) {
  if (!unit) return [element("p", { class: "hint" }, t(app.levels ? "unitHint" : "unitEmpty"))];
  const weights = app.weights[unit.network];
  const values = app.values[unit.network];
  if (!values) return [element("p", { class: "hint" }, t("unitEmpty"))];
  const reasons = explain(weights, values, unit);
  const heading = element("h3", {}, nameOf(unit, weights), app.pinned ? element("small", {}, t("pinned")) : null);
  const parts = { input: inputParts, subsampling: fourParts, pooling: fourParts, rbf: codeParts }[reasons.kind] ?? sumParts;
  return [heading, ...parts(app, unit, reasons, weights)];
}

function line(words, formula) {
  return element("p", { class: "formula" }, element("span", {}, words), element("code", {}, formula));
}

function inputParts(app, { network, row, column }, { x }) {
  const frame = network === "lenet5" ? (FACTS.networks.lenet5.size - FACTS.side) / 2 : 0;
  const [r, c] = [row - frame, column - frame];
  const inside = r >= 0 && c >= 0 && r < FACTS.side && c < FACTS.side;
  const level = inside ? app.levels[r * FACTS.side + c] : 0;
  const words = inside ? t("inputUnit", { row: r, column: c, level, value: number(x) }) : t("frameUnit", { value: number(x) });
  return [element("p", {}, words)];
}

function fourParts(app, { network }, { kind, coefficient, bias, parts: [part], a, x }) {
  const terms = [...part.inputs].map((value) => signed(value)).join(" + ");
  const grid = numbers(part.inputs, 2, 2, range(app, network));
  const figure = element("div", { class: "grids" }, titled(sourceName(part), grid));
  if (kind === "pooling") return [line(t("poolingIs"), `(${terms}) / 4 = ${number(x)}`), figure];
  const sum = `a = ${number(coefficient)}·(${terms}) + ${signed(bias)} = ${number(a)}`;
  return [line(t("subsamplingIs"), sum), line(t("squashIs"), stateFormula(network, a, x, number)), figure];
}

function codeParts(app, unit, { parts: [part], x }, weights) {
  const label = weights.classes[unit.map];
  const first = [0, 1].map((k) => `(${number(part.inputs[k], 2)} − ${part.weights[k] < 0 ? `(${number(part.weights[k], 0)})` : number(part.weights[k], 0)})²`).join(" + ");
  const unitSize = 13 * app.larger;
  const grids = element(
    "div",
    { class: "grids" },
    titled("F6", pictureOf(part.inputs, 12, 7, { unit: unitSize, range: FACTS.amplitude })),
    titled(t("code", { label }), pictureOf(part.weights, 12, 7, { unit: unitSize, range: 1.3 })),
    titled(t("squaredDifferences", { sum: number(part.sum, 2) }), pictureOf(part.products, 12, 7, { unit: unitSize, range: 4 })),
  );
  return [line(t("rbfIs"), `y = Σ (x − w)² = ${first} + … = ${number(x, 2)}`), posteriorLine(app, unit, weights, label), grids];
}

function posteriorLine(app, unit, weights, label) {
  if (unit.map > 9) return element("p", {}, t("notCompeting", { label }));
  const p = app.answers[unit.network].all[unit.map];
  const values = { temperature: number(weights.temperature, 2), j: number(weights.j, 1) };
  const key = weights.network === "concise" ? "softmaxIs" : "posteriorIs";
  return line(t(key, values), `P(${label}) = ${percent(p)}%`);
}

function sumParts(app, { network, layer, map }, { kind, bias, parts, a, x }, weights) {
  const count = parts.reduce((sum, part) => sum + part.inputs.length, 0);
  const words = { convolution: t("convolutionIs"), full: t("fullIs", { count }), logit: t("logitIs") }[kind];
  const sums = parts.length > 8 ? [...parts.slice(0, 3).map(({ sum }) => signed(sum)), "…"] : parts.map(({ sum }) => signed(sum));
  const left = kind === "logit" ? "y" : "a";
  const lines = [line(words, `${left} = Σ w·x + b = ${sums.join(" + ")} + ${signed(bias)} = ${number(a)}`)];
  if (kind !== "logit") {
    lines.push(line(t(network === "lenet5" ? "squashIs" : "sigmoidIs"), stateFormula(network, a, x, number)));
  }
  if (layer === "c3") {
    const maps = parts.map((part) => part.map).join(", ");
    lines.push(element("p", { class: "hint" }, network === "lenet5" ? t("tableFeeds", { layer: "S2", maps }) : t("allFeed", { layer: "S2" })));
  }
  if (kind === "logit") lines.push(posteriorLine(app, { network, map }, weights, weights.classes[map]));
  const detail = parts.length === 1 && parts[0].inputs.length === 25 ? numberGrids : pictureGrids;
  return [...lines, ...detail(app, network, parts)];
}

/** A kernel's field, weights and products as numbers in coloured cells. */
function numberGrids(app, network, [part]) {
  return [
    element(
      "div",
      { class: "grids" },
      titled(t("inputs"), numbers(part.inputs, 5, 5, range(app, network))),
      element("span", { class: "sign" }, "×"),
      titled(t("kernel"), numbers(part.weights, 5, 5, rangeOf(part.weights))),
      element("span", { class: "sign" }, "="),
      titled(t("products", { sum: number(part.sum) }), numbers(part.products, 5, 5, rangeOf(part.products))),
    ),
  ];
}

/** Pictures of each map's field, weights and products, in rows, each with its sum. */
function pictureGrids(app, network, parts) {
  const weightRange = rangeOf(parts.flatMap((part) => [...part.weights]));
  const productRange = rangeOf(parts.flatMap((part) => [...part.products]));
  const unit = (parts.length > 8 ? 6 : parts.length > 1 ? 11 : 13) * app.larger;
  const cells = parts.map((part) =>
    element(
      "figure",
      { class: "triple" },
      pictureOf(part.inputs, part.rows, part.columns, { unit, range: range(app, network) }),
      "×",
      pictureOf(part.weights, part.rows, part.columns, { unit, range: weightRange }),
      "=",
      pictureOf(part.products, part.rows, part.columns, { unit, range: productRange }),
      element("figcaption", {}, parts.length > 1 ? `${sourceName(part)}: ${number(part.sum)}` : `Σ = ${number(part.sum)}`),
    ),
  );
  const all = parts.flatMap((part) => [...part.products]);
  const order = all.map((_, k) => k).sort((i, j) => Math.abs(all[j]) - Math.abs(all[i]));
  const terms = order.slice(0, TERMS).map((k) => {
    const part = parts[Math.floor(k / parts[0].inputs.length)];
    const place = k % parts[0].inputs.length;
    return `${signed(part.weights[place])}·${signed(part.inputs[place])}`;
  });
  const legend = `${t("inputs")} × ${t("weightsWord")}`;
  return [
    element("p", { class: "legend" }, legend, " · ", t("largestTerms", { terms: terms.join(", ") })),
    element("div", { class: "triples" }, cells),
  ];
}

function sourceName({ source, map }) {
  return source === "input" ? t("input") : source === "c5" || source === "f6" ? layerName(source) : t("sourceMap", { layer: layerName(source), map });
}

function titled(title, content) {
  return element("figure", {}, element("figcaption", {}, title), content);
}

/** Values as a table of coloured cells. */
function numbers(values, rows, columns, most) {
  const table = element("table", { class: "numbers" });
  for (let row = 0; row < rows; row++) {
    const cells = Array.from({ length: columns }, (_, column) => {
      const value = values[row * columns + column];
      const cell = element("td", {}, number(value, 2));
      cell.style.background = colourOf(value, most);
      cell.style.color = textOn(value, most);
      return cell;
    });
    table.append(element("tr", {}, cells));
  }
  return table;
}

function range(app, network) {
  return network === "lenet5" ? FACTS.amplitude : 1;
}

function signed(value) {
  return value < 0 ? `(${number(value)})` : number(value);
}
