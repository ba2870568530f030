/**
 * Sends the queue: by the page when it is open, by the service worker (Background Sync) when it is not. In order per case;
 * what is refused stays where it is, with the server's reason and the case as it stands. Network trouble waits and tries again.
 */
import { entries, settle, update } from "./store";
import type { Entry, Standing } from "./store";

export interface Session {
  user: string;
  name: string;
  csrf: string;
}

export type Outcome = "sent" | "idle" | "offline" | "signed-out";

const LONGEST_WAIT = 5 * 60_000;
const KEPT_DONE = 24 * 3600_000;
// An upload has a minute, and another second for every 8 kB: six photos at 30 kB/s arrive, and a dead line is noticed.
const PATIENCE = 60_000;
const LEAST_BYTES_A_SECOND = 8_000;

function patience(entry: Entry): number {
  const bytes = entry.photos.reduce((sum, picture) => sum + picture.bytes.byteLength, 0);
  return PATIENCE + (bytes / LEAST_BYTES_A_SECOND) * 1000;
}

export async function session(base: string): Promise<Session | "offline" | "signed-out"> {
  try {
    const answer = await fetch(`${base}/session.json`, { credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(15_000) });
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
  return entry.kind === "verb" && all.some((other) => other.id! < entry.id! && other.kind === "verb" && other.number === entry.number && other.user === entry.user && unsettled(other));
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
  entry.photos.forEach((picture, index) => {
    data.append("photo", new Blob([picture.bytes], { type: "image/jpeg" }), `${index + 1}.jpg`);
    data.append("taken_at", picture.taken_at);
  });
  return data;
}

/** Send what may be sent now. Two at once do no harm (the keys see to that), but one lock spares the traffic. */
export async function sync(city: string, base: string): Promise<Outcome> {
  if (!("locks" in navigator)) return run(city, base);
  return navigator.locks.request(`yiwang-field-${city}`, { ifAvailable: true }, (lock) => (lock ? run(city, base) : "idle")) as Promise<Outcome>;
}

async function run(city: string, base: string): Promise<Outcome> {
  const who = await session(base);
  if (who === "offline" || who === "signed-out") return who;
  let sent = 0;
  for (;;) {
    const all = await entries(city);
    const next = all.find((entry) => entry.state === "waiting" && entry.user === who.user && entry.next_at <= Date.now() && !blocked(entry, all));
    if (!next) return sent ? "sent" : "idle";
    const outcome = await send(next, base, who);
    if (outcome === "signed-out") return outcome;
    if (outcome === "done") sent += 1;
  }
}

async function send(entry: Entry, base: string, who: Session): Promise<"done" | "refused" | "later" | "signed-out"> {
  const id = entry.id!;
  const url = entry.kind === "report" ? `${base}/reports` : `${base}/cases/${encodeURIComponent(entry.number)}/${encodeURIComponent(entry.verb)}`;
  const later = async (error: string, seconds = 0): Promise<"later"> => {
    const wait = Math.max(seconds * 1000, Math.min(LONGEST_WAIT, 2000 * 2 ** entry.tries) * (0.75 + Math.random() / 2));
    await update(id, { tries: entry.tries + 1, next_at: Date.now() + wait, error });
    return "later";
  };
  let answer: Response, said: { number?: string; seq?: number; detail?: string; code?: string; now?: Standing | null };
  try {
    answer = await fetch(url, {
      method: "POST",
      body: form(entry),
      credentials: "same-origin",
      headers: { "Idempotency-Key": entry.key, "X-CSRFToken": who.csrf },
      signal: AbortSignal.timeout(patience(entry)),
    });
    // a page instead of JSON is the framework speaking (a stale CSRF token, a proxy): the next session check sorts it out
    if (!answer.headers.get("Content-Type")?.includes("json")) return await later(`HTTP ${answer.status}`);
    said = (await answer.json()) as typeof said;
  } catch (error) {
    return later(error instanceof DOMException && error.name === "TimeoutError" ? "timeout" : "network");
  }
  if (answer.ok) {
    await settle(id, { state: "done", done_at: Date.now(), number: said.number ?? entry.number, photos: [], error: "" }, said.seq);
    return "done";
  }
  if (answer.status === 401) return "signed-out";
  if (answer.status >= 500 || answer.status === 429 || answer.status === 408) return later(said.detail ?? "", Number(answer.headers.get("Retry-After") ?? 0));
  await update(id, { state: "conflict", error: said.detail ?? `HTTP ${answer.status}`, now: said.now ?? null });
  return "refused";
}

/** Entries that were sent long enough ago to be forgotten. */
export function stale(entry: Entry): boolean {
  return entry.state === "done" && Date.now() - (entry.done_at ?? 0) > KEPT_DONE;
}
