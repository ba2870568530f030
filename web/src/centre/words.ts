/** What the page gives the script: addresses, the city's zone, and every word it shows, in the page's language. */
export interface Page {
  city: string;
  zone: string;
  english: boolean;
  region: string;
  root: string;
  /** The last recorded day of a city whose cases were replayed; null for a city that lives. */
  begins: string | null;
  urls: {
    centre: string;
    tiles: string;
    regions: string;
    cases: string;
    case: string;
    page: string;
  };
  /** The classes that have most components, most first. */
  classes: { code: string; name: string; n: number }[];
  words: Record<string, string>;
}

export function pageOf(element: HTMLElement): Page {
  return JSON.parse(document.getElementById(element.dataset["page"] ?? "")?.textContent ?? "{}") as Page;
}

/** A word with its numbers put in. */
export function say(page: Page, key: string, values: Record<string, string | number> = {}): string {
  return (page.words[key] ?? key).replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** The list of cases behind a figure. */
export function list(page: Page, filters: Record<string, string>): string {
  return `${page.urls.cases}?${new URLSearchParams(Object.entries(filters).filter(([, value]) => value))}`;
}

export function named(page: Page, thing: { name: string; name_en?: string }): string {
  return page.english ? thing.name_en || thing.name : thing.name;
}
