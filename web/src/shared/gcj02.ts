/**
 * WGS 84 and GCJ-02, the system that Chinese map services draw in: the formulas of `yiwang.core.space.crs`, which a test compares.
 * CGCS2000 differs from WGS 84 by centimetres, far less than a pixel of any zoom, and is taken for it.
 */

export type Point = [lon: number, lat: number];

// Krasovsky 1940, the ellipsoid that the formulas are written on.
const SEMI_MAJOR_AXIS = 6378245;
const ECCENTRICITY_SQUARED = 0.006693421622965943;
const ROUNDS = 12;
const TOLERANCE = 1e-12; // degrees

/** Degrees by which GCJ-02 lies east and north of WGS 84 at a place in WGS 84. */
function shift(lon: number, lat: number): Point {
  // outside this box GCJ-02 is defined as WGS 84
  if (lon < 72.004 || lon > 137.8347 || lat < 0.8293 || lat > 55.8271) return [0, 0];
  const { PI, sin, cos, sqrt, abs } = Math;
  const x = lon - 105,
    y = lat - 35;
  const root = sqrt(abs(x));
  const common = ((20 * sin(6 * x * PI) + 20 * sin(2 * x * PI)) * 2) / 3;
  let north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + common;
  north += ((20 * sin(y * PI) + 40 * sin((y / 3) * PI)) * 2) / 3;
  north += ((160 * sin((y / 12) * PI) + 320 * sin((y * PI) / 30)) * 2) / 3;
  let east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + common;
  east += ((20 * sin(x * PI) + 40 * sin((x / 3) * PI)) * 2) / 3;
  east += ((150 * sin((x / 12) * PI) + 300 * sin((x / 30) * PI)) * 2) / 3;
  const radians = (lat / 180) * PI;
  const magic = 1 - ECCENTRICITY_SQUARED * sin(radians) ** 2;
  const meridian = (SEMI_MAJOR_AXIS * (1 - ECCENTRICITY_SQUARED)) / (magic * sqrt(magic));
  const parallel = (SEMI_MAJOR_AXIS / sqrt(magic)) * cos(radians);
  return [(east * 180) / (parallel * PI), (north * 180) / (meridian * PI)];
}

export function toGcj02([lon, lat]: Point): Point {
  const [east, north] = shift(lon, lat);
  return [lon + east, lat + north];
}

/** The way back, by fixed-point iteration: the shift varies so slowly that each round gains four digits. */
export function fromGcj02([lon, lat]: Point): Point {
  let [east, north] = shift(lon, lat);
  for (let round = 0; round < ROUNDS; round++) {
    const [nextEast, nextNorth] = shift(lon - east, lat - north);
    const change = Math.abs(nextEast - east) + Math.abs(nextNorth - north);
    [east, north] = [nextEast, nextNorth];
    if (change < TOLERANCE) break;
  }
  return [lon - east, lat - north];
}

/**
 * In which system the page's map is drawn. Everything that the platform says and hears is WGS 84: what is drawn goes through
 * `drawn`, what is clicked through `meant`.
 */
export function systemOf(page: ParentNode = document): "wgs84" | "gcj02" {
  const said = page.querySelector<HTMLMetaElement>('meta[name="yiwang-map-crs"]')?.content;
  return said === "gcj02" ? "gcj02" : "wgs84";
}

/** Where on the map a place in WGS 84 is drawn. */
export function drawn(at: Point, system = systemOf()): Point {
  return system === "gcj02" ? toGcj02(at) : at;
}

/** Which place in WGS 84 a point of the map is. */
export function meant(at: Point, system = systemOf()): Point {
  return system === "gcj02" ? fromGcj02(at) : at;
}

/** A collection as the map draws it. */
export function drawnAll<Collection extends { features: { geometry: unknown }[] }>(
  collection: Collection,
  system = systemOf(),
): Collection {
  if (system === "wgs84") return collection;
  const walk = (part: unknown): unknown => {
    if (!Array.isArray(part)) return part;
    return typeof part[0] === "number" ? drawn([part[0], part[1] as number], system) : part.map(walk);
  };
  const features = collection.features.map((feature) => {
    const geometry = feature.geometry as { coordinates?: unknown } | null;
    return geometry?.coordinates
      ? { ...feature, geometry: { ...geometry, coordinates: walk(geometry.coordinates) } }
      : feature;
  });
  return { ...collection, features };
}
