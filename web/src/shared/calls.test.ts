import { describe, expect, it } from "vitest";
import { query } from "./calls";

describe("the parameters of a call", () => {
  it("leave out what says nothing, and keep what is nought or no", () => {
    expect(query({ region: "", at: null, step: undefined, limit: 0, overdue: false })).toBe("limit=0&overdue=false");
  });

  it("are written so that an address can hold them", () => {
    expect(query({ at: "2026-03-02T00:00:00+08:00" })).toBe("at=2026-03-02T00%3A00%3A00%2B08%3A00");
  });
});
