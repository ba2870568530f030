/** What was recorded of visits without a network: kept on this phone until the server has it. */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";

/** `url` is the visit's page; `fields` are those of its form, photos among them. */
export interface Unsent {
  url: string;
  user: string;
  title: string;
  fields: [string, string | File][];
  problem?: string;
}

interface Schema extends DBSchema {
  unsent: { key: string; value: Unsent };
}

let opened: Promise<IDBPDatabase<Schema>> | undefined;

function database(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>("yiwang-visits", 1, {
    upgrade: (made) => void made.createObjectStore("unsent", { keyPath: "url" }),
  });
  return opened;
}

/** Keep a form; the later one of a visit takes the place of the earlier. */
export async function keepForm(form: HTMLFormElement, user: string): Promise<void> {
  const fields = [...new FormData(form)].filter(
    ([name, value]) => name !== "csrfmiddlewaretoken" && !(value instanceof File && value.size === 0),
  );
  await (await database()).put("unsent", { url: location.pathname, user, title: document.title, fields });
}

/** Everything that somebody has not sent yet. Another person's stays until that one comes back. */
export async function unsentOf(user: string): Promise<Unsent[]> {
  return (await (await database()).getAll("unsent")).filter((one) => one.user === user);
}

/** Send one. True when the server has it; else why not is kept beside it, if the server said. */
export async function send(one: Unsent, token: string): Promise<boolean> {
  const body = new FormData();
  for (const [name, value] of one.fields) body.append(name, value);
  body.append("csrfmiddlewaretoken", token);
  const answer = await fetch(one.url, { method: "POST", body, credentials: "same-origin" });
  const store = await database();
  if (answer.ok && answer.redirected && !new URL(answer.url).pathname.endsWith("/sign-in")) {
    await store.delete("unsent", one.url);
    return true;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const said = [...page.querySelectorAll(".errors")].map((part) => part.textContent?.trim()).filter(Boolean);
  await store.put("unsent", { ...one, problem: said.join(" ") || String(answer.status) });
  return false;
}

export async function drop(url: string): Promise<void> {
  await (await database()).delete("unsent", url);
}
