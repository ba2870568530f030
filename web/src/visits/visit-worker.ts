/**
 * The service worker of visits: the pages of whoever was drawn open without a network. The list says which they are; a page comes
 * from the network where that answers in time, else as it was last. The server puts YIWANG_VISITS before this code.
 */
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
  YIWANG_VISITS: { cache: string; mine: string; visits: string };
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  addEventListener(type: string, listener: (event: never) => void): void;
}

const scope = self as unknown as Scope;
const known = scope.YIWANG_VISITS;
const ASSETS = "/static/build/";
const PATIENCE = 4000;

const isPage = (path: string) => path === known.mine || path.startsWith(known.visits);

async function page(request: Request): Promise<Response> {
  const cache = await caches.open(known.cache);
  const address = new URL(request.url).pathname;
  const kept = await cache.match(address, { ignoreVary: true });
  try {
    const answer = await fetch(request, kept ? { signal: AbortSignal.timeout(PATIENCE) } : {});
    if (answer.ok && !answer.redirected) await cache.put(address, answer.clone());
    return answer.status >= 500 && kept ? kept : answer;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

/** Built assets carry a hash in their name: what is kept is right for ever. */
async function asset(request: Request): Promise<Response> {
  const cache = await caches.open(known.cache);
  const kept = await cache.match(request, { ignoreVary: true });
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}

async function keep(urls: string[]): Promise<void> {
  const cache = await caches.open(known.cache);
  for (const url of urls) {
    const path = new URL(url, location.href).pathname;
    if (!path.startsWith(ASSETS) && !isPage(path)) continue;
    if (path.startsWith(ASSETS) && (await cache.match(url, { ignoreVary: true }))) continue;
    const answer = await fetch(url, { credentials: "same-origin" }).catch(() => undefined);
    if (answer?.ok && !answer.redirected) await cache.put(path, answer);
  }
}

scope.addEventListener("install", (event: Extendable) => event.waitUntil(scope.skipWaiting()));
scope.addEventListener("activate", (event: Extendable) => event.waitUntil(scope.clients.claim()));
scope.addEventListener("fetch", (event: Fetched) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (event.request.mode === "navigate" && isPage(url.pathname)) event.respondWith(page(event.request));
  else if (url.pathname.startsWith(ASSETS)) event.respondWith(asset(event.request));
});
scope.addEventListener("message", (event: Told) => {
  if (Array.isArray(event.data.keep)) event.waitUntil(keep(event.data.keep));
});
