// Maps and kernels as pictures on canvases, crisp at any pixel density.
const LUTS = {};
const PAPER = { light: [255, 254, 250], dark: [18, 20, 25] };
const ENDS = {
  light: { low: [38, 92, 160], middle: [247, 245, 239], high: [176, 68, 20] },
  dark: { low: [104, 168, 236], middle: [27, 30, 37], high: [246, 158, 84] },
};
const INK = { light: [24, 24, 24], dark: [240, 238, 230] };

/** The theme in use: "light" or "dark". */
export function themeInUse() {
  const set = document.documentElement.dataset.theme;
  return set || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

/** 256 colours of "signed" (−1..1) or "ink" (0..1) values, as pixels of ImageData. */
function lut(kind) {
  const theme = themeInUse();
  return (LUTS[kind + theme] ??= Uint32Array.from({ length: 256 }, (_, k) => {
    const { low, middle, high } = ENDS[theme];
    const t = kind === "signed" ? (k - 127.5) / 127.5 : k / 255;
    const [from, to] = kind === "ink" ? [PAPER[theme], INK[theme]] : [middle, t < 0 ? low : high];
    const [r, g, b] = from.map((value, channel) => Math.round(value + (to[channel] - value) * Math.abs(t) ** 0.8));
    return (255 << 24) | (b << 16) | (g << 8) | r;
  }));
}

/** The colour of one value as CSS. */
export function colourOf(value, range, kind = "signed") {
  const pixel = lut(kind)[level(value, range, kind)];
  return `rgb(${pixel & 255} ${(pixel >> 8) & 255} ${(pixel >> 16) & 255})`;
}

/** Black or white, whichever is read better on the colour of a value. */
export function textOn(value, range) {
  const pixel = lut("signed")[level(value, range, "signed")];
  const linear = (channel) => ((channel / 255 + 0.055) / 1.055) ** 2.4;
  const light = 0.2126 * linear(pixel & 255) + 0.7152 * linear((pixel >> 8) & 255) + 0.0722 * linear((pixel >> 16) & 255);
  return light > 0.179 ? "#000" : "#fff";
}

function level(value, range, kind) {
  const t = Math.min(1, Math.max(kind === "ink" ? 0 : -1, value / range));
  return kind === "ink" ? Math.round(255 * t) : Math.round(127.5 + 127.5 * t);
}

/** A canvas of a grid of maps; its cells are whole device pixels. */
export class Maps {
  /** maps of rows×columns, so many across; unit and gap in CSS pixels. */
  constructor(canvas, { maps, rows, columns, across, unit, gap = 4, kind = "signed", range = 1 }) {
    Object.assign(this, { canvas, maps, rows, columns, across, kind, range });
    this.density = window.devicePixelRatio || 1;
    this.unit = Math.max(1, Math.floor(unit * this.density + 1e-6));
    this.gap = Math.round(gap * this.density);
    this.width = across * (columns * this.unit + this.gap) - this.gap;
    this.height = Math.ceil(maps / across) * (rows * this.unit + this.gap) - this.gap;
    canvas.width = this.width;
    canvas.height = this.height;
    canvas.style.width = `${this.width / this.density}px`;
    canvas.style.height = `${this.height / this.density}px`;
    this.context = canvas.getContext("2d");
  }

  /** Where a map begins, in device pixels. */
  origin(map) {
    const x = (map % this.across) * (this.columns * this.unit + this.gap);
    return [x, Math.floor(map / this.across) * (this.rows * this.unit + this.gap)];
  }

  /** Paints values, maps one after another; only those in shown, if given, at full strength. */
  paint(values, shown = null) {
    const image = this.context.createImageData(this.width, this.height);
    const pixels = new Uint32Array(image.data.buffer);
    const colours = lut(this.kind);
    let k = 0;
    for (let map = 0; map < this.maps; map++) {
      const [left, top] = this.origin(map);
      for (let row = 0; row < this.rows; row++) {
        const first = (top + row * this.unit) * this.width + left;
        for (let column = 0; column < this.columns; column++) {
          const colour = colours[level(values[k++], this.range, this.kind)];
          pixels.fill(colour, first + column * this.unit, first + (column + 1) * this.unit);
        }
        for (let line = 1; line < this.unit; line++) {
          pixels.copyWithin(first + line * this.width, first, first + this.columns * this.unit);
        }
      }
    }
    this.context.putImageData(image, 0, 0);
    if (shown) this.fade(shown);
  }

  fade(shown) {
    this.context.fillStyle = getComputedStyle(document.body).backgroundColor;
    this.context.globalAlpha = 0.75;
    for (let map = 0; map < this.maps; map++) {
      if (shown.includes(map)) continue;
      this.context.fillRect(...this.origin(map), this.columns * this.unit, this.rows * this.unit);
    }
    this.context.globalAlpha = 1;
  }

  /** A frame around rows and columns {top, left, bottom, right} (exclusive) of a map. */
  frame(map, { top, left, bottom, right }, width = 2) {
    const [x, y] = this.origin(map);
    const line = Math.round(width * this.density);
    const [t, l] = [Math.max(0, top), Math.max(0, left)];
    const [b, r] = [Math.min(this.rows, bottom), Math.min(this.columns, right)];
    this.context.strokeStyle = getComputedStyle(document.body).getPropertyValue("--mark");
    this.context.lineWidth = line;
    const inside = Math.min(line / 2, (this.unit * (r - l)) / 2);
    this.context.strokeRect(
      x + l * this.unit + inside,
      y + t * this.unit + inside,
      (r - l) * this.unit - 2 * inside,
      (b - t) * this.unit - 2 * inside,
    );
  }

  /** A ring around one unit {map, row, column}, outside of it so that its colour stays in sight. */
  ring({ map, row, column }) {
    const [x, y] = this.origin(map);
    const line = Math.round(2 * this.density);
    this.context.lineWidth = line;
    for (const [grow, colour] of [[1.5, "--page"], [0.5, "--mark"]]) {
      this.context.strokeStyle = getComputedStyle(document.body).getPropertyValue(colour);
      const [left, top, size] = [x + column * this.unit - grow * line, y + row * this.unit - grow * line, this.unit + 2 * grow * line];
      this.context.strokeRect(left, top, size, size);
    }
  }

  /** The unit at a pointer's place: {map, row, column}, or null in a gap. */
  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = ((event.clientX - box.left) * this.width) / box.width;
    const y = ((event.clientY - box.top) * this.height) / box.height;
    const across = Math.floor(x / (this.columns * this.unit + this.gap));
    const map = Math.floor(y / (this.rows * this.unit + this.gap)) * this.across + across;
    if (map < 0 || map >= this.maps || across < 0 || across >= this.across) return null;
    const [left, top] = this.origin(map);
    const [row, column] = [Math.floor((y - top) / this.unit), Math.floor((x - left) / this.unit)];
    return row < this.rows && column < this.columns && row >= 0 && column >= 0 ? { map, row, column } : null;
  }
}

/** A small canvas of one map, rows×columns; values beyond range are cut. */
export function pictureOf(values, rows, columns, { unit = 4, range = 1, kind = "signed", label = "" } = {}) {
  const canvas = document.createElement("canvas");
  new Maps(canvas, { maps: 1, rows, columns, across: 1, unit, gap: 0, kind, range }).paint(values);
  if (label) {
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", label);
  } else canvas.setAttribute("aria-hidden", "true");
  return canvas;
}

/** The largest size of some values. */
export function rangeOf(values) {
  return Math.max(1e-6, values.reduce((most, value) => Math.max(most, Math.abs(value)), 0));
}

/** The size that a part of some values does not exceed: what is larger is drawn in the strongest colour. */
export function mostOf(values, part = 0.995) {
  const sizes = Float32Array.from(values, Math.abs).sort();
  return Math.max(1e-6, sizes[Math.floor(part * (sizes.length - 1))]);
}

/** An element with attributes, on… handlers, and children (elements or text). */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null));
  return node;
}
