import { expect, test } from "vitest";
import { middle, nameIn } from "./basemap";

const square = (x: number, y: number, side: number) => [
  [x, y],
  [x + side, y],
  [x + side, y + side],
  [x, y + side],
  [x, y],
];

test("a region's name stands at the middle of its largest part", () => {
  const found = middle({
    type: "MultiPolygon",
    coordinates: [[square(0, 0, 1)], [square(120, 31, 4)], [square(9, 9, 2)]],
  });
  expect(found?.[0]).toBeCloseTo(122, 9);
  expect(found?.[1]).toBeCloseTo(33, 9);
  expect(middle({ type: "Point", coordinates: [1, 2] })).toBeNull();
});

test("names are in Chinese on Chinese pages and in English elsewhere, where there are both", () => {
  expect(nameIn("zh-hans")).toEqual(["coalesce", ["get", "name"], ["get", "name_en"]]);
  expect(nameIn("en")).toEqual(["coalesce", ["get", "name_en"], ["get", "name"]]);
});
