// Sizes, parameters and connections of each layer, with the sum that gives each, beside the published table.
import { element } from "./draw.js";
import { FACTS } from "./facts.js";
import { countsOf } from "./geometry.js";
import { layerName, t } from "./i18n.js";

const NUMBERS = { neurons: "count", parameters: "count", connections: "count", thePaper: "published" }; // right-aligned

/** Elements of the view. */
export function sizesView(app) {
  const networks = app.beside ? ["lenet5", "concise"] : ["lenet5"];
  return [element("h3", {}, t("sizesTitle")), ...networks.flatMap((network) => sizes(app.weights[network]))];
}

function sizes(weights) {
  const { network, classes } = weights;
  const facts = FACTS.networks[network];
  const counts = countsOf(weights);
  let differing = 0;
  const beside = (here, sum, published, more = 0) => {
    const wrong = here !== published + more;
    differing += wrong;
    const formula = sum && sum !== grouped(here) ? element("span", { class: "sum" }, `${sum} =`) : null;
    return [
      element("td", { class: "count" }, formula, " ", element("b", {}, grouped(here))),
      element("td", { class: wrong ? "published wrong" : "published" }, wrong ? `✗ ${grouped(published)}` : grouped(published)),
    ];
  };
  const rows = counts.map((count, k) => {
    const row = facts.layers[k];
    const more = network === "lenet5" && count.layer === "output" ? count.maps - row.maps : 0;
    return element(
      "tr",
      { "data-layer": count.layer },
      element("th", { scope: "row" }, layerName(count.layer)),
      element("td", {}, t(row.kind)),
      element("td", {}, `${count.maps} × ${row.size.join("×")}`),
      element("td", { class: "count" }, grouped(count.maps * row.size[0] * row.size[1])),
      beside(count.parameters, count.parameterSum, row.parameters),
      beside(count.connections, count.connectionSum, row.connections, 84 * more),
    );
  });
  const total = (key) => counts.reduce((sum, count) => sum + count[key], 0);
  const more = network === "lenet5" ? classes.length - facts.layers.at(-1).maps : 0;
  const totals = element(
    "tr", { class: "total" }, element("th", { scope: "row" }, t("total")), element("td", { colspan: "3" }),
    beside(total("parameters"), "", facts.parameters), beside(total("connections"), "", facts.connections, 84 * more),
  );
  const heads = ["layer", "kind", "mapsSize", "neurons", "parameters", "thePaper", "connections", "thePaper"];
  const title = t(network === "lenet5" ? "paperNetwork" : "conciseNetwork");
  const table = element(
    "table", { class: "sizes", "data-network": network }, element("caption", {}, title),
    element("thead", {}, element("tr", {}, heads.map((key) => element("th", { scope: "col", class: NUMBERS[key] }, t(key))))),
    element("tbody", {}, rows, totals),
  );
  const notes = [element("p", { class: "hint" }, differing ? t("differs", { count: differing }) : t("agrees"))];
  if (more > 0) {
    const sum = `${grouped(facts.connections)} + 84·${more} = ${grouped(total("connections"))}`;
    notes.push(element("p", { class: "hint" }, t("codesMore", { count: classes.length, sum })));
  }
  return [element("div", { class: "wide" }, table), ...notes];
}

function grouped(count) {
  return count.toLocaleString("en");
}
