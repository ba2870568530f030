/**
 * The base map under a city's own layers: water, green, roads, railways and names out of vector tiles of this server, or a map of
 * others that the operator chose.
 *
 * A page of a city that has one says in `<meta name="yiwang-basemap">` where it is described. All letters are drawn from fonts of
 * the reader's machine: the style names no glyphs, so nothing is asked of anybody else.
 */

import type {
  Map as Canvas,
  ExpressionSpecification,
  FilterSpecification,
  LayerSpecification,
  LineLayerSpecification,
  SymbolLayerSpecification,
} from "maplibre-gl";
import { drawImages, drawStyle, type Images, isChosen, type Styled, watchChosen, whole } from "./chosen";
import { tone } from "./tones";

const SOURCE = "basemap";
export const PLAIN = ["Noto Sans Regular"]; // the weight is read off the name; the family is what the machine has
const BOLD = ["Noto Sans Bold"];
const MAJOR = 3; // ranks up to this are motorways, trunk and primary roads

/** Tiles with the layers of a pack, which are drawn in the design's colours. */
interface Layers {
  kind: "vector";
  tiles: string[];
  minzoom: number;
  maxzoom: number;
}

/** What the server says of a base map: how it is drawn, and whom to name. */
export type Basemap = (Layers | Images | Styled) & {
  credits: { text: string; url: string }[];
  overview: { max_zoom: number; note: string };
  /** Said when the service of others does not answer. */
  missing?: string;
};

let described: Promise<Basemap | null> | undefined;

/** The base map of the page's city; null where there is none, or where it cannot be had: the map is drawn without it. */
export function findBasemap(): Promise<Basemap | null> {
  described ??= ask();
  return described;
}

async function ask(): Promise<Basemap | null> {
  const url = document.querySelector<HTMLMetaElement>('meta[name="yiwang-basemap"]')?.content;
  if (!url) return null;
  try {
    const answer = await fetch(url, { headers: { Accept: "application/json" } });
    return answer.ok ? ((await answer.json()) as Basemap) : null;
  } catch {
    return null;
  }
}

/** Whether a layer of a map belongs to what lies below. */
export function isBasemap(layer: string): boolean {
  return layer.startsWith("base-") || isChosen(layer);
}

/** Which property of a feature is its name in the page's language. */
export function nameIn(language: string): ExpressionSpecification {
  const name: ExpressionSpecification = ["get", "name"];
  return language.startsWith("zh") ? ["coalesce", name, ["get", "name_en"]] : ["coalesce", ["get", "name_en"], name];
}

/**
 * Draw it: the ground below the regions, roads between their shade and their lines, names on top; a map of others below all.
 *
 * @param canvas The map, with the regions drawn: layers `regions`, `lines` and `dashes`.
 * @param element Whose theme the colours are of.
 * @param basemap What `findBasemap` gave.
 * @param said Names that the regions have already: a town of the same name is not written again.
 * @param top The layer before which names come; none: above everything drawn so far.
 */
export function drawBasemap(canvas: Canvas, element: Element, basemap: Basemap, said: string[], top?: string): void {
  if (basemap.kind === "raster") drawImages(canvas, basemap, "regions");
  else if (basemap.kind === "style") void drawStyle(canvas, basemap, "regions");
  else drawLayers(canvas, element, basemap, said, top);
}

function drawLayers(canvas: Canvas, element: Element, basemap: Layers, said: string[], top?: string): void {
  canvas.addSource(SOURCE, {
    type: "vector",
    tiles: basemap.tiles.map((path) => whole(path)),
    minzoom: basemap.minzoom,
    maxzoom: basemap.maxzoom,
  });
  canvas.setPaintProperty("paper", "background-color", tone(element, "map-paper"));
  for (const layer of ["lines", "dashes"]) {
    canvas.setPaintProperty(layer, "line-color", tone(element, "map-boundary"));
    canvas.setPaintProperty(layer, "line-width", 1.4);
  }
  for (const layer of ground(element)) canvas.addLayer(layer, "regions");
  for (const layer of ways(element)) canvas.addLayer(layer, "lines");
  for (const layer of names(element, said)) canvas.addLayer(layer, top);
}

/** How strong regions are shaded over a base map: less, the closer one looks. */
export function shadeOver(strength: number): ExpressionSpecification {
  return ["interpolate", ["linear"], ["zoom"], 10, strength, 14, strength * 0.4];
}

function ground(element: Element): LayerSpecification[] {
  const colour = (name: string) => tone(element, name);
  const filled = (id: string, paint: string): LayerSpecification => ({
    id: `base-${id}`,
    type: "fill",
    source: SOURCE,
    "source-layer": id,
    paint: { "fill-color": colour(paint), "fill-antialias": id !== "green" },
  });
  return [
    filled("green", "map-green"),
    filled("water", "map-water"),
    {
      id: "base-waterways",
      type: "line",
      source: SOURCE,
      "source-layer": "waterways",
      layout: { "line-cap": "round", "line-join": "round" },
      paint: {
        "line-color": colour("map-water"),
        "line-width": ["interpolate", ["exponential", 1.4], ["zoom"], 8, 0.8, 14, ["match", rank, 1, 3, 2, 2, 1.2]],
      },
    },
  ];
}

const rank: ExpressionSpecification = ["coalesce", ["get", "rank"], 9];

/** Width of a road by zoom and rank, in pixels; `edge` is added for the casing. */
function width(edge: number): ExpressionSpecification {
  const at = (
    motorway: number,
    trunk: number,
    primary: number,
    secondary: number,
    minor: number,
  ): ExpressionSpecification => [
    "match",
    rank,
    1,
    motorway + edge,
    2,
    trunk + edge,
    3,
    primary + edge,
    [4, 5],
    secondary + edge,
    minor + edge,
  ];
  return [
    "interpolate",
    ["exponential", 1.5],
    ["zoom"],
    7,
    at(0.9, 0.7, 0.3, 0.2, 0.1),
    11,
    at(1.8, 1.5, 1.1, 0.7, 0.4),
    14,
    at(4, 3.6, 3.2, 2.4, 1.5),
    18,
    at(18, 16, 15, 12, 9),
  ];
}

function ways(element: Element): LayerSpecification[] {
  const colour = (name: string) => tone(element, name);
  const road = (
    id: string,
    filter: FilterSpecification,
    paint: LineLayerSpecification["paint"],
  ): LayerSpecification => ({
    id: `base-${id}`,
    type: "line",
    source: SOURCE,
    "source-layer": "roads",
    filter,
    layout: { "line-cap": "round", "line-join": "round", "line-sort-key": ["-", 0, rank] },
    paint: { ...paint },
  });
  const track = (far: number, near: number): ExpressionSpecification => [
    "interpolate",
    ["linear"],
    ["zoom"],
    9,
    far,
    15,
    near,
  ];
  const rails = (id: string, paint: LineLayerSpecification["paint"], minzoom = 0): LayerSpecification => ({
    id: `base-${id}`,
    type: "line",
    source: SOURCE,
    "source-layer": "railways",
    minzoom,
    paint: { ...paint },
  });
  const major: FilterSpecification = ["<=", rank, MAJOR];
  const minor: FilterSpecification = [">", rank, MAJOR];
  const casing = { "line-color": colour("map-casing"), "line-width": width(1.4) };
  return [
    road("minor-casing", minor, { ...casing, "line-opacity": ["interpolate", ["linear"], ["zoom"], 12, 0.3, 14, 0.9] }),
    road("minor", minor, { "line-color": colour("map-road"), "line-width": width(0) }),
    // a railway is a line with ties, so that nobody takes it for the dashes of an approximate outline
    rails("railways", { "line-color": colour("map-rail"), "line-width": track(0.8, 2.2) }),
    rails("ties", { "line-color": colour("map-paper"), "line-width": track(0.3, 1.2), "line-dasharray": [5, 5] }, 11),
    road("major-casing", major, casing),
    road("major", major, {
      "line-color": ["match", rank, [1, 2], colour("map-road-major"), colour("map-road")],
      "line-width": width(0),
    }),
  ];
}

function names(element: Element, said: string[]): LayerSpecification[] {
  const colour = (name: string) => tone(element, name);
  const letters = lettersOf(element);
  const text = nameIn(document.documentElement.lang);
  const written = (
    id: string,
    layer: string,
    ink: string,
    layout: SymbolLayerSpecification["layout"],
    more: { filter?: FilterSpecification; minzoom?: number } = {},
  ): LayerSpecification => ({
    id: `base-${id}`,
    type: "symbol",
    source: SOURCE,
    "source-layer": layer,
    layout: { "text-field": text, "text-font": PLAIN, "text-max-width": 8, "text-padding": 4, ...layout },
    paint: { "text-color": colour(ink), "text-halo-color": colour("map-halo"), "text-halo-width": 1.3 },
    ...more,
  });
  const among = (...kinds: string[]): ExpressionSpecification => ["in", ["get", "kind"], ["literal", kinds]];
  const settled = among("city", "town", "suburb", "quarter", "neighbourhood", "hamlet", "village", "island");
  const fresh: ExpressionSpecification = ["!", ["in", text, ["literal", said]]];
  const along = (size: number): SymbolLayerSpecification["layout"] => ({
    "symbol-placement": "line",
    "symbol-spacing": 320,
    "text-size": size * letters,
    "text-max-angle": 35,
  });
  const point = (size: number): SymbolLayerSpecification["layout"] => ({
    "text-size": size * letters,
    "symbol-sort-key": rank,
  });
  return [
    written("points", "places", "map-ink-2", point(10.5), {
      filter: ["all", ["!", settled], ["!", among("station")], ["<=", rank, 8]],
      minzoom: 14.5,
    }),
    written("stations", "places", "map-ink-2", point(10.5), { filter: among("station"), minzoom: 12 }),
    written("road-names", "roads", "map-ink-2", along(10.5), { minzoom: 12 }),
    written("river-names", "waterways", "map-water-ink", along(11), { minzoom: 11 }),
    written("green-names", "labels", "map-green-ink", point(10.5), {
      filter: ["==", ["get", "class"], "green"],
      minzoom: 12,
    }),
    written("water-names", "labels", "map-water-ink", point(12), { filter: ["==", ["get", "class"], "water"] }),
    written(
      "towns",
      "places",
      "map-ink-2",
      { ...point(11), "text-size": ["match", rank, 1, 14 * letters, 2, 12.5 * letters, 11 * letters] },
      {
        filter: ["all", settled, fresh],
      },
    ),
  ];
}

function lettersOf(element: Element): number {
  return Number.parseFloat(getComputedStyle(element).getPropertyValue("--map-letters")) || 1;
}

type Regions = GeoJSON.FeatureCollection<GeoJSON.Geometry, { name?: unknown }>;

/** Write the names of regions, each once, at the middle of its largest part. Drawn anew when the regions change. */
export function nameRegions(canvas: Canvas, element: Element, regions: Regions, top?: string): void {
  const points = regions.features.flatMap((feature) => {
    const at = middle(feature.geometry);
    return at
      ? [
          {
            type: "Feature",
            geometry: { type: "Point", coordinates: at },
            properties: { name: feature.properties.name },
          },
        ]
      : [];
  });
  const data = { type: "FeatureCollection", features: points } as GeoJSON.FeatureCollection;
  const source = canvas.getSource("region-names");
  if (source && "setData" in source) {
    (source as { setData(data: unknown): void }).setData(data);
    return;
  }
  canvas.addSource("region-names", { type: "geojson", data });
  canvas.addLayer(
    {
      id: "region-names",
      type: "symbol",
      source: "region-names",
      layout: {
        "text-field": ["get", "name"],
        "text-font": BOLD,
        "text-size": 12.5 * lettersOf(element),
        "text-max-width": 7,
        "text-padding": 3,
      },
      paint: {
        "text-color": tone(element, "map-ink"),
        "text-halo-color": tone(element, "map-halo"),
        "text-halo-width": 1.6,
      },
    },
    top,
  );
}

/** The centre of gravity of the largest ring of a polygon; null for what is no polygon. */
export function middle(geometry: GeoJSON.Geometry): [number, number] | null {
  const parts =
    geometry.type === "Polygon" ? [geometry.coordinates] : geometry.type === "MultiPolygon" ? geometry.coordinates : [];
  let largest = 0;
  let found: [number, number] | null = null;
  for (const part of parts) {
    const ring = part[0] ?? [];
    const [x0 = 0, y0 = 0] = ring[0] ?? [];
    let area = 0,
      x = 0,
      y = 0;
    for (const [at, [ax = 0, ay = 0]] of ring.entries()) {
      const [bx = 0, by = 0] = ring[at + 1] ?? ring[0] ?? [];
      const cross = (ax - x0) * (by - y0) - (bx - x0) * (ay - y0); // about a corner: small numbers keep their digits
      area += cross;
      x += (ax + bx - 2 * x0) * cross;
      y += (ay + by - 2 * y0) * cross;
    }
    if (Math.abs(area) > largest) {
      largest = Math.abs(area);
      found = [x0 + x / (3 * area), y0 + y / (3 * area)];
    }
  }
  return found;
}

/** Name the sources on a map, always to be seen, and say when somebody looks closer than the base map is honest. */
export function credit(canvas: Canvas, frame: HTMLElement, basemap: Basemap): void {
  const box = document.createElement("div");
  box.className = "map-credit";
  const note = document.createElement("span");
  note.className = "map-note";
  note.setAttribute("role", "status");
  note.textContent = basemap.overview.note;
  box.append(note);
  if (basemap.missing) {
    const missing = document.createElement("span");
    missing.className = "map-note";
    missing.setAttribute("role", "status");
    missing.hidden = true;
    missing.textContent = basemap.missing;
    box.append(missing);
    watchChosen(canvas, (answers) => {
      missing.hidden = answers;
    });
  }
  for (const [at, one] of basemap.credits.entries()) {
    const link = document.createElement("a");
    link.textContent = one.text;
    if (one.url) Object.assign(link, { href: one.url, target: "_blank", rel: "noopener" });
    box.append(at ? " " : "", link);
  }
  const look = () => {
    note.hidden = !basemap.overview.note || canvas.getZoom() <= basemap.overview.max_zoom;
  };
  canvas.on("zoom", look);
  look();
  frame.append(box);
}
