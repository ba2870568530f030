import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Entry } from "./store";
import { CITY, draft, freshPhone, picture, USER } from "./testing";

const BASE = "/wuxi/field";
const NOW = Date.parse("2026-03-02T10:00:00Z");
const SECOND = 1000;
const MINUTE = 60 * SECOND;

let store: typeof import("./store");
let sync: typeof import("./sync");

/** What the phone sent after asking who is signed in. */
interface Sent {
  path: string;
  key: string | undefined;
  csrf: string | undefined;
  data: FormData;
}
let sent: Sent[] = [];

type Answer = Response | Error | ((sent: Sent) => Response);
const json = (status: number, body: object, headers: Record<string, string> = {}): Response =>
  Response.json(body, { status, headers });
const page = (status: number, headers: Record<string, string> = {}): Response =>
  new Response("<h1>Sorry</h1>", { status, headers: { "Content-Type": "text/html", ...headers } });

/** A server that answers what is sent with one after the other; the last answer stands for all that follow. */
function server(
  answers: Answer[],
  session: () => Response = () => json(200, { user: USER, name: "Li", csrf: "c5rf" }),
) {
  sent = [];
  vi.stubGlobal("fetch", async (url: string, asked: RequestInit = {}) => {
    if (url === `${BASE}/session.json`) return session();
    const headers = asked.headers as Record<string, string>;
    const said = {
      path: url.slice(BASE.length),
      key: headers["Idempotency-Key"],
      csrf: headers["X-CSRFToken"],
      data: asked.body as FormData,
    };
    sent.push(said);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer === undefined) throw new Error("nothing was to be sent");
    if (answer instanceof Error) throw answer;
    return typeof answer === "function" ? answer(said) : answer.clone();
  });
}

const done = (seq = 4): Response => json(200, { number: "A-1", seq, step: "check" });
const offline = new TypeError("fetch failed");
const go = (): Promise<string> => sync.sync(CITY, BASE);
async function only(): Promise<Entry> {
  const all = await store.entries(CITY);
  expect(all).toHaveLength(1);
  return all[0] as Entry;
}

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
  vi.stubGlobal("navigator", {});
  vi.spyOn(Math, "random").mockReturnValue(0.5); // in the middle: the wait is neither shortened nor drawn out
  ({ store, sync } = await freshPhone());
});
afterEach(() => {
  vi.useRealTimers();
});

describe("whether there is a server", () => {
  it.each([
    ["no network", () => Promise.reject(offline), "offline"],
    ["a server that is broken", () => page(502), "offline"],
    ["nobody signed in", () => json(401, { code: "signed-out" }), "signed-out"],
  ])("%s: nothing is sent and nothing is lost", async (_, session, outcome) => {
    await store.add(draft());
    server([], session as () => Response);
    expect(await go()).toBe(outcome);
    expect(sent).toEqual([]);
    expect(await only()).toMatchObject({ state: "waiting", tries: 0, next_at: 0 });
  });

  it("sends nothing where another page is sending", async () => {
    const request = vi.fn((_name: string, _options: object, then: (lock: null) => unknown) => then(null));
    vi.stubGlobal("navigator", { locks: { request } });
    await store.add(draft());
    server([done()]);
    expect(await go()).toBe("idle");
    expect(sent).toEqual([]);
    expect(request.mock.calls[0]?.[0]).toBe("yiwang-field-wuxi");
  });
});

describe("sending", () => {
  it("sends what was done, when and where, under the key that it was given when it was done", async () => {
    await store.add(draft({ lon: 120.3, lat: 31.5, accuracy: 12.6, fields: { note: "done", empty: "" } }));
    server([done()]);
    expect(await go()).toBe("sent");
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ path: "/cases/A-1/finish", key: draft().key, csrf: "c5rf" });
    expect(Object.fromEntries(sent[0]?.data.entries() ?? [])).toEqual({
      note: "done",
      seq: "3",
      made_at: "2026-03-02T09:00:00Z",
      lon: "120.3",
      lat: "31.5",
      accuracy: "13",
    });
    expect(await only()).toMatchObject({ state: "done", done_at: NOW });
  });

  it("gives a report the number that the server gave it, and no sequence", async () => {
    await store.add(draft({ kind: "report", number: "", verb: "" }));
    server([json(201, { number: "A-9", seq: 1, step: "intake" })]);
    await go();
    expect(sent[0]?.path).toBe("/reports");
    expect(sent[0]?.data.has("seq")).toBe(false);
    expect(await only()).toMatchObject({ state: "done", number: "A-9" });
  });

  it("sends two commands on one case in order, the second on what the first led to", async () => {
    const first = await store.add(draft({ key: "first" }));
    await store.add(draft({ key: "second", after: first, verb: "close" }));
    server([done(8), done(9)]);
    await go();
    expect(sent.map(({ key, data }) => [key, data.get("seq")])).toEqual([
      ["first", "3"],
      ["second", "8"],
    ]);
  });

  it("sends nothing of somebody else who used this phone", async () => {
    await store.add(draft({ user: "user:8" }));
    server([done()]);
    expect(await go()).toBe("idle");
    expect(sent).toEqual([]);
  });

  it.each(["conflict", "kept", "done"] as const)("does not send again what is %s", async (state) => {
    await store.add(draft({ state }));
    server([done()]);
    expect(await go()).toBe("idle");
    expect(sent).toEqual([]);
  });

  it("shows a refusal with its reason and the case as it stands; later commands on it wait, others go", async () => {
    await store.add(draft({ key: "first" }));
    await store.add(draft({ key: "on it", verb: "close" }));
    await store.add(draft({ key: "elsewhere", number: "B-2" }));
    await store.add(draft({ key: "report", kind: "report", number: "", verb: "" }));
    const now = { number: "A-1", seq: 5, verbs: [] };
    server([json(409, { code: "conflict", detail: "Somebody else was first.", now }), done()]);
    expect(await go()).toBe("sent");
    expect(sent.map(({ key }) => key)).toEqual(["first", "elsewhere", "report"]);
    const [first, second] = await store.entries(CITY);
    expect(first).toMatchObject({ state: "conflict", error: "Somebody else was first.", now });
    expect(second).toMatchObject({ state: "waiting", tries: 0 });
  });

  it("lets later commands go once the person has put the refused one away", async () => {
    const first = await store.add(draft({ key: "first", state: "conflict" }));
    await store.add(draft({ key: "second" }));
    server([done()]);
    expect(await go()).toBe("idle");
    await store.update(first, { state: "kept" });
    expect(await go()).toBe("sent");
    expect(sent.map(({ key }) => key)).toEqual(["second"]);
  });

  it("stops at a session that has ended, and keeps the command as it was", async () => {
    await store.add(draft());
    server([json(401, { code: "signed-out" })]);
    expect(await go()).toBe("signed-out");
    expect(await only()).toMatchObject({ state: "waiting", tries: 0, next_at: 0, sending: 0 });
  });
});

describe("trying again", () => {
  it("waits twice as long each time, five minutes at most, and sends the same key", async () => {
    await store.add(draft());
    server([offline]);
    const waits: number[] = [];
    for (let n = 0; n < 10; n += 1) {
      expect(await go()).toBe("idle");
      const { next_at } = await only();
      waits.push((next_at - Date.now()) / SECOND);
      vi.setSystemTime(next_at);
    }
    expect(waits).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    expect(new Set(sent.map(({ key }) => key))).toEqual(new Set([draft().key]));
    expect(await only()).toMatchObject({ state: "waiting", tries: 10, error: "network" });
  });

  it.each([
    [0, 1.5],
    [1, 2.5],
  ])("is spread by a quarter either way, so that phones do not come back all at once (%d)", async (drawn, seconds) => {
    vi.mocked(Math.random).mockReturnValue(drawn);
    await store.add(draft());
    server([offline]);
    await go();
    expect((await only()).next_at).toBe(NOW + seconds * SECOND);
  });

  it("does not ask before its time", async () => {
    await store.add(draft({ next_at: NOW + 1 }));
    server([done()]);
    expect(await go()).toBe("idle");
    expect(sent).toEqual([]);
    vi.setSystemTime(NOW + 1);
    expect(await go()).toBe("sent");
  });

  it("says that time ran out where it did", async () => {
    await store.add(draft());
    server([new DOMException("too slow", "TimeoutError")]);
    await go();
    expect((await only()).error).toBe("timeout");
  });

  it.each([
    ["seconds", "90", 90],
    ["a date", "Mon, 02 Mar 2026 10:03:00 GMT", 180],
    ["less than its own patience", "1", 2],
    ["no time at all", "0", 2],
    ["a date that has passed", "Mon, 02 Mar 2026 09:00:00 GMT", 2],
    ["what nobody can read", "soon", 2],
    ["a negative number", "-5", 2],
    ["nothing", undefined, 2],
  ])("heeds a Retry-After of %s (%s)", async (_, header, seconds) => {
    await store.add(draft());
    server([json(503, { code: "busy", detail: "Busy." }, header === undefined ? {} : { "Retry-After": header })]);
    await go();
    expect(await only()).toMatchObject({ state: "waiting", next_at: NOW + seconds * SECOND, error: "Busy." });
  });

  it("waits as long as it was asked to, though that is longer than its own longest wait", async () => {
    await store.add(draft());
    server([json(429, { detail: "Too many." }, { "Retry-After": "3600" })]);
    await go();
    expect(await only()).toMatchObject({ next_at: NOW + 60 * MINUTE, error: "Too many." });
  });

  it.each([
    ["a proxy that is overrun", page(429, { "Retry-After": "30" }), 30, "too-many"],
    ["a proxy without the server", page(502), 2, "HTTP 502"],
    ["a proxy in maintenance", page(503, { "Retry-After": "Mon, 02 Mar 2026 10:01:00 GMT" }), 60, "HTTP 503"],
    ["the sign-in page of a café's network", page(200), 2, "HTTP 200"],
    ["a stale CSRF token", page(403), 2, "HTTP 403"],
    ["a request that took too long to arrive", json(408, {}), 2, "HTTP 408"],
  ])("does not take the word of %s for the server's", async (_, answer, seconds, error) => {
    await store.add(draft());
    server([answer]);
    expect(await go()).toBe("idle");
    expect(await only()).toMatchObject({ state: "waiting", tries: 1, next_at: NOW + seconds * SECOND, error });
  });

  it("does not hold up another case", async () => {
    await store.add(draft({ key: "first" }));
    await store.add(draft({ key: "other", number: "B-2" }));
    server([page(502), done()]);
    expect(await go()).toBe("sent");
    expect((await store.entries(CITY)).map((entry) => entry.state)).toEqual(["waiting", "done"]);
  });
});

describe("photos", () => {
  const arrived = (digest: string): Response => json(201, { photo: digest });

  it("go first, one by one; the command names them", async () => {
    await store.add(draft({ photos: [picture(1), picture(2, { original: "2026-03-01T08:00:00Z" })] }));
    server([arrived("d1"), arrived("d2"), done()]);
    expect(await go()).toBe("sent");
    expect(sent.map(({ path }) => path)).toEqual(["/photos", "/photos", "/cases/A-1/finish"]);
    expect(sent.map(({ data }) => data.get("original"))).toEqual([null, "2026-03-01T08:00:00Z", null]);
    expect(sent[2]?.data.getAll("photo_digest")).toEqual(["d1", "d2"]);
    expect(sent[2]?.data.getAll("taken_at")).toHaveLength(2);
    expect(await only()).toMatchObject({ state: "done", photos: [], refused: [] });
  });

  it("are not sent again when the line breaks in the next, and what got on waits no longer than at first", async () => {
    await store.add(draft({ photos: [picture(1), picture(2)], tries: 6 }));
    server([arrived("d1"), offline]);
    await go();
    const broken = await only();
    expect(broken.photos.map(({ digest }) => digest)).toEqual(["d1", undefined]);
    expect(broken).toMatchObject({ tries: 1, next_at: NOW + 2 * SECOND, sending: 0 });
    vi.setSystemTime(broken.next_at);
    server([arrived("d2"), done()]);
    await go();
    expect(sent.map(({ path }) => path)).toEqual(["/photos", "/cases/A-1/finish"]);
    expect(sent[1]?.data.getAll("photo_digest")).toEqual(["d1", "d2"]);
  });

  it("that the server does not want do not hold up the others, and stay on the phone", async () => {
    await store.add(draft({ photos: [picture(1), picture(2)] }));
    server([json(422, { code: "bad-input", detail: "This is no picture." }), arrived("d2"), done()]);
    expect(await go()).toBe("sent");
    expect(sent[2]?.data.getAll("photo_digest")).toEqual(["d2"]);
    const entry = await only();
    expect(entry).toMatchObject({ state: "done", photos: [] });
    expect(entry.refused?.map(({ n, why }) => [n, why.text])).toEqual([[1, "This is no picture."]]);
    expect(entry.refused?.map(({ bytes }) => new Uint8Array(bytes)[0])).toEqual([1]);
  });

  it("that the command could not take are counted among those that it named", async () => {
    await store.add(draft({ photos: [picture(1), picture(2), picture(3)] }));
    const refused = [{ index: 1, reason: "Too small.", reason_zh: "太小。" }];
    server([
      json(422, { detail: "This is no picture." }),
      arrived("d2"),
      arrived("d3"),
      json(200, { number: "A-1", seq: 4, photos_refused: refused }),
    ]);
    await go();
    // the first did not arrive: of those named, the second is the third that was taken
    expect((await only()).refused?.map(({ n, why }) => [n, why])).toEqual([
      [1, { text: "This is no picture." }],
      [3, { text: "Too small.", zh: "太小。" }],
    ]);
  });

  it("that have waited too long on the server are sent anew", async () => {
    await store.add(draft({ photos: [picture(1, { digest: "old" })] }));
    server([json(409, { code: "photo-gone", detail: "It is gone." })]);
    await go();
    const entry = await only();
    expect(entry).toMatchObject({ state: "waiting", tries: 1, next_at: NOW + 2 * SECOND });
    expect(entry.photos[0]).not.toHaveProperty("digest");
    vi.setSystemTime(entry.next_at);
    server([arrived("new"), done()]);
    await go();
    expect(sent[1]?.data.getAll("photo_digest")).toEqual(["new"]);
  });

  it("wait for as long as a full server asks", async () => {
    await store.add(draft({ photos: [picture(1)] }));
    server([json(429, { detail: "Too many wait." }, { "Retry-After": "300" })]);
    await go();
    expect(await only()).toMatchObject({ next_at: NOW + 5 * MINUTE, error: "Too many wait." });
    expect(sent).toHaveLength(1);
  });

  it("stop where the session has ended", async () => {
    await store.add(draft({ photos: [picture(1)] }));
    server([json(401, { code: "signed-out" })]);
    expect(await go()).toBe("signed-out");
    expect(await only()).toMatchObject({ state: "waiting", tries: 0, sending: 0 });
  });
});

describe("what was sent", () => {
  it("is shown for a day; what waits is never forgotten", () => {
    const entry = { ...draft({ state: "done", done_at: NOW }), id: 1 };
    vi.setSystemTime(NOW + 24 * 60 * MINUTE);
    expect(sync.stale(entry)).toBe(false);
    vi.setSystemTime(NOW + 24 * 60 * MINUTE + 1);
    expect(sync.stale(entry)).toBe(true);
    for (const state of ["waiting", "conflict", "kept"] as const) expect(sync.stale({ ...entry, state })).toBe(false);
  });
});
