/** Regions on a map, shaded by their open cases; outlines that are approximate are dashed, so that nobody takes them for a boundary. */

import { type Map as Canvas, type ExpressionSpecification, GeoJSONSource, LngLatBounds } from "maplibre-gl";
import { tone } from "./tones";

export type Collection = GeoJSON.FeatureCollection<GeoJSON.Geometry, Record<string, unknown>>;
export const EMPTY: Collection = { type: "FeatureCollection", features: [] };
export const REGION_LAYERS = ["regions", "lines", "dashes", "region-names"];

/** The box around everything in a collection; null where there is nothing. */
export function boundsOf(collection: Collection): LngLatBounds | null {
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

/** Put regions on a map whose style has none, or other regions in their place. */
export function drawRegions(canvas: Canvas, host: Element, regions: Collection): void {
  const source = canvas.getSource("regions");
  if (source instanceof GeoJSONSource) {
    source.setData(regions as never);
    canvas.setPaintProperty("regions", "fill-color", shade(host, regions));
    return;
  }
  canvas.addSource("regions", { type: "geojson", data: regions as never });
  canvas.addLayer({
    id: "regions",
    type: "fill",
    source: "regions",
    paint: { "fill-color": shade(host, regions), "fill-opacity": 1 },
  });
  const solid: ExpressionSpecification = ["!", ["to-boolean", ["get", "approximate"]]];
  const colour = tone(host, "map-line");
  canvas.addLayer({
    id: "lines",
    type: "line",
    source: "regions",
    filter: solid,
    paint: { "line-color": colour, "line-width": 1.2 },
  });
  canvas.addLayer({
    id: "dashes",
    type: "line",
    source: "regions",
    filter: ["!", solid],
    paint: { "line-color": colour, "line-width": 0.8, "line-dasharray": [3, 2] },
  });
}

function shade(host: Element, regions: Collection): ExpressionSpecification {
  const most = Math.max(1, ...regions.features.map((feature) => Number(feature.properties["open"] ?? 0)));
  return [
    "interpolate",
    ["linear"],
    ["sqrt", ["coalesce", ["get", "open"], 0]],
    0,
    tone(host, "map-low"),
    Math.sqrt(most),
    tone(host, "map-high"),
  ];
}
