import { defineConfig } from "@playwright/test";
import tests from "../playwright.config";

// The pictures of docs/, by `make pictures`. They need the browser of the tests, and nothing that checks them.
export default defineConfig({
  ...tests,
  testDir: ".",
  testMatch: "pictures.ts",
  outputDir: "../test-results",
  timeout: 300_000,
  workers: 1,
});
