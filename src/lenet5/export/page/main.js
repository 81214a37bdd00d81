// The page: what is drawn or opened → the networks → what is shown.
import { Codes } from "./codes.js";
import { element, pictureOf, themeInUse } from "./draw.js";
import { FACTS } from "./facts.js";
import { languageInUse, layerName, number, percent, speak, t } from "./i18n.js";
import { explain } from "./explain.js";
import { fieldsOf, shapeOf } from "./geometry.js";
import { forward } from "./network.js";
import { Board } from "./pen.js";
import { digitOf } from "./photo.js";
import { pictureIn, photograph, pixelsOf } from "./pictures.js";
import { answerOf } from "./posterior.js";
import { normalise, picture } from "./prepare.js";
import { readByService, readingView, readingWords } from "./service.js";
import { keepState, readState } from "./state.js";
import { magnification, Strip } from "./strip.js";
import { curveThrough, decoded, encoded, levelsOf, trace } from "./strokes.js";
import { kernelsView } from "./view_kernels.js";
import { lessonView, LAST_STEP, pairCounts, unitOfStep } from "./view_lesson.js";
import { occlusion, pixelsView } from "./view_pixels.js";
import { sizesView } from "./view_sizes.js";
import { tableView } from "./view_table.js";
import { nameOf, unitView } from "./view_unit.js";
import { Complaint, inflated, parseWeights } from "./weights.js";

const $ = (id) => document.getElementById(id);
const VIEWS = {
  unit: ["viewUnit", () => unitView(app, app.unit)],
  lesson: ["viewLesson", () => lessonView(app, goToStep)],
  table: ["viewTable", () => tableView(app)],
  kernels: ["viewKernels", () => kernelsView(app)],
  sizes: ["viewSizes", () => sizesView(app)],
  pixels: ["viewPixels", () => pixelsView(app)],
};
const LIVE = ["unit", "lesson"]; // views that follow the pen; the others wait for the end of a stroke

const app = {
  own: {}, // the page's own weights by network
  weights: {}, // those in use
  levels: null, // 28×28 ink levels, or null where nothing is drawn
  values: {}, // every layer's values by network
  answers: {},
  note: null, // what is said of how the picture was prepared: a key of the dictionary
  unit: null, // the unit that is shown
  pinned: false,
  view: "unit",
  step: 0,
  beside: false,
  larger: 1, // how many times the size of a laptop pictures are drawn
  point,
  say,
};
let board, strips, codes, reading;

async function start() {
  for (const network of Object.keys(FACTS.networks)) {
    const bytes = await inflated($(`weights-${network}`).textContent);
    app.own[network] = parseWeights(bytes, network, true);
    app.own[network].name = app.own[network].metadata.name;
  }
  app.weights = { ...app.own };
  app.larger = magnification();
  strips = Object.keys(app.own).map((network) => new Strip($(`strip-${network}`), network, app));
  codes = Object.keys(app.own).map((network) => new Codes($(`codes-${network}`), network, app));
  board = new Board($("board"), drawn);
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
  board.set(decoded(state.strokes ?? ""), false);
}

function isUnit({ network, layer, map, row, column }) {
  const { maps, rows, columns } = shapeOf(network, layer);
  return map < (layer === "output" ? app.weights[network].classes.length : maps) && row < rows && column < columns;
}

function stateOf() {
  const { view, step, beside, chosenLanguage: lang } = app;
  const unit = app.pinned ? app.unit : null;
  return { strokes: encoded(board.strokes), view, step, unit, beside, lang, theme: document.documentElement.dataset.theme };
}

/** New words everywhere. */
function translate(language) {
  speak(language);
  const rejects = { amplitude: FACTS.amplitude, ...pairCounts() };
  $("drop-hint").textContent = t(FACTS.service ? "dropService" : "drop");
  $("about").textContent = t(FACTS.service ? "footerService" : "footer", { version: FACTS.version });
  $("concise-differs").textContent = t("conciseDiffers", rejects);
  $("layout-choice").hidden = !FACTS.service;
  for (const strip of strips) strip.translate();
  showTabs();
  showExamples();
  showWeights();
  $("spoken").textContent = spokenAnswer();
  $("pointed").textContent = "";
  refresh(true);
}

// From strokes and pictures to answers

/** Strokes were drawn: done at the end of each. */
function drawn(strokes, done) {
  reading = null;
  app.note = null;
  see(levelsOf(strokes), done);
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
    $("spoken").textContent = spokenAnswer();
    keepState(stateOf);
  }
}

function spokenAnswer() {
  const answer = app.answers.lenet5;
  if (!answer) return t("answerEmptyLong");
  return t(answer.label < 0 ? "answerFullRefused" : "answerFull", { label: answer.label, percent: percent(answer.p) });
}

/** Opens a file: a picture, or weights. */
async function openFile(file, name = file?.name) {
  if (!file) return;
  notify("");
  try {
    if (/\.safetensors$/i.test(name) || !(await isPicture(file, name))) await openWeights(file, name);
    else await openPicture(file, name);
  } catch (error) {
    if (!(error instanceof Complaint)) throw error;
    notify(t(error.key, error.values));
  }
}

/** Whether a file is for the picture's opener: what has a type, or no name of weights. */
async function isPicture(file, name) {
  return file.type.startsWith("image/") || FACTS.service || !/\.(pt|pth|pkl|npz|bin|onnx|h5)$/i.test(name);
}

async function openPicture(file, name) {
  if (FACTS.service) return readFile(file, name);
  const pixels = await pixelsOf(file, name);
  lookAt(pixels.canvas, name);
  return undefined;
}

/** Reads the digit of a canvas, or of a box of it. */
function lookAt(canvas, name, box = [0, 0, canvas.width, canvas.height]) {
  const [left, top] = box.slice(0, 2).map(Math.floor);
  const [width, height] = [Math.max(1, Math.ceil(box[2]) - left), Math.max(1, Math.ceil(box[3]) - top)];
  const { data } = canvas.getContext("2d").getImageData(left, top, width, height);
  const digit = digitOf(data, width, height);
  if (!digit) throw new Complaint("noInk", { name });
  const keep = reading;
  board.set([], true);
  reading = keep;
  app.note = width === FACTS.side && height === FACTS.side ? "asGiven" : "simplePhoto";
  see(digit.levels, true);
}

/** On the service: the reader's reading, drawn over the picture. */
async function readFile(file, name) {
  notify(t("sending", { name }));
  const result = await readByService(file, name, $("layout").value);
  notify("");
  const pixels = await pixelsOf(file, name);
  board.set([], true);
  reading = { pixels, result, name };
  const digits = (result.lines ?? []).flat().filter(({ label }) => label !== undefined);
  if (digits.length === 1) lookAtBox(digits[0].box);
  refresh(true);
  $("spoken").textContent = readingWords(result, name);
}

/** The network's view of one digit that the reader read: its box with a margin. */
function lookAtBox(box) {
  const { pixels, name } = reading;
  const { canvas, scale } = pixels;
  const margin = 0.15 * Math.max(box[2] - box[0], box[3] - box[1]);
  const edges = [box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin].map((edge) => edge * scale);
  const limits = [0, 0, canvas.width, canvas.height];
  try {
    lookAt(canvas, name, edges.map((edge, k) => (k < 2 ? Math.max(edge, 0) : Math.min(edge, limits[k]))));
  } catch (error) {
    if (!(error instanceof Complaint)) throw error;
    notify(t(error.key, error.values));
  }
}

async function openWeights(file, name) {
  if (file.size > 1e8) throw new Complaint("wrongTooLarge", { name });
  const weights = parseWeights(await file.arrayBuffer(), name);
  const { network, classes, arrays } = weights;
  useWeights(weights);
  const parameters = Object.values(arrays).reduce((sum, array) => sum + array.length, 0);
  notify(t("weightsLoaded", { name, parameters: parameters.toLocaleString("en"), classes: classes.length }), true);
  if (network === "concise") setBeside(true);
}

/** Puts weights in the place of those of their network. */
function useWeights(weights) {
  app.weights = { ...app.weights, [weights.network]: weights };
  if (app.unit && !isUnit(app.unit)) app.unit = null;
  showWeights();
  showExamples();
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
  const { label, p, all } = app.answers.lenet5 ?? {};
  $("draw-here").hidden = board.strokes.length > 0 || Boolean(app.levels);
  $("label").textContent = app.levels ? (label < 0 ? "?" : label) : "–";
  const key = label < 0 ? "answerRefused" : "answerIs";
  $("says").textContent = app.levels ? t(key, { label, percent: percent(p) }) : t("answerEmpty");
  $("source-note").textContent = app.note ? t(app.note) : app.levels ? "" : t("answerEmptyLong");
  const levels = app.levels ?? new Uint8Array(FACTS.side ** 2);
  $("seen").replaceChildren(pictureOf(levels, FACTS.side, FACTS.side, { unit: 4, range: 255, kind: "ink", label: t("seenLabel") }));
  showBars(all);
  strips.forEach((strip) => (strip.network === "lenet5" || app.beside) && strip.draw(app.values[strip.network], app.unit));
  codes.forEach((row) => {
    if (row.network === "concise" && !app.beside) return;
    const answer = app.answers[row.network];
    row.draw(app.weights[row.network], app.values[row.network], answer ? answer.label : -1);
  });
  const concise = app.answers.concise;
  $("concise").hidden = !app.beside;
  $("concise-says").textContent = concise ? t("answerIs", { label: concise.label, percent: percent(concise.p) }) : "";
  if (everything) showReading();
  if (everything || LIVE.includes(app.view)) showView();
}

function showBars(all) {
  const names = [..."0123456789", t("notDigitShort")];
  $("bars").replaceChildren(
    ...names.map((name, k) => {
      const bar = element("i", {});
      bar.style.height = `${100 * (all?.[k] ?? 0)}%`;
      return element("span", { class: k === 10 ? "none" : null }, element("span", { class: "track" }, bar), name);
    }),
  );
  const list = names.map((name, k) => `${name}: ${percent(all?.[k] ?? 0)}%`).join(", ");
  $("bars").setAttribute("aria-label", `${t("probabilities")}. ${list}`);
}

function showReading() {
  $("reading").hidden = !reading;
  if (reading) $("reading-body").replaceChildren(...readingView(reading.pixels, reading.result, reading.name, lookAtBox));
}

function showView() {
  const focused = $("panel").contains(document.activeElement) ? document.activeElement.dataset.go : null;
  $("panel").replaceChildren(...VIEWS[app.view][1]());
  if (focused) $("panel").querySelector(`[data-go="${focused}"]:not([disabled])`)?.focus();
}

function showTabs() {
  const tabs = Object.entries(VIEWS).map(([view, [key]]) =>
    element(
      "button",
      {
        type: "button", role: "tab", id: `tab-${view}`, "aria-controls": "panel", "aria-selected": String(view === app.view),
        tabindex: view === app.view ? "0" : "-1", onclick: () => goToView(view),
      },
      t(key),
    ),
  );
  $("tabs").replaceChildren(...tabs);
  $("panel").setAttribute("aria-labelledby", `tab-${app.view}`);
}

function goToView(view, focus = false) {
  app.view = view;
  if (view === "lesson") {
    goToStep(app.step);
    document.querySelector(".maps").scrollIntoView();
  }
  showTabs();
  if (focus) $(`tab-${view}`).focus();
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

function showExamples() {
  const groups = [["digits", "examples"], ["hands", "hands"], ["hard", "hard"]];
  $("examples").replaceChildren(
    ...groups.map(([group, title]) =>
      element(
        "div", { class: "examples" }, element("h2", {}, t(title)),
        FACTS.examples.filter((example) => example.group === group).map(exampleButton),
      ),
    ),
  );
  nameExamples();
}

function exampleButton(example) {
  const strokes = (example.curves ??= example.strokes.map(curveThrough));
  const canvas = element("canvas", { width: "64", height: "64", "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  context.fillStyle = context.strokeStyle = getComputedStyle(document.body).color;
  trace(context, strokes, 64);
  return element("button", { type: "button", "data-example": example.id, onclick: () => board.set(strokes) }, canvas);
}

let naming = null;

/** Says of each example how the network reads it, one after another so that nothing waits for it. */
async function nameExamples() {
  const round = (naming = {});
  for (const example of FACTS.examples) {
    const thing = example.thing ? t(example.thing) : t("aDigit", { drawn: example.drawn });
    const button = document.querySelector(`[data-example="${example.id}"]`);
    button.setAttribute("aria-label", t("exampleOf", { name: thing }));
  }
  for (const example of FACTS.examples) {
    await new Promise((resolve) => setTimeout(resolve));
    if (naming !== round) return; // the words or the weights have changed
    const levels = (example.levels ??= levelsOf(example.curves));
    const { label } = answerOf(app.weights.lenet5, forward(app.weights.lenet5, levels).output, levels);
    const thing = example.thing ? t(example.thing) : t("aDigit", { drawn: example.drawn });
    const name = t(label < 0 ? "isRefused" : "readAs", { thing, read: label });
    const button = document.querySelector(`[data-example="${example.id}"]`);
    button.setAttribute("aria-label", t("exampleOf", { name }));
    button.title = name;
  }
}

function showWeights() {
  const { metadata } = app.weights.lenet5;
  const name = Object.values(app.weights).map((weights) => weights.name).join(", ");
  const values = { recipe: metadata.recipe ?? "?", passes: metadata.passes ?? "?", trained: metadata.trained_on ?? "" };
  const own = Object.values(app.weights).every((weights) => weights === app.own[weights.network]);
  $("weights-name").textContent = t("ownWeights", { name });
  $("weights-facts").textContent = t("weightsFacts", values) + (FACTS.int8 && app.weights.lenet5 === app.own.lenet5 ? ` ${t("rounded")}` : "");
  $("bundled").hidden = own;
  const { j, classes } = app.weights.lenet5;
  const notes = [Number.isFinite(j) ? t("rejectAt", { j: number(j, 1) }) : null, classes.length > 10 ? t("separatorsAside") : null];
  $("aside-note").textContent = notes.filter(Boolean).join(" · ");
  for (const row of codes) row.build(app.weights[row.network]);
}

function setBeside(on) {
  app.beside = on;
  $("beside").checked = on;
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
  const { unit } = app;
  if (!unit) return;
  const values = app.values[unit.network];
  const value = values ? number(explain(app.weights[unit.network], values, unit).x) : layerName(unit.layer);
  $("pointed").textContent = t("unitSays", { name: nameOf(unit, app.weights[unit.network]), value });
}

function notify(words, good = false) {
  $("notice").textContent = words;
  $("notice").classList.toggle("good", good);
}

// Events

function listen() {
  const on = (id, does) => $(id).addEventListener("click", does);
  on("undo", () => board.undo());
  on("clear", () => (board.strokes.length ? board.clear() : board.set([])));
  on("open", () => $("file").click());
  on("camera", () => takePhoto());
  on("open-weights", () => $("weights-file").click());
  on("bundled", () => {
    for (const weights of Object.values(app.own)) useWeights(weights);
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
  $("beside").addEventListener("change", (event) => setBeside(event.target.checked));
  $("tabs").addEventListener("keydown", moveTab);
  for (const id of ["file", "camera-file", "weights-file"]) {
    $(id).addEventListener("change", (event) => {
      openFile(event.target.files[0]);
      event.target.value = "";
    });
  }
  listenToPage();
}

function listenToPage() {
  document.addEventListener("paste", (event) => {
    const file = pictureIn(event.clipboardData);
    if (file) openFile(file, file.type.startsWith("image/") ? t("pasted") : file.name);
    else notify(t("nothingPasted"));
  });
  for (const name of ["dragenter", "dragover"]) document.addEventListener(name, (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    openFile(pictureIn(event.dataTransfer));
  });
  // The event names the link that was followed: the address itself may have been rewritten since.
  addEventListener("hashchange", (event) => takeState(readState(new URL(event.newURL).hash)));
  addEventListener("resize", () => {
    app.larger = magnification();
    for (const strip of strips) strip.layOut();
    for (const row of codes) row.build(app.weights[row.network]);
    refresh(true);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
}

/** Canvases take on the colours of the theme. */
function recolour() {
  board.draw();
  for (const row of codes) row.build(app.weights[row.network]);
  showExamples();
  refresh(true);
}

function moveTab(event) {
  const views = Object.keys(VIEWS);
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step) return;
  event.preventDefault();
  goToView(views[(views.indexOf(app.view) + step + views.length) % views.length], true);
}

async function takePhoto() {
  notify("");
  try {
    const photo = await photograph($("dialog"));
    if (photo) await openFile(photo, t("photographed"));
  } catch (error) {
    if (!(error instanceof Complaint)) throw error;
    notify(t(error.key, error.values));
    if (matchMedia("(pointer: coarse)").matches) $("camera-file").click();
  }
}

async function share() {
  app.chosenLanguage ??= languageInUse();
  keepState(stateOf);
  await new Promise((resolve) => setTimeout(resolve, 350));
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
  see: (levels) => see(Uint8Array.from(levels), true),
};
