// Reduces the download size. A library below Leptos passes streams to the browser through classes that wasm-bindgen
// exports from the script. Parlour has no such streams: this removes the classes from the script and their functions from
// the module's exports, so that `wasm-opt` can remove their code.
//
//   node scripts/drop_streams.mjs target/site-release/pkg/parlour

import { readFileSync, writeFileSync } from "node:fs";
import { EXPORTS, leb128, read, readText, rewritten } from "./wasm_sections.mjs";

const [stem] = process.argv.slice(2);

const classes = /export class (IntoUnderlying\w+)\{.*?Symbol\.dispose&&\(\1\.prototype\[Symbol\.dispose\]=\1\.prototype\.free\);/gs;
const script = readFileSync(`${stem}.js`, "utf8");
const rest = script.replace(classes, "");
if (script === rest || rest.includes("IntoUnderlying")) throw new Error(`${stem}.js: the classes of streams are not as expected`);
writeFileSync(`${stem}.js`, rest);

writeFileSync(`${stem}.wasm`, rewritten(readFileSync(`${stem}.wasm`), EXPORTS, (section) => {
  const count = read(section, 0);
  const kept = [];
  for (let at = count.next, number = 0; number < count.value; number++) {
    const { text, next } = readText(section, at);
    const end = read(section, next + 1).next;
    if (!text.includes("intounderlying")) kept.push(section.subarray(at, end));
    at = end;
  }
  if (kept.length === count.value) throw new Error(`${stem}.wasm: nothing of streams is exported`);
  return Buffer.concat([leb128(kept.length), ...kept]);
}));
