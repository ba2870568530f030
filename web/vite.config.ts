import { readdirSync } from "node:fs";
import { basename } from "node:path";
import { defineConfig } from "vite";
import { packed } from "./packed";
import { sprite } from "./sprite";

// Each file directly in src/ is an entry, named as the template tag `built` asks for it: `app` on every page (htmx and the style
// sheet), the others only where they are needed. What several entries share is in src/shared/. Types and tests are no entries.
const entries = readdirSync("src")
  .filter((name) => name.endsWith(".ts") && !/\.(d|test)\.ts$/.test(name))
  .map((name) => [basename(name, ".ts"), `src/${name}`]);

export default defineConfig({
  base: "/static/build/",
  plugins: [sprite(), packed()],
  build: {
    outDir: "../src/yiwang/server/static/build",
    emptyOutDir: true,
    manifest: "manifest.json",
    sourcemap: false,
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      input: Object.fromEntries(entries),
      checks: { eval: false }, // htmx keeps one for a feature that app.ts switches off
    },
  },
});
