/**
 * An answer that would replace what somebody is pressing waits until they let go. A click is given to what lies under
 * both the press and the release; with the button replaced in between, it is given to neither, and the hand did nothing.
 */

let pressed: Element | undefined;
const waiting: (() => void)[] = [];

function release(): void {
  pressed = undefined;
  for (const answer of waiting.splice(0)) answer();
}

// the click itself comes with the release, before anything that is put off
const afterClick = () => void setTimeout(release, 0);

document.addEventListener(
  "pointerdown",
  (event) => {
    pressed = event.target as Element;
  },
  { capture: true },
);
for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, afterClick, { capture: true });
window.addEventListener("blur", afterClick);

document.addEventListener("htmx:beforeSend", (event) => {
  const { target, xhr } = (event as CustomEvent<{ target: Element; xhr: XMLHttpRequest }>).detail;
  const answered = xhr.onload?.bind(xhr);
  xhr.onload = (arrived) => {
    if (pressed && target.contains(pressed)) waiting.push(() => answered?.(arrived));
    else answered?.(arrived);
  };
});
