/** The map of the command centre: regions to go down into, cases as tiles of the server, warmth instead of points. */

import type { ExpressionSpecification, MapLayerMouseEvent, StyleSpecification, VectorTileSource } from "maplibre-gl";
import { Map as Canvas, LngLatBounds, NavigationControl, Popup, setWorkerUrl } from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import worker from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import { type Asked, query } from "../shared/calls";
import { tone, whenThemeChanges } from "../shared/tones";
import { list, type Page, say } from "./words";

setWorkerUrl(worker); // under Vite the worker is not found by itself, and then nothing is drawn

const LIST_FROM_ZOOM = 16.5; // closer than this a bunch is not taken apart any more: its list is opened
const POINT_LAYERS = ["clusters", "cases"];

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

type Outlines = GeoJSON.FeatureCollection<GeoJSON.Geometry, Region>;

export class CentreMap {
  private readonly canvas: Canvas;
  private readonly popup = new Popup({ closeButton: false, closeOnClick: false, className: "tip" });
  private outlines: Outlines = { type: "FeatureCollection", features: [] };
  private wanted: Shown | undefined;
  private heat = false;
  private readonly loaded: Promise<void>;

  constructor(
    private readonly frame: HTMLElement,
    private readonly page: Page,
    private readonly enter: (region: Region) => void,
  ) {
    this.canvas = new Canvas({
      container: frame,
      style: this.style(),
      attributionControl: false,
      center: [0, 0],
      zoom: 1,
      dragRotate: false,
      maxZoom: 19,
    });
    this.canvas.addControl(new NavigationControl({ showCompass: false }), "top-right");
    this.canvas.keyboard.disableRotation();
    this.canvas.touchZoomRotate.disableRotation();
    this.loaded = new Promise((done) => this.canvas.once("load", () => done()));
    void this.loaded.then(() => this.listen());
    this.canvas.on("idle", () => (frame.dataset["idle"] = "yes"));
    whenThemeChanges(() => this.canvas.setStyle(this.style(), { diff: false }));
    this.canvas.on("style.load", () => this.draw());
  }

  /** Go to a region: its parts become what can be gone down into. */
  async region(code: string, at: string | null, animate: boolean, there = true): Promise<Region[]> {
    const answer = await fetch(
      `${this.page.urls.regions}?${new URLSearchParams({ region: code, ...(at ? { at } : {}) })}`,
      { headers: { Accept: "application/json" } },
    );
    if (!answer.ok) throw new Error(String(answer.status));
    this.outlines = (await answer.json()) as Outlines;
    await this.loaded;
    const source = this.canvas.getSource("regions");
    if (source && "setData" in source) (source as { setData(data: unknown): void }).setData(this.outlines);
    this.shade();
    const box = new LngLatBounds();
    const walk = (part: unknown): void => {
      if (!Array.isArray(part)) return;
      if (typeof part[0] === "number") box.extend([part[0] as number, part[1] as number]);
      else part.forEach(walk);
    };
    for (const feature of this.outlines.features)
      if ("coordinates" in feature.geometry) walk(feature.geometry.coordinates);
    if (there && !box.isEmpty())
      this.canvas.fitBounds(box, {
        padding: this.free(),
        animate: animate && !matchMedia("(prefers-reduced-motion: reduce)").matches,
        duration: 500,
      });
    return this.outlines.features.map((feature) => feature.properties);
  }

  /** Show other cases. */
  async show(wanted: Shown): Promise<void> {
    this.wanted = wanted;
    await this.loaded;
    this.frame.dataset["idle"] = "";
    if (!this.canvas.getSource("cases")) this.drawCases();
    else
      for (const form of ["cases", "heat"] as const)
        (this.canvas.getSource(form) as VectorTileSource | undefined)?.setTiles([this.tiles(form)]);
  }

  /** The same cases, as they are now; what is drawn stays until the new tiles are there. */
  refresh(): void {
    if (!this.canvas.getSource("cases")) return;
    this.canvas.refreshTiles("cases");
    if (this.heat) this.canvas.refreshTiles("heat");
  }

  layer(name: "cases" | "heat" | "regions", visible: boolean): void {
    if (name === "heat") this.heat = visible;
    const layers = { cases: ["cases", "clusters", "counts"], heat: ["heat"], regions: ["regions"] }[name];
    for (const layer of layers)
      if (this.canvas.getLayer(layer)) this.canvas.setLayoutProperty(layer, "visibility", visible ? "visible" : "none");
    this.visible[name] = visible;
  }

  private readonly visible = { cases: true, heat: false, regions: true };

  /** What of the frame nothing lies over. */
  private free(): { top: number; bottom: number; left: number; right: number } {
    const tools = this.frame.parentElement?.querySelector<HTMLElement>(".over");
    const over = tools && getComputedStyle(tools).position === "absolute";
    return over
      ? { top: tools.offsetHeight + 22, bottom: 62, left: 20, right: 44 }
      : { top: 12, bottom: 44, left: 12, right: 40 };
  }

  private tiles(form: "cases" | "heat"): string {
    const asked: Tiles = { form, ...this.wanted };
    return `${location.origin}${this.page.urls.tiles}?${query(asked)}`;
  }

  private style(): StyleSpecification {
    return {
      version: 8,
      sources: this.page.baseMap ? { base: { type: "raster", tiles: [this.page.baseMap], tileSize: 256 } } : {},
      layers: [
        { id: "paper", type: "background", paint: { "background-color": tone(this.frame, "paper") } },
        ...(this.page.baseMap ? [{ id: "base", type: "raster" as const, source: "base" }] : []),
      ],
    };
  }

  private draw(): void {
    const canvas = this.canvas;
    const colour = (name: string) => tone(this.frame, name);
    const over = Boolean(this.page.baseMap);
    canvas.addSource("regions", { type: "geojson", data: this.outlines as never });
    canvas.addLayer({ id: "regions", type: "fill", source: "regions", paint: { "fill-opacity": over ? 0.45 : 1 } });
    const solid: ExpressionSpecification = ["!", ["to-boolean", ["get", "approximate"]]];
    canvas.addLayer({
      id: "lines",
      type: "line",
      source: "regions",
      filter: solid,
      paint: { "line-color": colour("ink-2"), "line-width": 1.1 },
    });
    // an approximate outline is drawn dashed, so that nobody takes it for a boundary
    canvas.addLayer({
      id: "dashes",
      type: "line",
      source: "regions",
      filter: ["!", solid],
      paint: { "line-color": colour("ink-2"), "line-width": 0.7, "line-opacity": 0.7, "line-dasharray": [3, 2] },
    });
    this.shade();
    if (this.wanted) this.drawCases();
  }

  /** Layers of cases; drawn once it is known which ones are wanted. */
  private drawCases(): void {
    const canvas = this.canvas;
    const colour = (name: string) => tone(this.frame, name);
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
      colour("red"),
      [">=", ["coalesce", ["get", "yellow"], 0], ["*", 0.1, ["get", "n"]]],
      colour("yellow"),
      colour("green"),
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
        "text-font": ["Noto Sans Regular"],
        "text-allow-overlap": false,
      },
      paint: { "text-color": colour("card") },
    });
    const light: ExpressionSpecification = [
      "match",
      ["get", "light"],
      "red",
      colour("red"),
      "yellow",
      colour("yellow"),
      "green",
      colour("green"),
      colour("ink-2"),
    ];
    canvas.addLayer({
      id: "cases",
      type: "circle",
      source: "cases",
      "source-layer": "cases",
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 8, 3, 16, 7],
        "circle-color": light,
        "circle-stroke-color": colour("card"),
        "circle-stroke-width": 1,
      },
    });
    for (const [name, visible] of Object.entries(this.visible))
      this.layer(name as "cases" | "heat" | "regions", visible);
  }

  private shade(): void {
    if (!this.canvas.getLayer("regions")) return;
    const most = Math.max(1, ...this.outlines.features.map((feature) => feature.properties.open));
    this.canvas.setPaintProperty("regions", "fill-color", [
      "interpolate",
      ["linear"],
      ["sqrt", ["coalesce", ["get", "open"], 0]],
      0,
      tone(this.frame, "card"),
      Math.sqrt(most),
      tone(this.frame, "centre-most"),
    ]);
  }

  private listen(): void {
    const canvas = this.canvas,
      page = this.page;
    const tip = (layer: string, words: (properties: Record<string, unknown>) => string[]) => {
      canvas.on("mousemove", layer, (event) => {
        const top = event.features?.[0];
        if (!top || (layer === "regions" && this.above(event))) return;
        canvas.getCanvas().style.cursor = "pointer";
        const lines = words(top.properties).map((text) =>
          Object.assign(document.createElement("div"), { textContent: text }),
        );
        const box = document.createElement("div");
        box.append(...lines);
        this.popup.setLngLat(event.lngLat).setDOMContent(box).addTo(canvas);
      });
      canvas.on("mouseleave", layer, () => {
        canvas.getCanvas().style.cursor = "";
        this.popup.remove();
      });
    };
    tip("regions", (region) => [
      String(region["name"]),
      say(page, "region_tip", { open: Number(region["open"]), overdue: Number(region["overdue"]) }),
    ]);
    tip("clusters", (bunch) => [
      say(page, "bunch_tip", {
        n: Number(bunch["n"]),
        red: Number(bunch["red"] ?? 0),
        yellow: Number(bunch["yellow"] ?? 0),
      }),
    ]);
    tip("cases", (one) => [String(one["number"]), page.words[`light_${String(one["light"])}`] ?? ""]);
    canvas.on("click", "cases", (event) => {
      const number = event.features?.[0]?.properties["number"] as string | undefined;
      if (number) location.href = page.urls.case.replace("NUMBER", encodeURIComponent(number));
    });
    canvas.on("click", "clusters", (event) => {
      if (canvas.getZoom() < LIST_FROM_ZOOM)
        return void canvas.easeTo({ center: event.lngLat, zoom: canvas.getZoom() + 2 });
      const near = 24 / 2 ** canvas.getZoom(); // about a finger's width, in degrees
      const { lng, lat } = event.lngLat;
      location.href = list(page, {
        state: this.wanted?.state === "all" ? "" : (this.wanted?.state ?? ""),
        bbox: [lng - near, lat - near, lng + near, lat + near].map((edge) => edge.toFixed(6)).join(","),
      });
    });
    canvas.on("click", "regions", (event) => {
      const top = event.features?.[0];
      if (!top || this.above(event)) return;
      this.popup.remove();
      this.enter(top.properties as unknown as Region);
    });
  }

  /** Whether a point or a bunch lies over the region that was hit. */
  private above(event: MapLayerMouseEvent): boolean {
    return (
      this.canvas.queryRenderedFeatures(event.point, {
        layers: POINT_LAYERS.filter((layer) => this.canvas.getLayer(layer)),
      }).length > 0
    );
  }
}
