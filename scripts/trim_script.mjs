// Makes what a visitor downloads smaller. wasm-bindgen's script starts a module in five ways; `src/ui/hydrate.js` uses one:
// it hands over the compiled module. The others go.
//
//   node scripts/trim_script.mjs target/site-release/pkg/parlour

import { readFileSync, writeFileSync } from "node:fs";

const [stem] = process.argv.slice(2);
const script = readFileSync(`${stem}.js`, "utf8");

// The function that takes an instance, then those that make one, down to the end of the script.
const starts = /(function (\w+)\(\w,\w\)\{return \w=\w\.exports,[^}]*\})async function .*?let \w+=(\w)\(\);.*export\{\w as initSync,\w as default\};\s*$/s;
const found = script.match(starts);
if (!found) throw new Error(`${stem}.js: the module is not started as expected`);
const [all, take, taking, imports] = found;
const start = `export default async({module_or_path:m})=>${taking}(await WebAssembly.instantiate(await m,${imports}()));`;
writeFileSync(`${stem}.js`, script.replace(all, () => take + start));
