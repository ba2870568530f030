import { afterEach, describe, expect, it, vi } from "vitest";
import { momentOf, nowIn } from "./time";

afterEach(() => {
  vi.useRealTimers();
});

describe("a moment on the city's clocks", () => {
  it.each([
    ["Asia/Shanghai", "2026-03-02", 9 * 60 + 10, "2026-03-02T09:10:00+08:00"],
    ["Asia/Shanghai", "2026-03-02", 0, "2026-03-02T00:00:00+08:00"],
    ["Asia/Kolkata", "2026-03-02", 5, "2026-03-02T00:05:00+05:30"],
    ["UTC", "2026-03-02", 23 * 60 + 50, "2026-03-02T23:50:00+00:00"],
    ["America/New_York", "2026-01-15", 60, "2026-01-15T01:00:00-05:00"],
    ["America/New_York", "2026-07-15", 60, "2026-07-15T01:00:00-04:00"],
  ])("%s, %s and %d minutes", (zone, day, minutes, moment) => {
    expect(momentOf(day, minutes, zone)).toBe(moment);
  });

  // what the slider shows is what is asked for, also in the hours around a change of the clocks
  it.each([
    ["America/New_York", "2026-03-08"],
    ["America/New_York", "2026-11-01"],
    ["Europe/Berlin", "2026-03-29"],
    ["Europe/Berlin", "2026-10-25"],
    ["Australia/Sydney", "2026-10-04"],
  ])("reads the same on the clocks of %s on %s", (zone, day) => {
    const clock = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" });
    const wrong: string[] = [];
    for (let minutes = 0; minutes < 24 * 60; minutes += 10) {
      const moment = momentOf(day, minutes, zone);
      if (clock.format(new Date(moment)) !== moment.slice(11, 16)) wrong.push(moment);
    }
    // the hour that the clocks leave out in spring is on no clock
    const left_out = wrong.filter((moment) => /T02:/.test(moment)).length;
    expect([wrong.length - left_out, left_out]).toEqual([0, /-(03|10-04)/.test(day) ? 6 : 0]);
  });
});

describe("now on the city's clocks", () => {
  it.each([
    ["2026-03-02T16:00:00Z", "Asia/Shanghai", { day: "2026-03-03", minutes: 0 }],
    ["2026-03-02T15:59:59Z", "Asia/Shanghai", { day: "2026-03-02", minutes: 24 * 60 - 1 }],
    ["2026-03-02T04:59:00Z", "America/New_York", { day: "2026-03-01", minutes: 24 * 60 - 1 }],
    ["2026-07-02T04:00:00Z", "America/New_York", { day: "2026-07-02", minutes: 0 }],
  ])("%s in %s", (now, zone, shown) => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.parse(now) });
    expect(nowIn(zone)).toEqual(shown);
  });
});
