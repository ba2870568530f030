/** What of a map can be shown and hidden. It stays so where the map's style is replaced. */

import type { Map as Canvas } from "maplibre-gl";

export interface Layer {
  /** Of its word in the labels. */
  key: string;
  /** Which of the map's layers belong to it. */
  owns: (id: string) => boolean;
  /** Not shown at first. */
  off?: boolean;
  /** Offered although none of its layers is on the map yet. */
  offered?: () => boolean;
  /** Puts it on the map, where it is not there before it is wanted. */
  bring?: () => void;
  /** Told whether it is shown, each time that this is applied. */
  changed?: (shown: boolean) => void;
}

export class LayerSwitches {
  private readonly hidden: Set<string>;

  constructor(
    private readonly canvas: Canvas,
    private readonly layers: Layer[],
  ) {
    this.hidden = new Set(layers.filter(({ off }) => off).map(({ key }) => key));
  }

  /** What there is to show and hide now. */
  offered(): Layer[] {
    return this.layers.filter((layer) => layer.bring || layer.offered?.() || this.ids(layer).length > 0);
  }

  shown(key: string): boolean {
    return !this.hidden.has(key);
  }

  set(key: string, shown: boolean): void {
    if (shown) this.hidden.delete(key);
    else this.hidden.add(key);
    for (const layer of this.layers) if (layer.key === key) this.apply(layer);
  }

  /** Show and hide as it was chosen, after layers were drawn. */
  applyAll(): void {
    for (const layer of this.layers) this.apply(layer);
  }

  private apply(layer: Layer): void {
    const shown = this.shown(layer.key);
    if (shown) layer.bring?.();
    for (const id of this.ids(layer)) this.canvas.setLayoutProperty(id, "visibility", shown ? "visible" : "none");
    layer.changed?.(shown);
  }

  private ids(layer: Layer): string[] {
    return this.canvas.getLayersOrder().filter(layer.owns);
  }
}
