/**
 * The photos that the service worker keeps, so that they show without a network: the small ones of the tasks on the list, most
 * urgent first, and large ones that were opened. A photo never changes under its address, so what is kept is right.
 */
import { keptPhotos } from "../shared/forget";

export const MOST_KEPT = 200;
export const MOST_BYTES = 8_000_000;
const PATIENCE = 60_000;
const PHOTO = /\/cases\/[^/]+\/photos\/\d+(\/small)?$/;

export function isPhoto(url: URL): boolean {
  return PHOTO.test(url.pathname);
}

/** Keep these and, as long as there is room, others of the same cases; let go of the rest. One at a time: the line may be slow. */
export async function keep(city: string, urls: readonly string[]): Promise<void> {
  const cache = await caches.open(keptPhotos(city));
  const { missing, room } = await trim(cache, urls);
  let left = room;
  for (const url of missing) {
    try {
      const answer = await fetch(url, { credentials: "same-origin", signal: AbortSignal.timeout(PATIENCE) });
      if (!answer.ok || answer.redirected) continue;
      const content = await answer.blob();
      left -= content.size;
      if (left < 0) return;
      await cache.put(url, new Response(content, { headers: { "Content-Type": "image/jpeg" } }));
    } catch {
      return; // no network: the next list asks again
    }
  }
}

/** Throw out what goes beyond the bounds; gives the wanted ones that are missing, and for how many bytes there is room. */
async function trim(cache: Cache, urls: readonly string[]): Promise<{ missing: string[]; room: number }> {
  const wanted = [...new Set(urls)].slice(0, MOST_KEPT).map((url) => new URL(url, location.href).pathname);
  const cases = new Set(urls.map((url) => caseOf(new URL(url, location.href).pathname)));
  const sizes = await sizesOf(cache);
  const others = [...sizes.keys()].filter((path) => !wanted.includes(path) && cases.has(caseOf(path))).reverse();
  const staying = new Set<string>(),
    missing: string[] = [];
  let room = MOST_BYTES;
  for (const path of [...wanted, ...others]) {
    const size = sizes.get(path);
    if (staying.size + missing.length >= MOST_KEPT || (size ?? 0) > room) break;
    if (size === undefined) missing.push(path);
    else {
      room -= size;
      staying.add(path);
    }
  }
  for (const path of sizes.keys()) if (!staying.has(path)) await cache.delete(path);
  return { missing, room };
}

function caseOf(path: string): string {
  return path.replace(/\/photos\/.*$/, "");
}

/** A photo for the page: the kept one, else from the network. One that was opened large is kept where there is room. */
export async function photo(city: string, request: Request): Promise<Response> {
  const cache = await caches.open(keptPhotos(city));
  const kept = await cache.match(request, { ignoreVary: true });
  if (kept) return kept;
  const answer = await fetch(request);
  const large = !new URL(request.url).pathname.endsWith("/small");
  if (large && answer.ok && !answer.redirected && answer.type === "basic")
    await keepLarge(cache, request, answer.clone());
  return answer;
}

async function keepLarge(cache: Cache, request: Request, answer: Response): Promise<void> {
  const sizes = await sizesOf(cache);
  const bytes = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const content = await answer.blob();
  if (sizes.size < MOST_KEPT && bytes + content.size <= MOST_BYTES)
    await cache.put(request, new Response(content, { headers: { "Content-Type": "image/jpeg" } }));
}

async function sizesOf(cache: Cache): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const request of await cache.keys()) {
    const answer = await cache.match(request);
    sizes.set(new URL(request.url).pathname, (await answer?.blob())?.size ?? 0);
  }
  return sizes;
}
