import { expect, test } from "vitest";
import { drawn, drawnAll, fromGcj02, meant, type Point, toGcj02 } from "./gcj02";

// Made by `from_wgs84(lon, lat, "gcj02")` of yiwang.core.space.crs: cities all over China, and two where nothing is shifted.
const PAIRS: [wgs84: Point, gcj02: Point][] = [
  [
    [120.3119, 31.4912],
    [120.316508611, 31.489310844],
  ],
  [
    [116.3913, 39.9075],
    [116.397541182, 39.908901276],
  ],
  [
    [87.6177, 43.7928],
    [87.620549224, 43.794024555],
  ],
  [
    [113.5439, 22.1987],
    [113.549003303, 22.195760845],
  ],
  [
    [126.6424, 45.7569],
    [126.648369848, 45.758851047],
  ],
  [
    [91.1172, 29.6469],
    [91.118760341, 29.644192106],
  ],
  [
    [109.5119, 18.2528],
    [109.515984295, 18.251094792],
  ],
  [
    [-71.0589, 42.3601],
    [-71.0589, 42.3601],
  ],
  [
    [139.6917, 35.6895],
    [139.6917, 35.6895],
  ],
];

function metres([lon, lat]: Point, [east, north]: Point): number {
  const across = (east - lon) * Math.cos((lat * Math.PI) / 180);
  return Math.hypot(across, north - lat) * 111_195;
}

test.each(PAIRS)("%j is drawn where the core says, and comes back", (wgs84, gcj02) => {
  expect(metres(toGcj02(wgs84), gcj02)).toBeLessThan(0.01);
  expect(metres(fromGcj02(gcj02), wgs84)).toBeLessThan(0.01);
});

test("in China the shift is more than 250 m, so that a map without it would be wrong", () => {
  for (const [wgs84, gcj02] of PAIRS.slice(0, 7)) expect(metres(wgs84, gcj02)).toBeGreaterThan(250);
});

test("only a map in GCJ-02 is shifted", () => {
  const [wgs84, gcj02] = PAIRS[0] as [Point, Point];
  expect(drawn(wgs84, "wgs84")).toEqual(wgs84);
  expect(meant(gcj02, "wgs84")).toEqual(gcj02);
  expect(metres(meant(drawn(wgs84, "gcj02"), "gcj02"), wgs84)).toBeLessThan(0.01);
});

test("outlines and points of a collection are shifted, and what has no place stays", () => {
  const [wgs84, gcj02] = PAIRS[0] as [Point, Point];
  const collection = {
    features: [
      { geometry: { type: "MultiPolygon", coordinates: [[[wgs84, wgs84]]] }, properties: { code: "1" } },
      { geometry: { type: "Point", coordinates: wgs84 }, properties: { code: "2" } },
      { geometry: null, properties: { code: "3" } },
    ],
  };
  const [area, point, none] = drawnAll(collection, "gcj02").features.map((feature) => feature.geometry?.coordinates);
  expect((area as Point[][][])[0]?.[0]?.[1]?.[0]).toBeCloseTo(gcj02[0], 6);
  expect((point as Point)[1]).toBeCloseTo(gcj02[1], 6);
  expect(none).toBeUndefined();
  expect(collection.features[1]?.geometry?.coordinates).toBe(wgs84); // what came from the server is not changed
  expect(drawnAll(collection, "wgs84")).toBe(collection);
});
