import { readFileSync } from "node:fs";
import type { Plugin } from "vite";
import { ICONS } from "./icons";

/** One file with every icon that the pages use, each a `<symbol>`; the manifest names it `icons.svg`. */
export function sprite(): Plugin {
  return {
    name: "sprite",
    apply: "build",
    generateBundle() {
      const symbols = ICONS.map((name) => {
        const svg = readFileSync(`node_modules/lucide-static/icons/${name}.svg`, "utf8");
        const drawn = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"));
        return `<symbol id="${name}" viewBox="0 0 24 24">${drawn.replace(/\s+/g, " ").trim()}</symbol>`;
      });
      const source = `<!-- Lucide, ISC licence --><svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`;
      this.emitFile({ type: "asset", name: "icons.svg", originalFileName: "icons.svg", source });
    },
  };
}
