/** The queue as a page: what waits, what was refused and why beside how the case stands, what was sent. */
import { h, lasting, moment, say, shell } from "./dom";
import { thumbnail } from "./forms";
import type { Entry, Refused, Standing, State } from "./store";
import { refusals, remove, update } from "./store";
import { blocked } from "./sync";

export function queuePage(all: readonly Entry[], user: string, again: () => void): HTMLElement {
  const mine = all.filter((entry) => !user || entry.user === user),
    others = all.length - mine.length;
  const rank = { conflict: 0, waiting: 1, kept: 2, done: 3 };
  const shown = [...mine].sort(
    (a, b) => rank[a.state] - rank[b.state] || (a.state === "done" ? b.id - a.id : a.id - b.id),
  );
  return h(
    "section",
    { "aria-labelledby": "queue-title" },
    h("h2", { id: "queue-title" }, say("queue")),
    others > 0 && h("p", { class: "errors" }, say("other_person", { n: others })),
    !shown.length && h("p", { class: "card quiet" }, say("nothing_queued")),
    h(
      "ul",
      { class: "field-list" },
      ...shown.map((entry) => h("li", { class: "card", "data-entry": entry.state }, ...card(entry, all, again))),
    ),
  );
}

/** The name in the language of now; an entry may have been made in the other one. */
function label(entry: Entry): string {
  return entry.kind === "report" ? say("report") : (shell.verbs[entry.verb]?.name ?? entry.label);
}

const lights: Record<State, string> = { conflict: "light red", done: "light green", waiting: "", kept: "" };

function card(entry: Entry, all: readonly Entry[], again: () => void): (HTMLElement | false)[] {
  const missing = entry.refused ?? [];
  const [light, state] =
    entry.state === "done" && missing.length
      ? ["light yellow", "state_partly"]
      : [lights[entry.state], `state_${entry.state}`];
  const head = h(
    "p",
    { class: "field-row" },
    h("strong", {}, label(entry)),
    h("span", { class: `chip ${light}` }, say(state)),
  );
  const number = entry.number
    ? h(
        "p",
        {},
        h("a", { href: shell.urls.case.replace("NUMBER", entry.number), class: "number" }, entry.number),
        " · ",
        moment(entry.made_at),
      )
    : h("p", {}, moment(entry.made_at));
  if (entry.state === "conflict") return [head, number, conflict(entry, again)];
  if (entry.state === "kept")
    return [
      head,
      number,
      said(entry),
      h("p", { class: "quiet" }, say("kept_here")),
      h("div", { class: "field-buttons" }, deletion(entry)),
    ];
  if (entry.state === "done")
    return [
      head,
      number,
      ...bad(missing),
      missing.length > 0 && pictures(missing),
      missing.length > 0 && h("div", { class: "field-buttons" }, deletion(entry)),
    ];
  const wait = entry.next_at - Date.now();
  const reasons: Record<string, string> = {
    network: say("why_network"),
    timeout: say("why_timeout"),
    "too-many": say("why_too_many"),
  };
  const code = /^HTTP (\d+)$/.exec(entry.error ?? "")?.[1];
  const reason = code ? say("why_server", { code }) : (reasons[entry.error ?? ""] ?? entry.error ?? "");
  const again_in = say("retry_in", { time: wait < 60_000 ? `${Math.ceil(wait / 1000)} s` : lasting(wait) });
  const why = blocked(entry, all)
    ? say("blocked")
    : entry.error && !entry.sending
      ? [reason, wait > 0 && again_in].filter(Boolean).join(" · ")
      : "";
  return [head, number, said(entry), progress(entry), why !== "" && h("p", { class: "quiet" }, why)];
}

/** Which photo of how many is on its way, or how many have arrived when the line broke. */
function progress(entry: Entry): HTMLElement | false {
  const of = entry.photos.length,
    arrived = entry.photos.filter((picture) => picture.digest).length;
  if (!of || (!entry.sending && !entry.tries && !arrived)) return false;
  const text = entry.sending
    ? say("photo_sending", { n: entry.sending, of })
    : say("photo_arrived", { n: arrived, of });
  return h("p", { class: "quiet", "data-photos": `${arrived}/${of}` }, text);
}

function bad(refused: readonly Refused[]): HTMLElement[] {
  return refused.map(({ n, why }) =>
    h("p", { class: "errors" }, say("photo_not_taken", { n }), (shell.language === "zh" && why.zh) || why.text),
  );
}

function pictures(shown: readonly { n: number; bytes: ArrayBuffer }[]): HTMLElement {
  return h("div", { class: "field-pictures" }, ...shown.map(({ n, bytes }) => h("figure", {}, thumbnail(bytes, n))));
}

function said(entry: Entry): HTMLElement {
  const words = Object.entries(entry.fields)
    .filter(([name]) => name !== "category")
    .map(([, text]) => text);
  return h(
    "div",
    { class: "field-said" },
    ...words.map((text) => h("p", {}, text)),
    entry.photos.length > 0 && pictures(entry.photos.map(({ bytes }, index) => ({ n: index + 1, bytes }))),
    ...bad(refusals(entry.photos)),
  );
}

function conflict(entry: Entry, again: () => void): HTMLElement {
  const now = entry.now;
  const possible = entry.kind === "report" || Boolean(now?.verbs.includes(entry.verb));
  const redo = async (): Promise<void> => {
    // another command, made on what I see now: so another key
    await update(entry.id, {
      state: "waiting",
      key: crypto.randomUUID(),
      seq: now?.seq ?? entry.seq,
      after: undefined,
      tries: 0,
      next_at: 0,
      error: "",
      now: null,
    });
    again();
  };
  return h(
    "div",
    {},
    h("p", { class: "errors", role: "alert" }, say("why_not"), entry.error ?? ""),
    h(
      "div",
      { class: "field-beside" },
      h("div", {}, h("h3", {}, say("my_action")), h("p", {}, label(entry)), said(entry)),
      now ? standing(now) : false,
    ),
    !possible && h("p", { class: "quiet" }, say("redo_not", { verb: label(entry) })),
    h(
      "div",
      { class: "field-buttons" },
      possible &&
        h("button", { type: "button", click: () => void redo() }, say(entry.kind === "report" ? "retry" : "redo")),
      h(
        "button",
        { type: "button", class: "plain", click: () => void update(entry.id, { state: "kept" }).then(again) },
        say("keep"),
      ),
    ),
  );
}

function standing(now: Standing): HTMLElement {
  return h(
    "div",
    {},
    h("h3", {}, say("server_now")),
    h("p", {}, h("span", { class: "chip" }, now.step_name), " ", now.holder_name),
    now.deadline && !now.closed && h("p", { class: "quiet" }, say("due"), " ", moment(now.deadline)),
    now.since.length > 0 && h("p", { class: "quiet" }, say("since")),
    h(
      "ul",
      { class: "field-since" },
      ...now.since.map((event) =>
        h(
          "li",
          {},
          moment(event.at),
          " ",
          h("strong", {}, event.what),
          " ",
          event.who,
          event.reason && ` · ${event.reason}`,
        ),
      ),
    ),
  );
}

function deletion(entry: Entry): HTMLElement {
  return h(
    "button",
    {
      type: "button",
      class: "plain",
      click: () => {
        if (confirm(say("confirm_delete"))) void remove(entry.id);
      },
    },
    say("delete"),
  );
}
