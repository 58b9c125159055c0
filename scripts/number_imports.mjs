// Reduces the download size. wasm-bindgen names every import by its function and a hash of 16 digits, in the module and
// again in its script, and hashes do not compress. This replaces the names by numbers.
//
//   node scripts/number_imports.mjs target/site-release/pkg/parlour

import { readFileSync, writeFileSync } from "node:fs";
import { IMPORTS, leb128, read, readText, rewritten } from "./wasm_sections.mjs";

const [stem] = process.argv.slice(2);
const module = readFileSync(`${stem}.wasm`);

const imports = WebAssembly.Module.imports(new WebAssembly.Module(module));
const hashed = imports.map(({ name }) => name).filter((name) => /_[0-9a-f]{16}$/.test(name));
if (hashed.length === 0) throw new Error(`${stem}.wasm: no import is named as wasm-bindgen names them`);
const numbers = new Map(hashed.map((name, number) => [name, `_${number.toString(36)}`]));

writeFileSync(`${stem}.js`, hashed.reduce(numbered, readFileSync(`${stem}.js`, "utf8")));
writeFileSync(`${stem}.wasm`, rewritten(module, IMPORTS, (section) => {
  // Each import consists of the name of a module, a name, and the type of a function.
  const count = read(section, 0);
  const parts = [section.subarray(0, count.next)];
  for (let at = count.next, number = 0; number < count.value; number++) {
    const from = readText(section, at);
    const { text, next } = readText(section, from.next);
    if (section[next] !== 0) throw new Error(`${stem}.wasm: ${text} is no function`);
    const end = read(section, next + 1).next;
    const name = Buffer.from(numbers.get(text) ?? text);
    parts.push(section.subarray(at, from.next), leb128(name.length), name, section.subarray(next, end));
    at = end;
  }
  return Buffer.concat(parts);
}));

/** Returns the script with this import called by its number. */
function numbered(script, name) {
  const parts = script.split(name);
  if (parts.length !== 2) throw new Error(`${stem}.js: ${name} does not stand there once`);
  return parts.join(numbers.get(name));
}
