// What gives a unit its value: its terms, their sum a, and the state x.
import { FACTS } from "./facts.js";
import { feeds, kernelOf, sigmoid, squash } from "./network.js";
import { shapeOf } from "./geometry.js";

/**
 * {kind, bias, a, x, parts: [{source, inputs, weights, products, sum, rows, columns, map}]} of a unit
 * {network, layer, map, row, column}, given the weights and all layers' values.
 */
export function explain(weights, values, unit) {
  const { layer, map } = unit;
  if (layer === "input") return { kind: "input", parts: [], a: 0, x: values.input[unit.row * shapeOf(unit.network, "input").columns + unit.column] };
  if (layer === "c1" || layer === "c3") return convolution(weights, values, unit);
  if (layer === "s2" || layer === "s4") return subsampling(weights, values, unit);
  if (layer === "output") return output(weights, values, map);
  const named = weights.arrays[`${layer}.weight`];
  const inputs = layer === "c5" ? values.s4 : values.c5;
  const row = named.subarray(map * inputs.length, (map + 1) * inputs.length);
  const parts =
    layer === "c5"
      ? Array.from({ length: 16 }, (_, k) => weighted(inputs.subarray(25 * k, 25 * k + 25), row.subarray(25 * k, 25 * k + 25), 5, 5, "s4", k))
      : [weighted(inputs, row, 10, 12, "c5", 0)];
  return finished(unit.network, layer === "c5" && unit.network === "lenet5" ? "convolution" : "full", weights.arrays[`${layer}.bias`][map], parts);
}

function convolution({ network, arrays }, values, { layer, map, row, column }) {
  const before = layer === "c1" ? "input" : "s2";
  const { rows, columns } = shapeOf(network, before);
  const pad = layer === "c1" && network === "concise" ? 2 : 0;
  const sources = layer === "c1" ? [0] : feeds(network, map);
  const parts = sources.map((source) => {
    const inputs = new Float32Array(25);
    for (let tap = 0; tap < 25; tap++) {
      const [r, c] = [row - pad + Math.floor(tap / 5), column - pad + (tap % 5)];
      if (r >= 0 && r < rows && c >= 0 && c < columns) inputs[tap] = values[before][(source * rows + r) * columns + c];
    }
    const kernel = layer === "c1" ? map : kernelOf(network, map, source);
    return weighted(inputs, arrays[`${layer}.weight`].subarray(25 * kernel, 25 * kernel + 25), 5, 5, before, source);
  });
  return finished(network, "convolution", arrays[`${layer}.bias`][map], parts);
}

function subsampling({ network, arrays }, values, { layer, map, row, column }) {
  const before = layer === "s2" ? "c1" : "c3";
  const { rows, columns } = shapeOf(network, before);
  const at = (map * rows + 2 * row) * columns + 2 * column;
  const inputs = Float32Array.from([at, at + 1, at + columns, at + columns + 1], (k) => values[before][k]);
  const sum = inputs.reduce((a, b) => a + b, 0);
  if (network === "concise") {
    return { kind: "pooling", parts: [{ inputs, rows: 2, columns: 2, source: before, map, sum }], a: sum / 4, x: sum / 4 };
  }
  const [coefficient, bias] = [arrays[`${layer}.coefficient`][map], arrays[`${layer}.bias`][map]];
  const a = coefficient * sum + bias;
  return { kind: "subsampling", coefficient, bias, parts: [{ inputs, rows: 2, columns: 2, source: before, map, sum }], a, x: squash(a) };
}

function output(weights, values, map) {
  if (weights.network === "concise") {
    const row = weights.arrays["output.weight"].subarray(84 * map, 84 * map + 84);
    const part = weighted(values.f6, row, 12, 7, "f6", 0);
    const a = part.sum + weights.arrays["output.bias"][map];
    return { kind: "logit", bias: weights.arrays["output.bias"][map], parts: [part], a, x: a };
  }
  const code = weights.codes[map];
  const products = values.f6.map((value, k) => (value - code[k]) ** 2);
  const sum = products.reduce((a, b) => a + b, 0);
  return { kind: "rbf", parts: [{ inputs: values.f6, weights: code, products, rows: 12, columns: 7, source: "f6", map: 0, sum }], a: sum, x: sum };
}

function weighted(inputs, weights, rows, columns, source, map) {
  const products = inputs.map((value, k) => value * weights[k]);
  return { inputs, weights, products, rows, columns, source, map, sum: products.reduce((a, b) => a + b, 0) };
}

function finished(network, kind, bias, parts) {
  const a = parts.reduce((sum, part) => sum + part.sum, bias);
  return { kind, bias, parts, a, x: network === "lenet5" ? squash(a) : sigmoid(a) };
}

/** The formula of the state, with its numbers: pairs of what is written and what it comes to. */
export function stateFormula(network, a, x, number) {
  if (network === "concise") return `x = 1 / (1 + e^(−a)) = 1 / (1 + e^(${number(-a)})) = ${number(x)}`;
  return `x = A·tanh(S·a) = ${FACTS.amplitude}·tanh(⅔·${a < 0 ? `(${number(a)})` : number(a)}) = ${number(x)}`;
}
