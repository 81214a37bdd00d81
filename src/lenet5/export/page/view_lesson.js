// From pixels to the answer, step by step: each step points at the unit that shows it best.
import { element, pictureOf } from "./draw.js";
import { FACTS } from "./facts.js";
import { shapeOf } from "./geometry.js";
import { number, t } from "./i18n.js";
import { unitView } from "./view_unit.js";

const STEPS = [
  { words: "lessonPixels" },
  { words: "lessonFrame", layer: "input" },
  { words: "lessonC1", layer: "c1" },
  { words: "lessonS2", layer: "s2" },
  { words: "lessonC3", layer: "c3" },
  { words: "lessonS4", layer: "s4" },
  { words: "lessonC5", layer: "c5" },
  { words: "lessonF6", layer: "f6" },
  { words: "lessonOutput", layer: "output" },
  { words: "lessonAnswer", layer: "output" },
];

/** How many steps there are. */
export const LAST_STEP = STEPS.length - 1;

/** The unit that a step points at: the most excited of its layer, in the output the nearest digit. */
export function unitOfStep(app, step) {
  const { layer } = STEPS[step];
  const values = app.values.lenet5;
  if (!layer || !values) return null;
  if (layer === "output") {
    const digits = values.output.subarray(0, 10);
    return { network: "lenet5", layer, map: digits.indexOf(Math.min(...digits)), row: 0, column: 0 };
  }
  const { rows, columns } = shapeOf("lenet5", layer);
  const k = values[layer].indexOf(values[layer].reduce((a, b) => Math.max(a, b)));
  const place = k % (rows * columns);
  return { network: "lenet5", layer, map: Math.floor(k / (rows * columns)), row: Math.floor(place / columns), column: place % columns };
}

/** Elements of the step that app.step names. */
export function lessonView(app, goTo) {
  const { words, layer } = STEPS[app.step];
  const [c1] = FACTS.networks.lenet5.counted;
  const values = {
    background: number(FACTS.background), foreground: number(FACTS.foreground), parameters: c1.parameters,
    connections: c1.connections.toLocaleString("en"), ...pairCounts(),
  };
  const button = (key, to, disabled) =>
    element("button", { type: "button", class: "go", disabled, "data-go": key, onclick: () => goTo(to) }, t(key));
  const bar = element(
    "nav",
    { class: "steps" },
    button("previous", app.step - 1, app.step === 0),
    element("b", {}, t("stepOf", { step: app.step + 1, steps: STEPS.length })),
    button("next", app.step + 1, app.step === LAST_STEP),
  );
  const detail = layer ? unitView(app, app.unit) : app.levels ? [pictureOf(app.levels, FACTS.side, FACTS.side, { unit: 8 * app.larger, range: 255, kind: "ink", label: t("seenLabel") })] : [];
  return [bar, element("p", { class: "lesson" }, t(words, values)), ...detail];
}

/** How many pairs of S2 and C3 maps Table I connects, and how many there are. */
export function pairCounts() {
  const connected = FACTS.table.reduce((sum, maps) => sum + maps.length, 0);
  return { connected, pairs: FACTS.table.length * shapeOf("lenet5", "s2").maps };
}
