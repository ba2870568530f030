/** The figures beside the map. Each one leads to the list of the cases that it counts. */

import { type Answered, type Asked, query } from "../shared/calls";
import type { CityChart } from "../shared/city-chart";
import { find } from "../shared/find";
import { figureText, numberText, percentText } from "../shared/format";
import { list, named, type Page, say } from "./words";

type Call = "yiwang_server_api_maps_centre";

interface Named {
  name: string;
  name_en: string;
}
interface Slot {
  from: string;
  to: string;
  opened: number | null;
}

/** The API describes its figures as an object and no more, so what is in it is written down here. Where it comes to say more, tsc compares. */
export type Figures = {
  version: number;
  at: string;
  past: boolean;
  now: {
    cases: number;
    open: number;
    overdue: number;
    soon: number;
    undrawn: number;
    opened_today: number;
    closed_today: number;
    closed: number;
    closed_with_deadline: number;
    closed_on_time: number;
    today: string;
    since: string;
  };
  hours: (Slot & { hour: number; usual: number | null })[];
  days: (Slot & { day: string; closed: number; closed_with_deadline: number; closed_on_time: number })[];
  steps: (Named & { step: string; none: number; green: number; yellow: number; red: number })[] | null;
  units: (Named & { unit: string; open: number; overdue: number; median_open_hours: number })[] | null;
  spots: (Named & {
    category: string;
    region_name: string;
    region_name_en: string;
    cases: number;
    still_open: number;
    lon: number;
    lat: number;
    bbox: string;
    since: string;
  })[];
};

export async function fetchFigures(page: Page, region: string, at: string | null): Promise<Figures> {
  const asked: Asked<Call> = { region: region || page.root, at };
  // the browser sends the tag of what it has: mostly nothing comes back but 304
  const answer = await fetch(`${page.urls.centre}?${query(asked)}`, {
    cache: "no-cache",
    headers: { Accept: "application/json" },
  });
  if (!answer.ok) throw Object.assign(new Error(String(answer.status)), { status: answer.status });
  return (await answer.json()) as Answered<Call> as Figures;
}

export class FigurePanels {
  constructor(
    private readonly root: HTMLElement,
    private readonly page: Page,
  ) {}

  show(figures: Figures, region: string): void {
    const here = { region: region === this.page.root ? "" : region };
    this.numbers(figures, here);
    this.hours(figures, here);
    this.days(figures, here);
    this.steps(figures, here);
    this.units(figures);
    this.spots(figures);
  }

  private part<E extends HTMLElement>(name: string): E {
    return find<E>(this.root, `[data-part="${name}"]`);
  }

  private numbers({ now, past, at }: Figures, here: Record<string, string>): void {
    const until: Record<string, string> = past ? { opened_before: at } : {};
    const links: Record<string, [string, Record<string, string>]> = {
      open: [figureText(now.open), { state: "open" }],
      overdue: [figureText(now.overdue), { state: "overdue", order: "deadline" }],
      soon: [figureText(now.soon), { state: "open", order: "deadline" }],
      opened_today: [figureText(now.opened_today), { opened_after: now.today, ...until }],
      closed_today: [figureText(now.closed_today), { closed_after: now.today, ...(past ? { closed_before: at } : {}) }],
      closed_on_time: [
        percentText(now.closed_with_deadline ? now.closed_on_time / now.closed_with_deadline : null),
        { state: "closed_late", closed_after: now.since },
      ],
    };
    for (const [name, [text, filters]] of Object.entries(links)) {
      const anchor = this.part<HTMLAnchorElement>(name);
      anchor.textContent = text;
      // a list knows what is open now, not what was open then
      if (past && ["open", "overdue", "soon"].includes(name)) anchor.removeAttribute("href");
      else anchor.href = list(this.page, { ...here, ...filters });
    }
    const undrawn = this.part<HTMLAnchorElement>("undrawn");
    undrawn.hidden = !now.undrawn;
    undrawn.textContent = say(this.page, "undrawn", { n: now.undrawn });
    if (past) undrawn.removeAttribute("href");
    else undrawn.href = list(this.page, { ...here, state: "open", flag: "undrawn" });
    this.part("basis").textContent = say(this.page, "basis", { n: now.closed_with_deadline });
  }

  private hours({ hours }: Figures, here: Record<string, string>): void {
    const word = (key: string) => say(this.page, key);
    this.part<CityChart>("hours").show({
      title: word("hours"),
      heading: word("hour"),
      empty: word("no_intake"),
      table: word("table"),
      series: [
        { name: word("today"), kind: "bar", colour: "brand" },
        { name: word("usual"), kind: "line", colour: "ink-2" },
      ],
      rows: hours.map((slot) => ({
        name: `${String(slot.hour).padStart(2, "0")}`,
        values: [slot.opened, slot.usual],
        link: list(this.page, { ...here, opened_after: slot.from, opened_before: slot.to }),
      })),
    });
  }

  private days({ days }: Figures, here: Record<string, string>): void {
    const word = (key: string) => say(this.page, key);
    this.part<CityChart>("days").show({
      title: word("days"),
      heading: word("day"),
      empty: word("no_days"),
      table: word("table"),
      series: [
        { name: word("opened"), kind: "bar", colour: "brand" },
        { name: word("closed"), kind: "bar", colour: "ink-2" },
        { name: word("closed_on_time"), kind: "line", colour: "green", percent: true },
      ],
      rows: days.map((slot) => ({
        name: slot.day.slice(5),
        values: [
          slot.opened,
          slot.closed,
          slot.closed_with_deadline ? slot.closed_on_time / slot.closed_with_deadline : null,
        ],
        link: list(this.page, { ...here, state: "closed_late", closed_after: slot.from, closed_before: slot.to }),
      })),
    });
  }

  private steps({ steps }: Figures, here: Record<string, string>): void {
    const word = (key: string) => say(this.page, key);
    const chart = this.part<CityChart>("steps");
    const used = (steps ?? []).filter((step) => step.none + step.green + step.yellow + step.red);
    chart.style.setProperty("--chart-height", `${Math.max(4, used.length * 1.55 + 3.2)}rem`);
    chart.show({
      title: word("steps"),
      heading: word("step"),
      empty: steps ? word("nothing_open") : word("only_now"),
      table: word("table"),
      lying: true,
      series: (["red", "yellow", "green", "none"] as const).map((light) => ({
        name: word(`light_${light === "none" ? "" : light}`),
        kind: "bar",
        colour: light === "none" ? "ink-2" : light,
        stack: "one",
      })),
      rows: used.map((step) => ({
        name: named(this.page, step),
        values: [step.red, step.yellow, step.green, step.none],
        link: list(this.page, { ...here, step: step.step }),
      })),
    });
  }

  private units({ units }: Figures): void {
    const rows = (units ?? []).map((unit) => ({
      text: named(this.page, unit),
      link: list(this.page, { holder: unit.unit, state: "overdue", order: "deadline" }),
      cells: [
        figureText(unit.overdue),
        figureText(unit.open),
        say(this.page, "hours_open", {
          n: numberText(unit.median_open_hours >= 48 ? unit.median_open_hours / 24 : unit.median_open_hours),
          unit: say(this.page, unit.median_open_hours >= 48 ? "d" : "h"),
        }),
      ],
    }));
    this.rows("units", rows, units ? "none_late" : "only_now");
  }

  private spots({ spots }: Figures): void {
    const rows = spots.map((spot) => ({
      text: named(this.page, spot),
      note: this.page.english ? spot.region_name_en || spot.region_name : spot.region_name,
      link: list(this.page, { category: spot.category, bbox: spot.bbox, opened_after: spot.since }),
      cells: [String(spot.cases), String(spot.still_open)],
    }));
    this.rows("spots", rows, "no_spots");
  }

  private rows(
    name: string,
    rows: { text: string; note?: string; link: string; cells: string[] }[],
    otherwise: string,
  ): void {
    const table = this.part<HTMLTableElement>(name),
      note = this.part(`${name}-empty`);
    table.hidden = !rows.length;
    note.hidden = rows.length > 0;
    note.textContent = this.page.words[otherwise] ?? "";
    find(table, "tbody").replaceChildren(
      ...rows.map((row) => {
        const line = document.createElement("tr"),
          head = document.createElement("th"),
          anchor = document.createElement("a");
        head.scope = "row";
        anchor.href = row.link;
        anchor.textContent = row.text;
        head.append(anchor);
        if (row.note) head.append(Object.assign(document.createElement("small"), { textContent: row.note }));
        line.append(
          head,
          ...row.cells.map((text) =>
            Object.assign(document.createElement("td"), { textContent: text, className: "number" }),
          ),
        );
        return line;
      }),
    );
  }
}
