/**
 * Components on a map, from the server's tiles, counted in bunches where there are many: a shape for each state, and a colour for
 * each state or, where the classes are named, for each class.
 */

import {
  type Map as Canvas,
  type ExpressionSpecification,
  GeoJSONSource,
  type Point,
  type PointLike,
} from "maplibre-gl";
import type { Answered } from "./calls";
import { drawn, systemOf } from "./gcj02";
import { addSigns, bar, diamond, disc, type Sign, square, triangle } from "./signs";
import { tone } from "./tones";

export const COMPONENT_LAYERS = ["component-counts", "components"] as const;
/** The layer of the few around a point, of which one may be chosen. */
export const NEAR_LAYER = "near-components";

export type NearComponent = Answered<"yiwang_server_api_components_near_components">["items"][number];

/** State → its shape. */
export const STATE_SHAPES: Record<string, Sign[1]> = {
  intact: disc,
  damaged: triangle,
  lost: diamond,
  abandoned: square,
  removed: bar,
};
const STATE_TONES: Record<string, string> = { intact: "map-fine", damaged: "map-soon", lost: "map-late" };

/** A sign for each state: of one colour, or of that of the state. */
function signs(colour?: string): Record<string, Sign> {
  const states = Object.entries(STATE_SHAPES);
  return Object.fromEntries(
    states.map(([state, shape]) => [state, [colour ?? STATE_TONES[state] ?? "map-closed", shape]]),
  );
}

/** Colours of the classes that are named, in their order; those that are not are of the first. */
export const CLASS_TONES = ["map-closed", ...[1, 2, 3, 4, 5, 6, 7].map((at) => `map-class-${at}`)];

/**
 * Put the components on a map.
 *
 * @param canvas The map, drawn.
 * @param host Where the colours are taken from.
 * @param tiles Address of the tiles, with `{z}`, `{x}` and `{y}`.
 * @param classes Codes of the classes that have a colour of their own, at most seven; none: colours are of the state.
 * @param below Layer over which they are not drawn; none: they lie on top.
 */
export function drawComponents(canvas: Canvas, host: Element, tiles: string, classes: string[], below?: string): void {
  if (canvas.getSource("components")) return;
  const coloured = classes.slice(0, CLASS_TONES.length - 1);
  const tones = coloured.length ? CLASS_TONES.slice(0, coloured.length + 1) : [undefined];
  for (const [at, colour] of tones.entries()) addSigns(canvas, host, `component-${at}`, signs(colour));
  const pairs = coloured.flatMap((code, at) => [code, String(at + 1)]) as [string, string];
  const at: ExpressionSpecification | string = coloured.length ? ["match", ["get", "kind"], ...pairs, "0"] : "0";
  canvas.addSource("components", {
    type: "vector",
    tiles: [`${location.origin}${tiles}?crs=${systemOf()}`],
    minzoom: 0,
    maxzoom: 18,
  });
  const size: ExpressionSpecification = ["interpolate", ["linear"], ["ln", ["get", "n"]], 0, 3, 10, 16];
  canvas.addLayer(
    {
      id: "component-counts",
      type: "circle",
      source: "components",
      "source-layer": "component_counts",
      paint: {
        "circle-radius": size,
        "circle-color": coloured.length ? tone(host, "map-closed") : worst(host),
        "circle-opacity": 0.7,
      },
    },
    below,
  );
  canvas.addLayer(
    {
      id: "components",
      type: "symbol",
      source: "components",
      "source-layer": "components",
      layout: {
        "icon-image": ["concat", "component-", at, "-", ["get", "state"]],
        "icon-allow-overlap": true,
        "icon-ignore-placement": true,
      },
    },
    below,
  );
}

/** A bunch has the colour of the worst that is a tenth of it. */
function worst(host: Element): ExpressionSpecification {
  const share = (name: string): ExpressionSpecification => [
    ">=",
    ["coalesce", ["get", name], 0],
    ["*", 0.1, ["get", "n"]],
  ];
  return [
    "case",
    share("gone"),
    tone(host, "map-late"),
    share("damaged"),
    tone(host, "map-soon"),
    tone(host, "map-fine"),
  ];
}

/** Put the components around a point on a map, or others in their place; the chosen one is larger. */
export function drawNear(canvas: Canvas, host: Element, near: NearComponent[], chosen: string): void {
  const features = near.map((one) => ({
    type: "Feature" as const,
    geometry: { type: "Point" as const, coordinates: drawn([one.lon, one.lat]) },
    properties: { ...one, chosen: one.code === chosen },
  }));
  const data: GeoJSON.FeatureCollection = { type: "FeatureCollection", features };
  const source = canvas.getSource(NEAR_LAYER);
  if (source instanceof GeoJSONSource) {
    source.setData(data);
    return;
  }
  canvas.addSource(NEAR_LAYER, { type: "geojson", data });
  canvas.addLayer({
    id: NEAR_LAYER,
    type: "circle",
    source: NEAR_LAYER,
    paint: {
      "circle-color": ["case", ["get", "chosen"], tone(host, "brand"), tone(host, "map-ink-2")],
      "circle-radius": ["case", ["get", "chosen"], 9, 6],
      "circle-stroke-color": tone(host, "card"),
      "circle-stroke-width": 2,
    },
  });
}

const FINGER = 9; // pixels around a click in which a component is meant
const MEANT_FROM_ZOOM = 16; // farther away so many pixels are a street

/** The component at a point of the screen, of those that are drawn: its properties, and its place as the map has it. */
export function componentAt(
  canvas: Canvas,
  { x, y }: Point,
): { properties: Record<string, unknown>; at: [number, number] } | null {
  const layers = ["components", NEAR_LAYER].filter((layer) => canvas.getLayer(layer));
  const box: [PointLike, PointLike] = [
    [x - FINGER, y - FINGER],
    [x + FINGER, y + FINGER],
  ];
  const hits =
    layers.length && canvas.getZoom() >= MEANT_FROM_ZOOM ? canvas.queryRenderedFeatures(box, { layers }) : [];
  const off = ({ geometry }: (typeof hits)[number]): number => {
    const place = canvas.project((geometry as GeoJSON.Point).coordinates as [number, number]);
    return Math.hypot(place.x - x, place.y - y);
  };
  const [nearest] = hits
    .filter(({ geometry }) => geometry.type === "Point")
    .sort((one, other) => off(one) - off(other));
  return nearest
    ? { properties: nearest.properties, at: (nearest.geometry as GeoJSON.Point).coordinates as [number, number] }
    : null;
}
