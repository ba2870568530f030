import type { StyleSpecification } from "maplibre-gl";
import { expect, test } from "vitest";
import { partsOf, type Styled } from "./chosen";

const AT = "https://maps.example/styles/city.json";
const STYLED: Styled = {
  kind: "style",
  style: AT,
  tiles: ["https://city.example/wuxi/basemap/{z}/{x}/{y}.mvt?v=1"],
  minzoom: 0,
  maxzoom: 15,
};
const STYLE = {
  version: 8,
  glyphs: "https://fonts.example/{fontstack}/{range}.pbf",
  sprite: "../sprites/city",
  sources: {
    own: { type: "vector", url: "pmtiles://wuxi.pmtiles" },
    far: { type: "raster", tiles: ["/t/{z}/{x}/{y}.png"], tileSize: 256 },
    said: { type: "vector", url: "../tiles.json" },
  },
  layers: [
    { id: "regions", type: "fill", source: "own", "source-layer": "earth" },
    { id: "paper", type: "background" },
  ],
} as StyleSpecification;

test("a style's names do not meet ours, and its addresses are whole", () => {
  const { sources, layers, sprite } = partsOf(STYLE, AT, STYLED);
  expect(layers.map((layer) => layer.id)).toEqual(["chosen-regions", "chosen-paper"]);
  expect(layers[0]).toMatchObject({ source: "chosen-own", "source-layer": "earth" });
  expect(sources["chosen-far"]).toMatchObject({ tiles: ["https://maps.example/t/{z}/{x}/{y}.png"] });
  expect(sources["chosen-said"]).toMatchObject({ url: "https://maps.example/tiles.json" });
  expect(sprite).toBe("https://maps.example/sprites/city");
});

test("the archive's tiles come from our own server", () => {
  const own = partsOf(STYLE, AT, STYLED).sources["chosen-own"];
  expect(own).toEqual({ type: "vector", tiles: STYLED.tiles, minzoom: 0, maxzoom: 15 });
});
