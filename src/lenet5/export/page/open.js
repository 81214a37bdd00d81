// Files → what is shown: a picture of one digit, on the service any picture, or weights.
import { FACTS } from "./facts.js";
import { t } from "./i18n.js";
import { digitOf } from "./photo.js";
import { pixelsOf } from "./pictures.js";
import { readByService } from "./service.js";
import { Complaint, parseWeights } from "./weights.js";

const WEIGHTS = /\.(safetensors|pt|pth|pkl|npz|bin|onnx|h5)$/i; // the last ones are refused in a line of their own
const MOST_WEIGHTS = 1e8; // bytes that are looked at before a file is called no weights
const MARGIN = 0.15; // of a digit's longer side, around the box that the reader gives

let turn = 0;

/** Opens a file: a picture, or weights. What is wrong with it is said in one line. */
export async function openFile(app, file, name = file.name) {
  app.notify("");
  turn++;
  await complaining(app, async () => {
    if (WEIGHTS.test(name) && !file.type.startsWith("image/")) await openWeights(app, file, name);
    else if (FACTS.service) await readFile(app, file, name, turn);
    else lookAt(app, (await pixelsOf(file, name)).canvas, name);
  });
}

/** Shows the network's view of one digit of a reading: its box with a margin. */
export function lookAtBox(app, { pixels: { canvas, scale }, name }, [left, top, right, bottom]) {
  const margin = MARGIN * Math.max(right - left, bottom - top);
  const low = (edge) => Math.max(0, (edge - margin) * scale);
  const high = (edge, most) => Math.min(most, (edge + margin) * scale);
  const box = [low(left), low(top), high(right, canvas.width), high(bottom, canvas.height)];
  return complaining(app, () => lookAt(app, canvas, name, box));
}

/** Does something, and says in one line what is wrong with a file. */
export async function complaining(app, work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Complaint)) throw error;
    app.notify(t(error.key, error.values));
  }
}

/** Reads the digit of a canvas, or of a box of it. */
function lookAt(app, canvas, name, box = [0, 0, canvas.width, canvas.height]) {
  const [left, top] = box.slice(0, 2).map(Math.floor);
  const [width, height] = [Math.max(1, Math.ceil(box[2]) - left), Math.max(1, Math.ceil(box[3]) - top)];
  const { data } = canvas.getContext("2d").getImageData(left, top, width, height);
  const digit = digitOf(data, width, height);
  if (!digit) throw new Complaint("noInk", { name });
  app.showPicture(digit.levels, digit.asGiven ? "asGiven" : "simplePhoto");
}

/** On the service: the reader's reading of all pages, drawn over the picture where the browser can show it. */
async function readFile(app, file, name, mine) {
  app.notify(t("sending", { name }));
  const results = await readByService(file, name, document.getElementById("layout").value);
  if (mine !== turn) return; // another file was opened meanwhile
  const pixels = await shownPixels(file, name);
  app.notify("");
  const reading = { pixels, results, name };
  app.showReading(reading);
  const digits = (results[0].lines ?? []).flat().filter(({ label }) => label !== undefined);
  if (pixels && digits.length === 1) await lookAtBox(app, reading, digits[0].box);
}

/** The pixels of a file, or null: the service reads kinds that browsers do not show, such as PDF. */
async function shownPixels(file, name) {
  try {
    return await pixelsOf(file, name);
  } catch (error) {
    if (!(error instanceof Complaint)) throw error;
    return null;
  }
}

async function openWeights(app, file, name) {
  if (file.size > MOST_WEIGHTS) throw new Complaint("wrongTooLarge", { name });
  const weights = parseWeights(await file.arrayBuffer(), name);
  const parameters = Object.values(weights.arrays).reduce((sum, array) => sum + array.length, 0);
  app.useWeights(weights);
  app.notify(t("weightsLoaded", { name, parameters: parameters.toLocaleString("en"), classes: weights.classes.length }), true);
}
