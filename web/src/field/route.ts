/**
 * An open tour: from where I am past all stops, ending anywhere. Nearest neighbour from every choice of the first stop, each
 * improved by 2-opt and by moving runs of up to three stops, the shortest kept. Not surely the shortest of all; the tests hold
 * it against brute force for up to eight stops. Distances are as the crow flies: nothing here knows streets.
 */
export interface Point {
  lon: number;
  lat: number;
}

const RADIUS_M = 6371008.8;
const EPSILON = 1e-9;

export function distance(a: Point, b: Point): number {
  const rad = Math.PI / 180;
  const dy = (b.lat - a.lat) * rad,
    dx = (b.lon - a.lon) * rad;
  const s = Math.sin(dy / 2) ** 2 + Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * Math.sin(dx / 2) ** 2;
  return 2 * RADIUS_M * Math.asin(Math.min(1, Math.sqrt(s)));
}

/** Order of the stops (indices) and the tour's length in metres. */
export function openTour(start: Point, stops: readonly Point[]): { order: number[]; metres: number } {
  const n = stops.length;
  if (!n) return { order: [], metres: 0 };
  const points = [start, ...stops];
  const d = points.map((a) => points.map((b) => distance(a, b)));
  const leg = (a: number | undefined, b: number | undefined): number =>
    a === undefined || b === undefined ? 0 : (d[a]?.[b] ?? 0);
  const length = (path: readonly number[]): number =>
    path.reduce((sum, at, index) => (index ? sum + leg(path[index - 1], at) : 0), 0);
  let best: number[] = [],
    shortest = Infinity;
  for (let first = 1; first <= n; first += 1) {
    const path = improved(nearest(first, n, leg), leg);
    const metres = length(path);
    if (metres < shortest - EPSILON) [best, shortest] = [path, metres];
  }
  return { order: best.slice(1).map((at) => at - 1), metres: shortest };
}

type Leg = (a: number | undefined, b: number | undefined) => number;

function nearest(first: number, n: number, leg: Leg): number[] {
  const path = [0, first];
  const left = new Set(Array.from({ length: n }, (_, index) => index + 1).filter((at) => at !== first));
  while (left.size) {
    const last = path.at(-1);
    const next = [...left].reduce((a, b) => (leg(last, b) < leg(last, a) ? b : a));
    path.push(next);
    left.delete(next);
  }
  return path;
}

function improved(path: number[], leg: Leg): number[] {
  for (let better = true; better; ) {
    const found: number[] | undefined = turned(path, leg) ?? moved(path, leg);
    better = found !== undefined;
    path = found ?? path;
  }
  return path;
}

/** 2-opt: a stretch walked the other way round. The end is free, so a stretch may reach it. */
function turned(path: number[], leg: Leg): number[] | undefined {
  for (let i = 1; i < path.length - 1; i += 1)
    for (let j = i + 1; j < path.length; j += 1) {
      const gain =
        leg(path[i - 1], path[i]) + leg(path[j], path[j + 1]) - leg(path[i - 1], path[j]) - leg(path[i], path[j + 1]);
      if (gain > 1e-6) return [...path.slice(0, i), ...path.slice(i, j + 1).reverse(), ...path.slice(j + 1)];
    }
  return undefined;
}

/** A run of up to three stops put elsewhere, either way round. */
function moved(path: number[], leg: Leg): number[] | undefined {
  for (let size = 1; size <= 3; size += 1)
    for (let i = 1; i + size <= path.length; i += 1) {
      const run = path.slice(i, i + size),
        rest = [...path.slice(0, i), ...path.slice(i + size)];
      const freed = leg(path[i - 1], run[0]) + leg(run.at(-1), path[i + size]) - leg(path[i - 1], path[i + size]);
      for (let k = 1; k <= rest.length; k += 1)
        for (const way of [run, [...run].reverse()]) {
          const cost = leg(rest[k - 1], way[0]) + leg(way.at(-1), rest[k]) - leg(rest[k - 1], rest[k]);
          if (freed - cost > 1e-6) return [...rest.slice(0, k), ...way, ...rest.slice(k)];
        }
    }
  return undefined;
}
