// Strokes: what a pen drew. Points are [x, y, pressure] in 0..1023, 0..1023, 0..63; a pressure of 32 is a mouse's.
import { cropped, normalise, picture } from "./prepare.js";

export const EXTENT = 1024;
export const EVEN = 32;
const RASTER = 280; // pixels of the side at which strokes become ink, whatever the screen
const PEN = 70; // width of the pen, in the units of strokes
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const MOST_LETTERS = 60000;

/** Draws strokes into a 2D context of a square with this side, in pixels. */
export function trace(context, strokes, side) {
  const scale = side / EXTENT;
  context.lineCap = context.lineJoin = "round";
  for (const stroke of strokes) {
    const width = (pressure) => PEN * scale * (0.5 + pressure / (2 * EVEN));
    if (stroke.length === 1) {
      const [x, y, pressure] = stroke[0];
      context.beginPath();
      context.arc(x * scale, y * scale, width(pressure) / 2, 0, 2 * Math.PI);
      context.fill();
      continue;
    }
    const even = stroke.every((point) => point[2] === stroke[0][2]);
    const runs = even ? [stroke] : stroke.slice(1).map((point, k) => [stroke[k], point]);
    for (const run of runs) {
      context.lineWidth = width(run.reduce((sum, point) => sum + point[2], 0) / run.length);
      context.beginPath();
      run.forEach(([x, y], k) => (k ? context.lineTo(x * scale, y * scale) : context.moveTo(x * scale, y * scale)));
      context.stroke();
    }
  }
}

let raster = null;

/** The ink of strokes, 0..1, RASTER pixels square. */
export function inkOf(strokes) {
  raster ??= Object.assign(document.createElement("canvas"), { width: RASTER, height: RASTER });
  const context = raster.getContext("2d", { willReadFrequently: true });
  context.clearRect(0, 0, RASTER, RASTER);
  context.fillStyle = context.strokeStyle = "#000";
  trace(context, strokes, RASTER);
  const { data } = context.getImageData(0, 0, RASTER, RASTER);
  const ink = picture(RASTER, RASTER);
  for (let k = 0; k < ink.values.length; k++) ink.values[k] = data[4 * k + 3] / 255;
  return ink;
}

/** 28×28 ink levels of strokes; null where nothing is drawn. */
export function levelsOf(strokes) {
  const ink = strokes.length ? cropped(inkOf(strokes), (value) => value >= 0.5) : null;
  return ink && normalise(ink);
}

/** A smooth stroke through a few points [x, y] in 0..100: Catmull and Rom's curve. */
export function curveThrough(points) {
  if (points.length === 1) return [[...toUnits(points[0]), EVEN]];
  const mirrored = (end, before) => [2 * end[0] - before[0], 2 * end[1] - before[1]];
  const all = [mirrored(points[0], points[1]), ...points, mirrored(points.at(-1), points.at(-2))];
  const out = [];
  for (let k = 1; k < all.length - 2; k++) {
    const [a, b, c, d] = all.slice(k - 1, k + 3);
    for (let step = 0; step < 8; step++) {
      const t = step / 8;
      const at = (i) =>
        0.5 * (2 * b[i] + (c[i] - a[i]) * t + (2 * a[i] - 5 * b[i] + 4 * c[i] - d[i]) * t ** 2 + (3 * (b[i] - c[i]) + d[i] - a[i]) * t ** 3);
      out.push([...toUnits([at(0), at(1)]), EVEN]);
    }
  }
  return [...out, [...toUnits(points.at(-1)), EVEN]];
}

function toUnits(point) {
  return point.map((value) => Math.min(EXTENT - 1, Math.max(0, Math.round((value / 100) * EXTENT))));
}

/** Strokes as text for a URL: five letters a point, strokes parted by dots. */
export function encoded(strokes) {
  const pair = (value) => LETTERS[value >> 6] + LETTERS[value & 63];
  return strokes.map((stroke) => stroke.map(([x, y, p]) => pair(x) + pair(y) + LETTERS[p]).join("")).join(".");
}

/** Strokes of such text; none of text that is no strokes. */
export function decoded(text) {
  if (!/^([\w-]{5})+(\.([\w-]{5})+)*$/.test(text) || text.length > MOST_LETTERS) return [];
  const value = (letters) => [...letters].reduce((sum, letter) => sum * 64 + LETTERS.indexOf(letter), 0);
  const inside = (units) => Math.min(units, EXTENT - 1);
  return text
    .split(".")
    .map((stroke) =>
      stroke.match(/.{5}/g).map((p) => [inside(value(p.slice(0, 2))), inside(value(p.slice(2, 4))), value(p[4])]),
    );
}
