/** Small helpers: elements, words, lengths of time. */
import { lastingText, momentText } from "../shared/format";
import { light } from "./points";
import type { Task } from "./store";

export interface Field {
  name: string;
  label: string;
  required: boolean;
  /** Who will read what is written. */
  help: string;
}

export interface Verb {
  name: string;
  from: string[];
  to: string;
  who: string;
  stays: boolean;
  roles: string[];
  fields: Field[] | null;
  /** Whether the workflow speaks of photos for it. */
  pictured: boolean;
}

export interface Shell {
  city: string;
  name: string;
  language: string;
  zone: string;
  most: number;
  yellow: number;
  urls: Record<
    "shell" | "worker" | "session" | "tasks" | "report" | "act" | "case" | "sign_in" | "regions" | "done" | "photo",
    string
  >;
  steps: Record<string, { name: string; end: boolean; verbs?: Record<string, number> }>;
  verbs: Record<string, Verb>;
  categories: { name: string; items: [string, string][] }[];
  words: Record<string, string>;
}

export const shell = JSON.parse(document.getElementById("field-shell")?.textContent ?? "{}") as Shell;

export function say(word: string, values: Record<string, string | number> = {}): string {
  return (shell.words[word] ?? word).replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | number | boolean | null | undefined | ((event: Event) => void)>;

export function h(tag: string, attributes: Attributes = {}, ...children: Child[]): HTMLElement {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(
    ...children.filter(
      (child): child is Node | string => child !== null && child !== undefined && child !== false && child !== "",
    ),
  );
  return element;
}

/** A picture that the shell's page has in a template of its own. */
export function icon(name: string): Node | false {
  const template = document.getElementById(`field-icon-${name}`);
  return template instanceof HTMLTemplateElement && template.content.cloneNode(true);
}

/** A length of time in its two largest units, as the pages write it. */
export function lasting(milliseconds: number): string {
  return lastingText(milliseconds, { days: say("days"), hours: say("hours"), minutes: say("minutes") });
}

export function moment(iso: string): HTMLElement {
  return h("time", { datetime: iso, class: "number nowrap" }, momentText(new Date(iso), shell.zone));
}

export function clock(task: Task, at: number): HTMLElement {
  if (!task.deadline) return h("span", { class: "chip" }, say("no_deadline"));
  const left = Date.parse(task.deadline) - at;
  const time = task.left && task.left.is_late === left < 0 ? task.left.left_text : lasting(left);
  return h(
    "span",
    { class: `chip light ${light(task, at, shell.yellow)}` },
    left < 0 ? say("late", { time }) : say("left", { time }),
  );
}
