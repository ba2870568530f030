/**
 * The map of every page.
 *
 * <city-map regions="URL" cases="URL" region-link="…{code}" case-link="…{number}" list-link="…{flag}" labels='{"open":"在办",…}' tools near="URL" places="URL" components="URL" component-link="…{code}">
 *
 * Regions shaded by their open cases, cases as points coloured by how late they are, points that are no place as rings
 * with the number of their cases. It draws what the two URLs answer (GeoJSON) and knows nothing else; without them it
 * stays an empty frame. Below lies the city's base map where there is one; none is needed.
 *
 * - `pick` makes it a place picker: it fires `place` with {lon, lat} and moves one marker, which can be dragged, and
 *   `component` with the properties of a component that was hit.
 * - `lon` and `lat` put a marker on it, `from-lon` and `from-lat` a second one where that stood before.
 * - `tools` puts tools on it, those that it names or all: measuring, with `near` the list of cases around a point, with
 *   `places` finding a place, showing and hiding layers. One of the layers is `components` (tiles of them), coloured by
 *   class where `component-classes` names some.
 * - `sensors` (GeoJSON of things with their states) is a layer too, shown at first with `sensors-shown`.
 *
 * What one page has besides is an `Overlay`. All that comes in and goes out is WGS 84, in whichever system the map is drawn.
 */

import type {
  FitBoundsOptions,
  MapGeoJSONFeature,
  MapLayerMouseEvent,
  MapMouseEvent,
  PointLike,
  StyleSpecification,
} from "maplibre-gl";
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
import { type Basemap, credit, drawBasemap, findBasemap, isBasemap, nameRegions, shadeOver } from "./shared/basemap";
import { asked } from "./shared/chosen";
import { COMPONENT_LAYERS, componentAt, drawComponents, drawNear, type NearComponent } from "./shared/component-layer";
import { drawn, drawnAll, meant } from "./shared/gcj02";
import { caseLegend, drawCases } from "./shared/map-cases";
import { type Layer, LayerSwitches } from "./shared/map-layers";
import { popupShown, showPopup, type Way } from "./shared/map-popup";
import { boundsOf, type Collection, drawRegions, EMPTY, REGION_LAYERS } from "./shared/map-regions";
import { MapTools, TOOLS, type Tool } from "./shared/map-tools";
import { SENSOR_LAYERS, SensorLayer } from "./shared/sensor-layer";
import { tone, whenThemeChanges } from "./shared/tones";

setWorkerUrl(worker); // under Vite the worker is not found by itself, and then nothing is drawn

const CASE_LAYERS = ["clusters", "counts", "cases", "unplaced"];
const isComponent = (id: string): boolean => (COMPONENT_LAYERS as readonly string[]).includes(id);
const isGround = (id: string): boolean => id === "paper" || REGION_LAYERS.includes(id) || isBasemap(id);

/** What one page has on its map besides what every map has. */
export interface Overlay {
  /** Layers that the pointer hits, from below; they lie over the components and below `cases`. */
  hit: string[];
  /** What of it can be shown and hidden besides. */
  layers: Layer[];
  /** Puts its layers on the map; again where the style was replaced. */
  draw: (canvas: Canvas) => void;
  /** Says what its layers, the regions and the cases are and lead to. Once. */
  listen: (canvas: Canvas) => void;
  /** The element that the tools stand in, where it is not the map. */
  toolsIn?: () => HTMLElement | null;
  /** The element that explains the signs, where it is not the map's own. */
  legend?: () => HTMLElement | null;
}

type Properties = MapGeoJSONFeature["properties"];
/** What a click does: answers the way on, null where there is none, nothing where it has done all itself. */
type Act = (properties: Properties, event: MapLayerMouseEvent) => Way | null | undefined;

export class CityMap extends HTMLElement {
  canvas: Canvas | undefined;
  /** Settled when the map and its tools are there. */
  loaded: Promise<void> = Promise.resolve();
  private marker: Marker | undefined;
  private tools: MapTools | undefined;
  private switches: LayerSwitches | undefined;
  private sensors: SensorLayer | undefined;
  private overlay: Overlay | undefined;
  private basemap: Basemap | null = null;
  private regions = EMPTY;
  private cases = EMPTY;
  private near: { items: NearComponent[]; chosen: string } = { items: [], chosen: "" };
  private labels: Record<string, string> = {};
  private leave = (): void => undefined;

  connectedCallback(): void {
    this.labels = JSON.parse(this.getAttribute("labels") ?? "{}") as Record<string, string>;
    const frame = document.createElement("div");
    frame.style.cssText = "position:absolute;inset:0";
    this.append(frame);
    const canvas = new Canvas({
      container: frame,
      style: this.blank(),
      attributionControl: false,
      transformRequest: asked,
      center: [0, 0],
      zoom: 1,
      maxZoom: Number(this.getAttribute("max-zoom") ?? 22),
      dragRotate: false,
      locale: this.labels, // among them the words of the library's own controls, by its names
    });
    this.canvas = canvas;
    canvas.addControl(new NavigationControl({ showCompass: false }), "top-right");
    canvas.keyboard.disableRotation();
    canvas.touchZoomRotate.disableRotation();
    canvas.on("style.load", () => this.draw(canvas));
    canvas.on("idle", () => (this.dataset["idle"] = "yes"));
    const drawable = new Promise<void>((done) => canvas.once("load", () => done()));
    const stop = whenThemeChanges(() => canvas.setStyle(this.blank(), { diff: false })),
      form = this.hasAttribute("pick") ? this.closest("form") : null;
    form?.addEventListener("change", this.typed);
    this.leave = () => {
      stop();
      form?.removeEventListener("change", this.typed);
    };
    const basemap = findBasemap();
    this.loaded = this.begin(canvas, drawable);
    void this.loaded.then(() => this.finish(canvas, basemap));
  }

  disconnectedCallback(): void {
    this.leave();
    this.sensors?.stop();
    this.canvas?.remove();
    this.canvas = undefined;
  }

  /** Coordinates that are typed into the picker's form move its marker. */
  private readonly typed = ({ target }: Event): void => {
    const form = target instanceof HTMLInputElement && ["lon", "lat"].includes(target.name) && target.form;
    if (!form) return;
    const degrees = (name: string) => Number.parseFloat(String(new FormData(form).get(name)));
    const [lon, lat] = [degrees("lon"), degrees("lat")];
    if (Math.abs(lon) <= 180 && Math.abs(lat) <= 90) this.place(lon, lat);
  };

  /** Put a page's own layers on the map; before it is loaded. */
  compose(overlay: Overlay): void {
    this.overlay = overlay;
  }

  /** Move the marker to a place in WGS 84; `tell` fires the `place` event. */
  place(lon: number, lat: number, tell = false): void {
    if (!this.canvas) return;
    this.marker ??= this.marked(lon, lat, this.canvas);
    this.marker.setLngLat(drawn([lon, lat]));
    if (tell) this.dispatchEvent(new CustomEvent("place", { detail: { lon, lat }, bubbles: true }));
    // a place that was chosen by its name is shown so near that the pin can be corrected
    else if (this.dataset["ready"])
      this.canvas.jumpTo({ center: drawn([lon, lat]), zoom: Math.max(14, this.canvas.getZoom()) });
  }

  /** Show other regions; as the server gives them, in WGS 84. */
  showRegions(regions: Collection): void {
    this.regions = drawnAll(regions);
    if (!this.canvas?.getSource("regions")) return; // drawn with the style
    drawRegions(this.canvas, this, this.regions);
    this.nameRegions(this.canvas);
  }

  /** Show all of the regions. */
  fit(options: FitBoundsOptions): void {
    const box = boundsOf(this.regions);
    if (box) this.canvas?.fitBounds(box, options);
  }

  /** Show what stands around a point, the chosen one apart. */
  showNear(items: NearComponent[], chosen: string): void {
    this.near = { items, chosen };
    if (this.canvas?.getSource("regions")) drawNear(this.canvas, this, items, chosen);
  }

  /** Show or hide what one of the layers' switches stands for. */
  async show(key: string, shown: boolean): Promise<void> {
    await this.loaded;
    this.switches?.set(key, shown);
  }

  /** Replace the points, after a filter changed. */
  async reload(): Promise<void> {
    const source = this.canvas?.getSource("cases");
    if (!(source instanceof GeoJSONSource)) return;
    this.cases = await this.fetched("cases");
    source.setData(this.cases as never);
  }

  /** Show and hide as it was chosen, after an overlay has drawn something. */
  applySwitches(): void {
    this.switches?.applyAll();
  }

  /** A word in the page's language, with its numbers put in. */
  word(key: string): string {
    return this.labels[key] ?? key;
  }

  /** Whether a click belongs to a tool. */
  get busy(): boolean {
    return this.tools?.busy ?? false;
  }

  /** Fetch what is to be shown, and show it. */
  private async begin(canvas: Canvas, drawable: Promise<void>): Promise<void> {
    try {
      const [regions, cases] = await Promise.all([this.fetched("regions"), this.fetched("cases"), drawable]);
      if (this.canvas !== canvas) return;
      if (!this.overlay) this.showBoth(canvas, regions, cases);
    } catch (error) {
      this.fail(error);
      return;
    }
    this.drawFormer(canvas);
    this.equip(canvas);
    this.listen(canvas);
    if (!this.overlay) this.look(canvas);
  }

  /** The base map comes when it comes; what is counted does not wait for it. */
  private async finish(canvas: Canvas, asked: Promise<Basemap | null>): Promise<void> {
    const basemap = await asked;
    if (this.canvas !== canvas || !this.switches) return;
    this.basemap = basemap;
    if (basemap) {
      this.drawGround(canvas);
      this.switches.applyAll();
      credit(canvas, this, basemap);
      this.dataset["basemap"] = "yes";
    }
    this.dataset["ready"] = "yes";
    this.dispatchEvent(new CustomEvent("map-ready", { bubbles: true }));
  }

  private showBoth(canvas: Canvas, regions: Collection, cases: Collection): void {
    [this.regions, this.cases] = [regions, cases];
    drawRegions(canvas, this, regions);
    this.drawCases(canvas);
  }

  private fail(error: unknown): void {
    const note = document.createElement("p");
    note.className = "legend";
    note.setAttribute("role", "alert");
    note.textContent = `${this.labels["failed"] ?? "The map could not be loaded."} (${String(error)})`;
    this.append(note);
  }

  /** The one marker; where a place is picked it can be dragged too. */
  private marked(lon: number, lat: number, canvas: Canvas): Marker {
    const picks = this.hasAttribute("pick");
    const color = tone(this, picks ? "map-late" : "map-high"); // seen on any shade of a region
    const marker = new Marker({ color, draggable: picks }).setLngLat(drawn([lon, lat])).addTo(canvas);
    marker.on("dragend", () => {
      const at = marker.getLngLat();
      this.place(...meant([at.lng, at.lat]), true);
    });
    return marker;
  }

  private blank(): StyleSpecification {
    const paint = { "background-color": tone(this, "map-ground") };
    return { version: 8, sources: {}, layers: [{ id: "paper", type: "background", paint }] };
  }

  private async fetched(attribute: string): Promise<Collection> {
    const url = this.getAttribute(attribute);
    if (!url) return EMPTY;
    const answer = await fetch(url, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
    return drawnAll((await answer.json()) as Collection);
  }

  /** Everything, on a style that has nothing: at first, and where the colours have changed. */
  private draw(canvas: Canvas): void {
    drawRegions(canvas, this, this.regions);
    this.drawGround(canvas);
    this.drawFormer(canvas);
    this.overlay?.draw(canvas);
    this.drawCases(canvas);
    if (this.near.items.length) drawNear(canvas, this, this.near.items, this.near.chosen);
    this.tools?.draw();
    this.switches?.applyAll();
  }

  private drawGround(canvas: Canvas): void {
    if (!this.basemap) return;
    const said = this.regions.features.map((feature) => String(feature.properties["name"] ?? ""));
    drawBasemap(canvas, this, this.basemap, said, this.lowest(canvas));
    canvas.setPaintProperty("regions", "fill-opacity", shadeOver(this.hasAttribute("pick") ? 0.25 : 0.5));
    this.nameRegions(canvas);
  }

  private nameRegions(canvas: Canvas): void {
    // others write the names themselves
    if (this.basemap?.kind === "vector") nameRegions(canvas, this, this.regions, this.lowest(canvas));
  }

  /** The lowest layer over the ground, the regions and their names; undefined where there is none. */
  private lowest(canvas: Canvas): string | undefined {
    return canvas.getLayersOrder().find((id) => !isGround(id));
  }

  private drawCases(canvas: Canvas): void {
    if (!this.cases.features.length || canvas.getSource("cases")) return;
    drawCases(canvas, this, this.cases);
    this.querySelector(":scope > .legend")?.remove();
    this.append(caseLegend(this, this.cases, (key) => this.word(key)));
  }

  /** Where the thing at the marker stood before, and the way from there. */
  private drawFormer(canvas: Canvas): void {
    const way = this.way();
    if (!way || canvas.getSource("former")) return;
    const line = { type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: way } };
    canvas.addSource("former", { type: "geojson", data: line as never });
    canvas.addLayer({
      id: "former",
      type: "line",
      source: "former",
      paint: { "line-color": tone(this, "map-closed"), "line-width": 2, "line-dasharray": [2, 1] },
    });
  }

  private way(): [[number, number], [number, number]] | null {
    const names = ["from-lon", "from-lat", "lon", "lat"];
    const [fromLon = 0, fromLat = 0, lon = 0, lat = 0] = names.map((name) => Number(this.getAttribute(name)));
    const all = names.every((name) => this.hasAttribute(name)) && [fromLon, fromLat, lon, lat].every(Number.isFinite);
    return all ? [drawn([fromLon, fromLat]), drawn([lon, lat])] : null;
  }

  /** Where the map looks at first. */
  private look(canvas: Canvas): void {
    const lon = Number(this.getAttribute("lon")),
      lat = Number(this.getAttribute("lat")),
      way = this.way();
    if (this.hasAttribute("lon") && Number.isFinite(lon) && Number.isFinite(lat)) {
      this.place(lon, lat);
      canvas.jumpTo({ center: drawn([lon, lat]), zoom: Number(this.getAttribute("zoom") ?? 14) });
      if (!way) return;
      new Marker({ color: tone(this, "map-closed"), scale: 0.7 }).setLngLat(way[0]).addTo(canvas);
      const box = new LngLatBounds();
      for (const point of way) box.extend(point);
      canvas.fitBounds(box, { padding: 60, maxZoom: 18, animate: false });
      return;
    }
    const placed = { ...this.cases, features: this.cases.features.filter(({ properties }) => !properties["flag"]) };
    const box = boundsOf(this.regions) ?? boundsOf(placed);
    if (box) canvas.fitBounds(box, { padding: 24, animate: false });
  }

  /** Tools, and what of the map can be shown and hidden. */
  private equip(canvas: Canvas): void {
    const tiles = this.getAttribute("components");
    const named = this.getAttribute("component-classes")?.split(" ").filter(Boolean) ?? [];
    const components: Layer = {
      key: "layer_components",
      owns: isComponent,
      off: true,
      bring: () => {
        const over = [...(this.overlay?.hit ?? []), "cases"].find((id) => canvas.getLayer(id));
        if (tiles) drawComponents(canvas, this, tiles, named, over);
      },
    };
    const sensors = this.getAttribute("sensors");
    if (sensors) this.sensors = new SensorLayer(canvas, this, sensors, this.overlay?.legend?.());
    this.switches = new LayerSwitches(canvas, [
      { key: "layer_regions", owns: (id) => REGION_LAYERS.includes(id) },
      { key: "layer_cases", owns: (id) => CASE_LAYERS.includes(id) },
      ...(this.overlay?.layers ?? []),
      { key: "layer_base", owns: isBasemap, offered: () => this.basemap !== null },
      ...(tiles ? [components] : []),
      ...(this.sensors ? [this.sensors.layer(!this.hasAttribute("sensors-shown"))] : []),
    ]);
    this.switches.applyAll();
    const wanted = this.getAttribute("tools");
    if (wanted === null) return;
    const words = wanted.split(" ").filter(Boolean);
    this.tools = new MapTools({
      canvas,
      host: this.overlay?.toolsIn?.() ?? this,
      tools: words.length ? words.filter((name): name is Tool => (TOOLS as readonly string[]).includes(name)) : TOOLS,
      labels: this.labels,
      near: this.getAttribute("near"),
      places: this.getAttribute("places"),
      link: this.getAttribute("case-link"),
      layers: this.switches,
      choose: this.hasAttribute("pick") ? (lon, lat) => this.place(lon, lat, true) : null,
    });
  }

  /** What the pointer is told. */
  private listen(canvas: Canvas): void {
    if (this.hasAttribute("pick")) canvas.on("click", (event) => this.pick(canvas, event));
    else if (!this.overlay) this.tellCases();
    this.overlay?.listen(canvas);
    this.sensors?.listen();
    const kind = document.documentElement.lang.startsWith("zh") ? "class" : "class_en";
    this.tell(
      "components",
      (one) => [
        String(one["name"] ?? one[kind]),
        `${String(one[kind])} · ${String(one["code"])}`,
        this.word(`state_${String(one["state"])}`),
      ],
      this.leadTo("go_components", "component-link", "code"),
    );
    this.tell("component-counts", (bunch) => [`${this.word("layer_components")} ${String(bunch["n"])}`]);
  }

  private tellCases(): void {
    const count = (key: string, of: Record<string, unknown>) => `${this.word(key)} ${String(of[key] ?? 0)}`;
    this.tell(
      "regions",
      (region) => [String(region["name"]), `${count("open", region)} · ${count("overdue", region)}`],
      this.leadTo("go_regions", "region-link", "code"),
    );
    this.tell(
      "cases",
      (one) => [String(one["number"]), String(one["category_name"] ?? one["category"])],
      this.leadTo("go_cases", "case-link", "number"),
    );
    this.tell(
      "unplaced",
      (point) => [this.word(String(point["flag"])), count("open", point)],
      this.leadTo("go_unplaced", "list-link", "flag"),
    );
  }

  private pick(canvas: Canvas, event: MapMouseEvent): void {
    if (this.busy) return;
    const hit = componentAt(canvas, event.point);
    this.place(...meant(hit?.at ?? [event.lngLat.lng, event.lngLat.lat]), true);
    if (hit) this.dispatchEvent(new CustomEvent("component", { detail: hit.properties, bubbles: true }));
  }

  /** The way on from a feature: an attribute's address, in which `{key}` stands for the property `key`. */
  private leadTo(text: string, attribute: string, key: string): (properties: Properties) => Way | null {
    const link = this.getAttribute(attribute);
    return (properties) =>
      link
        ? { text: this.word(text), href: link.replace(`{${key}}`, encodeURIComponent(String(properties[key]))) }
        : null;
  }

  /**
   * Say what the pointer is over; a click says it with the way there, which needs no hovering.
   *
   * @param act What a click does; a function of the properties that answers a way on shows it, null shows the words alone.
   */
  tell(layer: string, words: (properties: Properties) => string[], act: Act = () => null): void {
    const canvas = this.canvas;
    if (!canvas) return;
    const tip = new Popup({ closeButton: false, closeOnClick: false, className: "tip" });
    const hit = (event: MapLayerMouseEvent) =>
      this.busy || this.covered(canvas, layer, event.point) ? undefined : event.features?.[0];
    canvas.on("mousemove", layer, (event) => {
      const top = hit(event);
      if (!top || popupShown(canvas)) return;
      canvas.getCanvas().style.cursor = "pointer";
      const box = document.createElement("div");
      for (const text of words(top.properties))
        box.append(Object.assign(document.createElement("div"), { textContent: text }));
      tip.setLngLat(event.lngLat).setDOMContent(box).addTo(canvas);
    });
    canvas.on("mouseleave", layer, () => {
      if (!this.busy) canvas.getCanvas().style.cursor = "";
      tip.remove();
    });
    if (this.hasAttribute("pick")) return; // there a click picks
    canvas.on("click", layer, (event) => {
      const top = hit(event);
      if (!top) return;
      tip.remove();
      const way = act(top.properties, event);
      if (way !== undefined) showPopup(canvas, event.lngLat, words(top.properties), way);
    });
  }

  /** Whether something is drawn over a layer here: it gets the pointer. */
  private covered(canvas: Canvas, layer: string, point: PointLike): boolean {
    const order = ["regions", ...COMPONENT_LAYERS, ...(this.overlay?.hit ?? []), "cases", "unplaced", ...SENSOR_LAYERS];
    const above = order.slice(order.indexOf(layer) + 1).filter((name) => canvas.getLayer(name));
    return above.length > 0 && canvas.queryRenderedFeatures(point, { layers: above }).length > 0;
  }
}

customElements.define("city-map", CityMap);
