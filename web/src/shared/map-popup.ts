/** What was hit on a map, in words, with the way to it: nobody leaves a page by a click that went astray. */

import { type Map as Canvas, type LngLatLike, Popup } from "maplibre-gl";

/** Words and where they lead. */
export interface Way {
  text: string;
  href: string;
}

const open = new WeakMap<Canvas, Popup>();

/**
 * Show it at a place, instead of what was shown before. A click elsewhere, or its button, closes it.
 *
 * @param canvas The map.
 * @param at Where, in the map's own system.
 * @param lines Words, the first of them strong, and links among them.
 * @param way Link below; none where there is nothing to open.
 */
export function showPopup(canvas: Canvas, at: LngLatLike, lines: (string | Way)[], way: Way | null): void {
  open.get(canvas)?.remove();
  const box = document.createElement("div");
  box.className = "map-popup";
  for (const [number, line] of [...lines, ...(way ? [way] : [])].entries()) {
    const words = typeof line === "string";
    const made = document.createElement(words ? (number ? "div" : "strong") : "a");
    made.textContent = words ? line : line.text;
    if (!words) (made as HTMLAnchorElement).href = line.href;
    box.append(made);
  }
  const popup = new Popup({ maxWidth: "18rem" }).setLngLat(at).setDOMContent(box).addTo(canvas);
  open.set(canvas, popup);
}

/** Whether one is shown: then the pointer's own words wait. */
export function popupShown(canvas: Canvas): boolean {
  return open.get(canvas)?.isOpen() ?? false;
}
