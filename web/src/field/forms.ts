/** The forms: doing a verb, and reporting. What they give goes into the queue, online or not. */

import type { Verb } from "./dom";
import { h, icon, say, shell } from "./dom";
import { shrunk } from "./photo";
import type { Picture, Task } from "./store";

const MOST_PHOTOS = 6;

export interface Said {
  fields: Record<string, string>;
  photos: Picture[];
}

/** One big control for the camera, a small one for the gallery, and what was taken; of a file nothing but its pixels is kept. */
class Pictures {
  readonly taken: Picture[] = [];
  readonly element: HTMLElement;
  private readonly list = h("div", { class: "field-pictures" });
  private readonly problem = h("p", { class: "errors", role: "alert", hidden: true });
  private readonly camera: HTMLInputElement;

  constructor(
    id: string,
    required: boolean,
    private readonly touched: () => void,
  ) {
    this.camera = this.input(`${id}-camera`, true);
    const files = this.input(`${id}-files`, false);
    this.element = h(
      "fieldset",
      { class: "field-camera" },
      h("legend", {}, required ? `${say("photo")} · ${say("required")}` : say("photo")),
      h(
        "span",
        { class: "field-pick field-shoot" },
        this.camera,
        h("label", { for: this.camera.id, class: "button" }, icon("camera"), say("take_photo")),
      ),
      h(
        "span",
        { class: "field-pick" },
        files,
        h("label", { for: files.id, class: "button plain" }, icon("image"), say("pick_photo")),
      ),
      this.problem,
      this.list,
    );
  }

  private input(id: string, camera: boolean): HTMLInputElement {
    return h("input", {
      type: "file",
      accept: "image/*",
      id,
      class: "visually-hidden",
      capture: camera && "environment",
      multiple: !camera,
      change: (event) => void this.take(event.target as HTMLInputElement),
    }) as HTMLInputElement;
  }

  /** Say what is wrong and lead there. */
  ask(text: string): void {
    this.complain(text);
    this.camera.focus();
  }

  private async take(input: HTMLInputElement): Promise<void> {
    this.touched();
    this.complain("");
    for (const file of input.files ?? []) {
      if (this.taken.length >= MOST_PHOTOS) {
        this.complain(say("photo_most"));
        break;
      }
      try {
        this.taken.push(await shrunk(file));
      } catch {
        this.complain(say("photo_bad"));
      }
    }
    input.value = "";
    this.show();
  }

  complain(text: string): void {
    this.problem.textContent = text;
    this.problem.hidden = !text;
  }

  private show(): void {
    this.list.replaceChildren(
      ...this.taken.map((picture, index) =>
        h(
          "figure",
          {},
          thumbnail(picture.bytes, index + 1),
          h(
            "button",
            {
              type: "button",
              class: "plain",
              click: () => {
                this.taken.splice(index, 1);
                this.show();
              },
            },
            icon("x"),
            say("remove"),
          ),
        ),
      ),
    );
  }
}

/** The browser gets the picture's bytes for as long as the page lasts. */
export function thumbnail(bytes: ArrayBuffer, n: number): HTMLElement {
  const image = h("img", { alt: say("photo_n", { n }) }) as HTMLImageElement;
  image.src = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
  image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
  return image;
}

function read(form: HTMLFormElement): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of new FormData(form))
    if (typeof value === "string" && value.trim()) found[name] = value.trim();
  return found;
}

/**
 * A verb with its form. The next step is one big button: sent at once where nothing has to be said, with what may be said folded
 * beside it; else it opens what is to be filled in. The others open their form from a line.
 */
export function verbForm(
  id: string,
  verb: Verb,
  touched: () => void,
  done: (said: Said) => Promise<void>,
  next: boolean,
): HTMLElement {
  const asked = verb.fields ?? [];
  const photo = asked.find((field) => field.name === "photo");
  const pictures = new Pictures(`verb-${id}`, photo?.required ?? false, touched);
  const rows = asked
    .filter((field) => field.name !== "photo")
    .map((field) => {
      const key = `verb-${id}-${field.name}`;
      const common = { id: key, name: field.name, required: field.required };
      const box =
        field.name === "until"
          ? h("input", { type: "date", ...common })
          : h("textarea", { rows: 3, maxlength: 4000, ...common });
      return h(
        "div",
        { class: "field" },
        h("label", { for: key }, field.required ? `${field.label} · ${say("required")}` : field.label),
        box,
        field.help ? h("small", { class: "quiet" }, field.help) : null,
      );
    });
  // where the workflow speaks of photos the camera is what one comes for; elsewhere it may be of use
  const inside = photo && verb.pictured ? [pictures.element, ...rows] : [...rows, photo && pictures.element];
  const button = h("button", {}, photo?.required ? say("with_photo", { verb: verb.name }) : verb.name);
  const atOnce = next && !verb.pictured && !asked.some((field) => field.required);
  const form = h(
    "form",
    { input: touched, "data-verb": id },
    ...(atOnce ? [button, h("details", {}, h("summary", {}, say("more_fields")), ...inside)] : [...inside, button]),
  ) as HTMLFormElement;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (photo?.required && !pictures.taken.length) return pictures.ask(say("photo_needed"));
    once(form, () => done({ fields: read(form), photos: pictures.taken }));
  });
  if (atOnce) return h("div", { class: "field-next", "data-of": id }, form);
  return h("details", { class: next && "field-next", "data-of": id }, h("summary", {}, verb.name), form);
}

/** A second tap while the first is being saved is not a second command. */
function once(form: HTMLFormElement, then: () => Promise<void>): void {
  if (form.dataset["busy"]) return;
  form.dataset["busy"] = "yes";
  void then().finally(() => delete form.dataset["busy"]);
}

export function reportForm(
  touched: () => void,
  position: HTMLElement,
  done: (said: Said) => Promise<void>,
): HTMLElement {
  const pictures = new Pictures("report", false, touched);
  const problem = h("p", { class: "errors", role: "alert", hidden: true });
  const choice = h(
    "select",
    { id: "report-category", name: "category" },
    h("option", { value: "" }, say("choose")),
    ...shell.categories.map((major) =>
      h("optgroup", { label: major.name }, ...major.items.map(([code, name]) => h("option", { value: code }, name))),
    ),
  );
  const form = h(
    "form",
    { class: "card", input: touched, id: "report-form" },
    pictures.element,
    h("div", { class: "field" }, h("label", { for: "report-category" }, say("category")), choice),
    h(
      "div",
      { class: "field" },
      h("label", { for: "report-text" }, say("words")),
      h("textarea", { id: "report-text", name: "text", rows: 3, maxlength: 3500 }),
    ),
    h(
      "div",
      { class: "field" },
      h("label", { for: "report-address" }, say("address")),
      h("input", { id: "report-address", name: "address", maxlength: 400 }),
    ),
    position,
    problem,
    h("button", {}, say("report")),
  ) as HTMLFormElement;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const fields = read(form);
    problem.hidden = Boolean(fields["text"] ?? fields["category"]);
    problem.textContent = problem.hidden ? "" : say("say_something");
    if (problem.hidden) once(form, () => done({ fields, photos: pictures.taken }));
  });
  return form;
}

/** What the case would be after the entries that wait, and the verbs of mine that would then be possible. */
export function expected(
  task: Task,
  queued: readonly string[],
  roles: readonly string[],
): { step: string; verbs: string[] } {
  let step = task.step,
    stays = true;
  for (const id of queued) {
    const verb = shell.verbs[id];
    if (!verb) continue;
    stays &&= verb.stays;
    if (verb.to !== "=") step = verb.to;
  }
  if (!queued.length) return { step, verbs: task.verbs };
  const may = Object.entries(shell.verbs).filter(
    ([, verb]) =>
      verb.from.includes(step) &&
      (verb.who === "any" || (verb.who === "holder" && stays)) &&
      verb.roles.some((role) => roles.includes(role)),
  );
  return { step, verbs: may.map(([id]) => id) };
}
