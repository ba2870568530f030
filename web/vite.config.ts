import { defineConfig } from "vite";

// Two entries: `app` on every page (htmx and the style sheet), `city-map` only where a map is drawn.
export default defineConfig({
  base: "/static/build/",
  build: {
    outDir: "../src/yiwang/server/static/build",
    emptyOutDir: true,
    manifest: "manifest.json",
    sourcemap: false,
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      input: { app: "src/app.ts", "city-map": "src/city-map.ts" },
      checks: { eval: false }, // htmx keeps one for a feature that app.ts switches off
    },
  },
});
