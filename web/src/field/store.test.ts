import { beforeEach, describe, expect, it, vi } from "vitest";
import { DATABASE, forget } from "../shared/forget";
import type { Tasks } from "./store";
import { CITY, draft, freshPhone, picture, reopened, USER } from "./testing";

let store: typeof import("./store");

beforeEach(async () => {
  ({ store } = await freshPhone());
});

const tasks: Tasks = {
  city: CITY,
  user: USER,
  name: "Li",
  at: "2026-03-02T09:00:00Z",
  units: {},
  roles: [],
  items: [],
  more: false,
};

describe("the queue", () => {
  it("keeps what is added in the order in which it was made, each city for itself", async () => {
    for (const key of ["first", "second", "third"]) await store.add(draft({ key }));
    await store.add(draft({ key: "elsewhere", city: "boston" }));
    const kept = await store.entries(CITY);
    expect(kept.map((entry) => entry.key)).toEqual(["first", "second", "third"]);
    expect(kept.map((entry) => entry.id)).toEqual([...kept.map((entry) => entry.id)].sort((a, b) => a - b));
    expect((await store.entries("boston")).map((entry) => entry.key)).toEqual(["elsewhere"]);
  });

  it("survives closing the browser, with the bytes of its photos", async () => {
    await store.add(draft({ photos: [picture(42)] }));
    ({ store } = await reopened());
    const [entry] = await store.entries(CITY);
    expect(entry?.fields).toEqual({ note: "done" });
    expect([...new Uint8Array(entry?.photos[0]?.bytes ?? new ArrayBuffer(0))]).toEqual([42]);
  });

  it("changes what is named and leaves the rest", async () => {
    const id = await store.add(draft());
    await store.update(id, { state: "kept", error: "no" });
    expect(await store.entries(CITY)).toEqual([{ ...draft(), id, state: "kept", error: "no" }]);
  });

  it("does not bring back what was deleted while it was being sent", async () => {
    const id = await store.add(draft());
    await store.remove(id);
    await store.update(id, { ...draft(), id });
    await store.settle(id, { ...draft(), id, state: "done" }, 4);
    expect(await store.entries(CITY)).toEqual([]);
  });

  it("lets what was made on top go on from where the sent one led, and nothing else", async () => {
    const first = await store.add(draft());
    await store.add(draft({ key: "on top", after: first }));
    await store.add(draft({ key: "refused on top", after: first, state: "conflict" }));
    await store.add(draft({ key: "another case", number: "B-2" }));
    await store.settle(first, { state: "done", photos: [] }, 9);
    const seqs = Object.fromEntries((await store.entries(CITY)).map((entry) => [entry.key, entry.seq]));
    expect(seqs).toEqual({ [draft().key]: 3, "on top": 9, "refused on top": 3, "another case": 3 });
  });

  it("leaves the numbers of those on top alone where the answer names none", async () => {
    const first = await store.add(draft());
    await store.add(draft({ key: "on top", after: first }));
    await store.settle(first, { state: "done" });
    expect((await store.entries(CITY)).map((entry) => [entry.state, entry.seq])).toEqual([
      ["done", 3],
      ["waiting", 3],
    ]);
  });
});

describe("whoever shows the queue", () => {
  it("is told of each change made on this page", async () => {
    const told = vi.fn();
    store.onChange(told);
    const id = await store.add(draft());
    await store.update(id, { tries: 1 });
    await store.remove(id);
    expect(told).toHaveBeenCalledTimes(3);
  });

  it("is told of what the worker or another page changed", async () => {
    const told = new Promise<void>((done) => store.onChange(done));
    const other = new BroadcastChannel(DATABASE);
    other.postMessage("changed");
    await told;
    other.close();
  });
});

describe("signing out", () => {
  it("deletes the tasks and leaves what waits to be sent", async () => {
    await store.keepTasks(tasks);
    await store.add(draft());
    await store.forgetTasks();
    expect(await store.readTasks(CITY)).toBeUndefined();
    expect(await store.entries(CITY)).toHaveLength(1);
  });

  it("does the same on pages that are not the field app's", async () => {
    await store.keepTasks(tasks);
    await store.add(draft());
    await forget();
    expect(await store.readTasks(CITY)).toBeUndefined();
    expect(await store.entries(CITY)).toHaveLength(1);
  });

  it("makes no database on a phone that has none", async () => {
    await forget();
    expect(await indexedDB.databases()).toEqual([]);
  });
});

describe("refused photos", () => {
  it("are numbered as the person took them, with their bytes", () => {
    const why = { text: "not an image", zh: "不是图片" };
    const found = store.refusals([picture(1), picture(2, { bad: why }), picture(3), picture(4, { bad: why })]);
    expect(found.map(({ n, why, bytes }) => [n, why.zh, new Uint8Array(bytes)[0]])).toEqual([
      [2, "不是图片", 2],
      [4, "不是图片", 4],
    ]);
  });
});
