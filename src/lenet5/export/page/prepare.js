// A crop with ink high → 28×28 the way MNIST was made: lenet5.normalise in JavaScript, step by step.
import { FACTS } from "./facts.js";

const FINE = 4; // strokes are measured and mended at this many times the final resolution
const COARSE = 4; // crops so many times as large as needed, or more, are averaged down first
const THIN = 2; // stroke width in final pixels; nine tenths of MNIST's are wider

/** A picture: values in 0..1, row by row. */
export function picture(rows, columns, values = new Float32Array(rows * columns)) {
  return { rows, columns, values };
}

/** 28×28 ink levels 0..255 of a crop that ends where its ink ends; null without ink. */
export function normalise(ink) {
  if (!ink.values.some((value) => value > FACTS.blank)) return null;
  const scale = FACTS.box / Math.max(ink.rows, ink.columns);
  const [rows, columns] = [ink.rows, ink.columns].map((side) => Math.max(1, halfEven(side * scale)));
  const fine = resize(ink, rows * FINE, columns * FINE);
  return centred(coarsened(mended(framed(fine, FINE * 2))));
}

/** The part of a picture where isInk(value) holds, or null. */
export function cropped(ink, isInk) {
  let [top, bottom, left, right] = [ink.rows, -1, ink.columns, -1];
  for (let row = 0, k = 0; row < ink.rows; row++) {
    for (let column = 0; column < ink.columns; column++) {
      if (!isInk(ink.values[k++])) continue;
      top = Math.min(top, row);
      bottom = row;
      left = Math.min(left, column);
      right = Math.max(right, column);
    }
  }
  return bottom < 0 ? null : part(ink, top, left, bottom - top + 1, right - left + 1);
}

/** A rectangle of a picture. */
export function part(image, top, left, rows, columns) {
  const out = picture(rows, columns);
  for (let row = 0; row < rows; row++) {
    const at = (top + row) * image.columns + left;
    out.values.set(image.values.subarray(at, at + columns), row * columns);
  }
  return out;
}

/** Whether 28×28 levels are in MNIST's form already, so that preparing them again would only blur them. */
export function isNormal(levels) {
  const { side, box } = FACTS;
  const ink = cropped(picture(side, side, levels), (value) => value > 0);
  if (!ink || Math.max(ink.rows, ink.columns) < box || Math.max(ink.rows, ink.columns) > box + 2) return false;
  const [row, column] = centreOf(levels, side);
  return Math.abs(row - side / 2) <= 1 && Math.abs(column - side / 2) <= 1;
}

/** Anti-aliased bilinear resize. */
export function resize(image, rows, columns) {
  if (rows >= image.rows && columns >= image.columns) return enlarged(image, rows, columns);
  const most = Math.floor(Math.max(Math.floor(image.rows / rows), Math.floor(image.columns / columns)) / COARSE);
  const small = most > 1 ? averaged(image, most) : image;
  return turned(resizedRows(turned(resizedRows(small, rows)), columns));
}

function halfEven(value) {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

function turned(image) {
  const out = picture(image.columns, image.rows);
  for (let row = 0, k = 0; row < image.rows; row++) {
    for (let column = 0; column < image.columns; column++) out.values[column * image.rows + row] = image.values[k++];
  }
  return out;
}

/** Bilinear, pixel centres aligned, edges repeated. */
function enlarged(image, rows, columns) {
  const out = picture(rows, columns);
  const taps = (old, size) =>
    Array.from({ length: size }, (_, k) => {
      const at = ((k + 0.5) * old) / size - 0.5;
      const first = Math.floor(at);
      if (first < 0) return [0, 0, 0];
      return first >= old - 1 ? [old - 1, old - 1, 0] : [first, first + 1, at - first];
    });
  const across = taps(image.columns, columns);
  let k = 0;
  for (const [upper, lower, down] of taps(image.rows, rows)) {
    const [a, b] = [upper * image.columns, lower * image.columns];
    for (const [left, right, along] of across) {
      const above = image.values[a + left] * (1 - along) + image.values[a + right] * along;
      const below = image.values[b + left] * (1 - along) + image.values[b + right] * along;
      out.values[k++] = above * (1 - down) + below * down;
    }
  }
  return out;
}

/** Whole blocks of most×most averaged, background beyond the edge. */
function averaged(image, most) {
  const out = picture(Math.ceil(image.rows / most), Math.ceil(image.columns / most));
  for (let row = 0, k = 0; row < image.rows; row++) {
    const first = Math.floor(row / most) * out.columns;
    for (let column = 0; column < image.columns; column++) {
      out.values[first + Math.floor(column / most)] += image.values[k++] / (most * most);
    }
  }
  return out;
}

/** Each new row as a weighted mean of the old ones under its triangle, as wide as the coarser grid. */
function resizedRows(image, rows) {
  const out = picture(rows, image.columns);
  const step = image.rows / rows;
  const reach = Math.max(step, 1);
  const taps = Math.ceil(2 * reach);
  for (let row = 0; row < rows; row++) {
    const centre = (row + 0.5) * step - 0.5;
    const first = Math.floor(centre - reach) + 1;
    const under = [];
    for (let old = Math.max(first, 0); old < Math.min(first + taps, image.rows); old++) {
      const weight = Math.max(1 - Math.abs(centre - old) / reach, 0);
      if (weight > 0) under.push([old, weight]);
    }
    const sum = under.reduce((total, [, weight]) => total + weight, 0);
    for (const [old, weight] of under) {
      const share = weight / sum;
      const from = old * image.columns;
      const to = row * image.columns;
      for (let column = 0; column < image.columns; column++) {
        out.values[to + column] += share * image.values[from + column];
      }
    }
  }
  return out;
}

function framed(image, margin) {
  const out = picture(image.rows + 2 * margin, image.columns + 2 * margin);
  for (let row = 0; row < image.rows; row++) {
    const line = image.values.subarray(row * image.columns, (row + 1) * image.columns);
    out.values.set(line, (row + margin) * out.columns + margin);
  }
  return out;
}

/** Strokes at full darkness and thickened where thinner than MNIST's: their width is 2·area / outline. */
function mended(fine) {
  const { rows, columns, values } = fine;
  let some = [];
  for (let row = 0; row < rows; row += 2) {
    for (let column = 0; column < columns; column += 2) some.push(values[row * columns + column]);
  }
  if (!some.some((value) => value !== 0)) some = Array.from(values);
  const tenth = 0.1 * some.reduce((a, b) => Math.max(a, b), 0);
  const inked = Float32Array.from(some.filter((value) => value > tenth)).sort();
  const full = Math.max(inked[Math.floor((inked.length * 3) / 4)], 1e-6);
  const even = picture(rows, columns, values.map((value) => Math.min(value / full, 1)));
  let [outline, area] = [0, 0];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const k = row * columns + column;
      area += even.values[k];
      if (row === rows - 1 || column === columns - 1) continue;
      outline += Math.hypot(even.values[k + columns] - even.values[k], even.values[k + 1] - even.values[k]);
    }
  }
  const width = (2 * area) / Math.max(outline, 1e-6) / FINE;
  return width < THIN ? thickened(even, ((THIN - width) / 2) * FINE) : even;
}

/** The largest value within about a radius, an octagon; a fraction of a pixel blends. */
function thickened(image, radius) {
  const { rows, columns } = image;
  let values = image.values;
  for (let step = 0, left = radius; left > 0; step++, left--) {
    const grown = new Float32Array(values.length);
    for (let row = 0, k = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++, k++) {
        let most = 0;
        for (let dr = -1; dr <= 1; dr++) {
          for (let dc = -1; dc <= 1; dc++) {
            const corner = dr !== 0 && dc !== 0;
            if ((dr === 0 && dc === 0) || (corner && step % 2 === 0)) continue;
            if (row + dr < 0 || row + dr >= rows || column + dc < 0 || column + dc >= columns) continue;
            most = Math.max(most, values[k + dr * columns + dc]);
          }
        }
        grown[k] = Math.max(values[k], values[k] + Math.min(left, 1) * (most - values[k]));
      }
    }
    values = grown;
  }
  return picture(rows, columns, values);
}

/** A picture FINE times as fine at its final resolution: triangles two pixels wide. */
function coarsened(fine) {
  const weights = Array.from({ length: 2 * FINE }, (_, k) => (FINE - Math.abs(k - FINE + 0.5)) / FINE ** 2);
  const rowsOf = (image) => {
    const out = picture(image.rows / FINE, image.columns);
    for (let row = 0; row < out.rows; row++) {
      weights.forEach((weight, k) => {
        const from = row * FINE + k - FINE / 2;
        if (from < 0 || from >= image.rows) return;
        for (let column = 0; column < image.columns; column++) {
          out.values[row * image.columns + column] += weight * image.values[from * image.columns + column];
        }
      });
    }
    return out;
  };
  return turned(rowsOf(turned(rowsOf(fine))));
}

/** (row, column) of the centre of mass. */
function centreOf(levels, columns) {
  let [mass, down, across] = [0, 0, 0];
  levels.forEach((level, k) => {
    mass += level;
    down += level * Math.floor(k / columns);
    across += level * (k % columns);
  });
  return [down / mass, across / mass];
}

/** Placed by whole pixels with its centre of mass nearest the middle, all ink inside the frame. */
function centred(small) {
  const { side } = FACTS;
  const levels = picture(small.rows, small.columns, small.values.map((value) => halfEven(Math.min(value, 1) * 255)));
  const ink = cropped(levels, (level) => level > 0);
  if (!ink) return null;
  const [row, column] = centreOf(ink.values, ink.columns);
  const place = (centre, length) => Math.min(Math.max(halfEven(side / 2 - centre), 0), side - length);
  const [top, left] = [place(row, ink.rows), place(column, ink.columns)];
  const image = new Uint8Array(side * side);
  for (let r = 0; r < ink.rows; r++) {
    image.set(ink.values.subarray(r * ink.columns, (r + 1) * ink.columns), (top + r) * side + left);
  }
  return image;
}
