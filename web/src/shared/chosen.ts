/** Maps of others that an operator chose: images of a tile service, or a MapLibre style, below the regions. */

import type {
  Map as Canvas,
  LayerSpecification,
  MapSourceDataEvent,
  RequestParameters,
  SourceSpecification,
  StyleSpecification,
} from "maplibre-gl";

const OWN = "chosen-"; // begins the names of its sources and layers, so that they are not taken for ours

export interface Images {
  kind: "raster";
  layers: string[];
  minzoom: number;
  maxzoom: number;
}

export interface Styled {
  kind: "style";
  style: string;
  /** Where tiles of the operator's archive are, for sources of the style that begin with pmtiles://. */
  tiles?: string[];
  minzoom: number;
  maxzoom: number;
}

/** An address that MapLibre can take: it works off the page's thread, where nothing is relative. */
export function whole(path: string, base: string | undefined = globalThis.location?.href): string {
  return new URL(path, base).href.replace(/%7B/g, "{").replace(/%7D/g, "}");
}

/** A service that knows its customers by their site is told the site, and nothing of the page. */
export function asked(url: string): RequestParameters {
  return new URL(url, location.href).origin === location.origin ? { url } : { url, referrerPolicy: "strict-origin" };
}

export function drawImages(canvas: Canvas, images: Images, before: string): void {
  for (const [number, tiles] of images.layers.entries()) {
    const id = `${OWN}${number}`;
    const { minzoom, maxzoom } = images;
    canvas.addSource(id, { type: "raster", tiles: [whole(tiles)], tileSize: 256, minzoom, maxzoom });
    canvas.addLayer({ id, type: "raster", source: id }, before);
  }
}

/** Whether a layer or source of a map belongs to that of others. */
export function isChosen(id: string): boolean {
  return id.startsWith(OWN);
}

const LOOK_MS = 1000;
const awaited = new WeakSet<Canvas>(); // maps whose style is still being fetched

/**
 * Tell whether the service has given anything to draw: that it has not, when all that was asked for is through; that it has, as soon
 * as a tile comes.
 *
 * It is looked for by the clock: a tile that does not exist (404) is no error to MapLibre and brings no event at all.
 */
export function watchChosen(canvas: Canvas, tell: (answers: boolean) => void): void {
  const look = setInterval(() => {
    if (!awaited.has(canvas) && canvas.areTilesLoaded()) tell(false);
  }, LOOK_MS);
  const came = (event: MapSourceDataEvent) => {
    if (!isChosen(event.sourceId ?? "") || (event.tile as Tile | undefined)?.state !== "loaded") return;
    clearInterval(look);
    canvas.off("sourcedata", came);
    tell(true);
  };
  canvas.on("sourcedata", came);
  canvas.on("remove", () => clearInterval(look));
}

interface Tile {
  state: string;
}

const styles = new Map<string, Promise<StyleSpecification | null>>();

/** Draw a style below a layer; where it cannot be had the map goes on without it. */
export async function drawStyle(canvas: Canvas, styled: Styled, before: string): Promise<void> {
  const address = whole(styled.style);
  if (!styles.has(address)) styles.set(address, fetched(address));
  awaited.add(canvas);
  const style = await styles.get(address);
  awaited.delete(canvas);
  if (!style || !canvas.getLayer(before)) return;
  const parts = partsOf(style, address, styled);
  for (const [id, source] of Object.entries(parts.sources)) if (!canvas.getSource(id)) canvas.addSource(id, source);
  if (parts.sprite) canvas.setSprite(parts.sprite);
  for (const layer of parts.layers) if (!canvas.getLayer(layer.id)) canvas.addLayer(layer, before);
}

async function fetched(address: string): Promise<StyleSpecification | null> {
  try {
    const answer = await fetch(address, { referrerPolicy: asked(address).referrerPolicy ?? "same-origin" });
    return answer.ok ? ((await answer.json()) as StyleSpecification) : null;
  } catch {
    return null;
  }
}

/** Sources and layers of a style under names of their own, with whole addresses. Its glyphs are left: letters are the machine's. */
export function partsOf(
  style: StyleSpecification,
  address: string,
  styled: Styled,
): { sources: Record<string, SourceSpecification>; layers: LayerSpecification[]; sprite: string | null } {
  const sources: Record<string, SourceSpecification> = {};
  for (const [id, given] of Object.entries(style.sources)) {
    const source = { ...given } as SourceSpecification & { url?: string; tiles?: string[] };
    if (source.url?.startsWith("pmtiles://") && styled.tiles) {
      delete source.url;
      const { minzoom, maxzoom } = styled;
      Object.assign(source, { tiles: styled.tiles.map((path) => whole(path)), minzoom, maxzoom });
    } else if (source.url) source.url = whole(source.url, address);
    else if (source.tiles) source.tiles = source.tiles.map((path) => whole(path, address));
    sources[OWN + id] = source;
  }
  const layers = style.layers.map((layer) => ({
    ...layer,
    id: OWN + layer.id,
    ...("source" in layer && typeof layer.source === "string" ? { source: OWN + layer.source } : {}),
  })) as LayerSpecification[];
  return { sources, layers, sprite: typeof style.sprite === "string" ? whole(style.sprite, address) : null };
}
