/** The list of tasks, and one task. */
import { clock, h, lasting, metres, moment, say, shell } from "./dom";
import type { Said } from "./forms";
import { expected, verbForm } from "./forms";
import type { Point } from "./route";
import { distance, openTour } from "./route";
import type { Entry, Task, Tasks } from "./store";
import { unsettled } from "./sync";

export type Sort = "time" | "distance" | "route";
export type Position = Point & { accuracy: number; at: number };
const MOST_STOPS = 50;

type Placed = Task & Point;
const placed = (task: Task): task is Placed => task.lon !== null && task.lat !== null;

/** Tasks in the order asked for; those without a place, and those that wait for others, come last. */
export function ordered(
  items: readonly Task[],
  sort: Sort,
  from: Position | undefined,
): { items: Task[]; metres?: number; stops?: number } {
  const due = (task: Task): number => (task.deadline ? Date.parse(task.deadline) : Infinity);
  const byTime = [...items].sort(
    (a, b) =>
      Number(b.mine) - Number(a.mine) || (due(a) === due(b) ? 0 : due(a) - due(b)) || a.number.localeCompare(b.number),
  );
  if (sort === "time" || !from) return { items: byTime };
  const near = byTime
    .filter((task): task is Placed => placed(task) && task.mine)
    .sort((a, b) => distance(from, a) - distance(from, b));
  const rest = byTime.filter((task) => !near.includes(task as Placed));
  if (sort === "distance") return { items: [...near, ...rest] };
  const stops = near.slice(0, MOST_STOPS),
    tour = openTour(from, stops);
  return {
    items: [...tour.order.flatMap((index) => stops[index] ?? []), ...near.slice(MOST_STOPS), ...rest],
    metres: tour.metres,
    stops: stops.length,
  };
}

function pending(task: Task, queue: readonly Entry[]): Entry[] {
  return queue.filter((entry) => entry.kind === "verb" && entry.number === task.number && unsettled(entry));
}

export interface Choices {
  sort: Sort;
  position: Position | undefined;
  choose(sort: Sort): void;
  locate(): void;
  refresh(): void;
}

export function taskList(tasks: Tasks | undefined, queue: readonly Entry[], choices: Choices): HTMLElement {
  const at = Date.now();
  if (!tasks) return h("section", {}, h("h2", {}, say("tasks")), h("p", { class: "card quiet" }, say("never")));
  const { items, metres: length, stops } = ordered(tasks.items, choices.sort, choices.position);
  const select = h(
    "select",
    { id: "field-sort", change: (event) => choices.choose((event.target as HTMLSelectElement).value as Sort) },
    ...(["time", "distance", "route"] as const).map((sort) =>
      h("option", { value: sort, selected: sort === choices.sort }, say(`by_${sort}`)),
    ),
  );
  const notes: string[] = [];
  if (choices.sort !== "time" && !choices.position) notes.push(say("no_position"));
  if (length !== undefined && stops) notes.push(say("route_help", { km: (length / 1000).toFixed(1) }));
  if (stops === MOST_STOPS) notes.push(say("route_some", { n: MOST_STOPS }));
  if (tasks.more) notes.push(say("more", { n: tasks.items.length }));
  return h(
    "section",
    { "aria-labelledby": "tasks-title" },
    h(
      "div",
      { class: "field-row" },
      h("h2", { id: "tasks-title" }, `${say("tasks")} ${tasks.items.length}`),
      h("span", { class: "quiet" }, Object.values(tasks.units).join(" · ") || tasks.name),
    ),
    h(
      "div",
      { class: "field-tools" },
      h("div", {}, h("label", { for: "field-sort" }, say("sort")), select),
      h("button", { type: "button", class: "plain", click: choices.locate }, say("locate")),
      h("button", { type: "button", class: "plain", click: choices.refresh }, say("refresh")),
    ),
    ...notes.map((note) => h("p", { class: "quiet" }, note)),
    !items.length &&
      h("div", { class: "card" }, h("p", {}, say("no_tasks")), h("p", { class: "quiet" }, say("no_tasks_help"))),
    h("ol", { class: "field-list" }, ...items.map((task, index) => row(task, index, queue, choices, at))),
  );
}

function row(task: Task, index: number, queue: readonly Entry[], choices: Choices, at: number): HTMLElement {
  const waits = pending(task, queue);
  const far = choices.position && placed(task) ? metres(distance(choices.position, task)) : "";
  return h(
    "li",
    {},
    h(
      "a",
      { class: "card field-task", href: `#case=${task.number}` },
      h(
        "span",
        { class: "field-row" },
        h("strong", {}, choices.sort === "route" && stopNumber(task, index, choices), task.category),
        clock(task, at),
      ),
      h("span", { class: "field-text" }, task.text || "—"),
      h("span", { class: "quiet" }, [far, task.address || task.region].filter(Boolean).join(" · ")),
      h(
        "span",
        { class: "field-chips" },
        h("span", { class: "chip" }, task.step_name),
        task.assisting && h("span", { class: "chip" }, say("assisting")),
        !task.mine && h("span", { class: "chip" }, say("others")),
        waits.length > 0 &&
          h(
            "span",
            { class: "chip field-waits" },
            say(waits.some((entry) => entry.state === "conflict") ? "state_conflict" : "state_waiting"),
          ),
      ),
    ),
  );
}

function stopNumber(task: Task, index: number, choices: Choices): HTMLElement | false {
  return (
    placed(task) &&
    task.mine &&
    choices.position !== undefined &&
    index < MOST_STOPS &&
    h("span", { class: "field-stop" }, String(index + 1))
  );
}

export function taskPage(
  task: Task,
  tasks: Tasks,
  queue: readonly Entry[],
  touched: () => void,
  done: (verb: string, said: Said) => Promise<void>,
): HTMLElement {
  const waits = pending(task, queue),
    after = expected(
      task,
      waits.map((entry) => entry.verb),
      tasks.roles,
    );
  const known = after.verbs.flatMap((id) => {
    const verb = shell.verbs[id];
    return verb ? [[id, verb] as const] : [];
  });
  const here = known.filter(([, verb]) => verb.fields),
    desk = known.filter(([, verb]) => !verb.fields);
  const address = shell.urls.case.replace("NUMBER", task.number);
  return h(
    "section",
    { "aria-labelledby": "task-title" },
    h("p", {}, h("a", { href: "#tasks", class: "button plain" }, `‹ ${say("back")}`)),
    h(
      "div",
      { class: "card" },
      h("div", { class: "field-row" }, h("h2", { id: "task-title" }, task.category), clock(task, Date.now())),
      h("p", { class: "field-words" }, task.text || "—"),
      facts(task),
      h(
        "div",
        { class: "field-buttons" },
        placed(task) &&
          h(
            "a",
            { class: "button plain", href: `geo:${task.lat},${task.lon}?q=${task.lat},${task.lon}` },
            say("navigate"),
          ),
        h("a", { class: "button plain", href: address }, say("full_case")),
      ),
    ),
    h(
      "div",
      { class: "card" },
      h("h2", {}, say("do")),
      waits.length > 0 &&
        h(
          "p",
          { class: "said" },
          waits.map((entry) => entry.label).join(" → "),
          " · ",
          say("expected", { step: shell.steps[after.step]?.name ?? after.step }),
        ),
      !here.length && h("p", { class: "quiet" }, say("others")),
      ...here.map(([id, verb]) =>
        h(
          "details",
          { "data-of": id },
          h("summary", {}, verb.name),
          verbForm(id, verb, touched, (said) => done(id, said)),
        ),
      ),
      desk.length > 0 &&
        h(
          "p",
          { class: "quiet" },
          say("desk_only"),
          h("a", { href: address }, desk.map(([, verb]) => verb.name).join(" · ")),
        ),
    ),
  );
}

function facts(task: Task): HTMLElement {
  const rows: [string, HTMLElement | string][] = [
    ["where", [task.address, task.region].filter(Boolean).join(" · ")],
    ["holder", task.holder_name],
  ];
  if (task.deadline) rows.push(["due", moment(task.deadline)]);
  if (task.opened_at) rows.push(["reported_at", moment(task.opened_at)]);
  return h(
    "dl",
    { class: "facts" },
    h("dt", {}, say("sent_as")),
    h("dd", { class: "number" }, task.number, " · ", task.step_name),
    ...rows.flatMap(([word, value]) => [h("dt", {}, say(word)), h("dd", {}, value)]),
  );
}

export function age(iso: string): string {
  const passed = Date.now() - Date.parse(iso);
  return passed < 60_000 ? say("just_now") : say("ago", { time: lasting(passed) });
}
