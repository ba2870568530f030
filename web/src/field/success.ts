/** What is said after something was done: what became of it, how many are left, and the next one a tap away. */
import { h, say, shell } from "./dom";
import type { Entry, Task } from "./store";

export interface Announcement {
  /** Changes when anything that is said changes. */
  key: string;
  elements: HTMLElement[];
}

function whatBecame(entry: Entry, offline: boolean): string {
  const verb = shell.verbs[entry.verb]?.name ?? entry.label;
  if (entry.state === "conflict") return say("success_not", { verb });
  if (entry.state !== "done") return say(offline ? "saved_offline" : "saved");
  if (entry.kind === "report") return say("success_report");
  return say("success", { verb, step: shell.steps[entry.step ?? ""]?.name ?? "" });
}

/** What is said of an entry, given what is still to do. */
export function announcement(entry: Entry, todo: readonly Task[], how: { offline: boolean }): Announcement {
  const same = todo.find((task) => task.number === entry.number),
    next = same ?? todo[0];
  const left = todo.length ? say("n_left", { n: todo.length }) : say("none_left");
  const words = entry.kind === "report" ? [whatBecame(entry, how.offline)] : [whatBecame(entry, how.offline), left];
  const link = next && {
    href: `#case=${next.number}`,
    text: say(same ? "go_on" : "next_task", { category: next.category }),
  };
  const text = words.join(" · ");
  return {
    key: [text, link?.href, link?.text].join("|"),
    elements: [
      h("p", {}, text),
      ...(link && entry.state !== "conflict" ? [h("a", { class: "button", href: link.href }, link.text)] : []),
      ...(entry.state === "conflict" ? [h("a", { class: "button", href: "#queue" }, say("queue"))] : []),
    ],
  };
}
