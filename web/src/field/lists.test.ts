import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Entry, Task, Tasks } from "./store";

const SHELL = {
  zone: "Asia/Shanghai",
  urls: { photo: "/c/cases/NUMBER/photos/" },
  words: {
    success: "{verb}: sent, now {step}",
    success_not: "{verb}: not taken",
    saved: "being sent",
    saved_offline: "saved, sent when online",
    n_left: "{n} left",
    none_left: "none left",
    next_task: "Next: {category}",
    go_on: "Go on: {category}",
    queue: "To send",
  },
  steps: {
    sent: { name: "Sent", verbs: { start: 0, note: 2, give_back: 3 } },
    work: { name: "In work", verbs: { finish: 0, confirm: 1, ask: 2, note: 2, give_back: 3 } },
    check: { name: "Being checked", verbs: { note: 2 } },
  },
  verbs: {
    note: { name: "Note", from: ["sent", "work"], to: "=", who: "any", stays: true, roles: ["crew"], fields: [] },
    give_back: { name: "Give back", from: ["work"], to: "sent", who: "holder", roles: ["crew"], fields: [] },
    start: { name: "Start", from: ["sent"], to: "work", who: "holder", stays: true, roles: ["crew"], fields: [] },
    confirm: { name: "Confirm", from: ["work"], to: "check", who: "holder", roles: ["office"], fields: null },
    finish: { name: "Finish", from: ["work"], to: "check", who: "holder", stays: false, roles: ["crew"], fields: [] },
    ask: { name: "Ask", from: ["work"], to: "=", who: "holder", stays: true, roles: ["crew"], fields: [] },
  },
};

class Piece {
  children: (Piece | string)[] = [];
  attributes: Record<string, string> = {};
  setAttribute(name: string, value: string): void {
    this.attributes[name] = value;
  }
  addEventListener(): void {}
  append(...children: (Piece | string)[]): void {
    this.children.push(...children);
  }
  get text(): string {
    return this.children.map((child) => (typeof child === "string" ? child : child.text)).join("");
  }
}

let lists: typeof import("./tasks");
let photos: typeof import("./photos");
let success: typeof import("./success");

/** Globals last for one test. */
function page(): void {
  vi.stubGlobal("document", {
    getElementById: () => ({ textContent: JSON.stringify(SHELL) }),
    createElement: () => new Piece(),
  });
}

beforeEach(page);
beforeAll(async () => {
  vi.resetModules();
  page();
  lists = await import("./tasks");
  photos = await import("./photos");
  success = await import("./success");
});

function task(number: string, change: Partial<Task> = {}): Task {
  const said = {
    number,
    seq: 1,
    step: "work",
    category: `Category ${number}`,
    verbs: ["finish", "ask", "note"],
    mine: true,
  };
  return { ...said, deadline: null, lon: null, lat: null, ...change } as Task;
}

function tasks(...items: Task[]): Tasks {
  return { city: "c", user: "user:7", roles: ["crew"], items } as unknown as Tasks;
}

function entry(number: string, verb: string, change: Partial<Entry> = {}): Entry {
  return { id: 1, kind: "verb", number, verb, label: verb, state: "waiting", user: "user:7", ...change } as Entry;
}

const numbers = (some: Task[]): string[] => some.map(({ number }) => number);

describe("the lists", () => {
  it("keep apart what is mine to act on and what waits for others", () => {
    const all = tasks(task("A"), task("B", { mine: false }));
    const { todo, others } = lists.divided(all, []);
    expect(numbers(todo)).toEqual(["A"]);
    expect(numbers(others)).toEqual(["B"]);
  });

  it("leave a case for which more time was asked where its holder can act on it", () => {
    const asked = { asked: "Extension asked" };
    const all = tasks(task("A", asked), task("B", { ...asked, mine: false }), task("C"));
    const { todo, others } = lists.divided(all, [entry("C", "ask")]);
    expect(numbers(todo)).toEqual(["A", "C"]);
    expect(numbers(others)).toEqual(["B"]);
  });

  it("count what waits on the phone as done, where it is then the turn of others", () => {
    const all = tasks(task("A"), task("B", { step: "sent", verbs: ["start"] }), task("C"), task("D"));
    const queue = [entry("A", "finish"), entry("B", "start"), entry("C", "ask"), entry("D", "note")];
    expect(numbers(lists.divided(all, queue).todo)).toEqual(["B", "C", "D"]);
  });

  it("give back what was refused, for it needs a decision", () => {
    const { todo } = lists.divided(tasks(task("A")), [entry("A", "finish", { state: "conflict" })]);
    expect(numbers(todo)).toEqual(["A"]);
  });

  it("know nothing of a day that is over in the city", () => {
    const done = { day: "2026-03-02", items: [] };
    const all = { ...tasks(), done };
    expect(lists.doneToday(all, Date.parse("2026-03-02T15:59:59Z"))).toEqual([]);
    expect(lists.doneToday(all, Date.parse("2026-03-02T16:00:00Z"))).toBeUndefined();
    expect(lists.doneToday(undefined)).toBeUndefined();
  });
});

describe("what is offered in a task", () => {
  const ids = (some: readonly (readonly [string, unknown])[]): string[] => some.map(([id]) => id);

  it("begins with the next step, and ends with what sends back", () => {
    const { next, others, back, desk } = lists.offered({
      step: "work",
      verbs: ["note", "give_back", "ask", "finish", "confirm"],
    });
    expect(next?.[0]).toBe("finish");
    expect(ids(others)).toEqual(["ask", "note"]);
    expect(ids(back)).toEqual(["give_back"]);
    expect(ids(desk)).toEqual(["confirm"]);
  });

  it("has no next step where none leads on, and passes over verbs that it does not know", () => {
    const { next, others } = lists.offered({ step: "check", verbs: ["note", "unknown"] });
    expect(next).toBeUndefined();
    expect(ids(others)).toEqual(["note"]);
  });
});

describe("the word of success", () => {
  const said = (which: Entry, todo: Task[], offline = false): string[] =>
    success.announcement(which, todo, { offline }).elements.map((element) => (element as unknown as Piece).text);

  it("names the step, what is left, and the next task", () => {
    const done = entry("A", "finish", { state: "done", step: "check" });
    expect(said(done, [task("B"), task("C")])).toEqual([
      "Finish: sent, now Being checked · 2 left",
      "Next: Category B",
    ]);
    expect(said(done, [])).toEqual(["Finish: sent, now Being checked · none left"]);
  });

  it("goes on with the same case where it is still mine", () => {
    const done = entry("C", "start", { state: "done", step: "work" });
    expect(said(done, [task("B"), task("C")])[1]).toBe("Go on: Category C");
  });

  it("says that it is kept while there is no network, and that it was refused", () => {
    expect(said(entry("A", "finish"), [task("B")], true)[0]).toBe("saved, sent when online · 1 left");
    expect(said(entry("A", "finish"), [task("B")])[0]).toBe("being sent · 1 left");
    expect(said(entry("A", "finish", { state: "conflict" }), [task("B")])).toEqual([
      "Finish: not taken · 1 left",
      "To send",
    ]);
  });
});

describe("the photos to keep", () => {
  it("are the first of each task, then the others", () => {
    const urls = photos.photosToKeep([
      {
        number: "A",
        photos: [
          [1, false],
          [2, true],
        ],
      },
      { number: "B" },
      { number: "C", photos: [[3, false]] },
    ]);
    expect(urls).toEqual(["/c/cases/A/photos/1/small", "/c/cases/C/photos/3/small", "/c/cases/A/photos/2/small"]);
  });
});
