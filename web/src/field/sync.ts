/**
 * Sends the queue: by the page when it is open, by the service worker (Background Sync) when it is not. In order per case;
 * what is refused stays where it is, with the server's reason and the case as it stands. Network trouble waits and tries again.
 * Photos go first, one by one; what has arrived is not sent again when the line breaks in the next.
 */

import type { RefusedPhoto } from "../shared/calls";
import type { Entry, Standing } from "./store";
import { entries, refusals, settle, update } from "./store";

export interface Session {
  user: string;
  name: string;
  csrf: string;
}

export type Outcome = "sent" | "idle" | "offline" | "signed-out";

const LONGEST_WAIT = 5 * 60_000;
const KEPT_DONE = 24 * 3600_000;
// A photo has a minute, and another second for every 8 kB: at 30 kB/s it arrives, and a dead line is noticed.
const PATIENCE = 60_000;
const LEAST_BYTES_A_SECOND = 8_000;

function patience(bytes: number): number {
  return PATIENCE + Math.ceil((bytes / LEAST_BYTES_A_SECOND) * 1000); // a timeout is whole milliseconds
}

export async function session(base: string): Promise<Session | "offline" | "signed-out"> {
  try {
    const answer = await fetch(`${base}/session.json`, {
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(15_000),
    });
    if (answer.status === 401) return "signed-out";
    if (!answer.ok) return "offline";
    return (await answer.json()) as Session;
  } catch {
    return "offline";
  }
}

/** Entries that block later ones of the same case. */
export function unsettled(entry: Entry): boolean {
  return entry.state === "waiting" || entry.state === "conflict";
}

/** Whether an entry must wait for an earlier one of its case. */
export function blocked(entry: Entry, all: readonly Entry[]): boolean {
  return (
    entry.kind === "verb" &&
    all.some(
      (other) =>
        other.id < entry.id &&
        other.kind === "verb" &&
        other.number === entry.number &&
        other.user === entry.user &&
        unsettled(other),
    )
  );
}

function form(entry: Entry): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(entry.fields)) if (value) data.set(name, value);
  if (entry.kind === "verb") data.set("seq", String(entry.seq));
  data.set("made_at", entry.made_at);
  if (entry.lon !== null && entry.lat !== null) {
    data.set("lon", String(entry.lon));
    data.set("lat", String(entry.lat));
    if (entry.accuracy !== null) data.set("accuracy", String(Math.round(entry.accuracy)));
  }
  for (const picture of entry.photos) {
    if (!picture.digest) continue;
    data.append("photo_digest", picture.digest);
    data.append("taken_at", picture.taken_at);
  }
  return data;
}

/** Send what may be sent now. Two at once do no harm (the keys see to that), but one lock spares the traffic. */
export async function sync(city: string, base: string): Promise<Outcome> {
  if (!("locks" in navigator)) return run(city, base);
  return navigator.locks.request(`yiwang-field-${city}`, { ifAvailable: true }, (lock) =>
    lock ? run(city, base) : "idle",
  ) as Promise<Outcome>;
}

async function run(city: string, base: string): Promise<Outcome> {
  const who = await session(base);
  if (who === "offline" || who === "signed-out") return who;
  let sent = 0;
  for (;;) {
    const all = await entries(city);
    const next = all.find(
      (entry) =>
        entry.state === "waiting" && entry.user === who.user && entry.next_at <= Date.now() && !blocked(entry, all),
    );
    if (!next) return sent ? "sent" : "idle";
    const outcome = await send(next, base, who);
    if (outcome === "signed-out") return outcome;
    if (outcome === "done") sent += 1;
  }
}

interface Said {
  number?: string;
  seq?: number;
  step?: string;
  detail?: string;
  code?: string;
  photo?: string;
  /** Photos that the command named and that could not be taken; `index` counts those it named, from 0. */
  photos_refused?: RefusedPhoto[];
  now?: Standing | null;
}

/** How many seconds an answer asks to be left alone. It says seconds or a date, or nothing that can be read. */
function pause(answer: Response): number {
  const asked = answer.headers.get("Retry-After") ?? "";
  const seconds = /^\d+$/.test(asked) ? Number(asked) : (Date.parse(asked) - Date.now()) / 1000;
  // biome-ignore lint/complexity/useMathMinMax: what cannot be read is NaN, which Math.max hands on: nothing would be sent again
  return seconds > 0 ? seconds : 0;
}

/** What the server answered; or why it is to be asked again, and after how many seconds at least. */
type Heard = { status: number; said: Said } | { later: string; seconds: number };

async function post(url: string, data: FormData, headers: Record<string, string>, bytes: number): Promise<Heard> {
  try {
    const answer = await fetch(url, {
      method: "POST",
      body: data,
      credentials: "same-origin",
      headers,
      signal: AbortSignal.timeout(patience(bytes)),
    });
    // a page instead of JSON is the framework speaking (a stale CSRF token, a proxy): the next session check sorts it out
    const page = !answer.headers.get("Content-Type")?.includes("json");
    const said = page ? {} : ((await answer.json()) as Said);
    if (page || answer.status >= 500 || answer.status === 429 || answer.status === 408)
      return {
        later: said.detail ?? (answer.status === 429 ? "too-many" : `HTTP ${answer.status}`),
        seconds: pause(answer),
      };
    return { status: answer.status, said };
  } catch (error) {
    return {
      later: error instanceof DOMException && error.name === "TimeoutError" ? "timeout" : "network",
      seconds: 0,
    };
  }
}

/** Send the photos that have not arrived yet; null when all have, or were refused. Each one that arrives is noted at once. */
async function sendPhotos(entry: Entry, base: string, who: Session): Promise<Heard | null> {
  for (const [index, picture] of entry.photos.entries()) {
    if (picture.digest || picture.bad) continue;
    await update(entry.id, { sending: index + 1 });
    const data = new FormData();
    data.append("photo", new Blob([picture.bytes], { type: "image/jpeg" }), `${index + 1}.jpg`);
    if (picture.original) data.set("original", picture.original);
    const heard = await post(`${base}/photos`, data, { "X-CSRFToken": who.csrf }, picture.bytes.byteLength);
    if ("later" in heard || heard.status === 401) return heard;
    if (heard.said.photo) picture.digest = heard.said.photo;
    else picture.bad = { text: heard.said.detail ?? `HTTP ${heard.status}` };
    entry.tries = 0; // it gets on
    await update(entry.id, { photos: entry.photos, tries: 0 });
  }
  return null;
}

async function send(entry: Entry, base: string, who: Session): Promise<"done" | "refused" | "later" | "signed-out"> {
  const id = entry.id;
  const url =
    entry.kind === "report"
      ? `${base}/reports`
      : `${base}/cases/${encodeURIComponent(entry.number)}/${encodeURIComponent(entry.verb)}`;
  const heard =
    (await sendPhotos(entry, base, who)) ??
    (await post(url, form(entry), { "Idempotency-Key": entry.key, "X-CSRFToken": who.csrf }, 0));
  if ("later" in heard) {
    const wait = Math.max(
      heard.seconds * 1000,
      Math.min(LONGEST_WAIT, 2000 * 2 ** entry.tries) * (0.75 + Math.random() / 2),
    );
    await update(id, { tries: entry.tries + 1, next_at: Date.now() + wait, error: heard.later, sending: 0 });
    return "later";
  }
  const { status, said } = heard;
  if (status < 300) {
    const named = entry.photos.filter((picture) => picture.digest);
    for (const { index, reason, reason_zh } of said.photos_refused ?? [])
      if (named[index]) named[index].bad = { text: reason, zh: reason_zh };
    await settle(
      id,
      {
        state: "done",
        done_at: Date.now(),
        number: said.number ?? entry.number,
        step: said.step,
        photos: [],
        refused: refusals(entry.photos),
        error: "",
        sending: 0,
      },
      said.seq,
    );
    return "done";
  }
  if (status === 401) {
    await update(id, { sending: 0 });
    return "signed-out";
  }
  if (said.code === "photo-gone") {
    // it has waited here for longer than the server keeps photos
    await update(id, {
      photos: entry.photos.map(({ digest: _gone, ...picture }) => picture),
      tries: entry.tries + 1,
      next_at: Date.now() + 2000 * 2 ** Math.min(entry.tries, 7),
      sending: 0,
    });
    return "later";
  }
  await update(id, { state: "conflict", error: said.detail ?? `HTTP ${status}`, now: said.now ?? null, sending: 0 });
  return "refused";
}

/** Entries that were sent long enough ago to be forgotten. */
export function stale(entry: Entry): boolean {
  return entry.state === "done" && Date.now() - (entry.done_at ?? 0) > KEPT_DONE;
}
