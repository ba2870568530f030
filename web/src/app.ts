import "./app.css";
import "./shared/combo-box";
import "./shared/confirm";
import "./shared/phrases";
import "./shared/pressed";
import "./shared/sift";
import "./shared/many";
import "./shared/tour";
import htmx from "htmx.org";
import { forgetAtSignOut } from "./shared/forget";

// The content security policy forbids eval and inline styles; htmx needs neither for what the pages use.
htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;
// A piece of a page takes its clicks and forms in the moment it is shown: keys pressed quickly would otherwise send a form that htmx does not know yet.
htmx.config.defaultSettleDelay = 0;

// A filter that changes submits its form: no button to look for. The button stays for those without scripts.
// On a phone such a form is folded: there several filters are chosen before it is sent.
const isPhone = matchMedia("(max-width: 52rem)");
document.addEventListener("change", (event) => {
  const field = event.target as HTMLElement,
    form = field.closest<HTMLFormElement>("form[data-live]");
  if (form && !(isPhone.matches && field.closest(".fold"))) form.requestSubmit();
});

// Browsers that cannot show what is folded by style alone.
if (!isPhone.matches && !CSS.supports("selector(::details-content)"))
  for (const fold of document.querySelectorAll<HTMLDetailsElement>("details.fold")) fold.open = true;

// The place picker fills the coordinates of the form around it.
document.addEventListener("place", (event) => {
  const { lon, lat } = (event as CustomEvent<{ lon: number; lat: number }>).detail;
  const form =
    (event.target as HTMLElement).closest<HTMLFormElement>("form[data-place]") ??
    document.querySelector<HTMLFormElement>("form[data-place]");
  const set = (name: string, value: number) => {
    const field = form?.elements.namedItem(name);
    if (field instanceof HTMLInputElement) field.value = value.toFixed(6);
  };
  set("lon", lon);
  set("lat", lat);
});

// A place chosen by its name puts the pin there.
document.addEventListener("choose-place", (event) => {
  const { lon, lat, region } = (event as CustomEvent<{ lon: number; lat: number; region?: string }>).detail;
  const form = (event.target as HTMLElement).closest<HTMLFormElement>("form[data-place]");
  for (const [name, value] of Object.entries({ lon: lon.toFixed(6), lat: lat.toFixed(6), region: region ?? "" })) {
    const field = form?.querySelector<HTMLInputElement>(`[name="${name}"]`);
    if (field) field.value = value;
  }
  form?.querySelector<HTMLElement & { place?: (lon: number, lat: number) => void }>("city-map")?.place?.(lon, lat);
});

// `/` goes to the search field.
document.addEventListener("keydown", (event) => {
  if (
    event.target instanceof HTMLInputElement ||
    event.target instanceof HTMLTextAreaElement ||
    event.ctrlKey ||
    event.metaKey
  )
    return;
  if (event.key === "/") {
    const search = document.querySelector<HTMLInputElement>("input[type=search]");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  }
});

// The demonstration's sign-in list fills the form.
document.addEventListener("click", (event) => {
  const button = (event.target as HTMLElement).closest<HTMLElement>("[data-sign-in]");
  const form = document.querySelector<HTMLFormElement>("form[data-sign-in-form]");
  if (!button || !form) return;
  (form.elements.namedItem("username") as HTMLInputElement).value = button.dataset["signIn"] ?? "";
  (form.elements.namedItem("password") as HTMLInputElement).value = button.dataset["password"] ?? "";
  form.requestSubmit();
});

forgetAtSignOut();
