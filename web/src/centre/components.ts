/** What the components on the map are: a colour for each of the commonest classes, a shape for each state. */

import type { CityMap } from "../city-map";
import { CLASS_TONES, STATE_SHAPES } from "../shared/component-layer";
import { numberText } from "../shared/format";
import { disc, picture, type Sign } from "../shared/signs";
import { whenThemeChanges } from "../shared/tones";
import type { Page } from "./words";

export class ComponentLegend {
  constructor(
    private readonly box: HTMLElement,
    private readonly map: CityMap,
    private readonly page: Page,
  ) {
    whenThemeChanges(() => this.draw());
  }

  show(shown: boolean): void {
    this.box.hidden = !shown;
    if (shown) this.draw();
  }

  private draw(): void {
    const classes = this.page.classes.map(({ code, name, n }, at) =>
      this.entry([CLASS_TONES[code ? at + 1 : 0] ?? "", disc], `${name} ${numberText(n, 0)}`),
    );
    const states = Object.entries(STATE_SHAPES)
      .filter(([, shape]) => shape !== disc) // the usual state, which the classes show
      .map(([state, shape]) => this.entry(["map-closed", shape], this.map.word(`state_${state}`)));
    this.box.replaceChildren(...classes, ...states);
  }

  private entry(sign: Sign, words: string): HTMLElement {
    const item = document.createElement("span");
    item.append(picture(this.map, sign) ?? "", words);
    return item;
  }
}
