// The drawing board: mouse, pen, finger and keyboard → strokes.
import { FACTS } from "./facts.js";
import { EVEN, EXTENT, trace } from "./strokes.js";

const LEAST_STEP = 5; // units between points
const MOST_UNDONE = 100;
const KEY_STEP = 32; // units that an arrow key moves the pen; with Shift four times as far

/**
 * Follows pointers and keys on a canvas, which shows strokes or a picture {levels, note} in their place.
 * changed(done) is called with every change.
 */
export class Board {
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.changed = changed;
    this.strokes = [];
    this.picture = null;
    this.undone = []; // what undo goes back to, last first
    this.pointer = null;
    this.cursor = null; // the keyboard's pen: {x, y, down}
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this.up(event));
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => this.liftKeyboardPen());
  }

  /** Shows other strokes, or a picture, which undo takes back. */
  set(strokes, picture = null) {
    const empty = (state) => !state.strokes.length && !state.picture;
    if (!(empty(this) && empty({ strokes, picture }))) this.remember();
    this.restore({ strokes, picture });
  }

  undo() {
    if (this.undone.length) this.restore(this.undone.pop());
  }

  /** Shows a state; a stroke that is being drawn ends, since it may not be part of it. */
  restore({ strokes, picture }) {
    Object.assign(this, { strokes, picture, pointer: null });
    if (this.cursor) this.cursor.down = false;
    this.draw();
    this.changed(true);
  }

  remember() {
    this.undone.push({ strokes: this.strokes.map((stroke) => [...stroke]), picture: this.picture });
    if (this.undone.length > MOST_UNDONE) this.undone.shift();
  }

  /** A new stroke begins, in the place of a picture. */
  begin(point) {
    this.remember();
    this.strokes = [...this.strokes, [point]];
    this.picture = null;
  }

  draw() {
    const side = this.canvas.width;
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, side, side);
    context.fillStyle = context.strokeStyle = getComputedStyle(this.canvas).color;
    trace(context, this.strokes, side);
    if (this.picture) this.drawPicture(context, side / FACTS.side);
    if (!this.cursor) return;
    const [x, y] = [(this.cursor.x * side) / EXTENT, (this.cursor.y * side) / EXTENT];
    context.beginPath();
    context.arc(x, y, side / 40, 0, 2 * Math.PI);
    context.lineWidth = side / 120;
    context.strokeStyle = getComputedStyle(this.canvas).outlineColor;
    context.stroke();
  }

  drawPicture(context, unit) {
    this.picture.levels.forEach((level, k) => {
      context.globalAlpha = level / 255;
      context.fillRect((k % FACTS.side) * unit, Math.floor(k / FACTS.side) * unit, unit, unit);
    });
    context.globalAlpha = 1;
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    const unit = (value, length) => Math.min(EXTENT - 1, Math.max(0, Math.round((value / length) * EXTENT)));
    const pressure = event.pointerType === "pen" && event.pressure > 0 ? event.pressure : 0.5;
    return [
      unit(event.clientX - box.left, box.width),
      unit(event.clientY - box.top, box.height),
      Math.min(63, Math.round(pressure * 2 * EVEN)),
    ];
  }

  down(event) {
    if (this.pointer !== null || event.button !== 0) return;
    event.preventDefault();
    this.canvas.focus({ preventScroll: true });
    this.cursor = null;
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.begin(this.point(event));
    this.draw();
    this.changed(false);
  }

  move(event) {
    if (event.pointerId !== this.pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const moment of events.length ? events : [event]) this.extend(this.point(moment));
    this.draw();
    this.changed(false);
  }

  up(event) {
    if (event.pointerId !== this.pointer) return;
    this.pointer = null;
    this.changed(true);
  }

  extend(point) {
    const stroke = this.strokes.at(-1);
    const [x, y] = stroke.at(-1);
    if (Math.hypot(point[0] - x, point[1] - y) >= LEAST_STEP) stroke.push(point);
  }

  /** Arrows move a pen, the space bar sets it down and lifts it. */
  key(event) {
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") this.undo();
    else if (event.key === "Backspace" || event.key === "Delete") this.set([]);
    else if (event.key === " ") this.togglePen();
    else if (direction && !event.altKey && !event.ctrlKey && !event.metaKey) this.step(direction, event.shiftKey ? 4 : 1);
    else return;
    event.preventDefault();
  }

  togglePen() {
    this.cursor ??= { x: EXTENT / 2, y: EXTENT / 4, down: false };
    this.cursor.down = !this.cursor.down;
    if (this.cursor.down) this.begin([this.cursor.x, this.cursor.y, EVEN]);
    this.draw();
    this.changed(!this.cursor.down);
  }

  step([across, down], times) {
    this.cursor ??= { x: EXTENT / 2, y: EXTENT / 4, down: false };
    const moved = (value, by) => Math.min(EXTENT - 1, Math.max(0, value + by * KEY_STEP * times));
    this.cursor = { ...this.cursor, x: moved(this.cursor.x, across), y: moved(this.cursor.y, down) };
    if (this.cursor.down) this.extend([this.cursor.x, this.cursor.y, EVEN]);
    this.draw();
    if (this.cursor.down) this.changed(false);
  }

  liftKeyboardPen() {
    if (!this.cursor) return;
    const drawing = this.cursor.down;
    this.cursor = null;
    this.draw();
    if (drawing) this.changed(true);
  }
}
