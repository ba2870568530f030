/** What the phone keeps: the tasks as last read, and the queue of what is to be sent. Survives closing the browser. */

import type { DBSchema, IDBPDatabase } from "idb";
import { openDB } from "idb";
import { DATABASE, forgetPhotos } from "../shared/forget";

export interface Task {
  number: string;
  seq: number;
  step: string;
  step_name: string;
  category: string;
  text: string;
  address: string;
  region: string;
  lon: number | null;
  lat: number | null;
  opened_at: string | null;
  deadline: string | null;
  left?: { left_text: string; is_late: boolean } | null;
  holder: string;
  holder_name: string;
  verbs: string[];
  mine: boolean;
  assisting?: boolean;
  /** What was asked that others are to answer, as a mark; empty where nothing was, or the answer has come. */
  asked?: string;
  /** Photos by their id, and whether they came once the case was being handled. */
  photos?: [number, boolean][];
}

/** Something that I did today, and how its case stands. */
export interface Deed {
  number: string;
  at: string;
  verb: string;
  step_name: string;
  category: string;
  region: string;
}

export interface Standing extends Task {
  closed: boolean;
  since: { at: string; what: string; who: string; reason: string }[];
}

export interface Tasks {
  city: string;
  user: string;
  name: string;
  at: string;
  units: Record<string, string>;
  roles: string[];
  items: Task[];
  more: boolean;
  /** What I did, and on which of the city's days; not there until it was asked for. */
  done?: { day: string; items: Deed[] };
}

/** `original` is when the camera says it took it; `digest` is how the server calls it once it has arrived there; `bad` is why the server does not want it. */
export interface Picture {
  bytes: ArrayBuffer;
  taken_at: string;
  original?: string;
  digest?: string;
  bad?: Reason;
}

/** Why a photo was not taken: in the language of whoever sent it, or in both. */
export interface Reason {
  text: string;
  zh?: string;
}

/** A photo that was not taken: which of its entry, from 1, and why. Its bytes stay, for it may be nowhere else. */
export interface Refused {
  n: number;
  why: Reason;
  bytes: ArrayBuffer;
}

export function refusals(photos: readonly Picture[]): Refused[] {
  return photos.flatMap(({ bad, bytes }, index) => (bad ? [{ n: index + 1, why: bad, bytes }] : []));
}

export type State = "waiting" | "conflict" | "kept" | "done";

/** One thing done on this phone. `key` is its idempotency key; `after` the entry of the same case that must go before it. */
export interface Draft {
  key: string;
  city: string;
  user: string;
  kind: "verb" | "report";
  number: string;
  verb: string;
  label: string;
  seq: number;
  after?: number;
  fields: Record<string, string>;
  photos: Picture[];
  made_at: string;
  lon: number | null;
  lat: number | null;
  accuracy: number | null;
  state: State;
  tries: number;
  next_at: number;
  error?: string;
  /** The photo that is being sent now, from 1, or 0. */
  sending?: number;
  /** Of what is done: the photos that were not taken. */
  refused?: Refused[];
  now?: Standing | null;
  done_at?: number;
  /** Of what is done: the step at which it left the case. */
  step?: string;
}

/** The same once it is kept, with the number that the queue gave it: its place in the order. */
export interface Entry extends Draft {
  id: number;
}

interface Schema extends DBSchema {
  tasks: { key: string; value: Tasks };
  queue: { key: number; value: Entry };
}

let opened: Promise<IDBPDatabase<Schema>> | undefined;

function database(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>(DATABASE, 1, {
    upgrade(made) {
      made.createObjectStore("tasks");
      made.createObjectStore("queue", { keyPath: "id", autoIncrement: true });
    },
    terminated() {
      opened = undefined;
    },
  });
  return opened;
}

const channel = new BroadcastChannel(DATABASE);
const here = new EventTarget(); // a channel does not tell whoever speaks

/** Call back when this page, another or the worker changed what is kept. */
export function onChange(then: () => void): void {
  channel.addEventListener("message", then);
  here.addEventListener("changed", then);
}

function changed(): void {
  channel.postMessage("changed");
  here.dispatchEvent(new Event("changed"));
}

export async function readTasks(city: string): Promise<Tasks | undefined> {
  return (await database()).get("tasks", city);
}

/** Keep the tasks; what was done, and the photos, stay with whoever they are of. */
export async function keepTasks(tasks: Tasks): Promise<void> {
  const store = await database();
  const before = await store.get("tasks", tasks.city);
  if (before && before.user !== tasks.user) await forgetPhotos().catch(() => undefined);
  const done = tasks.done ?? (before?.user === tasks.user ? before.done : undefined);
  await store.put("tasks", done ? { ...tasks, done } : tasks, tasks.city);
  changed();
}

export async function forgetTasks(): Promise<void> {
  await (await database()).clear("tasks");
  await forgetPhotos().catch(() => undefined);
  changed();
}

/** All entries of a city, in the order in which they were made. */
export async function entries(city: string): Promise<Entry[]> {
  return (await (await database()).getAll("queue")).filter((entry) => entry.city === city);
}

export async function add(draft: Draft): Promise<number> {
  const id = await (await database()).add("queue", draft as Entry); // the database numbers it
  changed();
  return id;
}

/** Change an entry that is still there; one that was deleted meanwhile stays deleted. */
export async function update(id: number, change: Partial<Entry>): Promise<void> {
  const transaction = (await database()).transaction("queue", "readwrite");
  const entry = await transaction.store.get(id);
  if (entry) await transaction.store.put({ ...entry, ...change });
  await transaction.done;
  changed();
}

/** Mark an entry as sent, and let those made on top of it go on from the state that it led to: together or not at all. */
export async function settle(id: number, change: Partial<Entry>, seq?: number): Promise<void> {
  const transaction = (await database()).transaction("queue", "readwrite");
  const entry = await transaction.store.get(id);
  if (entry) await transaction.store.put({ ...entry, ...change });
  if (seq !== undefined)
    for (const later of await transaction.store.getAll())
      if (later.after === id && later.state === "waiting") await transaction.store.put({ ...later, seq });
  await transaction.done;
  changed();
}

export async function remove(id: number): Promise<void> {
  await (await database()).delete("queue", id);
  changed();
}
