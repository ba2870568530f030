/**
 * A desk: keys, selection, drag onto a unit, and what keeps people from losing each other's work. The server makes every
 * piece of page; this file remembers where one stands when a piece is replaced. Without it the links and forms still work.
 */
import "./desk.css";
import htmx from "htmx.org";
import type { ComboBox } from "./shared/combo-box";

type Swap = CustomEvent<{
  target: HTMLElement;
  xhr: XMLHttpRequest;
  requestConfig: { verb: string };
  shouldSwap: boolean;
  isError: boolean;
}>;
type Request_ = CustomEvent<{
  elt: HTMLElement;
  target: HTMLElement;
  xhr: XMLHttpRequest;
  headers: Record<string, string>;
  parameters: Record<string, string>;
}>;
const $ = <T extends Element>(selector: string, root: ParentNode = document) => root.querySelector<T>(selector);
const $$ = <T extends Element>(selector: string, root: ParentNode = document) => [
  ...root.querySelectorAll<T>(selector),
];

let current = ""; // number of the case at which the keyboard stands
const selected = new Set<string>(); // numbers
let arrived = false; // whether a case has been shown since the page came
let typed = new Map<string, string>(); // field id → text, while the panel of the same case is replaced
let typedCase = "";
const typedCodes = new Map<string, string>(); // of those fields that are comboboxes, what has been chosen

let asked: XMLHttpRequest | undefined; // the last request for a case in the panel

const rows = () => $$<HTMLElement>("#queue [data-row]");
const numberOf = (row: Element | null | undefined) => row?.getAttribute("data-row") ?? "";

function mark(): void {
  const shown = $("#panel [data-case]")?.getAttribute("data-case");
  for (const row of rows()) {
    row.classList.toggle("at", numberOf(row) === current);
    row.classList.toggle("shown", numberOf(row) === shown);
    if (numberOf(row) === shown) {
      row.classList.remove("unread"); // the server knows it as read: what it sends next says so too
      $(".fresh", row)?.remove();
    }
    const box = $<HTMLInputElement>("input[type=checkbox]", row);
    if (box) box.checked = selected.has(numberOf(row));
  }
  const bar = $<HTMLElement>("[data-bulk]");
  const here = rows().filter((row) => selected.has(numberOf(row))).length;
  if (bar) {
    bar.hidden = here === 0;
    const count = $("[data-count]", bar);
    if (count) count.textContent = String(here);
  }
}

function move(by: number): void {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => numberOf(row) === current);
  const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + by))];
  current = numberOf(next);
  mark();
  next?.scrollIntoView({ block: "nearest" });
  $<HTMLElement>("a", next)?.focus({ preventScroll: true });
}

/** The case after one in the queue, else the one before it; empty where it stands alone. */
function following(number: string): string {
  const all = rows().map(numberOf);
  const at = all.indexOf(number);
  return all[at + 1] ?? all[at - 1] ?? "";
}

/** The address names the case that is shown, so that reload, back and a link sent to a colleague work. */
function nameInAddress(number: string, replace: boolean): void {
  const address = new URL(location.href);
  if (address.searchParams.get("case") === number) return;
  address.searchParams.set("case", number);
  history[replace ? "replaceState" : "pushState"](null, "", address);
}
addEventListener("popstate", () => location.reload());

function toggle(number: string): void {
  if (!number) return;
  if (!selected.delete(number)) selected.add(number);
  mark();
}

function openVerb(key: string): void {
  const verb = $<HTMLDetailsElement>(`#panel [data-verb-key="${key}"]`);
  if (!verb) return;
  verb.open = true;
  const fields = $$<HTMLElement>("textarea, select, input:not([type=hidden])", verb);
  const first = fields.find((field) => field.hasAttribute("required")) ?? $<HTMLElement>("form > button", verb);
  first?.focus();
  verb.scrollIntoView({ block: "nearest" });
}

/** On a board: the ways of the card at which the keyboard stands. */
function openMoves(): void {
  const row = rows().find((row) => numberOf(row) === current);
  const moves = $<HTMLDetailsElement>("details.moves", row ?? document.createElement("div"));
  if (!moves) return;
  fillMoves(moves);
  moves.open = true;
  $<HTMLElement>("a", moves)?.focus();
}

/** Send the selected rows (or the one that was dropped) to the bulk form, with a unit if one was pointed at. */
function sendToUnit(unit: string, number = ""): void {
  const form = $<HTMLFormElement>("#queue-form");
  if (!form) return;
  if (number && !selected.has(number)) {
    selected.clear();
    selected.add(number);
  }
  if (!selected.size && current) selected.add(current);
  mark();
  const field = form.elements.namedItem("unit");
  if (field instanceof HTMLInputElement) field.value = unit;
  form.requestSubmit();
  if (field instanceof HTMLInputElement) field.value = "";
}

/** Keys that do something here and nothing else; the figures open the verbs of the panel. */
const acts: Record<string, () => void> = {
  j: () => move(1),
  k: () => move(-1),
  x: () => toggle(current),
  b: () => $<HTMLFormElement>("#queue-form")?.requestSubmit(),
  m: () => openMoves(),
  "?": () => $<HTMLDialogElement>("#keys")?.showModal(),
};

document.addEventListener("keydown", (event) => {
  const target = event.target as HTMLElement;
  const writing = target.matches("textarea, select, input:not([type=checkbox])");
  if (event.key === "Escape" && writing) return target.blur();
  if (writing && event.key === "Enter" && (event.ctrlKey || event.metaKey))
    return target.closest("form")?.requestSubmit();
  if (writing || event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
  const act = acts[event.key] ?? (/^[1-9]$/.test(event.key) ? () => openVerb(event.key) : undefined);
  if (act) {
    event.preventDefault();
    act();
  } else if (event.key === "n") $<HTMLElement>("[data-key=n]")?.click();
  else if (event.key === "Enter" && target === document.body && current)
    rows()
      .find((row) => numberOf(row) === current)
      ?.querySelector("a")
      ?.click();
});

document.addEventListener("click", (event) => {
  const target = event.target as HTMLElement;
  const back = target.closest<HTMLAnchorElement>("[data-back]");
  if (back) {
    // to the queue as it was filtered
    const address = new URL(location.href);
    address.searchParams.delete("case");
    back.href = address.href;
  }
  if (target.closest("[data-help]")) $<HTMLDialogElement>("#keys")?.showModal();
  if (target.closest("[data-clear]")) {
    selected.clear();
    mark();
  }
  const row = target.closest("[data-row]");
  if (row && target.closest("a")) {
    current = numberOf(row);
    mark();
  }
  const unit = target.closest<HTMLElement>(".target[data-unit]");
  if (unit) sendToUnit(unit.dataset["unit"] ?? "");
  const take = target.closest<HTMLElement>("[data-take-unit]");
  if (take) {
    const box = $<HTMLInputElement>("#panel details.own [name=unit]")?.closest<ComboBox>("combo-box");
    const verb = box?.closest("details");
    if (box && verb) {
      box.take(take.dataset["takeUnit"] ?? "", take.dataset["name"] ?? "");
      verb.open = true;
      $<HTMLElement>("form > button", verb)?.focus();
    }
  }
  fillIntake(target);
});

document.addEventListener("change", (event) => {
  const box = event.target as HTMLInputElement;
  const row = box.closest("[data-row]");
  if (!row || box.type !== "checkbox") return;
  if (box.checked) selected.add(numberOf(row));
  else selected.delete(numberOf(row));
  current = numberOf(row);
  mark();
});

/** A column says once where its cards may go; a card's own links are made when its list is opened. */
function fillMoves(moves: HTMLDetailsElement): void {
  const link = $<HTMLAnchorElement>("a[hx-get]", moves.closest("[data-row]") ?? moves);
  const ways = $<HTMLTemplateElement>("template[data-moves]", moves.closest(".column") ?? moves);
  if (!link || !ways || $("a", moves)) return;
  const list = ways.content.cloneNode(true) as DocumentFragment;
  for (const way of $$<HTMLAnchorElement>("a", list)) {
    const to = encodeURIComponent(way.dataset["to"] ?? "");
    way.href = `${link.getAttribute("href")}&to=${to}`;
    way.setAttribute("hx-get", `${link.getAttribute("hx-get")}?to=${to}`);
    way.setAttribute("hx-target", "#panel");
    way.setAttribute("hx-swap", "innerHTML");
  }
  moves.append(list);
  htmx.process(moves);
}
document.addEventListener(
  "toggle",
  (event) => {
    const moves = event.target as HTMLDetailsElement;
    if (moves.matches("details.moves") && moves.open) fillMoves(moves);
  },
  true,
);

// --- drag a case onto a unit, or a card of the board onto another step ---
let dragging = false; // while somebody drags, the queue stays as it is
document.addEventListener("dragstart", (event) => {
  const row = (event.target as HTMLElement).closest?.("[data-row]");
  if (!row) return;
  event.dataTransfer?.setData("text/plain", numberOf(row));
  dragging = true;
});
// the button goes down some pixels before the drag begins, and what is replaced in between would be another card
document.addEventListener("pointerdown", (event) => {
  if (event.pointerType === "mouse" && (event.target as HTMLElement).closest("#queue [data-row]")) dragging = true;
});
for (const name of ["pointerup", "dragend"] as const)
  document.addEventListener(name, () => {
    dragging = false;
  });
for (const name of ["dragover", "dragleave", "drop"] as const)
  document.addEventListener(name, (event) => {
    const column = (event.target as HTMLElement).closest?.<HTMLElement>(".column[data-step]");
    if (!column) return;
    event.preventDefault();
    column.classList.toggle("over", name === "dragover");
    if (name === "drop") moveTo(column, event.dataTransfer?.getData("text/plain") ?? "");
  });

/** Ask for the verb that leads a card to a step: its form opens, or it is said why there is none. */
function moveTo(column: HTMLElement, number: string): void {
  const card = rows().find((row) => numberOf(row) === number);
  const address = card && $("a[hx-get]", card)?.getAttribute("hx-get");
  if (!card || !address || column.contains(card)) return;
  current = number;
  const to = encodeURIComponent(column.dataset["step"] ?? "");
  void htmx.ajax("get", `${address}?to=${to}`, { target: "#panel", swap: "innerHTML" });
}
for (const name of ["dragover", "dragleave", "drop"] as const)
  document.addEventListener(name, (event) => {
    const unit = (event.target as HTMLElement).closest?.<HTMLElement>(".target[data-unit]");
    if (!unit) return;
    event.preventDefault();
    unit.classList.toggle("over", name === "dragover");
    if (name === "drop") sendToUnit(unit.dataset["unit"] ?? "", event.dataTransfer?.getData("text/plain") ?? "");
  });

// --- pieces that are replaced ---
document.addEventListener("htmx:configRequest", (event) => {
  const { elt, headers, parameters } = (event as Request_).detail;
  if (elt.id === "queue" && elt.dataset["etag"]) headers["If-None-Match"] = elt.dataset["etag"];
  // where the desk has nothing more to do on this case, the answer is the next one
  if (elt.closest("details.verb"))
    parameters["next"] = following($("#panel [data-case]")?.getAttribute("data-case") ?? "");
});

// what stands open already is not fetched once more under the hands of who types: its own pulse says when it has changed
document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt } = (event as Request_).detail;
  const row = elt.matches("a:not([hx-get*='to='])") ? elt.closest("[data-row]") : null;
  const shown = $("#panel [data-case]")?.getAttribute("data-case");
  if (row && numberOf(row) === shown && !$("#panel .changed, #panel .errors, #panel .said")) {
    event.preventDefault();
    asked = undefined;
  }
});

// Of two cases opened one after the other the later one stays, whichever answer comes first. What a verb has answered is
// always shown, and nothing that was asked for before it is put over it.
document.addEventListener("htmx:beforeSend", (event) => {
  const { target, xhr } = (event as Request_).detail;
  if (target.id === "panel") asked = xhr;
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const detail = (event as Swap).detail;
  const late = detail.target.id === "panel" && detail.requestConfig.verb === "get" && detail.xhr !== asked;
  if (late || detail.xhr.status === 304 || detail.xhr.status === 204) detail.shouldSwap = false;
  else if (detail.target.id === "panel" && [403, 409, 412, 422].includes(detail.xhr.status)) {
    detail.shouldSwap = true; // a refusal is an answer: it shows both states and what was typed
    detail.isError = false;
  }
  // a queue that somebody is at with the hand, or whose ways stand open, waits for the next turn
  if (detail.target.id === "queue" && (dragging || $("details.moves[open]", detail.target))) detail.shouldSwap = false;
  if (!detail.shouldSwap) return;
  unfolded = Boolean($("#queue details.more[open]"));
  sideways = $("#queue .board")?.scrollLeft ?? 0;
  if (detail.target.id === "queue") detail.target.dataset["etag"] = detail.xhr.getResponseHeader("ETag") ?? "";
  if (detail.target.id !== "panel") return;
  if (detail.xhr.status === 200) keepTyped();
  // the new forms come before the old ones go, and of one name only one may stand open
  for (const verb of $$("#panel details[name]")) verb.removeAttribute("name");
});

let unfolded = false; // whether the steps beyond the first of a board stand open
let sideways = 0; // how far a board is scrolled, in pixels

function keepTyped(): void {
  typedCase = $("#panel [data-case]")?.getAttribute("data-case") ?? "";
  typed = new Map();
  typedCodes.clear();
  for (const field of $$<HTMLTextAreaElement | HTMLInputElement>(
    "#panel textarea:not([readonly]), #panel input:not([type=hidden]):not([type=file])",
  ))
    if (field.value && field.value !== field.defaultValue) {
      typed.set(field.id, field.value);
      const box = field.closest<ComboBox>("combo-box");
      if (box) typedCodes.set(field.id, box.chosen);
    }
}

document.addEventListener("htmx:afterSwap", (event) => {
  const target = (event as Swap).detail.target;
  if (target.id === "panel") {
    const panel = $<HTMLElement>("#panel [data-case]");
    const sent = Boolean($("#panel .said[role=status]"));
    if (panel && panel.dataset["case"] === typedCase && !sent) restoreTyped(panel);
    if (panel) {
      current = panel.dataset["case"] ?? current;
      nameInAddress(current, sent || !arrived);
      arrived = true;
      $("[data-desk]")?.classList.add("showing");
    }
    if ($("[data-bulk-done]", target)) selected.clear();
    if (matchMedia("(max-width: 52rem)").matches) scrollTo(0, 0);
    target.scrollTop = 0;
    // after a verb the keys go on in the queue
    if (sent) (document.activeElement as HTMLElement | null)?.blur();
    $<HTMLElement>("[data-bulk-do]", target)?.focus();
    for (const moves of $$<HTMLDetailsElement>("details.moves[open]")) moves.open = false;
    const way = $("[data-moved]", target) && $("details.verb[open]", target);
    if (way) {
      const fields = "textarea, select, input:not([type=hidden]), form > button";
      $<HTMLElement>(fields, way)?.focus();
      way.scrollIntoView({ block: "nearest" });
    }
  }
  const more = target.id === "queue" && $<HTMLDetailsElement>("details.more", target);
  if (more) more.open = unfolded;
  const board = target.id === "queue" && $<HTMLElement>(".board", target);
  if (board) board.scrollLeft = sideways;
  mark();
});

/** Put what was typed back into the same fields; what has no field any more is shown, so that it can be copied. */
function restoreTyped(panel: HTMLElement): void {
  for (const [id, text] of typed) {
    const field = document.getElementById(id);
    if (field instanceof HTMLTextAreaElement || field instanceof HTMLInputElement) {
      field.value = text;
      field.closest<ComboBox>("combo-box")?.take(typedCodes.get(id) ?? "", text);
      const verb = field.closest("details");
      if (verb) verb.open = true;
    } else {
      const box = document.createElement("textarea");
      box.readOnly = true;
      box.value = text;
      box.setAttribute("aria-label", id);
      panel.prepend(box);
    }
  }
}

// --- taking a report ---
function fillIntake(target: HTMLElement): void {
  const form = $<HTMLFormElement>("form.intake");
  if (!form) return;
  const set = (name: string, value: string | undefined) => {
    const field = form.elements.namedItem(name);
    if (value !== undefined && (field instanceof HTMLInputElement || field instanceof HTMLSelectElement))
      field.value = value;
  };
  const category = target.closest<HTMLElement>("[data-category]");
  const place = target.closest<HTMLElement>("button[data-region]");
  if (category)
    $<HTMLInputElement>("[name=category]", form)
      ?.closest<ComboBox>("combo-box")
      ?.take(category.dataset["category"] ?? "", category.textContent?.trim() ?? "");
  if (place) {
    set("region", place.dataset["region"]);
    set("address", place.textContent?.trim());
    if (place.dataset["lon"]) {
      set("lon", place.dataset["lon"]);
      set("lat", place.dataset["lat"]);
      const map = $("city-map") as (HTMLElement & { place?: (lon: number, lat: number) => void }) | null;
      map?.place?.(Number(place.dataset["lon"]), Number(place.dataset["lat"]));
    }
  }
  if (category || place) document.body.dispatchEvent(new Event("placed"));
}
document.addEventListener("place", () => setTimeout(() => document.body.dispatchEvent(new Event("placed")), 0));

// the keyboard stands at the case that the address names, else at the first one
const desk = $<HTMLElement>("[data-desk]");
if (desk) {
  current = desk.dataset["opened"] || numberOf(rows()[0]);
  arrived = Boolean(desk.dataset["opened"]);
  mark();
  // where there is room the most urgent case stands open beside its queue
  if (!desk.dataset["opened"] && !matchMedia("(max-width: 52rem)").matches)
    setTimeout(() => $<HTMLElement>("#queue [data-row] a")?.click(), 0);
}

// A call that has been typed and not sent asks before the page is left; sending it is no leaving.
const unsent = $<HTMLFormElement>("form[data-unsent]");
if (unsent) {
  let dirty = false;
  unsent.addEventListener("input", () => (dirty = true));
  unsent.addEventListener("submit", () => (dirty = false));
  addEventListener("beforeunload", (event) => {
    if (dirty) event.preventDefault();
  });
}
