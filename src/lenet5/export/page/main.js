// The page: what is drawn or opened → the networks → what is shown.
import { showAnswer, spokenAnswer } from "./answer.js";
import { Codes } from "./codes.js";
import { themeInUse } from "./draw.js";
import { Examples } from "./examples.js";
import { explain } from "./explain.js";
import { FACTS } from "./facts.js";
import { fieldsOf, shapeOf } from "./geometry.js";
import { languageInUse, layerName, number, percent, speak, t } from "./i18n.js";
import { forward } from "./network.js";
import { complaining, lookAtBox, openFile } from "./open.js";
import { Board } from "./pen.js";
import { digitOf } from "./photo.js";
import { pictureIn, photograph } from "./pictures.js";
import { answerOf } from "./posterior.js";
import { normalise, picture } from "./prepare.js";
import { readingView, readingWords } from "./service.js";
import { keepState, readState, writeState } from "./state.js";
import { magnification, Strip } from "./strip.js";
import { decoded, encoded, levelsOf } from "./strokes.js";
import { LAST_STEP, pairCounts, unitOfStep } from "./view_lesson.js";
import { occlusion } from "./view_pixels.js";
import { nameOf } from "./view_unit.js";
import { Views } from "./views.js";
import { inflated, parseWeights } from "./weights.js";

const $ = (id) => document.getElementById(id);

const MAPS_AND_PANEL = "(min-width: 60.01rem)"; // windows in which both can be in sight

const app = {
  embedded: {}, // the weights that the page came with, by network
  weights: {}, // those in use
  levels: null, // 28×28 ink levels, or null where nothing is drawn
  values: {}, // every layer's values by network
  answers: {},
  reading: null, // of the service: {pixels, results, name}
  unit: null, // the unit that is shown
  pinned: false,
  view: "unit",
  step: 0,
  beside: false,
  larger: 1, // how many times the size of a laptop pictures are drawn
  panelInSight: true,
  goToStep, notify, point, say, showPicture, showReading, useWeights,
};
let board, strips, codes, examples, views;

async function start() {
  for (const network of Object.keys(FACTS.networks)) {
    const bytes = await inflated($(`weights-${network}`).textContent);
    app.embedded[network] = parseWeights(bytes, network, true);
    app.embedded[network].name = app.embedded[network].metadata.name;
  }
  app.weights = { ...app.embedded };
  app.larger = magnification();
  strips = Object.keys(app.embedded).map((network) => new Strip($(`strip-${network}`), network, app));
  codes = Object.keys(app.embedded).map((network) => new Codes($(`codes-${network}`), network, app));
  board = new Board($("board"), drawn);
  examples = new Examples($("examples"), (strokes) => board.set(strokes), (levels) => showPicture(levels, "testDigit"));
  views = new Views($("tabs"), $("panel"), goToView);
  listen();
  takeState(readState(location.hash));
  document.documentElement.dataset.ready = "yes";
}

/** Puts the page into a state: of its address, at the start or when a link of it is followed. */
function takeState(state) {
  if (state.theme) document.documentElement.dataset.theme = state.theme;
  const preferred = navigator.language?.startsWith("zh") ? "zh" : "en";
  app.chosenLanguage = state.lang ?? null;
  app.beside = Boolean(state.beside);
  app.view = state.view ?? "unit";
  app.step = Math.min(state.step ?? 0, LAST_STEP);
  app.unit = state.unit && isUnit(state.unit) ? state.unit : null;
  app.pinned = Boolean(app.unit);
  $("beside").checked = app.beside;
  translate(state.lang ?? preferred);
  board.restore({ strokes: decoded(state.strokes ?? ""), picture: state.levels && { levels: state.levels, note: null } });
}

function isUnit({ network, layer, map, row, column }) {
  const { maps, rows, columns } = shapeOf(network, layer);
  return map < (layer === "output" ? app.weights[network].classes.length : maps) && row < rows && column < columns;
}

function stateOf() {
  const { view, step, beside, chosenLanguage: lang } = app;
  const unit = app.pinned ? app.unit : null;
  const { theme } = document.documentElement.dataset;
  return { strokes: encoded(board.strokes), levels: board.picture?.levels, view, step, unit, beside, lang, theme };
}

/** New words everywhere. */
function translate(language) {
  speak(language);
  $("drop-hint").textContent = t(FACTS.service ? "dropService" : "drop");
  $("about").textContent = t(FACTS.service ? "footerService" : "footer", { version: FACTS.version });
  $("concise-differs").textContent = t("conciseDiffers", { amplitude: FACTS.amplitude, ...pairCounts() });
  $("layout-choice").hidden = !FACTS.service;
  for (const strip of strips) strip.translate();
  views.showTabs(app.view);
  showWeights();
  $("spoken").textContent = spokenAnswer(app.answers.lenet5);
  $("pointed").textContent = "";
  refresh(true);
}

// From strokes and pictures to answers

/** The board has changed: done at the end of each stroke. */
function drawn(done) {
  app.reading = null;
  see(board.picture ? board.picture.levels : levelsOf(board.strokes), done);
}

/** Shows what the networks make of 28×28 ink levels. */
function see(levels, done) {
  app.levels = levels;
  for (const network of Object.keys(app.weights)) {
    const runs = levels && (network === "lenet5" || app.beside);
    app.values[network] = runs ? forward(app.weights[network], levels) : null;
    app.answers[network] = runs ? answerOf(app.weights[network], app.values[network].output, levels) : null;
  }
  if (app.view === "lesson") app.unit = unitOfStep(app, app.step);
  refresh(done);
  if (done) {
    $("spoken").textContent = spokenAnswer(app.answers.lenet5);
    keepState(stateOf);
  }
}

/** Puts a picture in the place of strokes; note says how it was prepared, a key of the dictionary. */
function showPicture(levels, note) {
  const { reading } = app;
  board.set([], { levels, note });
  app.reading = reading;
}

/** Shows what the service read, in the place of all that was on the board. */
function showReading(reading) {
  board.set([]);
  app.reading = reading;
  refresh(true);
  $("spoken").textContent = readingWords(reading);
}

/** Puts weights in the place of those of their network. */
function useWeights(weights) {
  app.weights = { ...app.weights, [weights.network]: weights };
  if (app.unit && !isUnit(app.unit)) app.unit = null;
  if (weights.network === "concise" && weights !== app.embedded.concise) app.beside = $("beside").checked = true;
  showWeights();
  see(app.levels, true);
}

// What is shown

let waiting = 0;
let waitsForAll = false;

/** Draws everything anew before the next frame; with all also the views that do not follow the pen. */
function refresh(all) {
  waitsForAll ||= all;
  if (waiting) return;
  waiting = requestAnimationFrame(() => {
    waiting = 0;
    const everything = waitsForAll;
    waitsForAll = false;
    show(everything);
  });
}

function show(everything) {
  $("draw-here").hidden = board.strokes.length > 0 || Boolean(app.levels);
  showAnswer(app.levels, app.answers.lenet5, board.picture?.note);
  $("concise").hidden = !app.beside;
  const { concise } = app.answers;
  $("concise-says").textContent = concise ? t("answerIs", { label: concise.label, percent: percent(concise.p) }) : "";
  for (const strip of strips) if (!$(`strip-${strip.network}`).closest("[hidden]")) strip.draw(app.values[strip.network], app.unit);
  for (const row of codes) if (row.network === "lenet5" || app.beside) row.draw(app.weights[row.network], app.values[row.network], app.answers[row.network]?.label);
  if (everything) {
    $("reading").hidden = !app.reading;
    if (app.reading) $("reading-body").replaceChildren(...readingView(app.reading, (box) => lookAtBox(app, app.reading, box)));
  }
  views.show(app, everything);
  showPeek();
}

function showWeights() {
  const { metadata, j, classes } = app.weights.lenet5;
  const name = Object.values(app.weights).map((weights) => weights.name).join(", ");
  const values = { recipe: metadata.recipe ?? "?", passes: metadata.passes ?? "?", trained: metadata.trained_on ?? "" };
  const rounded = FACTS.int8 && app.weights.lenet5 === app.embedded.lenet5;
  $("weights-name").textContent = t("ownWeights", { name });
  $("weights-facts").textContent = t("weightsFacts", values) + (rounded ? ` ${t("rounded")}` : "");
  $("bundled").hidden = Object.values(app.weights).every((weights) => weights === app.embedded[weights.network]);
  const notes = [Number.isFinite(j) ? t("rejectAt", { j: number(j, 1) }) : null, classes.length > 10 ? t("separatorsAside") : null];
  $("aside-note").textContent = notes.filter(Boolean).join(" · ");
  for (const row of codes) row.build(app.weights[row.network]);
  examples.show(app.weights.lenet5);
}

/** Where the sum of a unit is out of sight, as on a phone, a line with its value stands at the window's edge. */
function showPeek() {
  const words = app.view === "unit" && !app.panelInSight ? unitWords() : null;
  $("peek").hidden = !words;
  if (words) $("peek").textContent = `${words} ↓`;
}

function goToView(view) {
  app.view = view;
  if (view === "lesson") {
    app.goToStep(app.step);
    if (matchMedia(MAPS_AND_PANEL).matches) document.querySelector(".maps").scrollIntoView();
  }
  views.showTabs(view);
  refresh(true);
  keepState(stateOf);
}

function goToStep(step) {
  app.step = step;
  app.pinned = false;
  app.unit = unitOfStep(app, step);
  refresh(true);
  keepState(stateOf);
}

function setBeside(on) {
  app.beside = on;
  if (!on && app.unit?.network === "concise") app.unit = null;
  see(app.levels, true);
}

/** A unit is pointed at, or with pin clicked; the last one stays until another is. */
function point(unit, pin = false) {
  const same = unit && app.unit && Object.keys(unit).every((key) => unit[key] === app.unit[key]);
  if (pin) {
    app.pinned = Boolean(unit) && !(app.pinned && same);
    app.unit = unit;
    if (unit && app.view !== "unit" && app.view !== "lesson") goToView("unit");
    keepState(stateOf);
  } else if (!unit || app.pinned || same) return;
  else app.unit = unit;
  refresh(false);
}

/** Says the unit that the keyboard is at. */
function say() {
  $("pointed").textContent = unitWords() ?? "";
}

/** The name of the unit that is shown, and its value. */
function unitWords() {
  const { unit } = app;
  if (!unit) return null;
  const values = app.values[unit.network];
  const value = values ? number(explain(app.weights[unit.network], values, unit).x) : layerName(unit.layer);
  return t("unitSays", { name: nameOf(unit, app.weights[unit.network]), value });
}

function notify(words, good = false) {
  $("notice").textContent = words;
  $("notice").classList.toggle("good", good);
}

// Events

function listen() {
  const on = (id, does) => $(id).addEventListener("click", does);
  on("undo", () => board.undo());
  on("clear", () => board.set([]));
  on("open", () => $("file").click());
  on("camera", takePhoto);
  on("open-weights", () => $("weights-file").click());
  on("bundled", () => {
    for (const weights of Object.values(app.embedded)) useWeights(weights);
    notify("");
  });
  on("language", () => {
    app.chosenLanguage = languageInUse() === "en" ? "zh" : "en";
    translate(app.chosenLanguage);
    notify("");
    keepState(stateOf);
  });
  on("theme", () => {
    document.documentElement.dataset.theme = themeInUse() === "dark" ? "light" : "dark";
    recolour();
    keepState(stateOf);
  });
  on("share", share);
  on("peek", () => $("tabs").scrollIntoView());
  $("beside").addEventListener("change", (event) => setBeside(event.target.checked));
  if (FACTS.service) $("file").accept = "image/*,application/pdf";
  for (const id of ["file", "camera-file", "weights-file"]) {
    $(id).addEventListener("change", (event) => {
      if (event.target.files.length) openFile(app, event.target.files[0]);
      event.target.value = "";
    });
  }
  listenToPage();
}

function listenToPage() {
  document.addEventListener("paste", (event) => {
    const file = pictureIn(event.clipboardData);
    if (file) openFile(app, file, file.type.startsWith("image/") ? t("pasted") : file.name);
    else notify(t("nothingPasted"));
  });
  for (const name of ["dragenter", "dragover"]) document.addEventListener(name, (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    const file = pictureIn(event.dataTransfer);
    if (file) openFile(app, file);
    else notify(t("nothingDropped"));
  });
  // The event names the link that was followed: the address itself may have been rewritten since.
  addEventListener("hashchange", (event) => takeState(readState(new URL(event.newURL).hash)));
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return; // a phone's address bar comes and goes
    width = innerWidth;
    app.larger = magnification();
    for (const strip of strips) strip.layOut();
    for (const row of codes) row.build(app.weights[row.network]);
    refresh(true);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  new IntersectionObserver(([{ isIntersecting }]) => {
    app.panelInSight = isIntersecting;
    showPeek();
  }).observe($("panel"));
}

/** Canvases take on the colours of the theme. */
function recolour() {
  board.draw();
  showWeights();
  refresh(true);
}

/** A photo: by the device's own camera program where there is one, as on phones, or by the browser. */
async function takePhoto() {
  if (matchMedia("(pointer: coarse)").matches) return $("camera-file").click();
  notify("");
  return complaining(app, async () => {
    const photo = await photograph($("dialog"));
    if (photo) await openFile(app, photo, t("photographed"));
  });
}

async function share() {
  app.chosenLanguage ??= languageInUse();
  writeState(stateOf);
  try {
    await navigator.clipboard.writeText(location.href);
    notify(t("shared"), true);
  } catch {
    notify(t("shareFailed"), true);
  }
}

start();

/** The page's parts for the browser's console and for tests; levels are 784 numbers 0..255, ink 255. */
window.lenet5 = {
  facts: FACTS,
  weights: (network = "lenet5") => app.weights[network],
  forward: (levels, network = "lenet5") => forward(app.weights[network], levels),
  answer: (levels, network = "lenet5") => answerOf(app.weights[network], forward(app.weights[network], levels).output, levels),
  prepare: (values, rows, columns) => normalise(picture(rows, columns, Float32Array.from(values))),
  digitOf,
  levelsOf,
  levels: () => app.levels,
  fields: (unit) => fieldsOf(unit.network, unit),
  occlusion: (levels, label, network = "lenet5") => occlusion(app.weights[network], levels, label),
  see: (levels) => showPicture(Uint8Array.from(levels), null),
};
