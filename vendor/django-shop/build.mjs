// htmx as npm has it, without the address of its source map, which is not carried along.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

const banner = "/* htmx 4.0.1, Zero-Clause BSD. Made from npm; do not edit. */\n";
const code = readFileSync("node_modules/htmx.org/dist/htmx.min.js", "utf8").replace(/\n?\/\/# sourceMappingURL=.*\n?/, "\n");
mkdirSync("made/static/js", { recursive: true });
writeFileSync("made/static/js/htmx.js", banner + code);

// The letters of invoices: Latin, Greek and Cyrillic, which a PDF must bring along.
mkdirSync("made/invoices", { recursive: true });
copyFileSync("node_modules/dejavu-fonts-ttf/ttf/DejaVuSans.ttf", "made/invoices/DejaVuSans.ttf");
copyFileSync("node_modules/dejavu-fonts-ttf/LICENSE", "made/invoices/DejaVuSans-LICENSE.txt");
