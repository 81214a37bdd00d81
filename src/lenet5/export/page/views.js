// The tabs below the network and what each of them shows.
import { element } from "./draw.js";
import { t } from "./i18n.js";
import { kernelsView } from "./view_kernels.js";
import { lessonView } from "./view_lesson.js";
import { pixelsView } from "./view_pixels.js";
import { sizesView } from "./view_sizes.js";
import { tableView } from "./view_table.js";
import { unitView } from "./view_unit.js";

const VIEWS = {
  unit: ["viewUnit", (app) => unitView(app, app.unit)],
  lesson: ["viewLesson", (app) => lessonView(app, app.goToStep)],
  table: ["viewTable", tableView],
  kernels: ["viewKernels", kernelsView],
  sizes: ["viewSizes", sizesView],
  pixels: ["viewPixels", pixelsView],
};
const LIVE = ["unit", "lesson"]; // views that follow the pen; the others wait for the end of a stroke

/** The tabs in one element and the view in another; goTo(view) is called when a tab is chosen. */
export class Views {
  constructor(tabs, panel, goTo) {
    Object.assign(this, { tabs, panel, goTo });
    tabs.addEventListener("keydown", (event) => this.key(event));
  }

  showTabs(shown) {
    this.tabs.replaceChildren(...Object.entries(VIEWS).map(([view, [key]]) => this.tab(view, key, view === shown)));
    this.panel.setAttribute("aria-labelledby", `tab-${shown}`);
  }

  tab(view, key, selected) {
    const attributes = {
      type: "button", role: "tab", id: `tab-${view}`, "aria-controls": this.panel.id, "aria-selected": String(selected),
      tabindex: selected ? "0" : "-1", onclick: () => this.goTo(view),
    };
    return element("button", attributes, t(key));
  }

  /** Draws the view that app.view names: while a stroke is drawn only if it follows the pen. */
  show(app, everything) {
    if (!everything && !LIVE.includes(app.view)) return;
    const focused = this.panel.contains(document.activeElement) ? document.activeElement.dataset.go : null;
    this.panel.replaceChildren(...VIEWS[app.view][1](app));
    if (focused) this.panel.querySelector(`[data-go="${focused}"]:not([disabled])`)?.focus();
  }

  /** Arrows go from tab to tab, Home and End to the first and last. */
  key(event) {
    const views = Object.keys(VIEWS);
    const at = views.indexOf(event.target.id.replace("tab-", ""));
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: views.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const view = views[(to + views.length) % views.length];
    this.goTo(view);
    document.getElementById(`tab-${view}`).focus();
  }
}
