import "./case.css";
import { find } from "./shared/find";

let typed = false; // whether something would be lost when the page is left

// Photos before and after laid over each other, with a slider that keys move too. Without this script they stand side by side.
for (const sides of document.querySelectorAll<HTMLElement>("[data-compare]")) {
  const [before, after] = [...sides.children].map((side) => [...side.querySelectorAll("img")].at(-1));
  if (!before || !after) continue;
  const box = document.createElement("details"),
    name = document.createElement("summary");
  box.className = "no-print laid";
  name.textContent = sides.dataset["lay"] ?? "";
  const over = document.createElement("div");
  over.className = "over";
  for (const image of [before, after]) {
    const copy = image.cloneNode() as HTMLImageElement;
    copy.loading = "eager";
    over.append(copy);
  }
  const label = document.createElement("label");
  label.textContent = sides.dataset["label"] ?? "";
  const slider = document.createElement("input");
  slider.type = "range";
  slider.addEventListener("input", () => over.style.setProperty("--cut", `${slider.value}%`));
  label.append(slider);
  box.append(name, label, over);
  sides.after(box);
}

// The map of a form that corrects a place comes when the form is opened. Without this script the coordinates are typed.
async function pin(form: HTMLFormElement): Promise<void> {
  const frame = form.querySelector<HTMLElement>("[data-canvas]");
  if (!frame || frame.childElementCount) return;
  const map = document.importNode(find<HTMLTemplateElement>(form, "template[data-map]").content, true);
  for (const name of ["lon", "lat"]) {
    const { value } = form.elements.namedItem(name) as HTMLInputElement;
    if (value) find(map, "city-map").setAttribute(name, value);
  }
  frame.append(map);
  form.addEventListener("place", () => (typed = true));
  await import("./city-map");
}
for (const form of document.querySelectorAll<HTMLFormElement>("form[data-place]")) {
  const box = form.closest("details");
  if (!box || box.open) void pin(form);
  else box.addEventListener("toggle", () => void pin(form), { once: true });
}

// A page with something typed into it asks before it is left; sending it is no leaving.

document.addEventListener("input", (event) => {
  if ((event.target as HTMLElement).closest("form[data-typed]")) typed = true;
});
document.addEventListener("submit", () => (typed = false));
window.addEventListener("beforeunload", (event) => {
  if (typed) event.preventDefault();
});
