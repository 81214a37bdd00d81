// The network as the paper lays it out: the maps of every layer, side by side. One strip a network.
import { Maps, element, pictureOf } from "./draw.js";
import { FACTS } from "./facts.js";
import { fieldsOf, LAYERS, shapeOf } from "./geometry.js";
import { layerName, number, t } from "./i18n.js";

const SHOWN = LAYERS.slice(0, -1);
const LAYOUT = {
  // maps across and pixels a unit, at the size of a laptop
  input: { across: 1, unit: 4 },
  c1: { across: 2, unit: 2 },
  s2: { across: 2, unit: 4 },
  c3: { across: 4, unit: 4 },
  s4: { across: 4, unit: 6 },
  c5: { across: 8, unit: 9, gap: 1 },
  f6: { across: 7, unit: 12, gap: 1 },
};
const LARGEST = 2.2; // times the size of a laptop, on a projector
const SMALLEST = 0.75; // on a tablet, where units are several pixels of its fine screen
const GAP = 5; // pixels between maps
const SCALE = 12; // colours that the scale shows to each side of the middle

/** How much larger than on a laptop pictures are drawn, so that the paper's network fills one row. */
export function magnification() {
  const row = document.getElementById("strip-lenet5");
  const gaps = (SHOWN.length - 1) * parseFloat(getComputedStyle(row).columnGap || 0);
  let [units, fixed] = [0, gaps];
  for (const layer of SHOWN) {
    const { across, unit, gap = GAP } = LAYOUT[layer];
    units += across * shapeOf("lenet5", layer).columns * unit;
    fixed += (across - 1) * gap;
  }
  const smallest = devicePixelRatio >= 2 ? SMALLEST : 1;
  return Math.min(LARGEST, Math.max(smallest, (row.clientWidth - fixed) / units));
}

/** Draws one network into a container; app is told what is pointed at. */
export class Strip {
  constructor(container, network, app) {
    Object.assign(this, { container, network, app });
    this.range = network === "lenet5" ? FACTS.amplitude : 1; // of the squashing function
    this.layers = {};
    this.cursor = {}; // the unit of each layer that the keyboard is at
    for (const layer of SHOWN) this.add(layer);
    this.layOut();
  }

  add(layer) {
    const { maps, rows, columns } = shapeOf(this.network, layer);
    const canvas = element("canvas", { tabindex: "0", role: "application", "data-layer": layer });
    const size = layer === "f6" ? `${maps}` : `${maps}@${rows}×${columns}`;
    const name = element("b", {});
    const caption = element("figcaption", {}, name, " ", element("span", {}, size));
    const figure = element("figure", { class: "layer", "data-layer": layer }, caption, canvas);
    if (layer === "input") figure.append((this.scale = element("p", { class: "scale" })));
    this.container.append(figure);
    this.layers[layer] = { canvas, name, maps, rows, columns };
    const point = (event) => this.maps(layer).at(event);
    canvas.addEventListener("pointermove", (event) => this.point(layer, point(event), false));
    canvas.addEventListener("click", (event) => this.point(layer, point(event), true));
    canvas.addEventListener("pointerleave", () => this.app.point(null));
    canvas.addEventListener("keydown", (event) => this.key(layer, event));
    canvas.addEventListener("focus", () => this.at(layer) && this.tell(layer));
  }

  maps(layer) {
    return this.layers[layer].painter;
  }

  /** Sizes the canvases to the window. */
  layOut() {
    const { larger } = this.app;
    for (const layer of SHOWN) {
      const { canvas, maps, rows, columns } = this.layers[layer];
      const { across, unit, gap } = LAYOUT[layer];
      const ink = layer === "input";
      this.layers[layer].painter = new Maps(canvas, {
        maps, rows, columns, across, unit: unit * larger, gap: gap ?? GAP, kind: ink ? "ink" : "signed", range: ink ? 1 : this.range,
      });
    }
    this.translate();
  }

  translate() {
    for (const layer of SHOWN) {
      const { canvas, name, maps, rows, columns } = this.layers[layer];
      name.textContent = layerName(layer);
      const key = rows * columns === 1 ? "layerLabelFlat" : "layerLabel";
      canvas.setAttribute("aria-label", t(key, { layer: layerName(layer), maps, rows, columns }));
    }
  }

  /** Which colours stand for which values in all layers but the input. */
  drawScale() {
    const steps = Float32Array.from({ length: 2 * SCALE + 1 }, (_, k) => (k / SCALE - 1) * this.range);
    const colours = pictureOf(steps, 1, steps.length, { unit: 2, range: this.range });
    this.scale.replaceChildren(number(-this.range, 2), colours, number(this.range, 2));
  }

  /** Paints all layers, and the receptive field of a unit of this network. */
  draw(values, unit) {
    this.drawScale();
    const here = unit && unit.network === this.network ? unit : null;
    const fields = here && values ? fieldsOf(this.network, here) : {};
    for (const layer of SHOWN) {
      const { maps, rows, columns } = this.layers[layer];
      const shown = values ? values[layer] : new Float32Array(maps * rows * columns).fill(layer === "input" ? -1 : 0);
      const field = fields[layer];
      const painter = this.maps(layer);
      painter.paint(shown, field && field.maps.length < maps ? field.maps : null);
      const whole = field && field.maps.length === maps && field.top <= 0 && field.left <= 0 && field.bottom >= rows && field.right >= columns;
      if (field && !whole) for (const map of field.maps) painter.frame(map, field);
      if (here && here.layer === layer) painter.ring(here);
      const figure = this.layers[layer].canvas.parentElement;
      figure.classList.toggle("apart", Boolean(here && here.layer === layer));
      figure.classList.toggle("whole", Boolean(whole));
    }
  }

  point(layer, place, pin) {
    this.app.point(place && { network: this.network, layer, ...place }, pin);
  }

  at(layer) {
    return (this.cursor[layer] ??= { map: 0, row: 0, column: 0 });
  }

  /** Arrows move within a map and, where a map is one unit, among maps. */
  key(layer, event) {
    const { maps, rows, columns } = this.layers[layer];
    const { across } = LAYOUT[layer];
    const at = this.at(layer);
    const single = rows * columns === 1;
    const [limitRow, limitColumn] = single ? [Math.ceil(maps / across), across] : [rows, columns];
    let [row, column, map] = single ? [Math.floor(at.map / across), at.map % across, at.map] : [at.row, at.column, at.map];
    if (event.key === "ArrowLeft") column--;
    else if (event.key === "ArrowRight") column++;
    else if (event.key === "ArrowUp") row--;
    else if (event.key === "ArrowDown") row++;
    else if (event.key === "PageDown" && !single) map++;
    else if (event.key === "PageUp" && !single) map--;
    else if (event.key === "Enter") return this.point(layer, at, true);
    else if (event.key === "Escape") return this.app.point(null, true);
    else return undefined;
    event.preventDefault();
    row = Math.min(limitRow - 1, Math.max(0, row));
    column = Math.min(limitColumn - 1, Math.max(0, column));
    this.cursor[layer] = single
      ? { map: Math.min(maps - 1, row * across + column), row: 0, column: 0 }
      : { map: (map + maps) % maps, row, column };
    return this.tell(layer);
  }

  tell(layer) {
    this.point(layer, this.cursor[layer], false);
    this.app.say();
  }
}
