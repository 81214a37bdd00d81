// The drawing board: mouse, pen, finger and keyboard → strokes.
import { EVEN, EXTENT, trace } from "./strokes.js";

const LEAST_STEP = 5; // units between points
const KEY_STEP = 32; // units that an arrow key moves the pen; with Shift four times as far

/** Follows pointers and keys on a canvas; changed(strokes, done) is called with every change. */
export class Board {
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.changed = changed;
    this.strokes = [];
    this.undone = []; // what undo goes back to, last first
    this.pointer = null;
    this.cursor = null; // the keyboard's pen: {x, y, down}
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this.up(event));
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => this.liftKeyboardPen());
  }

  /** Shows other strokes, which undo takes back. */
  set(strokes, remember = true) {
    if (remember) this.remember();
    this.strokes = strokes;
    this.draw();
    this.changed(this.strokes, true);
  }

  clear() {
    if (this.strokes.length) this.set([]);
  }

  undo() {
    if (this.undone.length) this.set(this.undone.pop(), false);
  }

  remember() {
    this.undone.push(this.strokes.map((stroke) => [...stroke]));
    if (this.undone.length > 100) this.undone.shift();
  }

  draw() {
    const side = this.canvas.width;
    const context = this.canvas.getContext("2d");
    context.clearRect(0, 0, side, side);
    context.fillStyle = context.strokeStyle = getComputedStyle(this.canvas).color;
    trace(context, this.strokes, side);
    if (!this.cursor) return;
    const [x, y] = [(this.cursor.x * side) / EXTENT, (this.cursor.y * side) / EXTENT];
    context.beginPath();
    context.arc(x, y, side / 40, 0, 2 * Math.PI);
    context.lineWidth = side / 120;
    context.strokeStyle = getComputedStyle(this.canvas).outlineColor;
    context.stroke();
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
    this.remember();
    this.strokes = [...this.strokes, [this.point(event)]];
    this.draw();
    this.changed(this.strokes, false);
  }

  move(event) {
    if (event.pointerId !== this.pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const moment of events.length ? events : [event]) this.extend(this.point(moment));
    this.draw();
    this.changed(this.strokes, false);
  }

  up(event) {
    if (event.pointerId !== this.pointer) return;
    this.pointer = null;
    this.changed(this.strokes, true);
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
    else if (event.key === "Backspace" || event.key === "Delete") this.clear();
    else if (event.key === " ") this.togglePen();
    else if (direction && !event.altKey && !event.ctrlKey && !event.metaKey) this.step(direction, event.shiftKey ? 4 : 1);
    else return;
    event.preventDefault();
  }

  togglePen() {
    this.cursor ??= { x: EXTENT / 2, y: EXTENT / 4, down: false };
    this.cursor.down = !this.cursor.down;
    if (this.cursor.down) {
      this.remember();
      this.strokes = [...this.strokes, [[this.cursor.x, this.cursor.y, EVEN]]];
    }
    this.draw();
    this.changed(this.strokes, !this.cursor.down);
  }

  step([across, down], times) {
    this.cursor ??= { x: EXTENT / 2, y: EXTENT / 4, down: false };
    const moved = (value, by) => Math.min(EXTENT - 1, Math.max(0, value + by * KEY_STEP * times));
    this.cursor = { ...this.cursor, x: moved(this.cursor.x, across), y: moved(this.cursor.y, down) };
    if (this.cursor.down) this.extend([this.cursor.x, this.cursor.y, EVEN]);
    this.draw();
    if (this.cursor.down) this.changed(this.strokes, true);
  }

  liftKeyboardPen() {
    if (!this.cursor) return;
    this.cursor = null;
    this.draw();
  }
}
