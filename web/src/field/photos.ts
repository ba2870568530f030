/**
 * A case's photos: small ones on the list, all of them in the task, those of before the handling beside those of since. A tap opens
 * one large; a tap, Esc, the button and the phone's way back close it.
 */
import { h, say, shell } from "./dom";
import type { Task } from "./store";

export type Shown = Pick<Task, "number" | "photos">;

export function photoUrl(number: string, id: number): string {
  return shell.urls.photo.replace("NUMBER", encodeURIComponent(number)) + String(id);
}

export function smallUrl(number: string, id: number): string {
  return `${photoUrl(number, id)}/small`;
}

/** The small photos of the tasks in their order: first the first one of each, which the list shows, then the others. */
export function photosToKeep(tasks: readonly Shown[]): string[] {
  const all = tasks.map((task) => (task.photos ?? []).map(([id]) => smallUrl(task.number, id)));
  return [...all.flatMap((urls) => urls.slice(0, 1)), ...all.flatMap((urls) => urls.slice(1))];
}

/** The first photo for a card, which is read without it. */
export function firstPhoto(task: Shown): HTMLElement | false {
  const first = task.photos?.[0];
  if (!first) return false;
  return image(smallUrl(task.number, first[0]), "", "field-first");
}

function image(src: string, alt: string, name: string): HTMLElement {
  const shown = h("img", { src, alt, class: name, loading: "lazy", decoding: "async" });
  // one that is not on the phone leaves its place empty instead of a broken picture
  shown.addEventListener("error", () => shown.classList.add("away"), { once: true });
  return shown;
}

/** All photos of a task: in two columns once there are some of both kinds. */
export function taskPhotos(task: Shown): HTMLElement | false {
  const photos = task.photos ?? [];
  if (!photos.length) return false;
  const numbered = photos.map(([id, after], index) => ({ id, after, n: index + 1 }));
  const before = numbered.filter((photo) => !photo.after),
    after = numbered.filter((photo) => photo.after);
  const figures = (some: typeof numbered): HTMLElement =>
    h("div", { class: "field-pictures" }, ...some.map(({ id, n }) => figure(task.number, id, n)));
  if (!before.length || !after.length)
    return h("div", { class: "field-photos", "data-photos-of": "one" }, figures(numbered));
  const column = (word: string, some: typeof numbered): HTMLElement =>
    h("div", { "data-side": word }, h("h3", {}, say(word)), figures(some));
  return h("div", { class: "field-beside field-photos" }, column("before", before), column("after", after));
}

function figure(number: string, id: number, n: number): HTMLElement {
  const small = smallUrl(number, id);
  return h(
    "button",
    {
      type: "button",
      class: "field-photo",
      "aria-label": say("open_photo", { n }),
      click: () => openLarge(photoUrl(number, id), small, n),
    },
    image(small, "", ""),
  );
}

/** Open a photo large, over the page. Without a network the small one stands in for one that is not on the phone. */
export function openLarge(large: string, small: string, n: number): void {
  const alt = say("photo_n", { n });
  const shown = h("img", { src: large, alt }) as HTMLImageElement;
  const problem = h("p", { class: "quiet", role: "status", hidden: true }, say("photo_away"));
  let substitute = false;
  shown.addEventListener("error", () => {
    if (substitute) shown.hidden = true;
    else shown.src = small;
    substitute = true;
    problem.hidden = false;
  });
  const dialog = h(
    "dialog",
    { class: "field-large", "aria-label": alt, click: () => dialog.close() },
    h("button", { type: "button", class: "plain" }, say("close")), // a click on it is one on the dialog
    shown,
    problem,
  ) as HTMLDialogElement;
  // the way back closes the photo and stays on the page; closing it otherwise takes that step out of the history again
  const mark = { photo: large };
  history.pushState(mark, "");
  let gone = false;
  const back = (): void => {
    gone = true;
    dialog.close();
  };
  addEventListener("popstate", back, { once: true });
  dialog.addEventListener("close", () => {
    removeEventListener("popstate", back);
    dialog.remove();
    if (!gone) history.back();
  });
  document.body.append(dialog);
  dialog.showModal();
}
