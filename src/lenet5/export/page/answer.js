// The answer: the 28×28 picture that the network sees, the digit, its probability, and those of all others.
import { element, pictureOf } from "./draw.js";
import { FACTS } from "./facts.js";
import { percent, t } from "./i18n.js";

const $ = (id) => document.getElementById(id);

/** Shows an answer to 28×28 levels; both are null where nothing is drawn. */
export function showAnswer(levels, answer, note) {
  $("label").textContent = answer ? (answer.label < 0 ? "?" : answer.label) : "–";
  const says = answer && t(answer.label < 0 ? "answerRefused" : "answerSure", { percent: percent(answer.p) });
  $("says").textContent = says ?? t("answerEmpty");
  $("source-note").textContent = note ? t(note) : "";
  const shown = levels ?? new Uint8Array(FACTS.side ** 2);
  $("seen").replaceChildren(pictureOf(shown, FACTS.side, FACTS.side, { unit: 4, range: 255, kind: "ink", label: t("seenLabel") }));
  showBars(answer?.all);
}

/** The paper's network's answer as a sentence. */
export function spokenAnswer(answer) {
  if (!answer) return t("answerEmptyLong");
  return t(answer.label < 0 ? "answerFullRefused" : "answerFull", { label: answer.label, percent: percent(answer.p) });
}

function showBars(all) {
  const names = [..."0123456789", t("notDigitShort")];
  const bars = names.map((name, k) => {
    const bar = element("i");
    bar.style.height = `${100 * (all?.[k] ?? 0)}%`;
    return element("span", { class: k === 10 ? "none" : null }, element("span", { class: "track" }, bar), name);
  });
  $("bars").replaceChildren(...bars);
  const list = names.map((name, k) => `${name}: ${percent(all?.[k] ?? 0)}%`).join(", ");
  $("bars").setAttribute("aria-label", `${t("probabilities")}. ${list}`);
}
