// A photo or picture of one digit → its ink: grey, polarity, crop. Simpler than the reader, and the page says so.
import { cropped, isNormal, normalise, part, picture, resize } from "./prepare.js";
import { FACTS } from "./facts.js";

const LONGEST = 320; // pixels: enough for one digit
const WINDOW = 2.5; // the paper's lightness is sought in a window of the longer side divided by this
const FAINTEST = 0.05; // of the paper's lightness: what differs less from it is no ink
const BOARD = 0.5; // of the border is dark where the ink is light on a board
const NEAR = 0.35; // of the height: marks farther from the largest one are not of its digit
const NOISE = 0.7; // of the threshold between paper and ink: what is fainter is paper
const SPECK = 0.02; // of the largest mark's area: what is smaller is dirt

/** {levels, asGiven} of RGBA pixels: 28×28 ink levels, and whether they are the picture itself; null without any ink. */
export function digitOf(rgba, width, height) {
  const grey = greyOf(rgba, width, height);
  if (width === FACTS.side && height === FACTS.side) {
    const levels = Uint8Array.from(grey.values, (value) => Math.round(255 * value));
    if (isNormal(levels)) return { levels, asGiven: true };
  }
  const scale = Math.min(1, LONGEST / Math.max(width, height));
  const small =
    scale < 1 ? resize(grey, Math.max(1, Math.round(height * scale)), Math.max(1, Math.round(width * scale))) : grey;
  const contrast = contrastOf(isBoard(small) ? inverted(small) : small);
  const strongest = contrast.values.reduce((a, b) => Math.max(a, b), 0);
  if (strongest < FAINTEST) return null;
  const threshold = Math.max(otsu(contrast.values), 0.25 * strongest, FAINTEST);
  const marks = marksOf(contrast, threshold);
  if (!marks.length) return null;
  const kept = masked(contrast, NOISE * threshold, ...digitIn(marks));
  const ink = cropped(kept, (value) => value > threshold);
  const levels = ink && normalise(ink);
  return levels && { levels, asGiven: false };
}

/** Luminance in 0..1, transparent pixels as white paper. */
function greyOf(rgba, width, height) {
  const grey = picture(height, width);
  for (let k = 0; k < grey.values.length; k++) {
    const [r, g, b, a] = [rgba[4 * k], rgba[4 * k + 1], rgba[4 * k + 2], rgba[4 * k + 3] / 255];
    grey.values[k] = ((0.299 * r + 0.587 * g + 0.114 * b) * a) / 255 + 1 - a;
  }
  return grey;
}

function inverted(grey) {
  return picture(grey.rows, grey.columns, grey.values.map((value) => 1 - value));
}

/** Whether most of the border is on the dark side, as on a blackboard. */
function isBoard({ rows, columns, values }) {
  const threshold = otsu(values);
  const border = [];
  for (let column = 0; column < columns; column++) border.push(values[column], values[(rows - 1) * columns + column]);
  for (let row = 0; row < rows; row++) border.push(values[row * columns], values[(row + 1) * columns - 1]);
  return border.filter((value) => value <= threshold).length > BOARD * border.length;
}

/** By how much less light a pixel sends than its paper: what is narrower than the window is taken for ink. */
function contrastOf(grey) {
  const side = Math.max(9, Math.round(Math.max(grey.rows, grey.columns) / WINDOW)) | 1;
  let paper = slid(slid(grey, side, Math.max), side, Math.min);
  paper = smoothed(paper, side >> 2);
  const values = grey.values.map((value, k) => Math.min(1, Math.max(0, 1 - value / Math.max(paper.values[k], 0.02))));
  return picture(grey.rows, grey.columns, values);
}

/** The largest or smallest value of each window, by rows and then by columns. */
function slid(image, side, pick) {
  return bothWays(image, (line, out) => {
    const reach = side >> 1;
    for (let k = 0; k < line.length; k++) {
      let best = line[k];
      const end = Math.min(line.length - 1, k + reach);
      for (let other = Math.max(0, k - reach); other <= end; other++) best = pick(best, line[other]);
      out[k] = best;
    }
  });
}

/** The mean of each window, by rows and then by columns. */
function smoothed(image, reach) {
  return bothWays(image, (line, out) => {
    const sums = new Float64Array(line.length + 1);
    for (let k = 0; k < line.length; k++) sums[k + 1] = sums[k] + line[k];
    for (let k = 0; k < line.length; k++) {
      const [first, last] = [Math.max(0, k - reach), Math.min(line.length, k + reach + 1)];
      out[k] = (sums[last] - sums[first]) / (last - first);
    }
  });
}

function bothWays(image, change) {
  const { rows, columns } = image;
  const across = picture(rows, columns);
  for (let row = 0; row < rows; row++) {
    const [first, last] = [row * columns, (row + 1) * columns];
    change(image.values.subarray(first, last), across.values.subarray(first, last));
  }
  const out = picture(rows, columns);
  const [line, changed] = [new Float32Array(rows), new Float32Array(rows)];
  for (let column = 0; column < columns; column++) {
    for (let row = 0; row < rows; row++) line[row] = across.values[row * columns + column];
    change(line, changed);
    for (let row = 0; row < rows; row++) out.values[row * columns + column] = changed[row];
  }
  return out;
}

/** Otsu's threshold of values in 0..1. */
function otsu(values) {
  const counts = new Float64Array(256);
  for (const value of values) counts[Math.round(255 * Math.min(1, Math.max(0, value)))]++;
  const total = counts.reduce((sum, count, level) => sum + count * level, 0);
  let [below, sum, best, threshold] = [0, 0, -1, 0];
  for (let level = 0; level < 255; level++) {
    below += counts[level];
    sum += counts[level] * level;
    const above = values.length - below;
    if (below === 0 || above === 0) continue;
    const between = below * above * (sum / below - (total - sum) / above) ** 2;
    if (between > best) [best, threshold] = [between, level];
  }
  return threshold / 255;
}

/** Connected marks of what is above a threshold: {label, area, box, edge}, and each pixel's label. */
function marksOf({ rows, columns, values }, threshold) {
  const labels = new Int32Array(values.length);
  const marks = [];
  for (let start = 0; start < values.length; start++) {
    if (labels[start] || values[start] <= threshold) continue;
    const label = marks.length + 1;
    const mark = { label, area: 0, box: [columns, rows, 0, 0] };
    const waiting = [start];
    labels[start] = label;
    while (waiting.length) {
      const k = waiting.pop();
      const [row, column] = [Math.floor(k / columns), k % columns];
      const [left, top, right, bottom] = mark.box;
      mark.area++;
      mark.box = [Math.min(left, column), Math.min(top, row), Math.max(right, column + 1), Math.max(bottom, row + 1)];
      for (let r = Math.max(0, row - 1); r <= Math.min(rows - 1, row + 1); r++) {
        for (let c = Math.max(0, column - 1); c <= Math.min(columns - 1, column + 1); c++) {
          const next = r * columns + c;
          if (labels[next] || values[next] <= threshold) continue;
          labels[next] = label;
          waiting.push(next);
        }
      }
    }
    const [left, top, right, bottom] = mark.box;
    mark.edge = left === 0 || top === 0 || right === columns || bottom === rows;
    marks.push(mark);
  }
  marks.labels = labels;
  return marks;
}

/** [box, kept] of the digit: the largest mark, one at the edge only where there is no other, and the marks beside it. */
function digitIn(marks) {
  const inner = marks.filter((mark) => !mark.edge);
  const pool = inner.some((mark) => mark.area > 8) ? inner : marks;
  const main = pool.reduce((a, b) => (b.area > a.area ? b : a));
  const near = NEAR * (main.box[3] - main.box[1]);
  const apart = (a, b) => Math.max(a[0] - b[2], b[0] - a[2], a[1] - b[3], b[1] - a[3]);
  const kept = pool.filter((mark) => mark.area >= SPECK * main.area && apart(mark.box, main.box) <= near);
  const box = kept.reduce(
    (all, { box: [l, t, r, b] }) => [Math.min(all[0], l), Math.min(all[1], t), Math.max(all[2], r), Math.max(all[3], b)],
    main.box,
  );
  const names = new Set(kept.map((mark) => mark.label));
  return [box, marks.labels.map((label) => (label === 0 || names.has(label) ? 1 : 0))];
}

/** The ink in a box without marks of others and without what is fainter than noise. */
function masked(contrast, noise, [left, top, right, bottom], kept) {
  const values = contrast.values.map((value, k) => (kept[k] && value > noise ? value : 0));
  return part(picture(contrast.rows, contrast.columns, values), top, left, bottom - top, right - left);
}
