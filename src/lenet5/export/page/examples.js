// Examples at hand: drawings of this page, and digits of a test set that the weights misread.
import { element, pictureOf } from "./draw.js";
import { FACTS } from "./facts.js";
import { t } from "./i18n.js";
import { forward } from "./network.js";
import { answerOf } from "./posterior.js";
import { decodedLevels } from "./state.js";
import { curveThrough, levelsOf, trace } from "./strokes.js";

const GROUPS = [["digits", "examples"], ["hands", "hands"], ["misread", "misread"], ["hard", "hard"]];
const ICON = 64; // pixels of an example's side; its button scales it

/** Fills a container with a button for each example; clicked, they call draw(strokes) or see(levels). */
export class Examples {
  constructor(container, draw, see) {
    Object.assign(this, { container, draw, see, round: null });
  }

  /** Draws all buttons anew and names them by how these weights read them. */
  show(weights) {
    const groups = GROUPS.map(([group, title]) => {
      const examples = FACTS.examples.filter((example) => example.group === group);
      const buttons = examples.map((example) => this.button(example));
      return examples.length ? [element("div", { class: "examples", "data-group": group }, element("h2", {}, t(title)), buttons)] : [];
    });
    this.container.replaceChildren(...groups.flat());
    this.name(weights);
  }

  button(example) {
    const picture = example.levels ? iconOfLevels(example) : iconOfStrokes(example);
    const onclick = () => (example.levels ? this.see(imageOf(example)) : this.draw(curvesOf(example)));
    return element("button", { type: "button", "data-example": example.id, "aria-label": t("exampleOf", { name: thingOf(example) }), onclick }, picture);
  }

  /** Says of each example how the network reads it, one after another so that nothing waits for it. */
  async name(weights) {
    const round = (this.round = {});
    for (const example of FACTS.examples) {
      await new Promise((resolve) => setTimeout(resolve));
      if (this.round !== round) return; // the words or the weights have changed
      const levels = imageOf(example);
      const { label } = answerOf(weights, forward(weights, levels).output, levels);
      const name = t(label < 0 ? "isRefused" : "readAs", { thing: thingOf(example), read: label });
      const button = this.container.querySelector(`[data-example="${example.id}"]`);
      button.setAttribute("aria-label", t("exampleOf", { name }));
      button.title = name;
    }
  }
}

function thingOf({ thing, drawn }) {
  return thing ? t(thing) : t("aDigit", { drawn });
}

function curvesOf(example) {
  return (example.curves ??= example.strokes.map(curveThrough));
}

/** The 28×28 levels of an example. */
function imageOf(example) {
  return (example.image ??= example.levels ? decodedLevels(example.levels) : levelsOf(curvesOf(example)));
}

function iconOfLevels(example) {
  return pictureOf(imageOf(example), FACTS.side, FACTS.side, { unit: 2, range: 255, kind: "ink" });
}

function iconOfStrokes(example) {
  const canvas = element("canvas", { width: ICON, height: ICON, "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  context.fillStyle = context.strokeStyle = getComputedStyle(document.body).color;
  trace(context, curvesOf(example), ICON);
  return canvas;
}
