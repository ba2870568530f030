/** For tests only, nothing imports it but them: entries as the app makes them, and a fresh phone for each test. */
import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { vi } from "vitest";
import type { Draft, Picture } from "./store";

export const CITY = "wuxi";
export const USER = "user:7";

export function draft(change: Partial<Draft> = {}): Draft {
  return {
    key: "0123456789abcdef",
    city: CITY,
    user: USER,
    kind: "verb",
    number: "A-1",
    verb: "finish",
    label: "Finish",
    seq: 3,
    fields: { note: "done" },
    photos: [],
    made_at: "2026-03-02T09:00:00Z",
    lon: null,
    lat: null,
    accuracy: null,
    state: "waiting",
    tries: 0,
    next_at: 0,
    ...change,
  };
}

export function picture(mark: number, change: Partial<Picture> = {}): Picture {
  return { bytes: new Uint8Array([mark]).buffer, taken_at: "2026-03-02T08:59:00Z", ...change };
}

/** An empty database. The modules are loaded anew, for the store keeps the database open that it found first. */
export async function freshPhone(): Promise<{ store: typeof import("./store"); sync: typeof import("./sync") }> {
  vi.stubGlobal("indexedDB", new IDBFactory());
  return reopened();
}

/** The same database, as the app finds it when the browser is opened again. */
export async function reopened(): Promise<{ store: typeof import("./store"); sync: typeof import("./sync") }> {
  vi.resetModules();
  return { store: await import("./store"), sync: await import("./sync") };
}
