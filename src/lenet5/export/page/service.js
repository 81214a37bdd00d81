// On lenet5 serve: pictures and pages go to the reader, and its reading is drawn over them.
import { element } from "./draw.js";
import { percent, t } from "./i18n.js";
import { Complaint } from "./weights.js";

const WIDEST = 900; // pixels of the shown picture

/** The results of POST v1/read for a file, one a page. Throws a Complaint with the service's own words. */
export async function readByService(blob, name, layout) {
  let reply;
  let answer = {};
  try {
    const headers = { "Content-Type": blob.type || "application/octet-stream" };
    reply = await fetch(`v1/read?layout=${layout}`, { method: "POST", headers, body: blob });
    answer = await reply.json();
  } catch {
    const reason = reply ? `${reply.status} ${reply.statusText}` : t("serviceGone");
    throw new Complaint("serviceFailed", { name, reason });
  }
  const [first] = answer.results ?? [];
  const reason = answer.error ?? first?.error ?? (first ? null : `${reply.status} ${reply.statusText}`);
  if (reason) throw new Complaint("serviceFailed", { name, reason });
  return answer.results;
}

/** A reading {pixels, results, name} in words, its pages one after another. */
export function readingWords({ results, name }) {
  return pagesInWords(results, name).join(" ");
}

function pagesInWords(results, name) {
  return results.map(({ page, text, confidence, error }, k) => {
    const read = { text: text?.replaceAll("\n", " / "), percent: percent(confidence ?? 0) };
    const words = error ?? (text ? t("readingOf", read) : t("readingNothing", { name }));
    return results.length > 1 ? t("readingPage", { page: page ?? k + 1, words }) : words;
  });
}

/** Elements of a reading: the words of each page, and over the picture of the first one, where there is one, its digits. */
export function readingView({ pixels, results, name }, look) {
  const words = pagesInWords(results, name).map((page) => element("p", { class: "read-text" }, page));
  return [...words, ...(pixels ? readPicture(pixels, results[0], look) : [element("p", { class: "hint" }, t("notShown"))])];
}

/** A picture with its reading drawn over it; look(box) is called for a digit that is clicked. */
function readPicture({ canvas, scale }, result, look) {
  const marks = (result.lines ?? []).flat();
  const shown = Math.min(1, WIDEST / canvas.width);
  const picture = element("canvas", { role: "img", "aria-label": t("readingLabel") });
  Object.assign(picture, { width: canvas.width, height: canvas.height });
  const context = picture.getContext("2d");
  context.drawImage(canvas, 0, 0);
  const line = Math.max(2, Math.round(canvas.width / 400));
  const buttons = marks.filter(({ label }) => label !== undefined).map((mark) => {
    const [left, top, right, bottom] = mark.box.map((edge) => edge * scale);
    context.lineWidth = line;
    context.strokeStyle = colour(mark.confidence);
    context.strokeRect(left, top, right - left, bottom - top);
    const button = element(
      "button",
      { type: "button", class: "read-box", title: `${mark.label} ${percent(mark.confidence)}%`, onclick: () => look(mark.box) },
      element("span", {}, mark.label),
    );
    const part = (value, whole) => `${(100 * value) / whole}%`;
    Object.assign(button.style, {
      left: part(left, canvas.width), top: part(top, canvas.height),
      width: part(right - left, canvas.width), height: part(bottom - top, canvas.height),
      color: colour(mark.confidence),
    });
    return button;
  });
  const frame = element("div", { class: "read-frame" }, picture, buttons);
  frame.style.maxWidth = `${canvas.width * shown}px`;
  return buttons.length ? [frame, element("p", { class: "hint" }, t("readingHint"))] : [frame];
}

function colour(confidence) {
  return confidence >= 0.99 ? "#15803d" : confidence >= 0.9 ? "#b45309" : "#dc2626";
}
