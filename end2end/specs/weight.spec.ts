// What the first visit to a room costs: every byte, compressed, of the release build.

import { expect, test } from "../support/fixtures";
import { enter, fill } from "../support/room";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

/** What `scripts/site-release` leaves. */
const site = resolve(__dirname, "../../target/site-release");

/** In bytes; more where the standard library could not be compiled with the module. What is above it must earn its place or go. */
const limit = () => (readFileSync(`${site}.library-compiled`, "utf8").trim() === "yes" ? 210_000 : 240_000);

const brotli = (bytes: Buffer) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_LGWIN]: 24 } }).length;

test("the first visit to a room is light", async ({ request, room }) => {
  test.skip(!existsSync(site), "there is no release build: `make test` makes one");
  await fill(request, room, 50);
  const page = await (await request.get(`/${room}/`)).body();
  const files = ["pkg/parlour.wasm", "pkg/parlour.js", "pkg/parlour.css", "favicon.svg", "manifest.webmanifest"];
  const parts = [
    ["the page, with 50 messages", brotli(page)] as const,
    ...files.map((file) => [file, brotli(readFileSync(join(site, file)))] as const),
  ];
  const sum = parts.reduce((total, [, size]) => total + size, 0);
  for (const [name, size] of [...parts, ["in all", sum] as const]) console.log(`${String(size).padStart(8)}  ${name}`);
  expect(sum).toBeLessThan(limit());
});

test("the program is fetched once, early", async ({ page, room }) => {
  await enter(page, room, "Ann");
  const fetched = await page.evaluate(() => {
    const entries = performance.getEntriesByType("resource").filter(({ name }) => name.endsWith(".wasm"));
    return entries.map((entry) => (entry as PerformanceResourceTiming).initiatorType);
  });
  expect(fetched).toEqual(["link"]);
});
