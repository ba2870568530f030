/**
 * The field app's service worker: keeps the shell and its built assets (nothing personal), answers with them when there is no
 * network, and sends the queue when the browser says that there is one again. The server puts YIWANG_FIELD before this code.
 */
import { isPhoto, keep, photo } from "./kept-photos";
import { points } from "./points";
import { readTasks } from "./store";
import { sync } from "./sync";

interface Extendable extends Event {
  waitUntil(promise: Promise<unknown>): void;
}
interface Fetched extends Extendable {
  request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Told extends Extendable {
  data: { keep?: string[] };
}
interface Scope {
  YIWANG_FIELD: { city: string; shell: string; assets: string[]; version: string; yellow: number };
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  addEventListener(type: string, listener: (event: never) => void): void;
}

const scope = self as unknown as Scope;
const known = scope.YIWANG_FIELD;
const PREFIX = `yiwang-field-${known.city}-`;
const CACHE = PREFIX + known.version;
const ASSETS = "/static/build/";
const PATIENCE = 4000;

async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll(known.assets);
  const shell = await fetch(known.shell, { credentials: "same-origin" });
  if (shell.ok && !shell.redirected) await cache.put(known.shell, shell);
  else {
    const older = await caches.match(known.shell, { ignoreVary: true });
    if (older) await cache.put(known.shell, older);
  }
  await scope.skipWaiting();
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)),
  );
  await scope.clients.claim();
}

/** The shell as it is now; as it was last where the network does not answer in time. */
async function shell(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(known.shell, { ignoreVary: true });
  try {
    const answer = await fetch(request, kept ? { signal: AbortSignal.timeout(PATIENCE) } : {});
    if (answer.ok && !answer.redirected && answer.type === "basic") await cache.put(known.shell, answer.clone());
    if (answer.status >= 500 && kept) return kept;
    return answer;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

/** Built assets carry a hash in their name: what is kept is right for ever. */
async function asset(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request, { ignoreVary: true });
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}

/** The map's points: from the network, else from the tasks that are kept. */
async function places(request: Request): Promise<Response> {
  try {
    return await fetch(request, { signal: AbortSignal.timeout(PATIENCE) });
  } catch {
    const tasks = await readTasks(known.city);
    return Response.json(points(tasks?.items ?? [], Date.now(), known.yellow));
  }
}

scope.addEventListener("install", (event: Extendable) => event.waitUntil(install()));
scope.addEventListener("activate", (event: Extendable) => event.waitUntil(activate()));
scope.addEventListener("fetch", (event: Fetched) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (event.request.mode === "navigate" && url.pathname === known.shell) event.respondWith(shell(event.request));
  else if (url.pathname === `${known.shell}/points.json`) event.respondWith(places(event.request));
  else if (isPhoto(url)) event.respondWith(photo(known.city, event.request));
  else if (url.pathname.startsWith(ASSETS)) event.respondWith(asset(event.request));
});
// the page says which photos belong to the tasks on its list
let keeping = Promise.resolve();
scope.addEventListener("message", (event: Told) => {
  const urls = event.data.keep;
  if (!Array.isArray(urls)) return;
  keeping = keeping.then(() => keep(known.city, urls)).catch(() => undefined);
  event.waitUntil(keeping);
});
scope.addEventListener("sync", (event: Extendable) => {
  event.waitUntil(
    sync(known.city, known.shell).then((outcome) => {
      if (outcome === "offline") throw new Error("still offline"); // the browser tries again later
    }),
  );
});
