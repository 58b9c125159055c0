// Makes what a visitor downloads smaller. wasm-bindgen's script starts a module in five ways; `src/ui/hydrate.js` uses one:
// it hands over the compiled module. The others go.
//
//   node scripts/trim_script.mjs target/site-release/pkg/parlour

import { readFileSync, writeFileSync } from "node:fs";

const [stem] = process.argv.slice(2);
const script = readFileSync(`${stem}.js`, "utf8");

// The functions that make an instance, down to the end of the script. Others list its imports and take it over.
const [rest, ...starts] = script.split(/^(?=async function __wbg_load\()/m);
for (const name of ["__wbg_get_imports", "__wbg_finalize_init"]) {
  if (starts.length !== 1 || !rest.includes(`function ${name}(`) || !starts[0].includes(`${name}(`)) {
    throw new Error(`${stem}.js: the module is not started as expected`);
  }
}
writeFileSync(`${stem}.js`, `${rest}export default async ({ module_or_path }) =>
    __wbg_finalize_init(await WebAssembly.instantiate(await module_or_path, __wbg_get_imports()));
`);
