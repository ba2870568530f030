/** What the field app keeps of a person on this phone, deleted when they sign out. What waits to be sent stays: nothing is lost. */
export const DATABASE = "yiwang-field";

/** The cache with the photos of a city's tasks. */
export function keptPhotos(city: string): string {
  return `${DATABASE}-photos-${city}`;
}

/** Photos are of whoever's tasks they belong to: they go when somebody else comes. */
export async function forgetPhotos(): Promise<void> {
  if (!("caches" in globalThis)) return;
  const names = (await caches.keys()).filter((name) => name.startsWith(keptPhotos("")));
  await Promise.all(names.map((name) => caches.delete(name)));
}

/** Pages of visits that open without a network: of whoever was drawn for them. What was recorded and not sent stays. */
export const KEPT_VISITS = "yiwang-visits";

async function forgetVisits(): Promise<void> {
  if (!("caches" in globalThis)) return;
  const names = (await caches.keys()).filter((name) => name.startsWith(KEPT_VISITS));
  await Promise.all(names.map((name) => caches.delete(name)));
}

export async function forget(): Promise<void> {
  await forgetPhotos().catch(() => undefined);
  await forgetVisits().catch(() => undefined);
  // opening a database that is not there would make an empty one
  const known = await indexedDB.databases();
  if (!known.some((item) => item.name === DATABASE)) return;
  await new Promise<void>((done) => {
    const opening = indexedDB.open(DATABASE);
    opening.onerror = () => done();
    opening.onsuccess = () => {
      const database = opening.result;
      if (!database.objectStoreNames.contains("tasks")) return done();
      const change = database.transaction("tasks", "readwrite");
      change.objectStore("tasks").clear();
      change.oncomplete =
        change.onerror =
        change.onabort =
          () => {
            database.close();
            done();
          };
    };
  });
}

/** Whoever signs out on any page first clears the phone, then goes. */
export function forgetAtSignOut(): void {
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (!new URL(form.action, location.href).pathname.endsWith("/sign-out") || !("indexedDB" in window)) return;
    event.preventDefault();
    const patience = new Promise<void>((done) => setTimeout(done, 1500));
    void Promise.race([forget().catch(() => undefined), patience]).then(() => form.submit());
  });
}
