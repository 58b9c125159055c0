import { defineConfig, devices } from "@playwright/test";
import { existsSync } from "node:fs";

// The machine's Chromium ($CHROMIUM_PATH, or where packages put it); otherwise Playwright's own
// (`npx playwright install chromium`).
const installed = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = process.env.CHROMIUM_PATH ?? installed.find(existsSync);

const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];
// The name of a machine in the local network, which browsers trust less than this machine.
const names = ["--host-resolver-rules=MAP *.example 127.0.0.1"];
// As root Chromium has no sandbox; containers have little shared memory.
const asRoot = process.getuid?.() === 0 ? ["--no-sandbox", "--disable-dev-shm-usage"] : [];

// $BROWSERS, such as "firefox,webkit", names other browsers that Playwright has installed: see docs/browsers.md.
const browsers = {
  chromium: { ...devices["Desktop Chrome"], launchOptions: { executablePath, args: [...quiet, ...names, ...asRoot] } },
  firefox: devices["Desktop Firefox"],
  webkit: devices["Desktop Safari"],
};
const chosen = (process.env.BROWSERS ?? "chromium").split(",") as (keyof typeof browsers)[];

export default defineConfig({
  testDir: "specs",
  outputDir: "test-results",
  timeout: 60_000,
  expect: { timeout: 15_000 },
  // Every worker has its own server, every test its own room: see support/fixtures.ts.
  fullyParallel: true,
  workers: 2,
  forbidOnly: !!process.env.CI,
  retries: 0,
  reporter: "list",
  use: { actionTimeout: 15_000, trace: "retain-on-failure" },
  projects: chosen.map((name) => ({ name, use: browsers[name] })),
});
