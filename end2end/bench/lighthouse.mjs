// What Lighthouse says of a room with 30 messages, with its settings for a desktop and for a phone.
// usage: node end2end/bench/lighthouse.mjs

import { execFileSync } from "node:child_process";
import { asRoot, executablePath, fill, start } from "./surroundings.mjs";

const LIGHTHOUSE = "lighthouse@12.8.2";
const CATEGORIES = ["performance", "accessibility", "best-practices"];

const { host, stop } = await start();
try {
  const texts = Array.from({ length: 30 }, (_, index) => `${index + 1}: the tide table for next week is up`);
  await fill(host, "harbour", texts);
  for (const settings of [["--preset=desktop"], []]) {
    const report = execFileSync(
      "npx",
      [
        "--yes", LIGHTHOUSE, `http://${host}/harbour/?username=Reader`, "--quiet", "--output=json",
        `--only-categories=${CATEGORIES}`, `--chrome-flags=${["--headless=new", ...asRoot].join(" ")}`, ...settings,
      ],
      { env: { ...process.env, ...(executablePath && { CHROME_PATH: executablePath }) }, maxBuffer: 1 << 26, stdio: ["ignore", "pipe", "inherit"] },
    );
    const { categories, audits } = JSON.parse(report);
    const scores = CATEGORIES.map((name) => `${name} ${Math.round(categories[name].score * 100)}`);
    const paint = audits["largest-contentful-paint"].displayValue;
    const shift = audits["cumulative-layout-shift"].displayValue;
    console.log(`${settings.length ? "desktop" : "mobile"}: ${scores.join(", ")}; largest contentful paint ${paint}, layout shift ${shift}`);
  }
} finally {
  await stop();
}
