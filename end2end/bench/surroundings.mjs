// What a measurement in a browser stands on: a server of its own with limits off, and the machine's Chromium.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const installed = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Where Chromium is; undefined leaves it to whoever asks. */
export const executablePath = process.env.CHROMIUM_PATH ?? installed.find(existsSync);

/** As root Chromium has no sandbox; containers have little shared memory. */
export const asRoot = process.getuid?.() === 0 ? ["--no-sandbox", "--disable-dev-shm-usage"] : [];

/** Starts the executable named by $PARLOUR (target/release/parlour) on a fresh data directory. */
export async function start() {
  const executable = process.env.PARLOUR ?? "target/release/parlour";
  const data = mkdtempSync(join(tmpdir(), "parlour-bench-"));
  const server = spawn(executable, ["--addr", "127.0.0.1:0", "--data", data, "--limits", "off"], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(server, "exit");
  const host = await new Promise((found, failed) => {
    ended.then(([code]) => failed(new Error(`${executable} ends with ${code}`)), failed);
    createInterface(server.stdout).on("line", (line) => {
      const listens = /listens on http:\/\/([^,]+),/.exec(line);
      if (listens) found(listens[1]);
    });
  });
  const stop = async () => {
    server.kill("SIGKILL");
    await ended;
    rmSync(data, { recursive: true, force: true });
  };
  return { host, stop };
}

/** Says these texts in a room, by its form. */
export async function fill(host, room, texts) {
  const address = `http://${host}/${room}/`;
  for (const message of texts) {
    const body = new URLSearchParams({ message });
    const answer = await fetch(address, { method: "POST", body, headers: { origin: `http://${host}` }, redirect: "manual" });
    if (answer.status !== 303) throw new Error(`${address} answers ${answer.status}`);
  }
}
