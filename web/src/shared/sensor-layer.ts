/**
 * Sensors on a map: each thing with its state, by shape as well as by colour; counted in bunches that show the worst state in them.
 *
 * What it draws is one GeoJSON of the server, asked again while it is shown. Mostly the browser's tag is answered with 304, and then
 * nothing is drawn anew. A click asks `things/ID.json` beside it for what the thing says now.
 */

import {
  type Map as Canvas,
  type ExpressionSpecification,
  GeoJSONSource,
  type LngLatLike,
  type MapLayerMouseEvent,
} from "maplibre-gl";
import type { CityMap } from "../city-map";
import { PLAIN } from "./basemap";
import { numberText } from "./format";
import { drawnAll } from "./gcj02";
import type { Layer } from "./map-layers";
import { showPopup, type Way } from "./map-popup";
import { type Collection, EMPTY } from "./map-regions";
import { addSigns, bar, cross, diamond, disc, picture, type Sign, square, star, triangle } from "./signs";
import { tone } from "./tones";

export const SENSOR_LAYERS = ["sensor-bunches", "sensor-counts", "sensor-worst", "sensors"] as const;
/** State → its sign, the least worrying first. */
export const SENSOR_SIGNS: Record<string, Sign> = {
  fine: ["map-fine", disc],
  maintenance: ["map-closed", bar],
  silent: ["map-ink-2", cross],
  minor: ["map-class-1", square],
  moderate: ["map-soon", triangle],
  severe: ["map-severe", diamond],
  extreme: ["map-late", star],
};
const STATES = Object.keys(SENSOR_SIGNS);
const ASK_EVERY_MS = 15_000;
const APART_FROM_ZOOM = 15; // from here on each is drawn for itself

const RANK: ExpressionSpecification = ["match", ["get", "state"], ...pairs((_, rank) => rank), 0];
const WORST: ExpressionSpecification = ["at", ["get", "worst"], ["literal", STATES]];

function pairs(of: (state: string, rank: number) => number): [string, number] {
  return STATES.flatMap((state, rank) => [state, of(state, rank)]) as [string, number];
}

/** What the server says of a thing that was clicked. */
interface Said {
  name: string;
  lines: { text: string; href?: string }[];
}

export class SensorLayer {
  private things = EMPTY;
  private tag: string | null = null;
  private timer: number | undefined;
  private shown = false;
  private clicked = 0; // the newest click; a late answer to another is dropped

  constructor(
    private readonly canvas: Canvas,
    private readonly host: CityMap,
    private readonly url: string,
    /** What explains the other signs; by default that of the map itself. */
    private readonly legend: HTMLElement | null = null,
  ) {}

  /** What is shown and hidden; at first only where the page is about sensors. */
  layer(off: boolean): Layer {
    return {
      key: "layer_sensors",
      owns: (id) => (SENSOR_LAYERS as readonly string[]).includes(id),
      off,
      bring: () => this.draw(),
      changed: (shown) => this.follow(shown),
    };
  }

  /** Say what is under the pointer, and open it. */
  listen(): void {
    this.host.tell(
      "sensors",
      (thing) => [String(thing["name"]), this.host.word(`sensor_${String(thing["state"])}`)],
      (thing, event) => void this.open(Number(thing["id"]), event.lngLat),
    );
    this.host.tell(
      "sensor-bunches",
      (bunch) => [`${this.host.word("layer_sensors")} ${numberText(Number(bunch["point_count"]))}`],
      (bunch, event) => void this.closer(Number(bunch["cluster_id"]), event),
    );
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private follow(shown: boolean): void {
    const turned = shown !== this.shown;
    this.shown = shown;
    this.explain(); // also for a new style: what explained it may have gone with the old one
    if (!turned) return;
    clearInterval(this.timer);
    if (!shown) return;
    void this.renew();
    this.timer = window.setInterval(() => {
      if (!document.hidden) void this.renew();
    }, ASK_EVERY_MS);
  }

  /** Ask again, and draw what has changed. What is drawn stays where there is no answer. */
  private async renew(): Promise<void> {
    try {
      const answer = await fetch(this.url, { cache: "no-cache", headers: { Accept: "application/json" } });
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      const tag = answer.headers.get("ETag");
      if (tag === null || tag !== this.tag) {
        this.things = drawnAll((await answer.json()) as Collection);
        this.tag = tag;
        const source = this.canvas.getSource("sensors");
        if (source instanceof GeoJSONSource) source.setData(this.things as never);
      }
      this.host.dataset["sensors"] = "live";
    } catch {
      this.host.dataset["sensors"] = "lost";
    }
    this.explain();
  }

  private draw(): void {
    const { canvas, host } = this;
    if (canvas.getSource("sensors")) return;
    addSigns(canvas, host, "sensor", SENSOR_SIGNS, true); // cases have signs without plates
    canvas.addSource("sensors", {
      type: "geojson",
      data: this.things as never,
      cluster: true,
      clusterRadius: 36,
      clusterMaxZoom: APART_FROM_ZOOM - 1,
      clusterProperties: { worst: ["max", RANK] },
    });
    const bunch: ExpressionSpecification = ["has", "point_count"];
    canvas.addLayer({
      id: "sensor-bunches",
      type: "circle",
      source: "sensors",
      filter: bunch,
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["ln", ["get", "point_count"]], 0.7, 10, 9, 22],
        "circle-color": tone(host, "card"),
        "circle-stroke-color": tone(host, "map-ink-2"),
        "circle-stroke-width": 2,
      },
    });
    canvas.addLayer({
      id: "sensor-counts",
      type: "symbol",
      source: "sensors",
      filter: bunch,
      layout: {
        "text-field": ["get", "point_count_abbreviated"],
        "text-size": 11,
        "text-font": PLAIN,
        "text-allow-overlap": true,
      },
      paint: { "text-color": tone(host, "ink") },
    });
    const signs = { "icon-allow-overlap": true, "icon-ignore-placement": true };
    canvas.addLayer({
      id: "sensor-worst",
      type: "symbol",
      source: "sensors",
      filter: ["all", bunch, [">", ["get", "worst"], 0]],
      layout: { ...signs, "icon-image": ["concat", "sensor-", WORST], "icon-offset": [13, -13], "icon-size": 0.9 },
    });
    canvas.addLayer({
      id: "sensors",
      type: "symbol",
      source: "sensors",
      filter: ["!", bunch],
      layout: {
        ...signs,
        "icon-image": ["concat", "sensor-", ["get", "state"]],
        "icon-size": ["case", [">=", RANK, STATES.indexOf("minor")], 1.25, 0.9],
        "symbol-sort-key": RANK, // what is worse lies on top
      },
    });
  }

  /** Go closer to a bunch, so far that it comes apart. */
  private async closer(bunch: number, event: MapLayerMouseEvent): Promise<void> {
    const source = this.canvas.getSource("sensors");
    if (!(source instanceof GeoJSONSource)) return;
    const zoom = await source.getClusterExpansionZoom(bunch);
    const animate = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.canvas.easeTo({ center: event.lngLat, zoom: zoom + 0.2, animate });
  }

  private async open(id: number, at: LngLatLike): Promise<void> {
    const mine = ++this.clicked;
    let lines: (string | Way)[] = [this.host.word("failed")];
    try {
      const answer = await fetch(new URL(`things/${id}.json`, new URL(this.url, location.href)), {
        headers: { Accept: "application/json" },
      });
      if (answer.ok && !answer.redirected) {
        const said = (await answer.json()) as Said;
        lines = [said.name, ...said.lines.map(({ text, href }) => (href ? { text, href } : text))];
      }
    } catch {
      // no connection: said in the popup
    }
    if (mine === this.clicked) showPopup(this.canvas, at, lines, null);
  }

  /** Where the signs are explained; made where it is wanted, in what explains the others where that is there. */
  private explained(): HTMLElement | null {
    const found = this.legend ?? this.host.querySelector<HTMLElement>(":scope > .legend");
    const box = found?.querySelector<HTMLElement>(".sensor-states");
    if (box || !this.shown) return box ?? null;
    const legend = found ?? Object.assign(document.createElement("div"), { className: "legend" });
    if (!found) this.host.append(legend);
    const made = Object.assign(document.createElement("div"), { className: "sensor-states" });
    legend.append(made);
    return made;
  }

  /** What the signs mean, how many there are of each, and that the connection is lost. */
  private explain(): void {
    const box = this.explained();
    if (box) box.hidden = !this.shown;
    if (!box || !this.shown) return;
    const counts = new Map<string, number>();
    for (const { properties } of this.things.features) {
      const state = String(properties["state"]);
      counts.set(state, (counts.get(state) ?? 0) + 1);
    }
    const items = Object.entries(SENSOR_SIGNS).flatMap(([state, sign]) => {
      const count = counts.get(state);
      if (!count) return [];
      const item = document.createElement("span");
      item.append(picture(this.host, sign, true) ?? "", `${this.host.word(`sensor_${state}`)} ${numberText(count)}`);
      return [item];
    });
    if (!items.length && this.tag !== null) {
      const none = Object.assign(document.createElement("span"), { textContent: this.host.word("sensors_none") });
      items.push(none);
    }
    const lost = this.host.dataset["sensors"] === "lost";
    box.replaceChildren(...items, ...(lost ? [this.host.word("sensors_lost")] : []));
  }
}
