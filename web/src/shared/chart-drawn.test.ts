import { describe, expect, it } from "vitest";
import { drawnOver, hasContent, isDrawn, reach } from "./chart-drawn";
import type { Drawn, Shape } from "./city-chart";

const limit = (value: number) => ({ value, name: `${value}`, colour: "red" });
const drawn = (more: Partial<Drawn>): Drawn => ({ name: "", limits: [], stretches: [], marks: [], ...more });
const shape = (...values: (number | null)[]): Shape => ({
  title: "",
  heading: "",
  series: [],
  rows: values.map((value) => ({ name: "", values: [value] })),
  empty: "",
  table: "",
});
const pin = { at: 1, name: "1", title: "A-1", link: "/a" };

describe("how far the axis of a chart goes", () => {
  it.each([
    [[1, 2], [5, 15, 50], 10], // the next limit only, with some room
    [[1, 20], [5, 15, 50], 54],
    [[0.01, null], [0.05, 0.15], 0.07],
  ])("%j with limits %j goes to %d", (values, limits, max) => {
    const found = reach(shape(...values), drawn({ limits: limits.map(limit) }));
    expect(found.max).toBeGreaterThan(Math.max(...limits.filter((one) => one < max)));
    expect(found.max).toBeLessThanOrEqual(max);
    expect(found.min).toBeUndefined();
  });

  it("is left to the values where every limit was passed, and where there is none", () => {
    expect(reach(shape(60), drawn({ limits: [limit(5)] }))).toEqual({});
    expect(reach(shape(60), drawn({}))).toEqual({});
    expect(reach(shape(null), drawn({ limits: [limit(5)] }))).toEqual({});
  });

  it("has room for a pin on the course", () => {
    expect(reach(shape(60), drawn({ limits: [limit(5)], marks: [pin] })).max).toBeGreaterThan(60);
  });

  it("goes down to a limit below zero", () => {
    expect(reach(shape(-2, 3), drawn({ limits: [limit(-10)] })).min).toBeLessThan(-10);
  });
});

describe("what is drawn over a chart", () => {
  it("is nothing where there is nothing to draw", () => {
    expect(isDrawn(undefined)).toBe(false);
    expect(isDrawn(drawn({}))).toBe(false);
    expect(isDrawn(drawn({ marks: [pin] }))).toBe(true);
  });

  it("puts a pin on the highest value of its row, and on zero where there is none", () => {
    const at = (rows: Shape["rows"]) =>
      (drawnOver(drawn({ marks: [pin] }), rows, () => "") as { markPoint: { data: { coord: number[] }[] } }).markPoint
        .data[0]?.coord;
    expect(
      at([
        { name: "", values: [1] },
        { name: "", values: [2, 7, null] },
      ]),
    ).toEqual([1, 7]);
    expect(
      at([
        { name: "", values: [1] },
        { name: "", values: [null] },
      ]),
    ).toEqual([1, 0]);
  });
});

describe("whether a chart has anything to draw", () => {
  it("has, where something was measured, and be it zero", () => {
    expect(hasContent({ ...shape(0, 0), drawn: drawn({}) })).toBe(true);
    expect(hasContent({ ...shape(null, null), drawn: drawn({}) })).toBe(false);
  });

  it("has not, where nothing was counted", () => {
    expect(hasContent(shape(0, 0))).toBe(false);
    expect(hasContent(shape(0, 1))).toBe(true);
  });
});
