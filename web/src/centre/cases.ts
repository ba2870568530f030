/** What the command centre has on its map: regions to go down into, cases as tiles of the server, warmth instead of points. */

import type { Map as Canvas, ExpressionSpecification, MapLayerMouseEvent, VectorTileSource } from "maplibre-gl";
import type { CityMap, Overlay } from "../city-map";
import { PLAIN } from "../shared/basemap";
import { type Asked, query } from "../shared/calls";
import { meant, systemOf } from "../shared/gcj02";
import { addCaseLayer } from "../shared/map-cases";
import type { Layer } from "../shared/map-layers";
import { showPopup, type Way } from "../shared/map-popup";
import type { Collection } from "../shared/map-regions";
import { tone } from "../shared/tones";
import { list, type Page, say } from "./words";

const LIST_FROM_ZOOM = 16.5; // closer than this a bunch is not taken apart any more: its list is opened

type Tiles = Asked<"yiwang_server_api_maps_case_tile">;

export interface Region {
  code: string;
  name: string;
  open: number;
  overdue: number;
  approximate: boolean;
}

/** Which cases are wanted, in the API's own words for its tiles. */
export type Shown = Required<Pick<Tiles, "region" | "state" | "step" | "category" | "holder" | "at">>;

export class CentreCases implements Overlay {
  readonly hit = ["clusters"];
  readonly layers: Layer[] = [{ key: "layer_heat", owns: (id) => id === "heat", off: true }];
  private wanted: Shown | undefined;

  constructor(
    private readonly map: CityMap,
    private readonly page: Page,
    private readonly enter: (region: Region) => void,
  ) {
    map.compose(this);
  }

  /** Go to a region: its parts become what can be gone down into. */
  async region(code: string, at: string | null, animate: boolean, there = true): Promise<Region[]> {
    const answer = await fetch(
      `${this.page.urls.regions}?${new URLSearchParams({ region: code, ...(at ? { at } : {}) })}`,
      { headers: { Accept: "application/json" } },
    );
    if (!answer.ok) throw new Error(String(answer.status));
    const outlines = (await answer.json()) as Collection;
    await this.map.loaded;
    this.map.showRegions(outlines);
    if (there)
      this.map.fit({
        padding: this.free(),
        animate: animate && !matchMedia("(prefers-reduced-motion: reduce)").matches,
        duration: 500,
      });
    return outlines.features.map((feature) => feature.properties as unknown as Region);
  }

  /** Show other cases. */
  async show(wanted: Shown): Promise<void> {
    this.wanted = wanted;
    await this.map.loaded;
    const canvas = this.map.canvas;
    if (!canvas) return;
    this.map.dataset["idle"] = "";
    if (canvas.getSource("cases"))
      for (const form of ["cases", "heat"] as const)
        (canvas.getSource(form) as VectorTileSource | undefined)?.setTiles([this.tiles(form)]);
    else {
      this.draw(canvas);
      this.map.applySwitches();
    }
  }

  /** The same cases, as they are now; what is drawn stays until the new tiles are there. */
  refresh(): void {
    const canvas = this.map.canvas;
    if (!canvas?.getSource("cases")) return;
    canvas.refreshTiles("cases");
    if (canvas.getLayoutProperty("heat", "visibility") !== "none") canvas.refreshTiles("heat");
  }

  /** On a phone the controls stand above the map, so that its tools lie on it as on every other. */
  toolsIn(): HTMLElement | null {
    return this.over();
  }

  legend(): HTMLElement | null {
    return this.map.parentElement?.querySelector<HTMLElement>(":scope > .legend") ?? null;
  }

  /** The controls that lie over the map; null where they do not. */
  private over(): HTMLElement | null {
    const over = this.map.parentElement?.querySelector<HTMLElement>(".over");
    return over && getComputedStyle(over).position === "absolute" ? over : null;
  }

  /** What of the map nothing lies over. */
  private free(): { top: number; bottom: number; left: number; right: number } {
    const over = this.over();
    return over
      ? { top: over.offsetHeight + 22, bottom: 62, left: 20, right: 44 }
      : { top: 12, bottom: 44, left: 12, right: 40 };
  }

  private tiles(form: "cases" | "heat"): string {
    const wanted: Tiles = { form, crs: systemOf(), ...this.wanted };
    return `${location.origin}${this.page.urls.tiles}?${query(wanted)}`;
  }

  /** Layers of cases; drawn once it is known which ones are wanted. */
  draw(canvas: Canvas): void {
    if (!this.wanted) return;
    canvas.addSource("cases", { type: "vector", tiles: [this.tiles("cases")], minzoom: 0, maxzoom: 18 });
    canvas.addSource("heat", { type: "vector", tiles: [this.tiles("heat")], minzoom: 0, maxzoom: 16 });
    canvas.addLayer({
      id: "heat",
      type: "heatmap",
      source: "heat",
      "source-layer": "heat",
      layout: { visibility: "none" },
      paint: {
        "heatmap-weight": ["interpolate", ["linear"], ["ln", ["+", 1, ["get", "n"]]], 0, 0.05, 6, 1],
        "heatmap-radius": 34,
        "heatmap-intensity": ["interpolate", ["linear"], ["zoom"], 6, 0.7, 14, 1.6],
        "heatmap-opacity": 0.8,
        "heatmap-color": [
          "interpolate",
          ["linear"],
          ["heatmap-density"],
          0,
          "rgba(0,0,0,0)",
          0.15,
          "#3b6fb6",
          0.4,
          "#2fa58c",
          0.65,
          "#e8b53a",
          1,
          "#c5301f",
        ],
      },
    });
    this.drawBunches(canvas);
    addCaseLayer(canvas, this.map, { "source-layer": "cases" });
  }

  private drawBunches(canvas: Canvas): void {
    const colour = (name: string) => tone(this.map, name);
    const size: ExpressionSpecification = [
      "interpolate",
      ["linear"],
      ["ln", ["get", "n"]],
      0,
      5,
      2.3,
      8,
      4.6,
      12,
      6.9,
      16,
      10,
      20,
    ];
    // a bunch has the colour of the worst that is a tenth of it
    const worst: ExpressionSpecification = [
      "case",
      [">=", ["coalesce", ["get", "red"], 0], ["*", 0.1, ["get", "n"]]],
      colour("map-late"),
      [">=", ["coalesce", ["get", "yellow"], 0], ["*", 0.1, ["get", "n"]]],
      colour("map-soon"),
      colour("map-fine"),
    ];
    canvas.addLayer({
      id: "clusters",
      type: "circle",
      source: "cases",
      "source-layer": "clusters",
      paint: {
        "circle-radius": size,
        "circle-color": worst,
        "circle-opacity": 0.86,
        "circle-stroke-color": colour("card"),
        "circle-stroke-width": 1,
      },
    });
    canvas.addLayer({
      id: "counts",
      type: "symbol",
      source: "cases",
      "source-layer": "clusters",
      filter: [">", ["get", "n"], 1],
      layout: {
        "text-field": [
          "case",
          [">=", ["get", "n"], 10000],
          ["concat", ["to-string", ["round", ["/", ["get", "n"], 1000]]], "k"],
          ["to-string", ["get", "n"]],
        ],
        "text-size": 11,
        "text-font": PLAIN,
        "text-allow-overlap": false,
      },
      paint: { "text-color": colour("card") },
    });
  }

  listen(canvas: Canvas): void {
    const page = this.page;
    this.map.tell(
      "regions",
      (region) => [
        String(region["name"]),
        say(page, "region_tip", { open: Number(region["open"]), overdue: Number(region["overdue"]) }),
      ],
      (region) => void this.enter(region as unknown as Region),
    );
    this.map.tell(
      "clusters",
      (bunch) => [
        say(page, "bunch_tip", {
          n: Number(bunch["n"]),
          red: Number(bunch["red"] ?? 0),
          yellow: Number(bunch["yellow"] ?? 0),
        }),
      ],
      (bunch, event) => void this.open(canvas, Number(bunch["n"]), event),
    );
    this.map.tell(
      "cases",
      (one) => [String(one["number"]), page.words[`light_${String(one["light"])}`] ?? ""],
      (one): Way => ({
        text: this.map.word("go_cases"),
        href: page.urls.case.replace("NUMBER", encodeURIComponent(String(one["number"]))),
      }),
    );
  }

  /** Go closer to a bunch; where that does not take it apart any more, the list of what it holds. */
  private open(canvas: Canvas, cases: number, event: MapLayerMouseEvent): void {
    if (canvas.getZoom() < LIST_FROM_ZOOM) {
      canvas.easeTo({ center: event.lngLat, zoom: canvas.getZoom() + 2 });
      return;
    }
    const near = 24 / 2 ** canvas.getZoom(); // about a finger's width, in degrees
    const { lng, lat } = event.lngLat;
    const href = list(this.page, {
      state: this.wanted?.state === "all" ? "" : (this.wanted?.state ?? ""),
      bbox: [...meant([lng - near, lat - near]), ...meant([lng + near, lat + near])]
        .map((edge) => edge.toFixed(6))
        .join(","),
    });
    const text = this.map.word("go_unplaced");
    showPopup(canvas, event.lngLat, [say(this.page, "bunch", { n: cases })], { text, href });
  }
}
