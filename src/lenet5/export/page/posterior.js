// Outputs → probabilities of the ten digits and of "none of these": eq. 9 read as a Gibbs distribution.
import { FACTS } from "./facts.js";

const FAINTEST = 16; // an image whose darkest ink level is below this is blank

/** Penalties, the smallest the answer: distances as they are, logits negated. */
export function penaltiesOf(weights, output) {
  return weights.network === "concise" ? Float32Array.from(output, (logit) => -logit) : output;
}

/** P of each digit and, last, of none of them. Separators do not compete; letters and signs are none of the digits. */
export function probabilities(weights, output, levels) {
  const p = new Float64Array(11);
  if (Math.max(...levels) < FAINTEST) {
    p[10] = 1;
    return p;
  }
  const penalty = penaltiesOf(weights, output);
  const competing = [...weights.classes].map((c, k) => [k, c]).filter(([, c]) => !FACTS.separators.includes(c));
  const least = Math.min(weights.j, ...competing.map(([k]) => penalty[k]));
  const likelihood = (energy) => Math.exp((least - energy) / weights.temperature);
  p[10] = likelihood(weights.j);
  for (const [k] of competing) p[Math.min(k, 10)] += likelihood(penalty[k]);
  const sum = p.reduce((a, b) => a + b);
  return p.map((value) => value / sum);
}

/** The answer: {label: 0..9, or −1 where refused; p: its probability; all: the eleven}. */
export function answerOf(weights, output, levels) {
  const all = probabilities(weights, output, levels);
  const best = all.indexOf(Math.max(...all));
  return { label: best === 10 ? -1 : best, p: all[best], all };
}

/** By how much the answer is nearer than the next best, in penalties: what occlusion takes away. */
export function marginOf(weights, output, label) {
  const penalty = penaltiesOf(weights, output);
  let other = label < 0 ? Infinity : weights.j;
  for (let k = 0; k < 10; k++) if (k !== label) other = Math.min(other, penalty[k]);
  return label < 0 ? other - weights.j : other - penalty[label];
}
