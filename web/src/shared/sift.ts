/** A long list of boxes to tick: `input[data-sift=LIST]` leaves in sight what has its words, and what is ticked. */
for (const field of document.querySelectorAll<HTMLInputElement>("input[data-sift]")) {
  const list = document.getElementById(field.dataset["sift"] ?? "");
  field.hidden = false;
  field.addEventListener("input", () => {
    const words = field.value.trim().toLowerCase().split(/\s+/);
    for (const item of list?.children ?? []) {
      const text = item.textContent?.toLowerCase() ?? "";
      const ticked = item.querySelector<HTMLInputElement>("input")?.checked ?? false;
      (item as HTMLElement).hidden = !ticked && !words.every((word) => text.includes(word));
    }
  });
  // Enter looks for a name here; it does not send the form
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
}
