import { defineConfig, devices } from "@playwright/test";
import { existsSync } from "node:fs";

// The machine's Chromium ($CHROMIUM_PATH, or where packages put it); otherwise Playwright's own
// (`npx playwright install chromium`).
const installed = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = process.env.CHROMIUM_PATH ?? installed.find(existsSync);

const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];
// A name that stands for a machine in the local network: browsers trust it less than this one's.
const names = ["--host-resolver-rules=MAP *.example 127.0.0.1"];
// As root Chromium has no sandbox; containers have little shared memory.
const asRoot = process.getuid?.() === 0 ? ["--no-sandbox", "--disable-dev-shm-usage"] : [];

export default defineConfig({
  testDir: "specs",
  outputDir: "test-results",
  timeout: 60_000,
  expect: { timeout: 15_000 },
  // Every worker has a server of its own, every test a room of its own: see support/fixtures.ts.
  fullyParallel: true,
  workers: 2,
  forbidOnly: !!process.env.CI,
  retries: 0,
  reporter: "list",
  use: { ...devices["Desktop Chrome"], actionTimeout: 15_000, trace: "retain-on-failure", launchOptions: { executablePath, args: [...quiet, ...names, ...asRoot] } },
});
