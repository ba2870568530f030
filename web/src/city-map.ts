/**
 * <city-map regions="URL" cases="URL" region-link="…{code}" case-link="…{number}" list-link="…{flag}" labels='{"open":"在办",…}' tiles="URL">
 *
 * Regions shaded by their open cases, cases as points coloured by how late they are, points that are no place as rings
 * with the number of their cases. It draws what the two URLs answer
 * (GeoJSON) and knows nothing else; without them it stays an empty frame. `pick` makes it a place picker: it fires
 * `place` with {lon, lat} and moves one marker, which can be dragged. No base map is needed; `tiles` names a raster tile service if there is one.
 */

import type { ExpressionSpecification, MapGeoJSONFeature, PointLike, StyleSpecification } from "maplibre-gl";
import {
  Map as Canvas,
  GeoJSONSource,
  LngLatBounds,
  Marker,
  NavigationControl,
  Popup,
  setWorkerUrl,
} from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import worker from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";

setWorkerUrl(worker); // under Vite the worker is not found by itself, and then nothing is drawn

type Collection = GeoJSON.FeatureCollection<GeoJSON.Geometry, Record<string, unknown>>;
const LAYERS = ["regions", "cases", "unplaced"]; // from below
const EMPTY: Collection = { type: "FeatureCollection", features: [] };

function colours(element: Element) {
  const dark =
    getComputedStyle(element).colorScheme === "dark" ||
    (document.documentElement.dataset["theme"] !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  return dark
    ? {
        paper: "#1a2126",
        low: "#1d2b2c",
        high: "#2f8577",
        line: "#6d7d84",
        late: "#ff8a80",
        soon: "#e9b949",
        fine: "#57c98a",
        closed: "#9fabb0",
      }
    : {
        paper: "#ffffff",
        low: "#f0f6f4",
        high: "#3f9c8c",
        line: "#7b8a90",
        late: "#b3261e",
        soon: "#c98400",
        fine: "#1b7f4b",
        closed: "#6c787e",
      };
}

function bounds(collection: Collection): LngLatBounds | null {
  const box = new LngLatBounds();
  const walk = (part: unknown): void => {
    if (!Array.isArray(part)) return;
    if (typeof part[0] === "number") box.extend([part[0] as number, part[1] as number]);
    else part.forEach(walk);
  };
  for (const feature of collection.features)
    if (feature.geometry && "coordinates" in feature.geometry) walk(feature.geometry.coordinates);
  return box.isEmpty() ? null : box;
}

function escaped(text: unknown): string {
  const span = document.createElement("span");
  span.textContent = String(text ?? "");
  return span.innerHTML;
}

export class CityMap extends HTMLElement {
  private canvas: Canvas | undefined;
  private marker: Marker | undefined;
  private labels: Record<string, string> = {};

  connectedCallback(): void {
    this.labels = JSON.parse(this.getAttribute("labels") ?? "{}") as Record<string, string>;
    const frame = document.createElement("div");
    frame.style.cssText = "position:absolute;inset:0";
    this.append(frame);
    this.canvas = new Canvas({
      container: frame,
      style: this.style_(),
      attributionControl: false,
      center: [0, 0],
      zoom: 1,
      dragRotate: false,
    });
    this.canvas.addControl(new NavigationControl({ showCompass: false }), "top-right");
    this.canvas.once("load", () => void this.draw());
    if (this.hasAttribute("pick"))
      this.canvas.on("click", (event) => this.place(event.lngLat.lng, event.lngLat.lat, true));
  }

  disconnectedCallback(): void {
    this.canvas?.remove();
  }

  /** Move the marker; `tell` fires the `place` event. */
  place(lon: number, lat: number, tell = false): void {
    if (!this.canvas) return;
    this.marker ??= this.marked(lon, lat, this.canvas);
    this.marker.setLngLat([lon, lat]);
    if (tell) this.dispatchEvent(new CustomEvent("place", { detail: { lon, lat }, bubbles: true }));
  }

  /** The one marker; where a place is picked it can be dragged too. */
  private marked(lon: number, lat: number, canvas: Canvas): Marker {
    const picks = this.hasAttribute("pick"),
      tone = colours(this);
    const marker = new Marker({ color: picks ? tone.late : tone.high, draggable: picks }) // seen on any shade of a region
      .setLngLat([lon, lat])
      .addTo(canvas);
    marker.on("dragend", () => {
      const at = marker.getLngLat();
      this.place(at.lng, at.lat, true);
    });
    return marker;
  }

  private style_(): StyleSpecification {
    const tiles = this.getAttribute("tiles");
    const tone = colours(this);
    return {
      version: 8,
      sources: tiles ? { base: { type: "raster", tiles: [tiles], tileSize: 256 } } : {},
      layers: [
        { id: "paper", type: "background", paint: { "background-color": tone.paper } },
        ...(tiles ? [{ id: "base", type: "raster" as const, source: "base" }] : []),
      ],
    };
  }

  private async fetched(attribute: string): Promise<Collection> {
    const url = this.getAttribute(attribute);
    if (!url) return EMPTY;
    const answer = await fetch(url, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
    return (await answer.json()) as Collection;
  }

  private async draw(): Promise<void> {
    const canvas = this.canvas;
    if (!canvas) return;
    let regions: Collection, cases: Collection;
    try {
      [regions, cases] = await Promise.all([this.fetched("regions"), this.fetched("cases")]);
    } catch (error) {
      const note = document.createElement("p");
      note.className = "legend";
      note.setAttribute("role", "alert");
      note.textContent = `${this.labels["failed"] ?? "The map could not be loaded."} (${String(error)})`;
      this.append(note);
      return;
    }
    this.drawRegions(canvas, regions);
    this.drawCases(canvas, cases);
    const lon = Number(this.getAttribute("lon")),
      lat = Number(this.getAttribute("lat"));
    const placed = { ...cases, features: cases.features.filter((feature) => !feature.properties?.["flag"]) };
    const box = bounds(regions) ?? bounds(placed);
    if (this.hasAttribute("lon") && Number.isFinite(lon) && Number.isFinite(lat)) {
      this.place(lon, lat);
      canvas.jumpTo({ center: [lon, lat], zoom: Number(this.getAttribute("zoom") ?? 14) });
    } else if (box) canvas.fitBounds(box, { padding: 24, animate: false });
    this.dataset["ready"] = "yes";
  }

  private drawRegions(canvas: Canvas, regions: Collection): void {
    const tone = colours(this);
    const most = Math.max(1, ...regions.features.map((feature) => Number(feature.properties?.["open"] ?? 0)));
    canvas.addSource("regions", { type: "geojson", data: regions as never });
    const shade: ExpressionSpecification = [
      "interpolate",
      ["linear"],
      ["sqrt", ["coalesce", ["get", "open"], 0]],
      0,
      tone.low,
      Math.sqrt(most),
      tone.high,
    ];
    canvas.addLayer({
      id: "regions",
      type: "fill",
      source: "regions",
      paint: { "fill-color": shade, "fill-opacity": this.hasAttribute("tiles") ? 0.55 : 1 },
    });
    const solid: ExpressionSpecification = ["!", ["to-boolean", ["get", "approximate"]]];
    canvas.addLayer({
      id: "lines",
      type: "line",
      source: "regions",
      filter: solid,
      paint: { "line-color": tone.line, "line-width": 1.2 },
    });
    // an approximate outline is drawn dashed, so that nobody takes it for a boundary
    canvas.addLayer({
      id: "dashes",
      type: "line",
      source: "regions",
      filter: ["!", solid],
      paint: { "line-color": tone.line, "line-width": 0.8, "line-dasharray": [3, 2] },
    });
    if (this.hasAttribute("pick")) return;
    this.hover(
      canvas,
      "regions",
      (properties) =>
        `<strong>${escaped(properties["name"])}</strong><br>${escaped(this.labels["open"] ?? "open")} ${escaped(properties["open"] ?? 0)} · ${escaped(this.labels["overdue"] ?? "overdue")} ${escaped(properties["overdue"] ?? 0)}`,
    );
    this.follow(canvas, "regions", "region-link", "code");
  }

  private drawCases(canvas: Canvas, cases: Collection): void {
    if (!cases.features.length) return;
    const tone = colours(this);
    const hue: ExpressionSpecification = [
      "match",
      ["get", "light"],
      "red",
      tone.late,
      "yellow",
      tone.soon,
      "green",
      tone.fine,
      tone.closed,
    ];
    canvas.addSource("cases", { type: "geojson", data: cases as never });
    canvas.addLayer({
      id: "cases",
      type: "circle",
      source: "cases",
      filter: ["!", ["has", "flag"]],
      paint: {
        "circle-color": hue,
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 8, 2.5, 15, 7],
        "circle-stroke-color": tone.paper,
        "circle-stroke-width": 1,
      },
    });
    canvas.addLayer({
      id: "unplaced",
      type: "circle",
      source: "cases",
      filter: ["has", "flag"],
      paint: {
        "circle-color": tone.paper,
        "circle-opacity": 0.85,
        "circle-radius": ["interpolate", ["linear"], ["get", "open"], 1, 7, 500, 18],
        "circle-stroke-color": tone.closed,
        "circle-stroke-width": 2,
      },
    });
    this.hover(
      canvas,
      "cases",
      (properties) =>
        `<strong>${escaped(properties["number"])}</strong><br>${escaped(properties["category_name"] ?? properties["category"])}`,
    );
    this.follow(canvas, "cases", "case-link", "number");
    this.hover(
      canvas,
      "unplaced",
      (properties) =>
        `<strong>${escaped(this.labels[String(properties["flag"])] ?? properties["flag"])}</strong><br>${escaped(this.labels["open"] ?? "open")} ${escaped(properties["open"])}`,
    );
    this.follow(canvas, "unplaced", "list-link", "flag");
    const legend = document.createElement("div");
    legend.className = "legend";
    const flags = new Set(cases.features.map((feature) => String(feature.properties?.["flag"] ?? "")).filter(Boolean));
    for (const [key, colour] of [
      ["late", tone.late],
      ["soon", tone.soon],
      ["fine", tone.fine],
      ...[...flags].map((flag) => [flag, ""] as const),
    ] as const) {
      const item = document.createElement("span"),
        dot = document.createElement("i");
      if (colour) dot.style.background = colour;
      else dot.style.cssText = `background:${tone.paper};box-shadow:inset 0 0 0 2px ${tone.closed}`;
      item.append(dot, this.labels[key] ?? key);
      legend.append(item);
    }
    this.append(legend);
  }

  private hover(canvas: Canvas, layer: string, text: (properties: MapGeoJSONFeature["properties"]) => string): void {
    const popup = new Popup({ closeButton: false, closeOnClick: false });
    canvas.on("mousemove", layer, (event) => {
      const top = event.features?.[0];
      if (!top || this.covered(canvas, layer, event.point)) return;
      canvas.getCanvas().style.cursor = "pointer";
      popup.setLngLat(event.lngLat).setHTML(text(top.properties)).addTo(canvas);
    });
    canvas.on("mouseleave", layer, () => {
      canvas.getCanvas().style.cursor = "";
      popup.remove();
    });
  }

  /** Whether something is drawn over a layer here: it gets the pointer. */
  private covered(canvas: Canvas, layer: string, point: PointLike): boolean {
    const above = LAYERS.slice(LAYERS.indexOf(layer) + 1).filter((name) => canvas.getLayer(name));
    return above.length > 0 && canvas.queryRenderedFeatures(point, { layers: above }).length > 0;
  }

  private follow(canvas: Canvas, layer: string, attribute: string, key: string): void {
    const link = this.getAttribute(attribute);
    if (!link) return;
    canvas.on("click", layer, (event) => {
      const top = event.features?.[0];
      if (!top || this.covered(canvas, layer, event.point)) return;
      location.href = link.replace(`{${key}}`, encodeURIComponent(String(top.properties[key])));
    });
  }

  /** Replace the points, after a filter changed. */
  async reload(): Promise<void> {
    const source = this.canvas?.getSource("cases");
    if (source instanceof GeoJSONSource) source.setData((await this.fetched("cases")) as never);
  }
}

customElements.define("city-map", CityMap);
