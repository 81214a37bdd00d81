// F6 as a picture beside the picture of each class: distances in the paper's network, weighted sums in the concise one.
import { element, pictureOf, rangeOf } from "./draw.js";
import { FACTS } from "./facts.js";
import { number, t } from "./i18n.js";
import { penaltiesOf } from "./posterior.js";

/** Draws the row of classes of one network. */
export class Codes {
  constructor(container, network, app) {
    Object.assign(this, { container, network, app, entries: [] });
  }

  /** Builds a button a class, for weights that may have changed. */
  build(weights) {
    const { larger } = this.app;
    const linear = weights.network === "concise";
    this.entries = [...weights.classes].map((label, map) => {
      const code = linear ? weights.arrays["output.weight"].subarray(84 * map, 84 * map + 84) : weights.codes[map];
      const value = element("span", { class: "value" });
      const unit = { network: this.network, layer: "output", map, row: 0, column: 0 };
      const bar = element("i");
      const button = element(
        "button",
        {
          type: "button", class: FACTS.separators.includes(label) ? "code aside" : "code", "data-class": label,
          onpointerenter: () => this.app.point(unit), onpointerleave: () => this.app.point(null),
          onfocus: () => this.app.point(unit), onblur: () => this.app.point(null),
          onclick: () => this.app.point(unit, true),
        },
        element("b", {}, label),
        pictureOf(code, 12, 7, { unit: 4 * larger, range: linear ? rangeOf(code) : 1.3 }),
        element("span", { class: "bar" }, bar),
        value,
      );
      return { button, value, bar, label };
    });
    this.f6 = element("div", { class: "code f6" });
    this.container.replaceChildren(this.f6, ...this.entries.map(({ button }) => button));
  }

  /** Shows the outputs; best is the place of the answer, if there is one. */
  draw(weights, values, best) {
    const range = weights.network === "concise" ? 1 : FACTS.amplitude;
    const picture = pictureOf(values ? values.f6 : new Float32Array(84), 12, 7, {
      unit: 8 * this.app.larger, range, label: t("f6Label"),
    });
    this.f6.replaceChildren(element("b", {}, "F6"), picture);
    const penalty = values && penaltiesOf(weights, values.output);
    const least = penalty ? Math.min(...penalty) : 0;
    const spread = penalty ? Math.max(...penalty) - least : 1;
    this.entries.forEach(({ button, value, bar, label }, k) => {
      const shown = values ? number(values.output[k], 1) : "–";
      value.textContent = shown;
      bar.style.width = values ? `${4 + (96 * (penalty[k] - least)) / Math.max(spread, 1e-6)}%` : "0";
      button.classList.toggle("best", k === best);
      const key = weights.network === "concise" ? "logitLabel" : "codeLabel";
      button.setAttribute("aria-label", t(key, { label, value: shown }));
    });
  }
}
