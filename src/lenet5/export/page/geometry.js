// Shapes, receptive fields and counts of both networks, derived from the published table and the arrays.
import { FACTS } from "./facts.js";
import { feeds } from "./network.js";

export const LAYERS = ["input", "c1", "s2", "c3", "s4", "c5", "f6", "output"];

/** {maps, rows, columns} of a layer. */
export function shapeOf(network, layer) {
  const { size, counted } = FACTS.networks[network];
  if (layer === "input") return { maps: 1, rows: size, columns: size };
  const row = counted[LAYERS.indexOf(layer) - 1];
  return { maps: row.maps, rows: row.size[0], columns: row.size[1] };
}

/** What a unit {layer, map, row, column} sees of each earlier layer: {maps, top, left, bottom, right} by name. */
export function fieldsOf(network, { layer, map, row, column }) {
  const fields = {};
  let here = { maps: [map], top: row, left: column, bottom: row + 1, right: column + 1 };
  for (let k = LAYERS.indexOf(layer); k > 0; k--) {
    here = seenBy(network, k, here);
    fields[LAYERS[k - 1]] = here;
  }
  return fields;
}

/** What a field of layer k sees of the layer before it. */
function seenBy(network, k, { maps, top, left, bottom, right }) {
  const layer = LAYERS[k];
  if (layer === "s2" || layer === "s4") {
    return { maps, top: 2 * top, left: 2 * left, bottom: 2 * bottom, right: 2 * right };
  }
  if (layer === "c1" || layer === "c3") {
    const pad = layer === "c1" && network === "concise" ? 2 : 0;
    const sources = layer === "c1" ? [0] : [...new Set(maps.flatMap((map) => feeds(network, map)))].sort();
    return { maps: sources, top: top - pad, left: left - pad, bottom: bottom + 4 - pad, right: right + 4 - pad };
  }
  const before = shapeOf(network, LAYERS[k - 1]);
  const all = Array.from({ length: before.maps }, (_, map) => map);
  return { maps: all, top: 0, left: 0, bottom: before.rows, right: before.columns };
}

/** What each layer of weights counts: {layer, parameters, connections} with the sums that give them, as text. */
export function countsOf(weights) {
  const { network, arrays, classes } = weights;
  return LAYERS.slice(1).map((layer) => {
    const shape = shapeOf(network, layer);
    const maps = layer === "output" ? classes.length : shape.maps;
    const places = shape.rows * shape.columns;
    const named = Object.keys(arrays).filter((name) => name.startsWith(`${layer}.`));
    const parameters = named.reduce((sum, name) => sum + arrays[name].length, 0);
    const square = places > 1 ? `·${shape.rows}·${shape.columns}` : "";
    const count = parameters.toLocaleString("en");
    if (layer === "s2" || layer === "s4") {
      const trained = parameters > 0;
      return {
        layer, maps, parameters, connections: (trained ? 5 : 4) * maps * places,
        parameterSum: trained ? `2·${maps}` : "", connectionSum: `${trained ? "(4+1)" : "4"}·${maps}${square}`,
      };
    }
    if (layer === "output" && network === "lenet5") {
      return { layer, maps, parameters, connections: 84 * maps, parameterSum: "", connectionSum: `84·${maps}` };
    }
    return {
      layer, maps, parameters, connections: parameters * places,
      parameterSum: sumOf(network, layer, maps), connectionSum: square ? `${count}${square}` : count,
    };
  });
}

/** How many parameters the units of a layer have, in words of arithmetic: maps·(inputs + 1). */
function sumOf(network, layer, maps) {
  if (layer === "c1") return `${maps}·(25+1)`;
  if (layer === "c5") return `${maps}·(16·25+1)`;
  if (layer === "f6") return `${maps}·(120+1)`;
  if (layer === "output") return `${maps}·(84+1)`;
  const bySources = new Map();
  for (let map = 0; map < maps; map++) {
    const sources = feeds(network, map).length;
    bySources.set(sources, (bySources.get(sources) ?? 0) + 1);
  }
  return [...bySources].map(([sources, count]) => `${count}·(${sources}·25+1)`).join(" + ");
}
