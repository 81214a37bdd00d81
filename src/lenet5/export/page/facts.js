// What the package knows of the paper, embedded at export.
export const FACTS = JSON.parse(document.getElementById("facts").textContent);

/** The 84 pixels of a character's code, ±1, line by line. */
export function codeOf(character) {
  const code = new Float32Array(84);
  const hex = FACTS.codes[character];
  for (let k = 0; k < 84; k++) code[k] = (parseInt(hex[k >> 2], 16) >> (3 - (k & 3))) & 1 ? 1 : -1;
  return code;
}
