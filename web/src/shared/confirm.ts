/**
 * A form with `data-confirm` asks once more before it is sent, in a dialog: for what cannot be undone.
 * `data-confirm-yes` and `data-confirm-no` are the words on the buttons. Without scripts the form is sent as it is.
 */
function ask(form: HTMLFormElement, by: HTMLElement | null): void {
  const dialog = document.createElement("dialog");
  const words = Object.assign(document.createElement("p"), { textContent: form.dataset["confirm"] ?? "" });
  const row = Object.assign(document.createElement("div"), { className: "button-row" });
  const no = Object.assign(document.createElement("button"), {
    type: "button",
    className: "plain",
    textContent: form.dataset["confirmNo"],
  });
  const yes = Object.assign(document.createElement("button"), {
    type: "button",
    className: "danger",
    textContent: form.dataset["confirmYes"],
  });
  row.append(no, yes);
  dialog.append(words, row);
  document.body.append(dialog);
  no.addEventListener("click", () => dialog.close());
  yes.addEventListener("click", () => {
    form.dataset["confirmed"] = "";
    dialog.close();
    form.requestSubmit(by);
  });
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
  no.focus();
}

document.addEventListener(
  "submit",
  (event) => {
    const form = event.target as HTMLFormElement;
    if (!form.dataset["confirm"] || "confirmed" in form.dataset) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // htmx must not send it either
    ask(form, event.submitter);
  },
  { capture: true },
);
