import { describe, expect, it } from "vitest";
import { list, named, type Page, say } from "./words";

const page = { english: true, words: { live: "As of {time}, {n} cases" }, urls: { cases: "/wuxi/cases" } };
const there = page as unknown as Page;

describe("words of the page", () => {
  it("take their numbers, and show what nobody gave", () => {
    expect(say(there, "live", { time: "10:00", n: 0 })).toBe("As of 10:00, 0 cases");
    expect(say(there, "live", { n: 3 })).toBe("As of {time}, 3 cases");
  });

  it("that are missing show their name instead of nothing", () => {
    expect(say(there, "unheard_of")).toBe("unheard_of");
  });

  it("name things in the page's language where there is such a name", () => {
    expect(named(there, { name: "市容", name_en: "Looks" })).toBe("Looks");
    expect(named(there, { name: "市容", name_en: "" })).toBe("市容");
    expect(named({ ...there, english: false }, { name: "市容", name_en: "Looks" })).toBe("市容");
  });
});

describe("the list behind a figure", () => {
  it("is asked for with what is set, in a form that an address can hold", () => {
    expect(list(there, { region: "", state: "open", opened_after: "2026-03-02T00:00:00+08:00" })).toBe(
      "/wuxi/cases?state=open&opened_after=2026-03-02T00%3A00%3A00%2B08%3A00",
    );
  });
});
