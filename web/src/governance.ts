import "./governance.css";

// The grid: arrows move within a column, a block of cells is pasted from a spreadsheet, Ctrl+S saves, what was typed is marked.
const grid = document.querySelector<HTMLFormElement>("form[data-grid]");

function cells(row: Element): HTMLInputElement[] {
  return [...row.querySelectorAll<HTMLInputElement>("td input:not([type=checkbox])")];
}

function mark(input: HTMLInputElement): void {
  input.classList.toggle("dirty", input.value !== input.defaultValue);
}

function below(input: HTMLInputElement, rows: number): HTMLInputElement | undefined {
  const row = input.closest("tr");
  const all = [...(row?.parentElement?.children ?? [])];
  const target = row && all[all.indexOf(row) + rows];
  return row && target ? cells(target)[cells(row).indexOf(input)] : undefined;
}

grid?.addEventListener("input", (event) => mark(event.target as HTMLInputElement));
grid?.addEventListener("keydown", (event) => {
  const input = event.target as HTMLInputElement;
  if ((event.ctrlKey || event.metaKey) && event.key === "s") {
    event.preventDefault();
    grid.requestSubmit();
  } else if (input.matches("td input:not([type=checkbox])") && ["ArrowDown", "ArrowUp", "Enter"].includes(event.key)) {
    event.preventDefault(); // Enter goes on to the next row, as in a spreadsheet; saving is Ctrl+S or the button
    below(input, event.key === "ArrowUp" ? -1 : 1)?.focus();
  }
});
grid?.addEventListener("paste", (event) => {
  const text = event.clipboardData?.getData("text/plain") ?? "";
  const first = event.target as HTMLInputElement;
  if (!/[\t\n]/.test(text.trim()) || first.readOnly) return;
  event.preventDefault();
  text
    .replace(/\r/g, "")
    .replace(/\n$/, "")
    .split("\n")
    .forEach((line, down) => {
      const start = below(first, down);
      const row = start?.closest("tr");
      if (!start || !row) return;
      const inputs = cells(row);
      line.split("\t").forEach((value, right) => {
        const input = inputs[inputs.indexOf(start) + right];
        if (input) {
          input.value = value.trim();
          mark(input);
        }
      });
    });
});
let sending = false;
grid?.addEventListener("submit", () => (sending = true));
window.addEventListener("beforeunload", (event) => {
  if (!sending && grid?.querySelector(".dirty")) event.preventDefault();
});
