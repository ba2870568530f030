/** The form of a visit and the list of them: says where the phone is, shows the items only where the place was inspected, and works without a network. */
import { drop, keepForm, send, type Unsent, unsentOf } from "./visits/unsent";
import workerUrl from "./visits/visit-worker?worker&url";

/** The items belong to an inspected place; hidden ones are not sent and need nothing. */
function showItems(form: HTMLFormElement): void {
  const inspected = new FormData(form).get("outcome") === "done";
  const items = form.querySelector<HTMLElement>("[data-items]");
  if (!items) return;
  items.hidden = !inspected;
  for (const fieldset of items.querySelectorAll("fieldset")) fieldset.disabled = !inspected;
}

/** Where the phone is goes with the record. Who does not allow it records without. */
function locate(form: HTMLFormElement): void {
  navigator.geolocation?.getCurrentPosition(
    ({ coords }) => {
      for (const [name, value] of [
        ["lon", coords.longitude],
        ["lat", coords.latitude],
      ] as const) {
        const field = form.querySelector<HTMLInputElement>(`input[name=${name}]`);
        if (field) field.value = value.toFixed(6);
      }
    },
    () => undefined,
    { enableHighAccuracy: true, maximumAge: 60_000, timeout: 20_000 },
  );
}

/** Without a network what was recorded is kept on the phone, and sent from the list of visits or as soon as there is one. */
function keepWithoutNetwork(form: HTMLFormElement): void {
  form.addEventListener("submit", (event) => {
    if (navigator.onLine) return;
    event.preventDefault();
    void keepForm(form, form.dataset["user"] ?? "").then(() => say(form, form.dataset["kept"] ?? ""));
  });
}

function say(form: HTMLFormElement, words: string): void {
  let said = form.querySelector<HTMLElement>("[data-said]");
  if (!said) {
    said = document.createElement("p");
    said.className = "warn";
    said.dataset["said"] = "";
    said.setAttribute("role", "status");
    form.append(said);
  }
  said.textContent = words;
}

/** Whatever waits on this phone goes when there is a network; what the server refuses stays, with its reason. */
async function sendAll(root: HTMLElement): Promise<void> {
  const user = root.dataset["user"] ?? "";
  const waiting = await unsentOf(user);
  let sent = 0;
  if (navigator.onLine)
    for (const one of waiting) {
      const token = document.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]")?.value ?? "";
      if (await send(one, token).catch(() => false)) sent += 1;
    }
  if (sent) location.reload();
  else if (root.matches("[data-unsent]")) list(root, await unsentOf(user));
}

/** What waits, on the list of visits. */
function list(root: HTMLElement, waiting: Unsent[]): void {
  root.hidden = waiting.length === 0;
  root.querySelector("ul")?.replaceChildren(
    ...waiting.map((one) => {
      const item = document.createElement("li");
      const link = Object.assign(document.createElement("a"), { href: one.url, textContent: one.title });
      item.append(link);
      if (one.problem) {
        const why = Object.assign(document.createElement("p"), { className: "errors", textContent: one.problem });
        const button = Object.assign(document.createElement("button"), {
          type: "button",
          className: "plain",
          textContent: root.dataset["drop"] ?? "",
        });
        button.addEventListener("click", () => void drop(one.url).then(() => item.remove()));
        item.append(why, button);
      }
      return item;
    }),
  );
}

/** Pages that are to open without a network: those of the visits on the list, and what they are drawn with. */
function keepPages(root: HTMLElement): void {
  const pages = [...document.querySelectorAll<HTMLAnchorElement>("[data-visit-link]")].map((link) => link.href);
  const assets = performance.getEntriesByType("resource").map((one) => one.name);
  const style = [...document.querySelectorAll<HTMLLinkElement>("link[rel=stylesheet]")].map((link) => link.href);
  void navigator.serviceWorker
    ?.register(root.dataset["worker"] ?? "")
    .then(() => navigator.serviceWorker.ready)
    .then(({ active }) => active?.postMessage({ keep: [location.href, ...pages, ...style, ...assets] }))
    .catch((error: unknown) => console.warn("no service worker", error));
}

const visit = document.querySelector<HTMLFormElement>("form[data-visit]");
if (visit) {
  visit.addEventListener("change", () => showItems(visit));
  showItems(visit);
  locate(visit);
  keepWithoutNetwork(visit);
}
const mine = document.querySelector<HTMLElement>("[data-unsent]");
if (mine) keepPages(mine);
const root = mine ?? visit;
if (root) {
  void sendAll(root);
  window.addEventListener("online", () => void sendAll(root));
  root.dataset["built"] = workerUrl; // built beside the page; the server serves it from where it may control the page
}
