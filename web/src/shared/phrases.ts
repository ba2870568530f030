/** Words that are written often: a click on one puts it into the field above, after what stands there. */
const show = (root: ParentNode) => {
  for (const row of root.querySelectorAll<HTMLElement>("[data-phrases]")) row.hidden = false;
};

show(document);
document.addEventListener("htmx:afterSwap", (event) => show(event.target as HTMLElement));

document.addEventListener("click", (event) => {
  const button = (event.target as HTMLElement).closest<HTMLButtonElement>("[data-phrases] button");
  const field = button?.closest(".field")?.querySelector("textarea");
  if (!button || !field) return;
  const words = button.textContent ?? "";
  field.value = field.value.trim() ? `${field.value.trimEnd()} ${words}` : words;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
});
