// Both networks forward, layer by layer: section II-B of the paper, and the tutorials' short form.
import { FACTS } from "./facts.js";

/** The squashing function f(a) = A·tanh(S·a), eq. 6. */
export function squash(a) {
  return FACTS.amplitude * Math.tanh(FACTS.slope * a);
}

/** The logistic function. */
export function sigmoid(a) {
  return 0.5 + 0.5 * Math.tanh(0.5 * a);
}

/** What the network takes of 28×28 ink levels in 0..255: lenet5 32×32 in −0.1..1.175, concise 28×28 in 0..1. */
export function networkInput(network, levels) {
  const { side, background, foreground } = FACTS;
  if (network === "concise") return Float32Array.from(levels, (level) => level / 255);
  const size = FACTS.networks.lenet5.size;
  const frame = (size - side) / 2;
  const input = new Float32Array(size * size).fill(background);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const level = levels[row * side + column];
      input[(row + frame) * size + column + frame] = (level * (foreground - background)) / 255 + background;
    }
  }
  return input;
}

/** Every layer's values of 28×28 ink levels: {input, c1, s2, c3, s4, c5, f6, output}, maps one after another. */
export function forward(weights, levels) {
  const input = networkInput(weights.network, levels);
  return weights.network === "concise" ? concise(weights.arrays, input) : lenet5(weights, input);
}

/** For each C3 map the S2 maps that feed it: Table I, or in the concise network all. */
export function feeds(network, map) {
  return network === "lenet5" ? FACTS.table[map] : [0, 1, 2, 3, 4, 5];
}

const starts = {};

/** Which 5×5 kernel of c3.weight joins an S2 map to a C3 map. */
export function kernelOf(network, map, from) {
  const sources = (starts[network] ??= Array.from({ length: 16 }, (_, k) => k).reduce(
    (before, k) => [...before, before[k] + feeds(network, k).length],
    [0],
  ));
  return sources[map] + feeds(network, map).indexOf(from);
}

function lenet5({ arrays: w, codes }, input) {
  const c1 = convolved(input, 32, 6, () => [0], w["c1.weight"], w["c1.bias"], squash);
  const s2 = subsampled(c1, 6, 28, w["s2.coefficient"], w["s2.bias"]);
  const c3 = convolved(s2, 14, 16, (map) => FACTS.table[map], w["c3.weight"], w["c3.bias"], squash);
  const s4 = subsampled(c3, 16, 10, w["s4.coefficient"], w["s4.bias"]);
  const c5 = connected(s4, w["c5.weight"], w["c5.bias"], squash);
  const f6 = connected(c5, w["f6.weight"], w["f6.bias"], squash);
  const output = Float32Array.from(codes, (code) => code.reduce((y, pixel, k) => y + (f6[k] - pixel) ** 2, 0)); // eq. 7
  return { input, c1, s2, c3, s4, c5, f6, output };
}

const ALL = [0, 1, 2, 3, 4, 5];

function concise(w, input) {
  const framed = new Float32Array(32 * 32);
  for (let row = 0; row < 28; row++) framed.set(input.subarray(row * 28, row * 28 + 28), (row + 2) * 32 + 2);
  const c1 = convolved(framed, 32, 6, () => [0], w["c1.weight"], w["c1.bias"], sigmoid);
  const s2 = pooled(c1, 6, 28);
  const c3 = convolved(s2, 14, 16, () => ALL, w["c3.weight"], w["c3.bias"], sigmoid);
  const s4 = pooled(c3, 16, 10);
  const c5 = connected(s4, w["c5.weight"], w["c5.bias"], sigmoid);
  const f6 = connected(c5, w["f6.weight"], w["f6.bias"], sigmoid);
  const output = connected(f6, w["output.weight"], w["output.bias"], (a) => a);
  return { input, c1, s2, c3, s4, c5, f6, output };
}

/** 5×5 convolutions of maps size×size; sourcesOf names the maps that feed a map, kernels stand in that order. */
function convolved(maps, size, count, sourcesOf, kernels, bias, f) {
  const side = size - 4;
  const out = new Float32Array(count * side * side);
  const sums = new Float64Array(side * side);
  let tap = 0;
  for (let map = 0; map < count; map++) {
    sums.fill(bias[map]);
    for (const source of sourcesOf(map)) {
      for (let down = 0; down < 5; down++, tap += 5) {
        const start = (source * size + down) * size;
        addRow(sums, maps, start, size, side, kernels[tap], kernels[tap + 1], kernels[tap + 2], kernels[tap + 3], kernels[tap + 4]);
      }
    }
    for (let k = 0; k < sums.length; k++) out[map * sums.length + k] = f(sums[k]);
  }
  return out;
}

/** Adds one row of a kernel, five weights, at all places: this is where the time goes. */
function addRow(sums, maps, start, size, side, w0, w1, w2, w3, w4) {
  for (let row = 0, k = 0; row < side; row++) {
    for (let at = start + row * size, end = at + side; at < end; at++) {
      sums[k++] += w0 * maps[at] + w1 * maps[at + 1] + w2 * maps[at + 2] + w3 * maps[at + 3] + w4 * maps[at + 4];
    }
  }
}

/** The sum of each 2×2 square, given to f(sum, map). */
function overSquares(maps, count, size, f) {
  const side = size / 2;
  const out = new Float32Array(count * side * side);
  for (let map = 0, k = 0; map < count; map++) {
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const at = (map * size + 2 * row) * size + 2 * column;
        out[k++] = f(maps[at] + maps[at + 1] + maps[at + size] + maps[at + size + 1], map);
      }
    }
  }
  return out;
}

/** S2 and S4: four inputs added, times the map's coefficient, plus its bias, squashed. */
function subsampled(maps, count, size, coefficient, bias) {
  return overSquares(maps, count, size, (sum, map) => squash(coefficient[map] * sum + bias[map]));
}

function pooled(maps, count, size) {
  return overSquares(maps, count, size, (sum) => sum / 4);
}

/** Units that see all inputs. */
function connected(inputs, weight, bias, f) {
  const out = new Float32Array(bias.length);
  for (let unit = 0, k = 0; unit < bias.length; unit++) {
    let sum = bias[unit];
    for (let input = 0; input < inputs.length; input++) sum += weight[k++] * inputs[input];
    out[unit] = f(sum);
  }
  return out;
}
