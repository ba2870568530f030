/**
 * Rows of a table that are selected for one form (`form[data-many]`): how many, and all of the page by the box in the head. Without
 * it the boxes and the form still work.
 */
const form = document.querySelector<HTMLFormElement>("form[data-many]");
const whole = document.querySelector<HTMLInputElement>("[data-all-rows]");
const boxes = () => [...document.querySelectorAll<HTMLInputElement>("input[type=checkbox][name][form=many]")];

function count(): void {
  const all = boxes();
  const chosen = all.filter((box) => box.checked).length;
  form?.classList.toggle("some", chosen > 0);
  const said = form?.querySelector("[data-count]");
  if (said) said.textContent = String(chosen);
  for (const act of form?.querySelectorAll<HTMLButtonElement>("button:not([name=all])") ?? [])
    act.disabled = chosen === 0;
  if (whole) {
    whole.checked = chosen > 0 && chosen === all.length;
    whole.indeterminate = chosen > 0 && chosen < all.length;
  }
}

if (form) {
  if (whole) whole.hidden = false;
  document.addEventListener("change", (event) => {
    if (event.target === whole && whole) for (const box of boxes()) box.checked = whole.checked;
    if (event.target instanceof HTMLInputElement && event.target.form === form) count();
  });
  addEventListener("pageshow", count); // a page that comes back keeps its boxes
  count();
}
