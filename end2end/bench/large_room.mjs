// A large room in a browser: how smooth it is while much is said, how much it holds, and whether memory stays flat.
// usage: node end2end/bench/large_room.mjs [MESSAGES 100000] [MINUTES 10] [PER_SECOND 50]

import { chromium } from "@playwright/test";
import { asRoot, executablePath, start } from "./surroundings.mjs";

const [messages = 100_000, minutes = 10, perSecond = 50] = process.argv.slice(2).map(Number);
const { host, stop } = await start();
const browser = await chromium.launch({
  executablePath,
  args: [...asRoot, "--disable-background-timer-throttling", "--disable-renderer-backgrounding"],
});
// Somebody who speaks, in a page that shows no messages.
const speaker = await browser.newPage();
await speaker.goto(`http://${host}/`);
await speaker.evaluate(async () => {
  const socket = new WebSocket(`ws://${location.host}/ws/large/?username=Speaker`);
  await new Promise((opened) => (socket.onopen = opened));
  let stored = 0;
  let wake = () => {};
  socket.onmessage = ({ data }) => {
    if (!data.includes('"type":"message"')) return;
    stored += 1;
    wake();
  };
  const words = "the tide table for next week is up and the pontoon light has been seen to by the harbour master".split(" ");
  let said = 0;
  const say = () => {
    said += 1;
    socket.send(JSON.stringify({ type: "post", message: `${said}: ${words.slice(0, 3 + (said % 16)).join(" ")}` }));
  };
  /** Says so much, as fast as it is stored. */
  window.sayMany = async (count) => {
    for (const end = said + count; said < end; ) {
      say();
      while (said - stored > 500) await new Promise((resolve) => (wake = resolve));
    }
    while (stored < said) await new Promise((resolve) => (wake = resolve));
  };
  window.sayAtPace = (perSecond) => setInterval(say, 1000 / perSecond);
});
console.log(`${messages} messages are being stored …`);
await speaker.evaluate((count) => window.sayMany(count), messages);

const page = await browser.newPage();
await page.goto(`http://${host}/large/?username=Reader`);
await page.locator(".is-hydrated .connection-status:has(.live)").waitFor({ state: "attached" });
await page.evaluate(() => {
  const frames = (window.frames_ = []);
  window.shifts_ = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((it) => (window.shifts_ += it.value))).observe({ type: "layout-shift" });
  let before = performance.now();
  const frame = (now) => {
    frames.push(now - before);
    before = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
});

const cdp = await page.context().newCDPSession(page);
/** What the page holds after a collection, and how long its frames took since the last time. */
async function look(label) {
  await cdp.send("HeapProfiler.collectGarbage");
  const { usedSize } = await cdp.send("Runtime.getHeapUsage");
  const { nodes } = await cdp.send("Memory.getDOMCounters");
  const seen = await page.evaluate(() => {
    const frames = window.frames_.splice(0).sort((a, b) => a - b);
    const at = (share) => frames[Math.min(frames.length - 1, Math.floor(frames.length * share))]?.toFixed(1);
    return {
      frames: frames.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1),
      shown: document.querySelectorAll("li.message").length, shifts: window.shifts_.toFixed(4),
    };
  });
  console.log(
    `${label.padEnd(22)} frames ${seen.frames}, ms p50 ${seen.p50} p95 ${seen.p95} p99 ${seen.p99} max ${seen.max}; ` +
      `heap ${(usedSize / 1e6).toFixed(1)} MB, nodes ${nodes}, messages ${seen.shown}, shift ${seen.shifts}`,
  );
}

await look("opened");
await speaker.evaluate((perSecond) => void window.sayAtPace(perSecond), perSecond);
for (let minute = 1; minute <= minutes; minute++) {
  await page.waitForTimeout(60_000);
  await look(`minute ${minute}, following`);
}

// Reading upwards while others talk.
await page.mouse.move(400, 300);
for (let turn = 0; turn < 150; turn++) {
  await page.mouse.wheel(0, -900);
  await page.waitForTimeout(150);
}
await look("scrolling up");

await browser.close();
await stop();
