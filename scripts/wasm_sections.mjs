// Reads and rewrites the sections of a WebAssembly module (WebAssembly Core Specification 2.0, chapter 5).

/** The numbers of the sections of imports and exports. */
export const IMPORTS = 2;
export const EXPORTS = 7;

/** Returns the module with this section changed. */
export function rewritten(bytes, section, change) {
  const parts = [bytes.subarray(0, 8)];
  for (let at = 8; at < bytes.length; ) {
    const size = read(bytes, at + 1);
    const end = size.next + size.value;
    const body = bytes.subarray(size.next, end);
    const changed = bytes[at] === section ? change(body) : body;
    parts.push(bytes.subarray(at, at + 1), leb128(changed.length), changed);
    at = end;
  }
  const module = Buffer.concat(parts);
  new WebAssembly.Module(module);
  return module;
}

/** Returns an unsigned LEB128 number, and the position after it. */
export function read(bytes, at) {
  for (let value = 0, shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return { value, next: at };
  }
}

/** Returns a text that is preceded by its length, and the position after it. */
export function readText(bytes, at) {
  const { value, next } = read(bytes, at);
  return { text: bytes.toString("utf8", next, next + value), next: next + value };
}

export function leb128(value) {
  const bytes = [];
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return Buffer.from([...bytes, value]);
}
