// Connections and requests that hang: noticed within seconds, given up, and said.

import { expect, test } from "../support/fixtures";
import { enter, fill, goOffline, goOnline, hold, isLive, message, messages, numbers, pending, say, scrollTo, text } from "../support/room";
import { Wire } from "../support/wire";

test.beforeEach(({ complaints }) => complaints.expectOutage());

for (const [how, event] of [["the network is back", "online"], ["the tab is looked at", "visibilitychange"]]) {
  for (const said of [0, 1]) {
    test(`a dead connection is noticed when ${how}, in a room with ${said} messages`, async ({ page, visitor, room }) => {
      await page.clock.install();
      const wire = await Wire.of(page);
      await enter(page, room, "Ann");
      const ben = await visitor();
      await enter(ben, room, "Ben");
      if (said) {
        await say(ben, "hello");
        await expect(text(page, 1)).toHaveText("hello");
      }
      await expect(page.locator(".participant")).toHaveCount(2);
      await page.clock.pauseAt(Date.now() + 10_000);
      await isLive(page);
      // One that lives is kept.
      const dials = wire.dials;
      const wake = () => page.evaluate((event) => void (event === "online" ? window : document).dispatchEvent(new Event(event, { bubbles: true })), event);
      await wake();
      await say(page, "is anybody here?");
      await expect(messages(page, "is anybody here?")).toBeVisible();
      await page.clock.runFor(4000);
      await isLive(page);
      expect(wire.dials).toBe(dials);
      wire.cut();
      await wake();
      await page.clock.runFor(3500);
      await expect.poll(() => wire.dials).toBe(dials + 1);
      await isLive(page);
    });
  }
}

test("a message that is not answered gives the connection up, and is sent once", async ({ page, room }) => {
  await page.clock.install();
  const wire = await Wire.of(page);
  await enter(page, room, "Ann");
  await page.clock.pauseAt(Date.now() + 10_000);
  wire.cut();
  const dials = wire.dials;
  await say(page, "can you hear me?");
  await expect(pending(page)).toContainText("can you hear me?");
  await page.clock.runFor(4000);
  expect(wire.dials).toBe(dials);
  await page.clock.runFor(4000);
  await expect.poll(() => wire.dials).toBe(dials + 1);
  await page.clock.resume();
  await expect(text(page, 1)).toHaveText("can you hear me?");
  await expect(pending(page)).toHaveCount(0);
  expect(await numbers(page)).toEqual([1]);
});

test("an attempt that hangs ends in time, and is begun anew by the button and by the network", async ({ page, server, room }) => {
  await page.clock.install();
  const wire = await Wire.of(page);
  await enter(page, room, "Ann");
  await page.clock.pauseAt(Date.now() + 10_000);
  wire.hangs = true;
  await server.kill();
  await server.start();
  wire.cut();
  await page.evaluate(() => void window.dispatchEvent(new Event("offline")));
  await expect(page.getByRole("button", { name: "Try now" })).toBeVisible();
  const dials = wire.dials;
  const now = page.getByRole("button", { name: "Try now" });
  await now.click();
  await expect.poll(() => wire.dials).toBe(dials + 1);
  await now.click();
  await expect.poll(() => wire.dials).toBe(dials + 2);
  await page.evaluate(() => void window.dispatchEvent(new Event("online")));
  await expect.poll(() => wire.dials).toBe(dials + 3);
  await expect(page.locator(".connection-status")).toHaveText("Connecting…");
  // The attempt ends, and after a moment the next one begins.
  await page.clock.runFor(15_000);
  await expect.poll(() => wire.dials).toBeGreaterThan(dials + 3);
  wire.hangs = false;
  await now.click();
  await isLive(page);
});

test("a page of history that hangs blocks nothing for good", async ({ page, request, room }) => {
  await page.clock.install();
  await fill(request, room, 120);
  const pages = await hold(page, /\/api\/load_history/);
  await enter(page, room, "Ben");
  await page.clock.pauseAt(Date.now() + 10_000);
  await scrollTo(page, 71, "start");
  await expect.poll(pages.count).toBe(1);
  await page.clock.runFor(400);
  await expect(page.getByRole("progressbar", { name: "Loading" })).toBeVisible();
  await page.clock.runFor(10_000);
  await expect(page.getByRole("progressbar", { name: "Loading" })).toBeHidden();
  await page.unrouteAll({ behavior: "ignoreErrors" });
  // Scrolling to it, as a click of the mouse does first, would load the page as well.
  await page.getByRole("link", { name: "Earlier messages" }).dispatchEvent("click");
  await expect(message(page, 21)).toBeAttached();
});

test("a page of history that hung before the connection was lost is asked for again", async ({ page, request, room }) => {
  await fill(request, room, 120);
  const pages = await hold(page, /\/api\/load_history/);
  await enter(page, room, "Ben");
  await scrollTo(page, 71, "start");
  await expect.poll(pages.count).toBe(1);
  await goOffline(page);
  await page.unrouteAll({ behavior: "ignoreErrors" });
  await goOnline(page);
  await expect(message(page, 21)).toBeAttached({ timeout: 9000 });
});

test("earlier messages that cannot be loaded without a network are said to be so", async ({ page, request, room }) => {
  await fill(request, room, 120);
  await enter(page, room, "Ben");
  await goOffline(page);
  await page.getByRole("link", { name: "Earlier messages" }).click();
  await expect(page.locator(".notice")).toHaveText("You’re offline, so that can’t be loaded right now.");
  await goOnline(page);
  await expect(message(page, 21)).toBeAttached();
});
