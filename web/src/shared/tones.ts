/** Colours of the style sheet as a canvas needs them: `light-dark()` and `color-mix()` resolved for an element's theme. */
export function tone(element: Element, name: string): string {
  const probe = document.createElement("span");
  probe.style.cssText = `display:none;color:var(--${name})`;
  element.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** Calls back when the person's system changes between light and dark, until the answer is called. */
export function whenThemeChanges(act: () => void): () => void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", act);
  return () => dark.removeEventListener("change", act);
}
