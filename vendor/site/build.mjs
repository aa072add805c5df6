import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const from = "node_modules/iframe-worker";
const { version } = JSON.parse(readFileSync(`${from}/package.json`, "utf8"));
const banner = `/* iframe-worker ${version}. The MIT License. Copyright (c) Martin Donath. Made from npm; do not edit. */\n`;
mkdirSync("made/docs", { recursive: true });
writeFileSync("made/docs/iframe-worker.js", banner + readFileSync(`${from}/shim/index.js`, "utf8"));
