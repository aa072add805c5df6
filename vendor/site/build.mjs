import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const banner = "/* iframe-worker 1.0.4. The MIT License. Copyright (c) Martin Donath. Made from npm; do not edit. */\n";
mkdirSync("made/docs", { recursive: true });
writeFileSync("made/docs/iframe-worker.js", banner + readFileSync("node_modules/iframe-worker/shim/index.js", "utf8"));
