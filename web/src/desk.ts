/**
 * A desk: keys, selection, drag onto a unit, and what keeps people from losing each other's work. The server makes every
 * piece of page; this file remembers where one stands when a piece is replaced. Without it the links and forms still work.
 */
import "./desk.css";

type Swap = CustomEvent<{ target: HTMLElement; xhr: XMLHttpRequest; shouldSwap: boolean; isError: boolean }>;
type Request_ = CustomEvent<{ elt: HTMLElement; headers: Record<string, string> }>;
const $ = <T extends Element>(selector: string, root: ParentNode = document) => root.querySelector<T>(selector);
const $$ = <T extends Element>(selector: string, root: ParentNode = document) => [
  ...root.querySelectorAll<T>(selector),
];

let current = ""; // number of the case at which the keyboard stands
const selected = new Set<string>(); // numbers
let typed = new Map<string, string>(); // field id → text, while the panel of the same case is replaced
let typedCase = "";

const rows = () => $$<HTMLElement>("#queue [data-row]");
const numberOf = (row: Element | null | undefined) => row?.getAttribute("data-row") ?? "";

function mark(): void {
  const shown = $("#panel [data-case]")?.getAttribute("data-case");
  for (const row of rows()) {
    row.classList.toggle("at", numberOf(row) === current);
    row.classList.toggle("shown", numberOf(row) === shown);
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
    const select = $<HTMLSelectElement>("#panel details.own select[name=unit]");
    const verb = select?.closest("details");
    if (select && verb) {
      const code = take.dataset["takeUnit"] ?? "";
      if (![...select.options].some((option) => option.value === code)) select.add(new Option(code, code));
      select.value = code;
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

// --- drag a case onto a unit ---
document.addEventListener("dragstart", (event) => {
  const row = (event.target as HTMLElement).closest?.("[data-row]");
  if (row) event.dataTransfer?.setData("text/plain", numberOf(row));
});
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
  const { elt, headers } = (event as Request_).detail;
  if (elt.id === "queue" && elt.dataset["etag"]) headers["If-None-Match"] = elt.dataset["etag"];
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const detail = (event as Swap).detail;
  if (detail.xhr.status === 304 || detail.xhr.status === 204) detail.shouldSwap = false;
  else if (detail.target.id === "panel" && [403, 409, 412, 422].includes(detail.xhr.status)) {
    detail.shouldSwap = true; // a refusal is an answer: it shows both states and what was typed
    detail.isError = false;
  }
  if (!detail.shouldSwap) return;
  if (detail.target.id === "queue") detail.target.dataset["etag"] = detail.xhr.getResponseHeader("ETag") ?? "";
  if (detail.target.id === "panel" && detail.xhr.status === 200) keepTyped();
});

function keepTyped(): void {
  typedCase = $("#panel [data-case]")?.getAttribute("data-case") ?? "";
  typed = new Map();
  for (const field of $$<HTMLTextAreaElement | HTMLInputElement>(
    "#panel textarea:not([readonly]), #panel input:not([type=hidden]):not([type=file])",
  ))
    if (field.value && field.value !== field.defaultValue) typed.set(field.id, field.value);
}

document.addEventListener("htmx:afterSwap", (event) => {
  const target = (event as Swap).detail.target;
  if (target.id === "panel") {
    const panel = $<HTMLElement>("#panel [data-case]");
    const sent = Boolean($("#panel .said[role=status]"));
    if (panel && panel.dataset["case"] === typedCase && !sent) restoreTyped(panel);
    if (panel) current = panel.dataset["case"] ?? current;
    if ($("[data-bulk-done]", target)) selected.clear();
    if (matchMedia("(max-width: 52rem)").matches) target.scrollIntoView();
    target.scrollTop = 0;
    // after a verb the keys go on in the queue
    if (sent) (document.activeElement as HTMLElement | null)?.blur();
    $<HTMLElement>("[data-bulk-do]", target)?.focus();
  }
  mark();
});

/** Put what was typed back into the same fields; what has no field any more is shown, so that it can be copied. */
function restoreTyped(panel: HTMLElement): void {
  for (const [id, text] of typed) {
    const field = document.getElementById(id);
    if (field instanceof HTMLTextAreaElement || field instanceof HTMLInputElement) {
      field.value = text;
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
  const place = target.closest<HTMLElement>("[data-region]");
  if (category) set("category", category.dataset["category"]);
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

// the case that the address names is opened, else the first one stands ready
const desk = $<HTMLElement>("[data-desk]");
if (desk) {
  current = desk.dataset["opened"] || numberOf(rows()[0]);
  mark();
  const row = rows().find((one) => numberOf(one) === desk.dataset["opened"]);
  if (row) setTimeout(() => $<HTMLElement>("a", row)?.click(), 50);
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
