/** The list of tasks, and one task. */
import { dayText, kilometresText, lengthText } from "../shared/format";
import type { Verb } from "./dom";
import { clock, h, lasting, moment, say, shell } from "./dom";
import type { Said } from "./forms";
import { expected, verbForm } from "./forms";
import { firstPhoto, taskPhotos } from "./photos";
import type { Point } from "./route";
import { distance, openTour } from "./route";
import type { Deed, Entry, Task, Tasks } from "./store";
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

/** The lists: what I can act on, what waits for others, what I did today. */
export const LISTS = { tasks: "todo", waiting: "for_others", done: "done_today" } as const;
export type List = keyof typeof LISTS;

/** Whether it is mine to act on, after what waits on this phone has been sent. */
function toDo(task: Task, queue: readonly Entry[], roles: readonly string[]): boolean {
  const waits = pending(task, queue);
  if (waits.some((entry) => entry.state === "conflict")) return true;
  if (!waits.length) return task.mine;
  const verbs = waits.map((entry) => entry.verb);
  return expected(task, verbs, roles).verbs.some((id) => {
    const verb = shell.verbs[id];
    return verb && (verb.to !== "=" || verb.who === "assisting");
  });
}

/** The tasks apart: those that I can act on, and those that wait for others. */
export function divided(tasks: Tasks | undefined, queue: readonly Entry[]): { todo: Task[]; others: Task[] } {
  const todo: Task[] = [],
    others: Task[] = [];
  for (const task of tasks?.items ?? []) (toDo(task, queue, tasks?.roles ?? []) ? todo : others).push(task);
  return { todo, others };
}

/** What I did on the city's day that it is now; undefined where it was not asked for yet on this day. */
export function doneToday(tasks: Tasks | undefined, at: number = Date.now()): Deed[] | undefined {
  const today = dayText(new Date(at), shell.zone);
  return tasks?.done?.day === today ? tasks.done.items : undefined;
}

export interface Choices {
  list: List;
  sort: Sort;
  position: Position | undefined;
  choose(sort: Sort): void;
  locate(): void;
  refresh(): void;
}

function switcher(list: List, counts: Record<List, number | undefined>): HTMLElement {
  return h(
    "nav",
    { class: "field-lists", "aria-label": say("tasks") },
    ...(Object.keys(LISTS) as List[]).map((name) =>
      h(
        "a",
        { href: `#${name}`, "aria-current": name === list && "page" },
        say(LISTS[name]),
        counts[name] !== undefined && h("span", { class: "field-count" }, String(counts[name])),
      ),
    ),
  );
}

export function taskList(tasks: Tasks | undefined, queue: readonly Entry[], choices: Choices): HTMLElement {
  if (!tasks) return h("section", {}, h("h2", {}, say("tasks")), h("p", { class: "card quiet" }, say("never")));
  const { todo, others } = divided(tasks, queue),
    done = doneToday(tasks);
  return h(
    "section",
    { "aria-labelledby": "tasks-title" },
    h("h2", { id: "tasks-title", class: "visually-hidden" }, say(LISTS[choices.list])),
    switcher(choices.list, { tasks: todo.length, waiting: others.length, done: done?.length }),
    h("p", { class: "quiet" }, Object.values(tasks.units).join(" · ") || tasks.name),
    ...(choices.list === "done"
      ? [doneList(done)]
      : openList(tasks, choices.list === "tasks" ? todo : others, queue, choices)),
  );
}

function nothing(word: string): HTMLElement {
  return h("div", { class: "card" }, h("p", {}, say(word)), h("p", { class: "quiet" }, say(`${word}_help`)));
}

function doneList(done: readonly Deed[] | undefined): HTMLElement {
  if (!done) return h("p", { class: "card quiet" }, say("done_offline"));
  if (!done.length) return nothing("no_done");
  return h(
    "ol",
    { class: "field-list" },
    ...done.map((deed) =>
      h(
        "li",
        {},
        h(
          "a",
          { class: "card field-task", href: shell.urls.case.replace("NUMBER", deed.number) },
          h("span", { class: "field-row" }, h("strong", {}, deed.verb), moment(deed.at)),
          h("span", {}, [deed.category, deed.region].filter(Boolean).join(" · ")),
          h("span", { class: "quiet" }, say("now_at", { step: deed.step_name })),
        ),
      ),
    ),
  );
}

function openList(
  tasks: Tasks,
  shown: readonly Task[],
  queue: readonly Entry[],
  choices: Choices,
): (HTMLElement | false)[] {
  const at = Date.now();
  const { items, metres: length, stops } = ordered(shown, choices.sort, choices.position);
  const select = h(
    "select",
    { id: "field-sort", change: (event) => choices.choose((event.target as HTMLSelectElement).value as Sort) },
    ...(["time", "distance", "route"] as const).map((sort) =>
      h("option", { value: sort, selected: sort === choices.sort }, say(`by_${sort}`)),
    ),
  );
  const notes: string[] = [];
  if (choices.sort !== "time" && !choices.position) notes.push(say("no_position"));
  if (length !== undefined && stops) notes.push(say("route_help", { km: kilometresText(length) }));
  if (stops === MOST_STOPS) notes.push(say("route_some", { n: MOST_STOPS }));
  if (tasks.more) notes.push(say("more", { n: tasks.items.length }));
  return [
    h(
      "div",
      { class: "field-tools" },
      h("div", {}, h("label", { for: "field-sort" }, say("sort")), select),
      h("button", { type: "button", class: "plain", click: choices.locate }, say("locate")),
      h("button", { type: "button", class: "plain", click: choices.refresh }, say("refresh")),
    ),
    ...notes.map((note) => h("p", { class: "quiet" }, note)),
    !items.length && nothing(choices.list === "tasks" ? "no_tasks" : "no_others"),
    h("ol", { class: "field-list" }, ...items.map((task, index) => row(task, index, queue, choices, at))),
  ];
}

function row(task: Task, index: number, queue: readonly Entry[], choices: Choices, at: number): HTMLElement {
  const waits = pending(task, queue);
  const far = choices.position && placed(task) ? lengthText(distance(choices.position, task)) : "";
  return h(
    "li",
    {},
    h(
      "a",
      { class: "card field-task field-pictured", href: `#case=${task.number}` },
      h(
        "span",
        { class: "field-row" },
        h("strong", {}, choices.sort === "route" && stopNumber(task, index, choices), task.category),
        clock(task, at),
      ),
      firstPhoto(task),
      h("span", { class: "field-text" }, task.text || "—"),
      h("span", { class: "quiet" }, [far, task.address || task.region].filter(Boolean).join(" · ")),
      h(
        "span",
        { class: "field-chips" },
        h("span", { class: "chip" }, task.step_name),
        task.assisting && h("span", { class: "chip" }, say("assisting")),
        Boolean(task.asked) && h("span", { class: "chip" }, task.asked ?? ""),
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
  list: List = "tasks",
): HTMLElement {
  const waits = pending(task, queue),
    after = expected(
      task,
      waits.map((entry) => entry.verb),
      tasks.roles,
    );
  const { next, others, back, desk } = offered(after);
  const more = (word: string, some: readonly Offer[]): (HTMLElement | false)[] => [
    some.length > 0 && h("h3", { class: "field-group" }, say(word)),
    ...some.map(([id, verb]) => verbForm(id, verb, touched, (said) => done(id, said), false)),
  ];
  const address = shell.urls.case.replace("NUMBER", task.number);
  return h(
    "section",
    { "aria-labelledby": "task-title" },
    h("p", {}, h("a", { href: `#${list}`, class: "button plain" }, `‹ ${say("back")}`)),
    h(
      "div",
      { class: "card" },
      h("div", { class: "field-row" }, h("h2", { id: "task-title" }, task.category), clock(task, Date.now())),
      Boolean(task.asked) && h("p", {}, h("span", { class: "chip" }, task.asked ?? "")),
      h("p", { class: "field-words" }, task.text || "—"),
      taskPhotos(task),
      h(
        "div",
        { class: "field-row" },
        h("span", { class: "quiet" }, [task.address, task.region].filter(Boolean).join(" · ")),
        placed(task) &&
          h(
            "a",
            { class: "button plain", href: `geo:${task.lat},${task.lon}?q=${task.lat},${task.lon}` },
            say("navigate"),
          ),
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
          waits.map((entry) => shell.verbs[entry.verb]?.name ?? entry.label).join(" → "),
          " · ",
          say("expected", { step: shell.steps[after.step]?.name ?? after.step }),
        ),
      !next && !others.length && !back.length && h("p", { class: "quiet" }, say("others")),
      next && verbForm(next[0], next[1], touched, (said) => done(next[0], said), true),
      ...more("other_actions", others),
      ...more("back_actions", back),
      desk.length > 0 &&
        h(
          "p",
          { class: "quiet" },
          say("desk_only"),
          h("a", { href: address }, desk.map(([, verb]) => verb.name).join(" · ")),
        ),
    ),
    h(
      "div",
      { class: "card" },
      facts(task),
      h("div", { class: "field-buttons" }, h("a", { class: "button plain", href: address }, say("full_case"))),
    ),
  );
}

type Offer = readonly [string, Verb];

/** How the workflow ranks a verb at a step; the server has worked it out (`offering.Rank`). */
const LEADS_ON = 1,
  BACK = 3;

/** The verbs in the order in which they are offered: the next step, the others, what sends work back, and what a desk is for. */
export function offered(at: { step: string; verbs: readonly string[] }): {
  next: Offer | undefined;
  others: Offer[];
  back: Offer[];
  desk: Offer[];
} {
  const ranks = shell.steps[at.step]?.verbs ?? {};
  const place = (id: string): number => Object.keys(ranks).indexOf(id);
  const known = at.verbs
    .flatMap((id): Offer[] => (shell.verbs[id] ? [[id, shell.verbs[id]]] : []))
    .sort(([a], [b]) => place(a) - place(b));
  const here = known.filter(([, verb]) => verb.fields);
  const rank = ([id]: Offer): number => ranks[id] ?? BACK;
  const first = here[0],
    next = first && rank(first) <= LEADS_ON ? first : undefined;
  const rest = here.filter((offer) => offer !== next);
  return {
    next,
    others: rest.filter((offer) => rank(offer) < BACK),
    back: rest.filter((offer) => rank(offer) >= BACK),
    desk: known.filter(([, verb]) => !verb.fields),
  };
}

function facts(task: Task): HTMLElement {
  const rows: [string, HTMLElement | string][] = [["holder", task.holder_name]];
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
