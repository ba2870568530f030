/** Cases on a map as points by how late they are; points that are no place as rings with the number of their cases. */

import type { Map as Canvas } from "maplibre-gl";
import type { Collection } from "./map-regions";
import { addSigns, LIGHT_ICON, LIGHT_ORDER, LIGHT_SIZE, lights, picture } from "./signs";
import { tone } from "./tones";

export const LIGHTS = lights({ red: "map-late", yellow: "map-soon", green: "map-fine", none: "map-closed" });

/** Put the points of a collection on a map. */
export function drawCases(canvas: Canvas, host: Element, cases: Collection): void {
  canvas.addSource("cases", { type: "geojson", data: cases as never });
  addCaseLayer(canvas, host, { filter: ["!", ["has", "flag"]] });
  canvas.addLayer({
    id: "unplaced",
    type: "circle",
    source: "cases",
    filter: ["has", "flag"],
    paint: {
      "circle-color": tone(host, "map-ground"),
      "circle-opacity": 0.85,
      "circle-radius": ["interpolate", ["linear"], ["get", "open"], 1, 7, 500, 18],
      "circle-stroke-color": tone(host, "map-closed"),
      "circle-stroke-width": 2,
    },
  });
}

/** The layer `cases` of the source `cases`; `more` is what this map's has besides. */
export function addCaseLayer(
  canvas: Canvas,
  host: Element,
  more: { filter: ["!", ["has", string]] } | { "source-layer": string },
): void {
  addSigns(canvas, host, "light", LIGHTS);
  canvas.addLayer({
    id: "cases",
    type: "symbol",
    source: "cases",
    ...more,
    layout: {
      "icon-image": LIGHT_ICON,
      "icon-size": LIGHT_SIZE,
      "icon-allow-overlap": true,
      "icon-ignore-placement": true,
      "symbol-sort-key": LIGHT_ORDER,
    },
  });
}

/** What the signs mean. */
export function caseLegend(host: Element, cases: Collection, word: (key: string) => string): HTMLElement {
  const legend = document.createElement("div");
  legend.className = "legend";
  const flags = new Set(cases.features.map((feature) => String(feature.properties["flag"] ?? "")).filter(Boolean));
  for (const [key, sign] of [
    ["late", LIGHTS["red"]],
    ["soon", LIGHTS["yellow"]],
    ["fine", LIGHTS["green"]],
    ...[...flags].map((flag) => [flag, undefined] as const),
  ] as const) {
    const item = document.createElement("span"),
      shown = (sign && picture(host, sign)) ?? document.createElement("i");
    if (!sign)
      shown.style.cssText = `background:${tone(host, "map-ground")};box-shadow:inset 0 0 0 2px ${tone(host, "map-closed")}`;
    item.append(shown, word(key));
    legend.append(item);
  }
  return legend;
}
