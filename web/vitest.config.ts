import { defineConfig } from "vitest/config";

// Tests of what needs no browser, beside what they test. Pages are tested in Chromium, from tests/browser.
export default defineConfig({
  test: {
    include: ["src/**/*.test.ts"],
    environment: "node",
    restoreMocks: true,
    unstubGlobals: true,
    // The machines have few cores, and pytest follows: one worker is enough for a second of tests.
    maxWorkers: 1,
  },
});
