import "./portal.css";
import type { CityMap } from "./city-map";
import { find } from "./shared/find";
import { later } from "./shared/later";

// The report's three parts one at a time; without this script they stand below each other and a page to check follows.

class Steps {
  private readonly parts: HTMLElement[];
  private readonly title: HTMLElement;
  private here = 0;
  private looked = "";

  constructor(private readonly form: HTMLFormElement) {
    this.parts = [...form.querySelectorAll<HTMLElement>("[data-part]")];
    this.title = document.createElement("p");
    this.title.className = "step-title";
    this.title.setAttribute("role", "status");
    form.prepend(this.title);
    form.classList.add("stepped");
    for (const [index, part] of this.parts.entries()) this.buttons(part, index);
    for (const element of form.querySelectorAll<HTMLElement>("[data-only-script]")) element.hidden = false;
    form.addEventListener("submit", () => {
      if (this.form.querySelector("[data-near-here] *") || !this.field("lon").value) this.field("seen").value = "1";
    });
    this.photos();
    this.place();
    this.words();
    // after an error everything is shown: the person sees where it was
    if (document.querySelector(".errors")) form.classList.remove("stepped");
    else this.show(0, false);
  }

  private field(name: string): HTMLInputElement {
    return this.form.elements.namedItem(name) as HTMLInputElement;
  }

  private buttons(part: HTMLElement, index: number): void {
    const row = document.createElement("p");
    row.className = "verbs step-buttons";
    const add = (text: string, to: number, plain: boolean) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = text;
      if (plain) button.className = "plain";
      else button.className = "big";
      button.addEventListener("click", () => this.show(to, true));
      row.append(button);
    };
    if (index > 0) add(this.form.dataset["back"] ?? "←", index - 1, true);
    if (index < this.parts.length - 1) add(this.form.dataset["next"] ?? "→", index + 1, false);
    part.append(row);
  }

  private show(index: number, focus: boolean): void {
    this.here = index;
    for (const [other, part] of this.parts.entries()) part.hidden = other !== index;
    this.title.textContent = (this.form.dataset["step"] ?? "{n}").replace("{n}", String(index + 1));
    if (focus) {
      const legend = this.parts[this.here]?.querySelector<HTMLElement>("legend");
      if (legend) {
        legend.tabIndex = -1;
        legend.focus();
      }
    }
  }

  private photos(): void {
    const input = this.form.querySelector<HTMLInputElement>("input[type=file]");
    const preview = this.form.querySelector<HTMLElement>("[data-preview]");
    input?.addEventListener("change", () => {
      preview?.replaceChildren(
        ...[...(input.files ?? [])].map((file) => {
          const image = document.createElement("img");
          image.alt = file.name;
          image.src = URL.createObjectURL(file);
          return image;
        }),
      );
    });
  }

  private place(): void {
    const note = this.form.querySelector<HTMLElement>("[data-located-note]");
    const tell = (key: string) => {
      if (note) note.textContent = this.form.dataset[key] ?? "";
    };
    const moved = (lon: number, lat: number) => {
      this.field("lon").value = lon.toFixed(6);
      this.field("lat").value = lat.toFixed(6);
      tell("located");
      this.form.dispatchEvent(new CustomEvent("placed", { bubbles: true }));
      void this.near();
    };
    const locate = this.form.querySelector<HTMLButtonElement>("[data-locate]");
    if (!("geolocation" in navigator)) locate?.remove();
    const ask = () => {
      tell("wait");
      navigator.geolocation.getCurrentPosition(
        ({ coords: { longitude, latitude } }) => {
          moved(longitude, latitude);
          this.form.querySelector<CityMap>("city-map")?.place?.(longitude, latitude);
        },
        () => tell("denied"),
        { enableHighAccuracy: true, timeout: 15_000, maximumAge: 30_000 },
      );
    };
    locate?.addEventListener("click", ask);
    // who has allowed it before need not press the button
    if (locate && !this.field("lon").value)
      navigator.permissions?.query({ name: "geolocation" }).then(
        ({ state }) => {
          if (state === "granted" && !this.field("lon").value) ask();
        },
        () => undefined,
      );
    this.form.addEventListener("place", (event) => {
      const { lon, lat } = (event as CustomEvent<{ lon: number; lat: number }>).detail;
      moved(lon, lat);
    });
    const open = this.form.querySelector<HTMLButtonElement>("[data-map]");
    open?.addEventListener("click", () => void this.map(open));
    const typed = later(() => void this.near());
    for (const name of ["lon", "lat"]) this.field(name).addEventListener("input", typed);
    if (this.field("lon").value) void this.near();
  }

  /** The map comes only when it is asked for: most people use their location or words. */
  private async map(button: HTMLButtonElement): Promise<void> {
    const canvas = this.form.querySelector<HTMLElement>("[data-canvas]");
    if (!canvas || canvas.childElementCount) return;
    button.setAttribute("aria-expanded", "true");
    await import("./city-map");
    const map = document.importNode(find<HTMLTemplateElement>(this.form, "template").content, true);
    const [lon, lat] = [this.field("lon").value, this.field("lat").value];
    if (lon && lat)
      for (const [name, value] of Object.entries({ lon, lat, zoom: "16" }))
        find(map, "city-map").setAttribute(name, value);
    canvas.append(map);
  }

  private async near(): Promise<void> {
    const target = this.form.querySelector<HTMLElement>("[data-near-here]");
    const asked = new URLSearchParams({ lon: this.field("lon").value, lat: this.field("lat").value });
    if (!target || !asked.get("lon") || !asked.get("lat") || asked.toString() === this.looked) return;
    this.looked = asked.toString();
    const answer = await fetch(`${this.form.dataset["near"]}?${asked.toString()}`);
    if (answer.ok) target.innerHTML = await answer.text(); // made and escaped by our own template
  }

  private words(): void {
    const target = this.form.querySelector<HTMLElement>("[data-suggest-here]");
    const text = this.field("text") as unknown as HTMLTextAreaElement;
    const look = async () => {
      if (!target) return;
      const chosen = this.form.querySelector<HTMLInputElement>("[name=category]:checked")?.value ?? "";
      const asked = new URLSearchParams({ text: text.value.slice(0, 1000), category: chosen });
      const answer = await fetch(`${this.form.dataset["suggest"]}?${asked.toString()}`);
      if (answer.ok) target.innerHTML = await answer.text(); // made and escaped by our own template
    };
    text.addEventListener(
      "input",
      later(() => void look()),
    );
  }
}

for (const form of document.querySelectorAll<HTMLFormElement>("form[data-steps]")) new Steps(form);

document.querySelectorAll<HTMLButtonElement>("[data-copy]").forEach((button) => {
  const from = document.querySelector<HTMLInputElement>("[data-copy-from]");
  if (!from || !navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    void navigator.clipboard.writeText(from.value).then(() => (button.textContent = button.dataset["done"] ?? "✓"));
  });
});
