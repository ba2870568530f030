/** Lengths and areas on the globe, of points in WGS 84; taken as a sphere, which is right to 0.5 %. */

import { numberText } from "./format";
import type { Point } from "./gcj02";

const RADIUS = 6_371_008.8; // metres, mean
const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Length of a line in metres (haversine). */
export function lengthOf(points: Point[]): number {
  let metres = 0;
  for (const [at, [lon, lat]] of points.slice(1).entries()) {
    const [before, below] = points[at] as Point;
    const half =
      Math.sin(radians(lat - below) / 2) ** 2 +
      Math.cos(radians(below)) * Math.cos(radians(lat)) * Math.sin(radians(lon - before) / 2) ** 2;
    metres += 2 * RADIUS * Math.asin(Math.min(1, Math.sqrt(half)));
  }
  return metres;
}

/** Area of a ring in square metres, however it turns (Chamberlain and Duquette, 2007); nothing of fewer than three points. */
export function areaOf(points: Point[]): number {
  if (points.length < 3) return 0;
  let sum = 0;
  for (const [at, [lon, lat]] of points.entries()) {
    const [next, above] = points[(at + 1) % points.length] as Point;
    sum += radians(next - lon) * (2 + Math.sin(radians(lat)) + Math.sin(radians(above)));
  }
  return Math.abs((sum * RADIUS * RADIUS) / 2);
}

/** A circle as a ring of points. */
export function circleAround([lon, lat]: Point, metres: number, corners = 64): Point[] {
  const tall = metres / RADIUS / (Math.PI / 180);
  const wide = tall / Math.cos(radians(lat));
  return Array.from({ length: corners + 1 }, (_, at) => {
    const angle = (2 * Math.PI * at) / corners;
    return [lon + wide * Math.cos(angle), lat + tall * Math.sin(angle)];
  });
}

/** A figure with as many digits as a click on a map is worth, and its unit: `m`, `km`, `m2` or `km2`. */
export function rounded(value: number, kind: "length" | "area"): { figure: string; unit: "m" | "km" | "m2" | "km2" } {
  const large = kind === "length" ? value >= 1000 : value >= 100_000;
  const scaled = large ? value / (kind === "length" ? 1000 : 1_000_000) : value;
  const figure = numberText(scaled, large ? (scaled < 10 ? 2 : 1) : 0);
  return { figure, unit: kind === "length" ? (large ? "km" : "m") : large ? "km2" : "m2" };
}
