import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { light, points } from "./points";
import { distance, openTour, type Point } from "./route";
import type { Task } from "./store";

/** What the page's template gives: there is no page here. */
const SHELL = {
  words: { days: "d", hours: "h", minutes: "min", just_now: "just now", ago: "{time} ago" },
  verbs: {
    start: { from: ["sent"], to: "work", who: "holder", stays: true, roles: ["crew"] },
    finish: { from: ["work"], to: "check", who: "holder", stays: false, roles: ["crew"] },
    note: { from: ["sent", "work", "check"], to: "=", who: "any", stays: true, roles: ["crew", "inspector"] },
    check: { from: ["check"], to: "closed", who: "any", stays: true, roles: ["inspector"] },
    recheck: { from: ["check"], to: "=", who: "holder", stays: true, roles: ["crew"] },
  },
};

let dom: typeof import("./dom");
let forms: typeof import("./forms");
let tasks: typeof import("./tasks");

beforeAll(async () => {
  vi.stubGlobal("document", {
    getElementById: () => ({ textContent: JSON.stringify(SHELL) }),
    createElement: () => ({}),
  });
  dom = await import("./dom");
  forms = await import("./forms");
  tasks = await import("./tasks");
});
afterAll(() => {
  vi.useRealTimers();
});

const AT = Date.parse("2026-03-02T10:00:00Z");

function task(number: string, change: Partial<Task> = {}): Task {
  return {
    number,
    seq: 1,
    step: "sent",
    step_name: "Sent",
    category: "Litter",
    text: "",
    address: "",
    region: "",
    lon: null,
    lat: null,
    opened_at: "2026-03-02T08:00:00Z",
    deadline: null,
    holder: "C1",
    holder_name: "Crew 1",
    verbs: ["start"],
    mine: true,
    ...change,
  };
}

describe("the light of a task", () => {
  const due = task("A", { deadline: "2026-03-02T12:00:00Z" });
  it.each([
    ["2026-03-02T08:00:00Z", "green"],
    ["2026-03-02T10:59:59Z", "green"],
    ["2026-03-02T11:00:00Z", "yellow"],
    ["2026-03-02T11:59:59Z", "yellow"],
    ["2026-03-02T12:00:00Z", "red"],
  ])("at %s is %s", (at, colour) => {
    expect(light(due, Date.parse(at), 0.75)).toBe(colour);
  });

  it("is none without a deadline, and a map draws it green", () => {
    expect(light(task("A"), AT, 0.75)).toBe("");
    expect(points([task("A", { lon: 0, lat: 0 }), task("B", { lon: 0 })], AT, 0.75)).toEqual({
      type: "FeatureCollection",
      features: [
        {
          type: "Feature",
          geometry: { type: "Point", coordinates: [0, 0] },
          properties: { number: "A", category_name: "Litter", light: "green" },
        },
      ],
    });
  });
});

describe("lengths of time", () => {
  it.each([
    [0, "0 min"],
    [59_999, "0 min"],
    [60_000, "1 min"],
    [90 * 60_000, "1 h 30 min"],
    [-90 * 60_000, "1 h 30 min"],
    [24 * 3600_000, "1 d"],
    [(2 * 24 + 3) * 3600_000 + 5 * 60_000, "2 d 3 h"],
  ])("%d ms are %s", (length, text) => {
    expect(dom.lasting(length)).toBe(text);
  });

  it("tell how old the tasks are", () => {
    vi.useFakeTimers({ toFake: ["Date"], now: AT });
    expect(tasks.age("2026-03-02T09:59:01Z")).toBe("just now");
    expect(tasks.age("2026-03-02T09:58:00Z")).toBe("2 min ago");
  });
});

describe("the order of tasks", () => {
  const here = { lon: 120, lat: 31, accuracy: 5, at: AT };
  const items = [
    task("no-deadline-near", { lon: 120.001, lat: 31 }),
    task("late-far", { deadline: "2026-03-02T09:00:00Z", lon: 120.01, lat: 31 }),
    task("soon-nowhere", { deadline: "2026-03-02T11:00:00Z" }),
    task("others", { deadline: "2026-03-02T08:30:00Z", mine: false, lon: 120, lat: 31 }),
    task("a-twin", { deadline: "2026-03-02T11:00:00Z" }),
  ];
  const numbers = (sorted: { items: Task[] }): string[] => sorted.items.map(({ number }) => number);

  it("by time has the first deadline first, those without one after, what others must do last", () => {
    expect(numbers(tasks.ordered(items, "time", undefined))).toEqual([
      "late-far",
      "a-twin",
      "soon-nowhere",
      "no-deadline-near",
      "others",
    ]);
  });

  it("by distance or route has the places first, and without a position it is by time", () => {
    const near = ["no-deadline-near", "late-far", "a-twin", "soon-nowhere", "others"];
    expect(numbers(tasks.ordered(items, "distance", here))).toEqual(near);
    expect(numbers(tasks.ordered(items, "route", here))).toEqual(near);
    expect(numbers(tasks.ordered(items, "route", undefined))).toEqual(numbers(tasks.ordered(items, "time", undefined)));
  });

  it("by route loses no task where there are more stops than a tour takes", () => {
    const many = Array.from({ length: 53 }, (_, n) => task(`T${n}`, { lon: 120 + n / 1000, lat: 31 }));
    const { items: sorted, stops } = tasks.ordered(many, "route", here);
    expect(stops).toBe(50);
    expect(new Set(sorted)).toEqual(new Set(many));
  });
});

describe("what may be done after what waits", () => {
  it("is what the server said, where nothing waits", () => {
    expect(forms.expected(task("A"), [], ["crew"])).toEqual({ step: "sent", verbs: ["start"] });
  });

  it("follows the workflow, also past verbs that leave the step as it is", () => {
    expect(forms.expected(task("A"), ["note", "start"], ["crew"])).toEqual({ step: "work", verbs: ["finish", "note"] });
  });

  it("leaves out what only the holder may, once the case has left the unit", () => {
    expect(forms.expected(task("A"), ["start", "finish"], ["crew"])).toEqual({ step: "check", verbs: ["note"] });
  });

  it("passes over a verb that the workflow has no longer", () => {
    expect(forms.expected(task("A"), ["gone"], ["inspector"])).toEqual({ step: "sent", verbs: ["note"] });
  });
});

describe("a tour", () => {
  function* orders(left: readonly number[]): Generator<number[]> {
    if (!left.length) yield [];
    for (const first of left) for (const rest of orders(left.filter((at) => at !== first))) yield [first, ...rest];
  }
  const length = (start: Point, stops: readonly Point[]): number =>
    stops.reduce((sum, stop, at) => sum + distance(stops[at - 1] ?? start, stop), 0);

  it("is as long as it says, visits each stop once, and is the shortest of all for few stops", () => {
    let seed = 7;
    const drawn = (): number => {
      seed = (seed * 16807) % 2147483647;
      return seed / 2147483647;
    };
    for (let round = 0; round < 20; round += 1) {
      const [start, ...stops] = Array.from({ length: 7 }, () => ({ lon: 120 + drawn() / 10, lat: 31 + drawn() / 10 }));
      const tour = openTour(start as Point, stops);
      const at = (order: readonly number[]): Point[] => order.map((index) => stops[index] as Point);
      expect([...tour.order].sort()).toEqual([0, 1, 2, 3, 4, 5]);
      expect(tour.metres).toBeCloseTo(length(start as Point, at(tour.order)), 6);
      const shortest = Math.min(...[...orders([0, 1, 2, 3, 4, 5])].map((order) => length(start as Point, at(order))));
      expect(tour.metres).toBeCloseTo(shortest, 6);
    }
  });

  it("of no stops is no way, and a degree of latitude is 111.2 km", () => {
    expect(openTour({ lon: 0, lat: 0 }, [])).toEqual({ order: [], metres: 0 });
    expect(distance({ lon: 0, lat: 0 }, { lon: 0, lat: 1 })).toBeCloseTo(111_195, -1);
  });
});
