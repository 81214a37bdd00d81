// What a link holds: strokes or a picture, view, unit, language, theme. All of it stands after the #: no server sees it.
import { FACTS } from "./facts.js";

const VIEWS = ["unit", "lesson", "table", "kernels", "sizes", "pixels"];
const LAYERS = ["input", "c1", "s2", "c3", "s4", "c5", "f6", "output"];
const LEAST_PAUSE = 300; // milliseconds between changes of the address: browsers limit them

/** The state in an address's hash; what is unknown or unsound is left out. */
export function readState(hash) {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const state = {};
  const among = (key, values) => values.includes(given.get(key)) && (state[key] = given.get(key));
  among("view", VIEWS);
  among("lang", ["en", "zh"]);
  among("theme", ["light", "dark"]);
  among("beside", ["1"]);
  if (/^\d{1,2}$/.test(given.get("step") ?? "")) state.step = Number(given.get("step"));
  const unit = /^(lenet5|concise)\.(\w+)\.(\d{1,3})\.(\d{1,2})\.(\d{1,2})$/.exec(given.get("unit") ?? "");
  if (unit && LAYERS.includes(unit[2])) {
    const [map, row, column] = unit.slice(3).map(Number);
    state.unit = { network: unit[1], layer: unit[2], map, row, column };
  }
  if (given.has("strokes")) state.strokes = given.get("strokes");
  state.levels = decodedLevels(given.get("picture") ?? "");
  return state;
}

/** The hash of a state; nothing for what is as usual. */
export function hashOf({ strokes, levels, view, step, unit, lang, theme, beside }) {
  const given = new URLSearchParams();
  if (view && view !== "unit") given.set("view", view);
  if (view === "lesson" && step) given.set("step", step);
  if (unit) given.set("unit", [unit.network, unit.layer, unit.map, unit.row, unit.column].join("."));
  if (lang) given.set("lang", lang);
  if (theme) given.set("theme", theme);
  if (beside) given.set("beside", "1");
  if (strokes) given.set("strokes", strokes);
  else if (levels) given.set("picture", encodedLevels(levels));
  return `#${given}`;
}

/** 28×28 ink levels as text for a URL: base64 with its alphabet of URLs. */
export function encodedLevels(levels) {
  return btoa(String.fromCharCode(...levels)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The levels of such text; null of any other text. */
export function decodedLevels(text) {
  const count = FACTS.side ** 2;
  if (!/^[\w-]+$/.test(text) || text.length !== Math.ceil((count * 4) / 3)) return null;
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
}

let timer = null;

/** Writes the state into the address, a little later and once for many changes. */
export function keepState(stateOf) {
  clearTimeout(timer);
  timer = setTimeout(() => writeState(stateOf), LEAST_PAUSE);
}

/** Writes the state into the address at once. */
export function writeState(stateOf) {
  clearTimeout(timer);
  history.replaceState(null, "", hashOf(stateOf()));
}
