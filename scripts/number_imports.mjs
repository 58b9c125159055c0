// Makes what a visitor downloads smaller. wasm-bindgen names every import by what it does and a hash of 16 digits, in the
// module and again in its script, and chance does not compress. Here an import is called by its number, filled up to the
// length of its name, so that nothing else in the module moves.
//
//   node scripts/number_imports.mjs target/site-release/pkg/parlour

import { readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";

const [stem] = process.argv.slice(2);
const files = [".wasm", ".js"].map((suffix) => ({ path: stem + suffix, bytes: readFileSync(stem + suffix) }));

const imports = WebAssembly.Module.imports(new WebAssembly.Module(files[0].bytes));
const hashed = imports.map(({ name }) => name).filter((name) => /_[0-9a-f]{16}$/.test(name));
if (hashed.length === 0) throw new Error(`${stem}.wasm: no import is named as wasm-bindgen names them`);
for (const [number, name] of hashed.entries()) {
  for (const { path, bytes } of files) {
    const at = bytes.indexOf(name);
    if (at < 0 || at !== bytes.lastIndexOf(name)) throw new Error(`${path}: ${name} does not stand there once`);
    bytes.write(`_${number.toString(36)}`.padEnd(name.length, "_"), at);
  }
}

for (const { path, bytes } of files) {
  writeFileSync(path, bytes);
  writeFileSync(`${path}.br`, brotliCompressSync(bytes));
  writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
}
