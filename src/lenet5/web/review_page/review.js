// The review: one doubtful field after another. What is typed is a draft of this tab until it is saved.
import { languageInUse, percent, reasonWords, ruleWords, speakIn, t } from "./words.js";

const PAUSE = 3000; // milliseconds between looks for new fields, where none is left
const $ = (id) => document.getElementById(id);
const who = sessionStorage.getItem("who") ?? crypto.getRandomValues(new Uint32Array(2)).join("-");

const app = {
  item: null, // the field that is shown
  state: null, // how far the review is
  despite: null, // the text that was said to break a rule, and is saved when it is sent again
  theirs: null, // what somebody else decided, while it is to be chosen
  busy: false,
  pictures: [], // addresses of pictures in memory
};

async function start() {
  sessionStorage.setItem("who", who);
  const given = new URLSearchParams(location.hash.slice(1));
  speakIn(given.get("lang") ?? (navigator.language?.startsWith("zh") ? "zh" : "en"));
  listen();
  await attempt(async () => {
    const name = given.get("item");
    const found = name && (await ask(`items/${encodeURIComponent(name)}?who=${who}`));
    if (found?.item) show(found);
    else await next("");
  });
  words();
  document.documentElement.dataset.ready = "yes";
}

function listen() {
  $("form").addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(app.theirs ? keepTheirs : save);
  });
  $("text").addEventListener("input", edited);
  $("replace").addEventListener("click", () => attempt(replaceTheirs));
  $("skip").addEventListener("click", () => attempt(() => next(app.item.name)));
  $("back").addEventListener("click", () => attempt(back));
  $("end-back").addEventListener("click", () => attempt(back));
  $("table").addEventListener("click", fetchTable);
  $("end-table").addEventListener("click", fetchTable);
  $("language").addEventListener("click", () => {
    speakIn(languageInUse() === "zh" ? "en" : "zh");
    keepPlace();
    words();
  });
  $("sheet").addEventListener("click", () => enlarge(!$("main").classList.contains("wide")));
  document.addEventListener("keydown", keyed);
}

/** Shows the sheet as wide as the page, or small beside the field. */
function enlarge(wide) {
  $("main").classList.toggle("wide", wide);
  $("sheet").setAttribute("aria-expanded", String(wide));
  $("sheet-caption").textContent = t(wide ? "sheetSmall" : "sheet");
}

/** Page Down skips, Page Up goes back, arrows choose among the best texts, Esc brings back what was read. */
function keyed(event) {
  if (event.repeat && event.key === "Enter") event.preventDefault(); // one press saves one field
  if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
  const inText = event.target === $("text");
  const actions = {
    PageDown: () => app.item && attempt(() => next(app.item.name)),
    PageUp: () => attempt(back),
    Escape: () => app.item && put(app.item.text),
    ArrowDown: () => inText && choose(1),
    ArrowUp: () => inText && choose(-1),
  };
  const action = actions[event.key];
  if (!action || (event.key.startsWith("Arrow") && !inText)) return;
  event.preventDefault();
  action();
}

/** Does one thing at a time; says so where the service does not answer. */
async function attempt(work) {
  if (app.busy) return;
  app.busy = true;
  $("save").disabled = true;
  $("failed").textContent = "";
  try {
    await work();
  } catch (error) {
    $("failed").textContent = t("failed", { reason: error.message });
  } finally {
    app.busy = false;
    $("save").disabled = false;
  }
}

/** What the service answers to a request below review/; null where it says that there is nothing. */
async function ask(path) {
  const answer = await fetch(`review/${path}`);
  if (answer.status === 404) return null;
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error ?? answer.statusText);
  return content;
}

async function next(after) {
  show(await ask(`next?after=${encodeURIComponent(after)}&who=${who}`));
}

async function back() {
  const found = await ask(`before?item=${encodeURIComponent(app.item?.name ?? "")}&who=${who}`);
  if (found.item) show(found);
  else say($("message"), t("first"));
}

async function save() {
  const text = $("text").value.trim().replace(/\s+/g, " ");
  const { item } = app;
  const revision = item.decision?.revision ?? 0;
  let answer, content;
  try {
    const body = JSON.stringify({ text, revision, despite: app.despite === text });
    const headers = { "Content-Type": "application/json" };
    answer = await fetch(`review/items/${encodeURIComponent(item.name)}`, { method: "POST", headers, body });
    content = await answer.json();
  } catch {
    say($("message"), t("offline"));
    return;
  }
  if (answer.ok) {
    sessionStorage.removeItem(`draft ${item.name}`);
    await next(item.name);
    $("spoken").textContent = `${t("saved", { text: text || t("nothing") })}. ${$("spoken").textContent}`;
  } else if (answer.status === 409) {
    app.theirs = content.decision;
    words();
  } else if (content.broken) {
    app.despite = text;
    app.broken = content.broken;
    words();
  } else if (answer.status === 404) {
    await next(item.name);
    say($("message"), t("gone"));
  } else {
    say($("message"), t("refused", { reason: content.error ?? answer.statusText }));
  }
  if (!$("main").hidden) $("text").focus();
}

/** Leaves what somebody else decided, and forgets what was typed. */
async function keepTheirs() {
  sessionStorage.removeItem(`draft ${app.item.name}`);
  await next(app.item.name);
}

/** Saves over what somebody else decided, which was shown. */
async function replaceTheirs() {
  app.item.decision = app.theirs;
  app.theirs = null;
  await save();
}

/** Shows a field, or the end, and the state. */
function show({ item, state }) {
  Object.assign(app, { item, state, despite: null, theirs: null, broken: [] });
  app.pictures.splice(0).forEach((url) => URL.revokeObjectURL(url));
  $("main").hidden = !item;
  $("end").hidden = Boolean(item);
  say($("message"), "");
  enlarge(false);
  if (item) {
    $("text").value = sessionStorage.getItem(`draft ${item.name}`) ?? item.decision?.text ?? item.text;
    const plain = [item.text, ...item.alternatives.map(([text]) => text)].every((text) => /^\d*$/.test(text));
    $("text").inputMode = plain ? "numeric" : "text";
    picture("crop", $("crop"));
    picture("sheet", $("sheet-picture"));
    place(item.box);
  }
  keepPlace();
  words();
  if (item) {
    $("text").focus();
    $("text").select();
  } else {
    $("end-title").focus();
    setTimeout(watch, PAUSE);
  }
}

/** Where no field is left: sheets may still be read, and fields come in. */
async function watch() {
  if (app.item) return;
  const state = await ask("state").catch(() => null);
  if (!app.item && state && state.decided < state.items) await attempt(() => next(""));
  else setTimeout(watch, PAUSE);
}

/** Everything that has words, in the language in use. */
function words() {
  document.querySelectorAll("[data-t]").forEach((node) => (node.textContent = t(node.dataset.t)));
  const { item, state } = app;
  document.title = t("title");
  enlarge($("main").classList.contains("wide"));
  if (state) {
    $("count").textContent = t("count", state);
    $("progress").max = Math.max(state.items, 1);
    $("progress").value = state.decided;
    $("kind-rows").replaceChildren(...state.kinds.map(kindRow));
    if (state.unreadable) $("failed").textContent = t("unreadable", { count: state.unreadable });
  }
  if (!item) {
    $("end-title").textContent = t(state?.items ? "ended" : "noFields");
    return;
  }
  const reasons = item.reasons.map(reasonWords).join(" · ");
  $("field").textContent = item.field;
  $("where").textContent = t("where", item);
  $("crop").alt = t("cropLabel", item);
  $("sheet-picture").alt = t("sheetLabel", item);
  $("reasons").textContent = reasons;
  const shown = { read: item.text || t("nothing"), text: item.decision?.text || t("nothing") };
  $("before").textContent = item.decision ? t("decidedAs", shown) : "";
  const texts = [[item.text, item.confidence], ...item.alternatives];
  $("texts").replaceChildren(...texts.map(textRow));
  if (app.theirs) say($("message"), t("conflict", { text: app.theirs.text || t("nothing"), own: $("text").value || t("nothing") }));
  else if (app.broken?.length) say($("message"), app.broken.map(ruleWords).join(" "));
  const told = { ...item, text: shown.read, percent: percent(item.confidence), reasons };
  if ($("spoken").dataset.item !== item.name) {
    $("spoken").dataset.item = item.name;
    $("spoken").textContent = t("spoken", told);
  }
  buttons();
}

/** What the buttons say follows from the text. */
function buttons() {
  const text = $("text").value.trim();
  let key = text === app.item.text ? "accept" : text ? "save" : "saveEmpty";
  if (app.despite !== null && app.despite === text) key = "saveDespite";
  if (app.theirs) key = "keepTheirs";
  $("save").textContent = t(key);
  $("replace").hidden = !app.theirs;
  for (const button of $("texts").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.text === text));
  }
}

function edited() {
  sessionStorage.setItem(`draft ${app.item.name}`, $("text").value);
  app.despite = null;
  app.theirs = null;
  app.broken = [];
  say($("message"), "");
  buttons();
}

/** Puts a text into the line. */
function put(text) {
  $("text").value = text;
  edited();
  $("text").focus();
  $("text").select();
}

/** Puts the next of the best texts, or the one before, into the line. */
function choose(step) {
  const texts = [app.item.text, ...app.item.alternatives.map(([text]) => text)];
  const at = texts.indexOf($("text").value.trim());
  put(texts[(at + step + texts.length) % texts.length] ?? app.item.text);
}

function textRow([text, p]) {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.text = text;
  const name = document.createElement("b");
  name.textContent = text || t("nothing");
  const likely = document.createElement("span");
  likely.textContent = percent(p);
  button.append(name, likely);
  button.addEventListener("click", () => put(text));
  const row = document.createElement("li");
  row.append(button);
  return row;
}

function kindRow({ form, field, items, decided }) {
  const row = document.createElement("tr");
  for (const text of [form, field, `${decided} / ${items}`]) {
    row.insertCell().textContent = text;
  }
  return row;
}

/** Shows a picture of the field, fetched as the page's policy wants it. */
async function picture(kind, image) {
  const { name } = app.item;
  image.removeAttribute("src");
  const answer = await fetch(`review/items/${encodeURIComponent(name)}/${kind}`).catch(() => null);
  if (!answer?.ok || app.item?.name !== name) return;
  const url = URL.createObjectURL(await answer.blob());
  if (app.item?.name !== name) {
    URL.revokeObjectURL(url);
    return;
  }
  app.pictures.push(url);
  image.src = url;
}

/** Marks the field on its sheet. */
function place([left, top, right, bottom]) {
  const edges = { left, top, width: right - left, height: bottom - top };
  for (const [name, value] of Object.entries(edges)) $("mark").style[name] = `${100 * value}%`;
}

function say(node, text) {
  node.textContent = text;
}

async function fetchTable() {
  const link = document.createElement("a");
  link.href = "review/table.csv";
  link.download = "corrected.csv";
  link.click();
}

/** The field and the language stand in the address, so that a reload comes back to them. */
function keepPlace() {
  const given = new URLSearchParams({ lang: languageInUse() });
  if (app.item) given.set("item", app.item.name);
  history.replaceState(null, "", `#${given}`);
}

start();
