// What a visitor sees of the limits: whoever is too fast waits a little, and loses nothing.

import { listen } from "../support/access";
import { expect, test } from "../support/fixtures";
import { enter, goOffline, goOnline, messages, range, say } from "../support/room";
import { Server } from "../support/server";

test("whoever writes faster than may be is told so, and every message arrives once and in order", async ({ browser, room, complaints }) => {
  const server = await Server.start(["--message-burst", "1", "--messages-per-second", "1"]);
  try {
    const context = await browser.newContext({ baseURL: server.url });
    complaints.listen(context);
    const page = await context.newPage();
    await enter(page, room, "Ann");
    const heard = await listen(page.locator(".notice"));
    // All of it waits before the first goes out.
    complaints.expectOutage();
    await goOffline(page);
    for (const number of range(1, 6)) await say(page, `message ${number}`);
    await goOnline(page);
    await expect.poll(heard).toContainEqual(expect.stringContaining("Slow down a little."));
    await expect(page.locator("li.pending")).toHaveCount(0);
    await page.reload();
    await expect(messages(page).locator(".message-text")).toHaveText(range(1, 6).map((number) => `message ${number}`));
    await context.close();
  } finally {
    await server.remove();
  }
});
