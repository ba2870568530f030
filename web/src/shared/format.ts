/**
 * How scripts write numbers, shares, lengths and moments: in the forms of `yiwang.server.common.formatting`, the same in every
 * language, except for words that the page hands over.
 */

export const NONE = "—"; // where there is nothing to write

/** A number with commas between thousands and so many decimals: `12,345`, `12,345.6`. */
export function numberText(value: number, places = 0): string {
  return value.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
}

/** A count or a measure as it is, with commas between thousands and no decimals that are not there. */
export function figureText(value: number | null | undefined): string {
  return value === null || value === undefined ? NONE : value.toLocaleString("en-US");
}

/** A share of one as a percentage, `12.5 %`; no data is a dash, never 0 %. */
export function percentText(share: number | null | undefined, places = 1): string {
  return share === null || share === undefined ? NONE : `${numberText(100 * share, places)} %`;
}

/** Day and minute on the clocks of a zone, `2026-03-04 09:05`. */
export function momentText(at: Date, zone: string): string {
  return new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" }).format(at);
}

/** The day on the clocks of a zone, `2026-03-04`. */
export function dayText(at: Date, zone: string): string {
  return new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short" }).format(at);
}

/** The time of day on the clocks of a zone, to the second, `09:05:07`. */
export function clockText(at: Date, zone: string): string {
  return new Intl.DateTimeFormat("sv-SE", { timeZone: zone, timeStyle: "medium" }).format(at);
}

/** A way of so many metres in kilometres with one decimal, without the unit. */
export function kilometresText(metres: number): string {
  return numberText(metres / 1000, 1);
}

/** A way in metres below a kilometre and in kilometres above, with its unit. */
export function lengthText(metres: number): string {
  return metres < 1000 ? `${Math.round(metres)} m` : `${kilometresText(metres)} km`;
}

/** A length of time in its two largest units, with the words of the page: `2 d 3 h`. */
export function lastingText(milliseconds: number, words: Record<"days" | "hours" | "minutes", string>): string {
  const minutes = Math.floor(Math.abs(milliseconds) / 60_000);
  const parts: [number, string][] = [
    [Math.floor(minutes / 1440), words.days],
    [Math.floor(minutes / 60) % 24, words.hours],
    [minutes % 60, words.minutes],
  ];
  const shown = parts.filter(([count]) => count > 0).slice(0, 2);
  return shown.map(([count, unit]) => `${count} ${unit}`).join(" ") || `0 ${words.minutes}`;
}
