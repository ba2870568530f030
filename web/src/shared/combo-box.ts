import Combobox from "@github/combobox-nav";
import { find } from "./find";

/**
 * `<combo-box src="/wuxi/choose/units">`: words become a choice out of many.
 *
 * Inside are an input for the words, a hidden input for the code, an empty list and a live region. The server answers with the
 * options as HTML, so that names, codes and the count stand there in the reader's language. A choice fires `change` on the hidden
 * input. With `free` the words themselves are what is wanted, and a chosen place fires `choose-place` with its point. `follows` names fields of the same form that narrow the list down, e.g. the category of a condition. Without scripts the words are sent, and the server reads them as a code or a name.
 */
export class ComboBox extends HTMLElement {
  private words!: HTMLInputElement;
  private code: HTMLInputElement | null = null; // none where the words themselves are what is wanted (`free`)
  private list!: HTMLUListElement;
  private nav!: Combobox;
  private asked = 0;
  private timer = 0;
  private named = "";

  connectedCallback(): void {
    if (this.nav) return;
    this.words = find<HTMLInputElement>(this, "input:not([type=hidden])");
    this.code = this.querySelector<HTMLInputElement>("input[type=hidden]");
    this.list = find<HTMLUListElement>(this, "[role=listbox]");
    this.named = this.words.name;
    this.words.autocomplete = "off";
    this.nav = new Combobox(this.words, this.list, {
      firstOptionSelectionMode: "active",
      tabInsertsSuggestions: false,
    });
    this.words.addEventListener("focus", () => this.words.select());
    this.words.addEventListener("click", () => this.ask());
    this.words.addEventListener("input", () => this.typed());
    this.words.addEventListener("keydown", (event) => this.pressed(event));
    this.words.addEventListener("blur", () => this.close());
    this.list.addEventListener("mousedown", (event) => event.preventDefault()); // the words keep the focus
    this.list.addEventListener("combobox-commit", (event) => this.choose(event.target as HTMLElement));
    this.querySelector(".clear")?.addEventListener("click", () => this.clear());
    this.tidy();
  }

  /** The code that has been chosen; empty when there are only words. */
  get chosen(): string {
    return this.code?.value ?? "";
  }

  /** Choose by script: a suggestion beside the form was clicked, or what was typed is put back. */
  take(code: string, name: string): void {
    this.words.value = name || code;
    this.set(code);
    this.tell();
  }

  private typed(): void {
    this.set("");
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.ask(), 120);
  }

  private pressed(event: KeyboardEvent): void {
    if (event.key === "ArrowDown" && this.list.hidden) {
      event.preventDefault();
      this.ask();
    } else if (event.key === "Escape" && !this.list.hidden) {
      event.stopPropagation(); // of a dialog around it only the list closes
      this.close();
    }
  }

  /** Ask for what the words may mean; a chosen name asks for everything, since it was chosen already. */
  private async ask(): Promise<void> {
    const turn = ++this.asked;
    const words = this.chosen ? "" : this.words.value.trim();
    const html = (!words && this.querySelector("template")?.innerHTML) || (await this.answer(words));
    if (html === undefined || turn !== this.asked || document.activeElement !== this.words) return;
    this.list.innerHTML = html;
    const count = this.list.querySelector<HTMLElement>("[data-count]");
    const live = this.querySelector("[aria-live]");
    if (live) live.textContent = count?.textContent ?? "";
    this.list.hidden = false;
    this.nav.start();
  }

  private async answer(words: string): Promise<string | undefined> {
    const url = new URL(this.getAttribute("src") ?? "", location.href);
    url.searchParams.set("q", words);
    const form = this.closest("form");
    for (const name of (this.getAttribute("follows") ?? "").split(" ").filter(Boolean)) {
      const field = form?.querySelector<HTMLInputElement>(`[name="${name}"]`);
      if (field?.value) url.searchParams.set(name, field.value);
    }
    const answer = await fetch(url, { headers: { accept: "text/html" } }).catch(() => undefined);
    return answer?.ok ? await answer.text() : undefined;
  }

  private choose(option: HTMLElement): void {
    this.words.value = option.dataset["name"] ?? option.textContent?.trim() ?? "";
    this.set(option.dataset["code"] ?? "");
    this.close();
    const { lon, lat, region } = option.dataset;
    if (lon && lat) {
      const detail = { lon: Number(lon), lat: Number(lat), region };
      this.dispatchEvent(new CustomEvent("choose-place", { bubbles: true, detail }));
    }
    this.tell();
  }

  private clear(): void {
    this.words.value = "";
    this.set("");
    this.tell();
    this.words.focus();
  }

  private close(): void {
    ++this.asked;
    if (this.list.hidden) return;
    this.nav.stop();
    this.list.hidden = true;
  }

  private set(code: string): void {
    if (this.code) this.code.value = code;
    this.tidy();
  }

  private tell(): void {
    (this.code ?? this.words).dispatchEvent(new Event("change", { bubbles: true }));
  }

  /** Words are sent only when nothing has been chosen, and what was not typed is not sent at all. */
  private tidy(): void {
    if (this.code) this.words.name = this.code.value || !this.words.value ? "" : this.named;
    const clear = this.querySelector<HTMLElement>(".clear");
    if (clear) clear.hidden = !this.words.value;
  }
}

customElements.define("combo-box", ComboBox);
