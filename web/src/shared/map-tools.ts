/**
 * Tools on a map: measure a line or an area, list the open cases near a point, find a place by name, show and hide layers. One is in
 * hand at a time; where it needs points a click gives one instead of opening what lies there, and so does the button for the map's
 * centre, which needs no pointer.
 */

import { type Map as Canvas, GeoJSONSource, type MapMouseEvent } from "maplibre-gl";
import { drawn, meant, type Point } from "./gcj02";
import type { Layer, LayerSwitches } from "./map-layers";
import { areaOf, circleAround, lengthOf, rounded } from "./measure";
import { tone } from "./tones";

export const TOOLS = ["line", "area", "near", "place", "layers"] as const;
export type Tool = (typeof TOOLS)[number];
const POINTED: readonly Tool[] = ["line", "area", "near"]; // a click gives them a point
const WAIT_MS = 300; // after the last letter

export interface Tooling {
  /** The map, drawn. */
  canvas: Canvas;
  /** The element that the tools stand in. */
  host: HTMLElement;
  /** Those that are offered. */
  tools: readonly Tool[];
  /** Words by key, in the page's language. */
  labels: Record<string, string>;
  /** Where cases near a point are asked for; without it there is no such tool. */
  near: string | null;
  /** Where places are asked for by name; without it there is no such tool. */
  places: string | null;
  /** Address of a case, with `{number}`. */
  link: string | null;
  /** What can be shown and hidden. */
  layers: LayerSwitches;
  /** Where a place is picked: takes one that was found by its name. */
  choose: ((lon: number, lat: number) => void) | null;
}

interface Found {
  places: { kind: string; name: string; within: string; lon: number; lat: number }[];
}

interface Near {
  radius: number;
  total: number;
  cases: { number: string; category_name: string; metres: number; light: string }[];
}

export class MapTools {
  private tool: Tool | null = null;
  private points: Point[] = []; // in WGS 84
  private asked = 0; // the newest question; a late answer to another is dropped
  private readonly buttons = new Map<Tool, HTMLButtonElement>();
  private readonly panel = document.createElement("div");
  private readonly said = document.createElement("p");
  private readonly list = document.createElement("ul");
  private readonly actions = document.createElement("p");
  private readonly words = document.createElement("input");
  private waiting: ReturnType<typeof setTimeout> | undefined;
  private readonly canvas: Canvas;
  private readonly host: HTMLElement;
  private readonly labels: Record<string, string>;

  constructor(private readonly given: Tooling) {
    const { canvas, host } = given;
    this.canvas = canvas;
    this.host = host;
    this.labels = given.labels;
    const box = document.createElement("div");
    box.className = "map-tools";
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", this.say("tools"));
    const bar = document.createElement("p");
    for (const tool of given.tools) {
      if ((tool === "near" || tool === "place") && !given[tool === "near" ? "near" : "places"]) continue;
      const button = this.button(`tool_${tool}`, () => this.take(this.tool === tool ? null : tool));
      button.setAttribute("aria-pressed", "false");
      this.buttons.set(tool, button);
      bar.append(button);
    }
    this.panel.hidden = true;
    this.said.setAttribute("role", "status");
    this.actions.append(
      this.button("tool_middle", () => this.add(this.middle())),
      this.button("tool_undo", () => this.undo()),
      this.button("tool_end", () => this.take(null)),
    );
    Object.assign(this.words, { type: "search", maxLength: 100, autocomplete: "off" });
    this.words.setAttribute("aria-label", this.say("tool_place"));
    this.words.addEventListener("input", () => {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => void this.search(), WAIT_MS);
    });
    this.words.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault(); // a map may stand in a form, which this does not send
      clearTimeout(this.waiting);
      void this.search();
    });
    // nor is what is typed here a change of that form
    for (const name of ["input", "change"]) box.addEventListener(name, (event) => event.stopPropagation());
    this.panel.append(this.words, this.said, this.list, this.actions);
    box.append(bar, this.panel);
    host.append(box);
    this.draw();
    canvas.on("click", (event: MapMouseEvent) => {
      if (this.busy) this.add(meant([event.lngLat.lng, event.lngLat.lat]));
    });
    host.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.tool) this.take(null);
    });
  }

  /** Whether a click belongs to a tool. */
  get busy(): boolean {
    return this.tool !== null && POINTED.includes(this.tool);
  }

  private say(key: string, values: Record<string, string | number> = {}): string {
    return (this.labels[key] ?? key).replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
  }

  private button(key: string, act: () => void): HTMLButtonElement {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain";
    button.textContent = this.say(key);
    button.addEventListener("click", act);
    return button;
  }

  private middle(): Point {
    const { lng, lat } = this.canvas.getCenter();
    return meant([lng, lat]);
  }

  private take(tool: Tool | null): void {
    const before = this.tool;
    this.tool = tool;
    this.points = [];
    this.asked++;
    for (const [name, button] of this.buttons) button.setAttribute("aria-pressed", String(name === tool));
    this.panel.hidden = tool === null;
    for (const button of this.actions.children)
      (button as HTMLElement).hidden = !this.busy && button !== this.actions.lastElementChild;
    this.words.hidden = tool !== "place";
    this.words.value = "";
    clearTimeout(this.waiting);
    this.canvas.getCanvas().style.cursor = this.busy ? "crosshair" : "";
    if (this.busy) this.canvas.doubleClickZoom.disable();
    else this.canvas.doubleClickZoom.enable();
    if (!tool && before) this.buttons.get(before)?.focus();
    this.show();
    if (tool === "layers") this.list.replaceChildren(...this.given.layers.offered().map((layer) => this.switch(layer)));
    if (tool === "place") this.words.focus();
  }

  private switch(layer: Layer): HTMLLIElement {
    const item = document.createElement("li"),
      label = document.createElement("label"),
      box = document.createElement("input");
    Object.assign(box, { type: "checkbox", checked: this.given.layers.shown(layer.key) });
    box.addEventListener("change", () => this.given.layers.set(layer.key, box.checked));
    label.append(box, this.say(layer.key));
    item.append(label);
    return item;
  }

  private async search(): Promise<void> {
    const words = this.words.value.trim();
    const turn = ++this.asked;
    if (!words) return this.show();
    const found = await this.fetched<Found>(`${this.given.places}?${new URLSearchParams({ q: words })}`);
    if (turn !== this.asked) return;
    this.said.textContent = found ? this.say(found.places.length ? "place_found" : "place_none") : this.say("failed");
    this.list.replaceChildren(...(found?.places ?? []).map((place) => this.choice(place)));
  }

  private choice(place: Found["places"][number]): HTMLLIElement {
    const item = document.createElement("li"),
      button = document.createElement("button");
    button.type = "button";
    button.className = "plain";
    button.textContent = [place.name, place.kind, place.within].filter(Boolean).join(" · ");
    button.addEventListener("click", () => {
      this.points = this.given.choose ? [] : [[place.lon, place.lat]]; // a picker puts its pin there
      this.show();
      this.said.textContent = this.say("place_shown", { name: place.name });
      this.given.choose?.(place.lon, place.lat);
      this.canvas.jumpTo({ center: drawn([place.lon, place.lat]), zoom: Math.max(15, this.canvas.getZoom()) });
      this.words.focus();
    });
    item.append(button);
    return item;
  }

  /** The answer at an address of ours; null where there is none. */
  private async fetched<T>(url: string): Promise<T | null> {
    try {
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      return answer.ok ? ((await answer.json()) as T) : null;
    } catch {
      return null; // no connection: the caller says so
    }
  }

  private add(point: Point): void {
    if (this.tool === "near") {
      this.points = [point];
      this.show();
      void this.ask(point);
    } else {
      this.points.push(point);
      this.show();
    }
  }

  private undo(): void {
    this.points.pop();
    this.asked++;
    this.show();
  }

  private show(): void {
    this.list.replaceChildren();
    this.said.textContent = this.tool ? this.sentence(this.tool) : "";
    const source = this.canvas.getSource("tools");
    if (source instanceof GeoJSONSource) source.setData(this.shapes());
  }

  private sentence(tool: Tool): string {
    const given = this.points.length;
    if (tool === "near") return this.say(given ? "near_asking" : "near_hint");
    if (tool === "place" || tool === "layers") return this.say(`${tool}_hint`);
    const least = tool === "line" ? 2 : 3;
    if (given < least) return this.say(`${tool}_hint`);
    const { figure, unit } =
      tool === "line" ? rounded(lengthOf(this.points), "length") : rounded(areaOf(this.points), "area");
    return this.say(`${tool}_is`, { figure, unit: this.say(`unit_${unit}`) });
  }

  private async ask(point: Point): Promise<void> {
    const turn = ++this.asked;
    const [lon, lat] = point;
    const asked = new URLSearchParams({ lon: lon.toFixed(6), lat: lat.toFixed(6) });
    const found = await this.fetched<Near>(`${this.given.near}?${asked}`);
    if (turn !== this.asked) return;
    if (!found) {
      this.said.textContent = this.say("failed");
      return;
    }
    const { radius, total, cases } = found;
    const key = total === 0 ? "near_none" : total > cases.length ? "near_first" : "near_all";
    this.said.textContent = this.say(key, { radius, total, shown: cases.length });
    this.list.replaceChildren(...cases.map((one) => this.item(one)));
  }

  private item(one: Near["cases"][number]): HTMLLIElement {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.textContent = one.number;
    if (this.given.link) link.href = this.given.link.replace("{number}", encodeURIComponent(one.number));
    const late = one.light === "red" ? ` · ${this.say("late")}` : "";
    item.append(link, ` ${one.category_name} · ${one.metres} ${this.say("unit_m")}${late}`);
    return item;
  }

  private shapes(): GeoJSON.FeatureCollection {
    const on = (points: Point[]) => points.map((point) => drawn(point));
    const features: GeoJSON.Geometry[] = on(this.points).map((coordinates) => ({ type: "Point", coordinates }));
    const [first] = this.points;
    const ring =
      this.tool === "near" && first ? circleAround(first, 200) : [...this.points, ...this.points.slice(0, 1)];
    if (this.tool === "line" && this.points.length > 1)
      features.push({ type: "LineString", coordinates: on(this.points) });
    if (this.tool !== "line" && this.tool !== "place" && ring.length > 3)
      features.push({ type: "Polygon", coordinates: [on(ring)] });
    return {
      type: "FeatureCollection",
      features: features.map((geometry) => ({ type: "Feature", geometry, properties: {} })),
    };
  }

  /** Put what is measured on the map; again where the map's style was replaced. */
  draw(): void {
    const canvas = this.canvas,
      ink = tone(this.host, "ink");
    if (canvas.getSource("tools")) return;
    canvas.addSource("tools", { type: "geojson", data: this.shapes() });
    canvas.addLayer({
      id: "tool-area",
      type: "fill",
      source: "tools",
      filter: ["==", ["geometry-type"], "Polygon"],
      paint: { "fill-color": ink, "fill-opacity": 0.12 },
    });
    canvas.addLayer({
      id: "tool-line",
      type: "line",
      source: "tools",
      filter: ["!=", ["geometry-type"], "Point"],
      paint: { "line-color": ink, "line-width": 2 },
    });
    canvas.addLayer({
      id: "tool-points",
      type: "circle",
      source: "tools",
      filter: ["==", ["geometry-type"], "Point"],
      paint: {
        "circle-color": ink,
        "circle-radius": 4,
        "circle-stroke-color": tone(this.host, "card"),
        "circle-stroke-width": 1.5,
      },
    });
  }
}
