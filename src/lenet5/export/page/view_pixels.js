// Which pixels decided: the answer's lead with a square of the picture covered, at every place.
import { element, Maps, pictureOf, rangeOf, themeInUse } from "./draw.js";
import { FACTS } from "./facts.js";
import { number, t } from "./i18n.js";
import { forward } from "./network.js";
import { marginOf } from "./posterior.js";

const REACH = 2; // pixels covered to each side

/** {change (784,), margin, passes}: by how much covering the square around each pixel lowers the answer's lead. */
export function occlusion(weights, levels, label) {
  const { side } = FACTS;
  const margin = marginOf(weights, forward(weights, levels).output, label);
  const change = new Float32Array(side * side);
  let passes = 1;
  for (let row = 0, k = 0; row < side; row++) {
    for (let column = 0; column < side; column++, k++) {
      const covered = Uint8Array.from(levels);
      let any = false;
      for (let r = Math.max(0, row - REACH); r <= Math.min(side - 1, row + REACH); r++) {
        for (let c = Math.max(0, column - REACH); c <= Math.min(side - 1, column + REACH); c++) {
          any ||= covered[r * side + c] > 0;
          covered[r * side + c] = 0;
        }
      }
      if (!any) continue; // the picture is as before
      change[k] = margin - marginOf(weights, forward(weights, covered).output, label);
      passes++;
    }
  }
  return { change, margin, passes };
}

/** Elements of the view. */
export function pixelsView(app) {
  const heading = [element("h3", {}, t("pixelsTitle")), element("p", { class: "hint" }, t("pixelsHint"))];
  if (!app.levels) return [...heading, element("p", { class: "hint" }, t("unitEmpty"))];
  const networks = app.beside ? ["lenet5", "concise"] : ["lenet5"];
  return [...heading, element("div", { class: "grids" }, networks.map((network) => occlusionFigure(app, network)))];
}

function occlusionFigure(app, network) {
  const { label } = app.answers[network];
  const began = performance.now();
  const { change, margin, passes } = occlusion(app.weights[network], app.levels, label);
  const ms = Math.round(performance.now() - began);
  const name = label < 0 ? t("notDigit") : String(label);
  const range = rangeOf(change);
  const unit = 9 * app.larger;
  const map = pictureOf(change, FACTS.side, FACTS.side, { unit, range, label: t("pixelsLabel", { label: name }) });
  const over = element("canvas", { role: "img", "aria-label": t("pixelsOver") });
  const painter = new Maps(over, { maps: 1, rows: FACTS.side, columns: FACTS.side, across: 1, unit, gap: 0, range });
  painter.paint(change);
  inkOver(painter, app.levels);
  const words = t("pixelsTime", { passes, ms, margin: number(margin, 1), most: number(Math.max(...change), 1) });
  const title = t(network === "lenet5" ? "paperNetwork" : "conciseNetwork");
  return element(
    "figure", { class: "occlusion", "data-network": network },
    element("figcaption", {}, `${title}: ${name}`), map, " ", over, element("p", { class: "hint" }, words),
  );
}

/** Draws the picture's ink over the map, so that both can be seen. */
function inkOver({ context, unit }, levels) {
  context.fillStyle = themeInUse() === "dark" ? "#fff" : "#000";
  levels.forEach((level, k) => {
    const size = (unit * 0.6 * level) / 255;
    const [x, y] = [(k % FACTS.side) * unit, Math.floor(k / FACTS.side) * unit];
    if (size >= 1) context.fillRect(x + (unit - size) / 2, y + (unit - size) / 2, size, size);
  });
}
