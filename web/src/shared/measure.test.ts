import { expect, test } from "vitest";
import type { Point } from "./gcj02";
import { areaOf, circleAround, lengthOf, rounded } from "./measure";

// Wuxi to Suzhou, main stations. On the ellipsoid (pyproj, Geod WGS84) it is 40742 m.
const WAY: Point[] = [
  [120.3006, 31.5897],
  [120.6063, 31.3321],
];
// A field of 0.01 by 0.01 degrees. On the ellipsoid it is 1058796 square metres.
const FIELD: Point[] = [
  [120, 31],
  [120.01, 31],
  [120.01, 31.01],
  [120, 31.01],
];

test("a length is that of the ellipsoid to half a percent", () => {
  expect(Math.abs(lengthOf(WAY) / 40742 - 1)).toBeLessThan(0.005);
  expect(lengthOf([...WAY, WAY[0] as Point])).toBeCloseTo(2 * lengthOf(WAY), 6);
  expect(lengthOf(WAY.slice(0, 1))).toBe(0);
  expect(lengthOf([])).toBe(0);
});

test("an area is that of the ellipsoid to half a percent, whichever way it turns", () => {
  expect(Math.abs(areaOf(FIELD) / 1058796 - 1)).toBeLessThan(0.005);
  expect(areaOf([...FIELD].reverse())).toBeCloseTo(areaOf(FIELD), 3);
  expect(areaOf(FIELD.slice(0, 2))).toBe(0);
});

test("every point of a circle is as far from its middle as was asked", () => {
  const middle: Point = [120.01, 31.01];
  for (const point of circleAround(middle, 200)) expect(lengthOf([middle, point])).toBeCloseTo(200, 0);
});

test("figures have as many digits as a click is worth", () => {
  expect(rounded(853.4, "length")).toEqual({ figure: "853", unit: "m" });
  expect(rounded(1234, "length")).toEqual({ figure: "1.23", unit: "km" });
  expect(rounded(40_434, "length")).toEqual({ figure: "40.4", unit: "km" });
  expect(rounded(5210, "area")).toEqual({ figure: "5,210", unit: "m2" });
  expect(rounded(1_054_000, "area")).toEqual({ figure: "1.05", unit: "km2" });
});
