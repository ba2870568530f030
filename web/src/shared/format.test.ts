import { expect, test } from "vitest";
import {
  clockText,
  figureText,
  kilometresText,
  lastingText,
  lengthText,
  momentText,
  numberText,
  percentText,
} from "./format";

test("numbers and shares look as the server writes them", () => {
  expect([numberText(12345), numberText(1234.56, 1), figureText(12345), figureText(null)]).toEqual([
    "12,345",
    "1,234.6",
    "12,345",
    "—",
  ]);
  expect([percentText(0.125), percentText(1, 0), percentText(null), percentText(0)]).toEqual([
    "12.5 %",
    "100 %",
    "—",
    "0.0 %",
  ]);
});

test("moments stand on the city's clocks", () => {
  const at = new Date("2026-03-04T16:05:07Z");
  expect(momentText(at, "Asia/Shanghai")).toBe("2026-03-05 00:05");
  expect(clockText(at, "America/New_York")).toBe("11:05:07");
});

test("ways and lengths of time are said in two languages", () => {
  expect([lengthText(940), lengthText(1250), kilometresText(1250)]).toEqual(["940 m", "1.3 km", "1.3"]);
  const hours = 51 * 3600 * 1000;
  expect(lastingText(hours, { days: "天", hours: "小时", minutes: "分钟" })).toBe("2 天 3 小时");
  expect(lastingText(hours, { days: "d", hours: "h", minutes: "min" })).toBe("2 d 3 h");
  expect(lastingText(0, { days: "d", hours: "h", minutes: "min" })).toBe("0 min");
});
