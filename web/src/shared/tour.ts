import "./tour.css";

// A tour over several pages: its steps are data of the server; the place in it outlives the page. It never blocks the page.
interface Step {
  url: string;
  target: string;
  title: string;
  text: string;
}
interface Tour {
  steps: Step[];
  words: Record<"offer" | "start" | "later" | "next" | "back" | "done" | "close" | "step", string>;
}
const PLACE = "yiwang-tour";
const root = document.querySelector<HTMLElement>("[data-tour]");
let box: HTMLElement | undefined;

async function load(): Promise<Tour> {
  const answer = await fetch(root?.dataset["tour"] ?? "");
  return (await answer.json()) as Tour;
}

function button(text: string, act: () => void, plain = false): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  if (plain) made.className = "plain";
  made.addEventListener("click", act);
  return made;
}

function close(): void {
  sessionStorage.removeItem(PLACE);
  document.querySelector(".tour-target")?.classList.remove("tour-target");
  box?.remove();
  box = undefined;
}

function finish(): void {
  close();
  const url = root?.dataset["tourDone"];
  if (url) void fetch(url, { method: "POST", headers: { "X-CSRFToken": root?.dataset["csrf"] ?? "" } });
}

function panel(label: string): HTMLElement {
  box?.remove();
  box = document.createElement("section");
  box.className = "tour";
  box.setAttribute("role", "dialog");
  box.setAttribute("aria-label", label);
  box.tabIndex = -1;
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") finish();
  });
  document.body.append(box);
  return box;
}

function say(parent: HTMLElement, tag: string, text: string): void {
  const made = document.createElement(tag);
  made.textContent = text;
  parent.append(made);
}

function show(tour: Tour, place: number): void {
  const step = tour.steps[place];
  if (!step) {
    finish();
    return;
  }
  sessionStorage.setItem(PLACE, String(place));
  if (location.pathname !== step.url) {
    location.assign(step.url);
    return;
  }
  document.querySelector(".tour-target")?.classList.remove("tour-target");
  const target = document.querySelector(step.target);
  target?.classList.add("tour-target");
  target?.scrollIntoView({ block: "center" });
  const inside = panel(step.title);
  say(inside, "h2", step.title);
  say(inside, "p", step.text);
  say(inside, "small", tour.words.step.replace("{n}", String(place + 1)).replace("{of}", String(tour.steps.length)));
  const verbs = document.createElement("div");
  verbs.className = "verbs";
  const last = place === tour.steps.length - 1;
  verbs.append(button(tour.words.close, finish, true));
  if (place) verbs.append(button(tour.words.back, () => show(tour, place - 1), true));
  verbs.append(button(last ? tour.words.done : tour.words.next, () => (last ? finish() : show(tour, place + 1))));
  inside.append(verbs);
  inside.focus({ preventScroll: true });
}

async function begin(): Promise<void> {
  const place = sessionStorage.getItem(PLACE);
  document
    .querySelector("[data-tour-start]")
    ?.addEventListener("click", () => void load().then((tour) => show(tour, 0)));
  if (place !== null) return show(await load(), Number(place));
  // offered on the way in only, and once: it must not stand in the way of work
  if (!root || !("offer" in root.dataset) || !location.pathname.match(/^\/[^/]+\/(admin|help)?$/)) return;
  const tour = await load();
  const inside = panel(tour.words.offer);
  say(inside, "p", tour.words.offer);
  const verbs = document.createElement("div");
  verbs.className = "verbs";
  verbs.append(
    button(tour.words.later, finish, true),
    button(tour.words.start, () => show(tour, 0)),
  );
  inside.append(verbs);
}

if (root) void begin().catch(() => undefined);
