/** The command centre: one state (region, filters, moment), shown by the map and by the figures, followed live. */
import { clockText } from "./shared/format";
import "./centre.css";
import "./shared/city-chart";
import { AlertPanel } from "./centre/alerts";
import { CentreCases, type Region, type Shown } from "./centre/cases";
import { ComponentLegend } from "./centre/components";
import { FigurePanels, fetchFigures } from "./centre/figures";
import { TimeSlider } from "./centre/time";
import { pageOf, say } from "./centre/words";
import "./city-map";
import type { CityMap } from "./city-map";
import { find } from "./shared/find";

const ASK_EVERY_MS = 5000;

const root = find<HTMLElement>(document, ".centre");
const page = pageOf(root);
const part = <E extends HTMLElement>(name: string) => find<E>(root, `[data-part="${name}"]`);
const panels = new FigurePanels(root, page);
const chain: { code: string; name: string }[] = JSON.parse(root.dataset["chain"] ?? "[]") as {
  code: string;
  name: string;
}[];
const shown: Shown = {
  region: page.region === page.root ? "" : page.region,
  state: "open",
  step: "",
  category: "",
  holder: "",
  at: null,
};
let version = -1;
let minute = "";
let asked = 0;
let shownRegions = 0;
let outlined = false;
let wanting = false; // the map is still to be told what is wanted

const map = find<CityMap>(root, "city-map");
const cases = new CentreCases(map, page, (region) => void enter(region));
const legend = new ComponentLegend(part("components"), map, page);
const alertBox = root.querySelector<HTMLElement>("[data-alerts]"); // for those who may see sensors
const alerts = alertBox ? new AlertPanel(alertBox, say(page, "only_now_alerts")) : null;

async function enter(region: Pick<Region, "code" | "name">): Promise<void> {
  const at = chain.findIndex((known) => known.code === region.code);
  if (at >= 0) chain.splice(at + 1);
  else chain.push({ code: region.code, name: region.name });
  shown.region = region.code === page.root ? "" : region.code;
  history.pushState({}, "", `${page.urls.page}?${new URLSearchParams({ region: region.code })}`);
  await there(true);
}

/** Show where one is: the way there, the figures, the regions below as they are at the moment that is shown. */
async function there(animate: boolean, moved = true): Promise<void> {
  const mine = ++shownRegions;
  const code = chain.at(-1)?.code ?? page.root;
  part("chain").replaceChildren(
    ...chain.flatMap((region, at) => {
      const last = at === chain.length - 1;
      const step = document.createElement(last ? "strong" : "button");
      step.textContent = region.name;
      if (!last) {
        (step as HTMLButtonElement).type = "button";
        step.className = "plain";
        step.addEventListener("click", () => void enter(region));
      }
      return at ? [" › ", step] : [step];
    }),
  );
  alerts?.show(code, shown.at);
  const [, regions] = await Promise.all([tell(true), cases.region(code, shown.at, animate, moved).catch(() => [])]);
  if (mine !== shownRegions) return; // another region or moment was chosen meanwhile
  const below = regions.filter((region) => region.code !== code).sort((one, other) => other.open - one.open);
  part("below-empty").hidden = below.length > 0;
  part<HTMLElement>("below").replaceChildren(
    ...below.map((region) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "plain";
      button.append(
        region.name,
        Object.assign(document.createElement("span"), {
          className: "number",
          textContent: say(page, "region_counts", { open: region.open, overdue: region.overdue }),
        }),
      );
      button.addEventListener("click", () => void enter(region));
      return button;
    }),
  );
  part("approximate").hidden = !below.some((region) => region.approximate);
  outlined = true;
  ready();
}

/** Say so when both the regions and the figures are there, for those who wait for it. */
function ready(): void {
  if (outlined && version >= 0) root.dataset["ready"] = "yes";
}

/** Ask for the figures and show them; new tiles when other cases are wanted or something has happened. */
async function tell(others = false): Promise<void> {
  wanting ||= others;
  const mine = ++asked;
  const state = part("live");
  try {
    const figures = await fetchFigures(page, shown.region, shown.at);
    if (mine !== asked) return; // another region or moment was chosen meanwhile
    panels.show(figures, shown.region);
    if (wanting) void cases.show({ ...shown });
    else if (figures.version !== version || figures.at !== minute) cases.refresh();
    wanting = false;
    version = figures.version;
    minute = figures.at;
    state.textContent = shown.at
      ? say(page, "past")
      : say(page, "live", {
          time: clockText(new Date(figures.at), page.zone),
        });
    state.dataset["state"] = shown.at ? "past" : "live";
    ready();
  } catch (error) {
    if (mine !== asked) return;
    const starting = (error as { status?: number }).status === 503;
    state.textContent = say(page, starting ? "starting" : "lost");
    state.dataset["state"] = starting ? "starting" : "lost";
  }
}

for (const box of root.querySelectorAll<HTMLInputElement>("input[data-layer]"))
  box.addEventListener("change", () => {
    void map.show(`layer_${box.dataset["layer"]}`, box.checked);
    if (box.dataset["layer"] === "components") legend.show(box.checked);
  });
for (const select of root.querySelectorAll<HTMLSelectElement>("select[data-filter]"))
  select.addEventListener("change", () => {
    shown[select.dataset["filter"] as "state" | "step" | "category"] = select.value;
    void cases.show({ ...shown });
  });
part("full").addEventListener(
  "click",
  () => void (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen()),
);
addEventListener("popstate", () => location.reload());
setInterval(() => {
  if (!document.hidden && !shown.at) void tell();
}, ASK_EVERY_MS);

new TimeSlider(
  part("time"),
  page.zone,
  { now: say(page, "now"), play: say(page, "play"), stop: say(page, "stop") },
  (at) => {
    if (shown.at === at) return;
    shown.at = at;
    void there(false, false);
  },
  page.begins,
);
void there(false);
