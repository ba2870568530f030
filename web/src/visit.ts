/** The form of a visit: says where the phone is, shows the items only where the place was inspected, and waits for a network. */

/** The items belong to an inspected place; hidden ones are not sent and need nothing. */
function showItems(form: HTMLFormElement): void {
  const inspected = new FormData(form).get("outcome") === "done";
  const items = form.querySelector<HTMLElement>("[data-items]");
  if (!items) return;
  items.hidden = !inspected;
  for (const fieldset of items.querySelectorAll("fieldset")) fieldset.disabled = !inspected;
}

/** Where the phone is goes with the record. Who does not allow it records without. */
function locate(form: HTMLFormElement): void {
  navigator.geolocation?.getCurrentPosition(
    ({ coords }) => {
      for (const [name, value] of [
        ["lon", coords.longitude],
        ["lat", coords.latitude],
      ] as const) {
        const field = form.querySelector<HTMLInputElement>(`input[name=${name}]`);
        if (field) field.value = value.toFixed(6);
      }
    },
    () => undefined,
    { enableHighAccuracy: true, maximumAge: 60_000, timeout: 20_000 },
  );
}

/** Without a network the form stays as it is, and is sent once there is one. */
function waitForNetwork(form: HTMLFormElement): void {
  let waiting = false;
  form.addEventListener("submit", (event) => {
    if (navigator.onLine) return;
    event.preventDefault();
    if (waiting) return;
    waiting = true;
    const said = document.createElement("p");
    said.className = "warn";
    said.setAttribute("role", "status");
    said.textContent = form.dataset["kept"] ?? "";
    form.append(said);
    window.addEventListener("online", () => form.requestSubmit(), { once: true });
  });
}

const visit = document.querySelector<HTMLFormElement>("form[data-visit]");
if (visit) {
  visit.addEventListener("change", () => showItems(visit));
  showItems(visit);
  locate(visit);
  waitForNetwork(visit);
}

export {};
