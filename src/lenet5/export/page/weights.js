// safetensors → weights, checked. A wrong file is one Complaint: a key of the dictionary with what it names.
import { FACTS, codeOf } from "./facts.js";

const DIGITS = "0123456789";
const MOST_BYTES = 4 << 20;

/** A failure that the user is told in one line. */
export class Complaint extends Error {
  constructor(key, values = {}) {
    super(key);
    this.key = key;
    this.values = values;
  }
}

/** The weights in a safetensors file (ArrayBuffer); name is what messages call it. */
export function parseWeights(buffer, name, embedded = false) {
  if (buffer.byteLength > MOST_BYTES) throw new Complaint("wrongTooLarge", { name });
  const first = new Uint8Array(buffer, 0, Math.min(2, buffer.byteLength));
  const pickle = (first[0] === 0x80 && first[1] >= 2 && first[1] <= 5) || (first[0] === 0x50 && first[1] === 0x4b);
  if (pickle) throw new Complaint("wrongPickle", { name });
  const { header, start } = readHeader(buffer, name);
  const metadata = header.__metadata__ || {};
  const facts = Object.hasOwn(FACTS.networks, metadata.network ?? "") ? FACTS.networks[metadata.network] : null;
  if (!facts) throw new Complaint("wrongNetwork", { name, known: Object.keys(FACTS.networks).join(", ") });
  if (metadata.format !== "1") throw new Complaint("wrongFormat", { name, format: String(metadata.format) });
  const known = new Set(["__metadata__", ...Object.keys(facts.arrays)]);
  for (const key of Object.keys(header)) {
    if (!known.has(key) && !(embedded && key.endsWith(".scale"))) throw new Complaint("wrongExtra", { name, array: key });
  }
  const arrays = {};
  for (const [key, shape] of Object.entries(facts.arrays)) {
    arrays[key] = readArray(buffer, start, header, key, shape, name, embedded);
    if (!arrays[key].every(Number.isFinite)) throw new Complaint("wrongNumbers", { name });
  }
  const classes = metadata.classes ?? DIGITS;
  checkClasses(classes, metadata.network, name);
  const codes = metadata.network === "lenet5" ? [...classes].map(codeOf) : [];
  const number = (key, fallback) => numberOf(metadata, key, fallback, name);
  const temperature = number("temperature", 1);
  return { network: metadata.network, name, arrays, classes, codes, temperature, j: number("j", Infinity), metadata };
}

/** The bytes (ArrayBuffer) of deflated text in base64. */
export async function inflated(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
}

function readHeader(buffer, name) {
  try {
    const length = Number(new DataView(buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array(buffer, 8, length)));
    if (typeof header !== "object" || header === null || Array.isArray(header)) throw new TypeError("no object");
    return { header, start: 8 + length };
  } catch {
    throw new Complaint("wrongFile", { name });
  }
}

function readArray(buffer, start, header, key, shape, name, embedded) {
  const entry = header[key];
  if (!entry) throw new Complaint("wrongMissing", { name, array: key });
  const wanted = `F32 (${shape.join(", ")})`;
  const given = `${entry.dtype} (${[].concat(entry.shape ?? []).join(", ")})`;
  const rounded = embedded && entry.dtype === "I8";
  if (given !== wanted && !rounded) throw new Complaint("wrongShape", { name, array: key, wanted, given });
  const size = shape.reduce((a, b) => a * b, 1);
  const bytes = slice(buffer, start, entry, size * (rounded ? 1 : 4), name);
  if (!rounded) return new Float32Array(bytes);
  const scale = new Float32Array(slice(buffer, start, header[`${key}.scale`], shape[0] * 4, name));
  return Float32Array.from(new Int8Array(bytes), (level, k) => level * scale[Math.floor((k * shape[0]) / size)]);
}

function slice(buffer, start, entry, length, name) {
  const [from, to] = [].concat(entry.data_offsets ?? []);
  const whole = Number.isInteger(from) && from >= 0 && to - from === length && start + to <= buffer.byteLength;
  if (!whole) throw new Complaint("wrongFile", { name });
  return buffer.slice(start + from, start + to);
}

function checkClasses(classes, network, name) {
  const characters = typeof classes === "string" ? [...classes] : [];
  const sound =
    characters.length > 0 &&
    classes.startsWith(DIGITS) &&
    characters.every((c) => Object.hasOwn(FACTS.codes, c)) &&
    new Set(characters).size === characters.length &&
    (network === "lenet5" || classes === DIGITS);
  if (!sound) throw new Complaint("wrongClasses", { name });
}

function numberOf(metadata, key, fallback, name) {
  if (!(key in metadata)) return fallback;
  const value = metadata[key] === "inf" ? Infinity : Number(metadata[key] || NaN);
  if ((value >= 1e-3 && value <= 1e3) || (value === Infinity && fallback === Infinity)) return value;
  throw new Complaint("wrongMetadata", { name, key });
}
