import type { Map as Canvas } from "maplibre-gl";
import { describe, expect, it } from "vitest";
import { LayerSwitches } from "./map-layers";

/** As much of a map as the switches use: its layers from below, and whether each is seen. */
class Sheet {
  readonly layers = new Map<string, string>();
  getLayersOrder = (): string[] => [...this.layers.keys()];
  setLayoutProperty = (id: string, _name: string, value: string): void => void this.layers.set(id, value);
  add = (id: string): void => void (this.layers.has(id) || this.layers.set(id, "visible"));
}

function switches(sheet: Sheet): LayerSwitches {
  return new LayerSwitches(sheet as unknown as Canvas, [
    { key: "regions", owns: (id) => ["fill", "line"].includes(id) },
    { key: "base", owns: (id) => id.startsWith("base-") },
    { key: "tiles", owns: (id) => id === "tiles", off: true, bring: () => sheet.add("tiles") },
  ]);
}

describe("the switches of a map's layers", () => {
  it("offer what is on the map and what can be brought", () => {
    const sheet = new Sheet();
    const made = switches(sheet);
    sheet.add("fill");
    expect(made.offered().map(({ key }) => key)).toEqual(["regions", "tiles"]);
    sheet.add("base-water");
    expect(made.offered().map(({ key }) => key)).toEqual(["regions", "base", "tiles"]);
  });

  it("bring a layer only when it is wanted", () => {
    const sheet = new Sheet();
    const made = switches(sheet);
    made.applyAll();
    expect(sheet.getLayersOrder()).toEqual([]);
    made.set("tiles", true);
    expect(sheet.layers.get("tiles")).toBe("visible");
    made.set("tiles", false);
    expect(sheet.layers.get("tiles")).toBe("none");
  });

  it("keep what was chosen where the style is replaced", () => {
    const sheet = new Sheet();
    const made = switches(sheet);
    sheet.add("fill");
    made.set("regions", false);
    made.set("tiles", true);
    sheet.layers.clear();
    sheet.add("fill");
    sheet.add("line");
    made.applyAll();
    expect(Object.fromEntries(sheet.layers)).toEqual({ fill: "none", line: "none", tiles: "visible" });
  });
});
