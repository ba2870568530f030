/** What is drawn over a chart: limits as lines, stretches as shaded bands, pins. As options of ECharts. */

import type { Drawn, Row, Shape } from "./city-chart";

const DASHES = [[2, 3], [6, 4], [10, 4], "solid"] as const; // the worse a limit, the closer its line

/** Whether there is anything to draw: of what was measured zero is a value, of what is counted it is nothing. */
export const hasContent = (shape: Shape): boolean =>
  shape.rows.some((row) => row.values.some((value) => (shape.drawn ? value !== null : value)));

/**
 * How far the axis goes, so that a line is seen where it matters: to the next limit above what was read, or below it, and not to
 * those far beyond, which would press the course flat.
 */
export function reach(shape: Shape, drawn: Drawn): { max?: number; min?: number } {
  const values = shape.rows.flatMap(heights);
  const limits = drawn.limits.map(({ value }) => value);
  if (!values.length || !(limits.length || drawn.marks.length)) return {};
  const [least, greatest] = [Math.min(...values), Math.max(...values)];
  const room = 0.08 * Math.max(Math.abs(greatest), Math.abs(least), ...limits.map(Math.abs));
  const above = Math.min(...limits.filter((value) => value > greatest));
  const below = Math.max(...limits.filter((value) => value < least));
  const found: { max?: number; min?: number } = {};
  // limits that were all passed upwards lie below the course, and are reached from zero on anyhow
  if (Number.isFinite(above)) found.max = tidy(above + room);
  else if (drawn.marks.length) found.max = tidy(greatest + 2 * room); // a pin stands on the course
  if (!Number.isFinite(above) && Number.isFinite(below) && below < 0) found.min = tidy(below - room);
  return found;
}

const heights = (row: Row | undefined): number[] =>
  row?.values.filter((value): value is number => value !== null) ?? [];

/** Two significant digits, away from zero: an axis ends with a short number. */
function tidy(value: number): number {
  if (!value) return 0;
  const step = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 1);
  return Number((Math.sign(value) * Math.ceil(Math.abs(value) / step) * step).toPrecision(2));
}

/** Whether there is anything to draw over. */
export const isDrawn = (drawn: Drawn | undefined): drawn is Drawn =>
  !!drawn && drawn.limits.length + drawn.stretches.length + drawn.marks.length > 0;

/** A series without values of its own that carries all that is drawn, so that one click in the legend hides it. */
export function drawnOver(drawn: Drawn, rows: Row[], tone: (name: string) => string): Record<string, unknown> {
  return {
    name: drawn.name,
    type: "line",
    color: tone("ink-2"),
    data: rows.map(() => null),
    tooltip: { show: false },
    markLine: {
      symbol: "none",
      silent: true,
      animation: false,
      data: drawn.limits.map(({ value, name, colour }, at) => ({
        yAxis: value,
        name,
        lineStyle: { color: tone(colour), width: 1.5, type: DASHES[at] ?? "solid" },
        label: { formatter: name, position: "insideStartTop", distance: [2, 1], color: tone("ink"), fontSize: 11 },
      })),
    },
    markArea: {
      silent: true,
      animation: false,
      data: drawn.stretches.map(({ from, to, name, colour }) => [
        { xAxis: from, name, itemStyle: { color: tone(colour), opacity: 0.16 }, label: { show: false } },
        { xAxis: to },
      ]),
    },
    markPoint: {
      animation: false,
      symbol: "pin",
      symbolSize: 30,
      data: drawn.marks.map(({ at, name, title }) => ({
        name: title,
        coord: [at, Math.max(0, ...heights(rows[at]))],
        value: name,
        itemStyle: { color: tone("brand") },
        label: { formatter: name, color: tone("on-brand"), fontSize: 11, fontWeight: 600 },
      })),
    },
  };
}
