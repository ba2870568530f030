/**
 * <component-choice near="URL" names>: what a report is about, chosen among the components near its point.
 *
 * It stands in the form beside its map; the form's `lon` and `lat` say where. The code of the chosen one is the value of
 * its hidden field, as of one whose label was scanned. With `names` a component is told by its own name where it has
 * one, without by its code alone. Without this script the field stays as the server gave it.
 */

import "./component-choice.css";
import type { CityMap } from "./city-map";
import { type Answered, type Asked, query } from "./shared/calls";
import { find } from "./shared/find";
import { later } from "./shared/later";

type Near = Answered<"yiwang_server_api_components_near_components">["items"][number];
const MOST = 6;

class ComponentChoice extends HTMLElement {
  private items: Near[] = [];
  private looked = "";
  private asked = 0; // the newest question; a late answer to another is dropped
  private begins = ""; // the code that the page came with
  private readonly stop = new AbortController();

  connectedCallback(): void {
    const { signal } = this.stop;
    this.begins = this.field.value;
    find<HTMLElement>(this, "[data-take-back]").hidden = false;
    find(this, "[data-take-back]").addEventListener("click", () => this.choose(null), { signal });
    // whoever sets the point sets the form's fields, and says so by one of these
    const look = () => setTimeout(() => void this.look(), 0);
    for (const name of ["place", "choose-place", "placed"]) document.addEventListener(name, look, { signal });
    const typed = later(() => void this.look());
    for (const name of ["lon", "lat"]) this.input(name)?.addEventListener("input", typed, { signal });
    document.addEventListener("map-ready", () => this.mark(), { signal });
    document.addEventListener("component", (event) => this.hit((event as CustomEvent<Hit>).detail), { signal });
    void this.look();
  }

  disconnectedCallback(): void {
    this.stop.abort();
  }

  private get form(): HTMLFormElement {
    return this.closest("form") as HTMLFormElement;
  }

  private get field(): HTMLInputElement {
    return find<HTMLInputElement>(this, "input[name=component]");
  }

  private input(name: string): HTMLInputElement | null {
    return this.form.querySelector<HTMLInputElement>(`[name="${name}"]`);
  }

  /** Ask what stands around the form's point, where that has moved. */
  private async look(): Promise<void> {
    const [lon, lat] = ["lon", "lat"].map((name) => Number.parseFloat(this.input(name)?.value ?? "")) as [
      number,
      number,
    ];
    const given = Math.abs(lon) <= 180 && Math.abs(lat) <= 90;
    const asked: Asked<"yiwang_server_api_components_near_components"> = { lon, lat, crs: "wgs84", limit: MOST };
    const now = given ? query(asked) : "";
    if (now === this.looked) return;
    this.looked = now;
    const turn = ++this.asked;
    const found = now ? await this.fetched(`${this.getAttribute("near")}?${now}`) : [];
    if (turn !== this.asked) return;
    find<HTMLElement>(this, "[data-failed]").hidden = found !== null;
    if (!found) this.looked = ""; // the next look asks again
    this.items = found ?? [];
    this.show();
  }

  private async fetched(url: string): Promise<Near[] | null> {
    try {
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      return answer.ok ? ((await answer.json()) as { items: Near[] }).items : null;
    } catch {
      return null; // no connection: the caller says so
    }
  }

  private show(): void {
    const list = find<HTMLElement>(this, "ul");
    list.replaceChildren(...this.items.map((one) => this.item(one)));
    find<HTMLElement>(this, "[data-list]").hidden = this.items.length === 0;
    this.mark();
  }

  private item(one: Near): HTMLLIElement {
    const item = document.createElement("li"),
      button = document.createElement("button"),
      words = this.words(one);
    button.type = "button";
    button.className = "plain";
    button.value = one.code;
    const code = Object.assign(document.createElement("span"), { className: "number", textContent: words.own });
    code.translate = false;
    const metres = (this.dataset["metres"] ?? "{n}").replace("{n}", String(Math.round(one.metres)));
    const told = document.createElement("span");
    told.append(words.kind, " ", code);
    button.append(told, Object.assign(document.createElement("small"), { textContent: metres }));
    button.addEventListener("click", () => this.choose(this.field.value === one.code ? null : one));
    item.append(button);
    return item;
  }

  /** How a component is told: its class, and its name or code. */
  private words(one: Pick<Near, "code" | "kind" | "kind_name" | "kind_name_en" | "name">): {
    kind: string;
    own: string;
  } {
    const kind = document.documentElement.lang.startsWith("zh") ? one.kind_name : one.kind_name_en;
    return { kind: kind || one.kind, own: (this.hasAttribute("names") && one.name) || one.code };
  }

  private choose(one: Parameters<ComponentChoice["words"]>[0] | null): void {
    this.field.value = one?.code ?? "";
    if (one) {
      const { kind, own } = this.words(one);
      find(this, "[data-name]").textContent = own === one.code ? kind : `${kind} · ${own}`;
      find(this, "[data-code]").textContent = one.code;
    }
    this.field.dispatchEvent(new Event("input", { bubbles: true })); // the form has been filled in
    this.mark();
  }

  /** A component was hit on the form's map. */
  private hit(one: Hit): void {
    const words = { kind_name: one.kind_name ?? one.class ?? "", kind_name_en: one.kind_name_en ?? one.class_en ?? "" };
    this.choose({ code: one.code, kind: one.kind, name: one.name ?? "", ...words });
  }

  /** Show which one is chosen, in words, in the list and on the map. */
  private mark(): void {
    const code = this.field.value;
    const chosen = find<HTMLElement>(this, "[data-chosen]");
    const scanned = this.form.querySelector<HTMLElement>("[data-scanned]"); // says the same above, as the page came
    if (scanned) scanned.hidden = code !== this.begins;
    chosen.hidden = !code;
    find<HTMLElement>(this, "[data-away]").hidden =
      !code || !this.looked || this.items.some((one) => one.code === code);
    for (const button of this.querySelectorAll<HTMLButtonElement>("ul button"))
      button.setAttribute("aria-pressed", String(button.value === code));
    this.form.querySelector<CityMap>("city-map")?.showNear?.(this.items, code);
  }
}

/** A component as a map's layers have it: near ones as the API gives them, others as in the tiles. */
interface Hit {
  code: string;
  kind: string;
  name?: string;
  kind_name?: string;
  kind_name_en?: string;
  class?: string;
  class_en?: string;
}

customElements.define("component-choice", ComponentChoice);
