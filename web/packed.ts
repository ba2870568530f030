import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const TEXT = /\.(js|mjs|css|svg|json)$/;
const LEAST = 1024;

/** Beside every text of the build stands its packed form, which the server gives to whoever takes it: a third of the bytes. */
export function packed(): Plugin {
  let folder = "";
  return {
    name: "packed",
    apply: "build",
    configResolved(config) {
      folder = join(config.root, config.build.outDir, "assets");
    },
    closeBundle() {
      for (const name of readdirSync(folder)) {
        const content = readFileSync(join(folder, name));
        if (TEXT.test(name) && content.length >= LEAST)
          writeFileSync(join(folder, `${name}.gz`), gzipSync(content, { level: 9 }));
      }
    },
  };
}
