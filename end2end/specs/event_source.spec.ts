// A browser's own `EventSource` reads a room's log, and resumes it exactly by itself.

import { expect, test } from "../support/fixtures";

test.beforeEach(({ complaints }) => complaints.expectOutage());

test("an EventSource gets every event once, over a server that is killed", async ({ page, server, request, room }) => {
  const say = (message: string) => request.post(`/${room}/`, { form: { message, username: "Ann" } });
  await say("1");
  // A page without a program of its own, which may connect.
  await page.goto(`/${room}/settings`);
  await page.evaluate((room) => {
    const seen: [string, string][] = [];
    const source = new EventSource(`/${room}/events?after=0`);
    source.addEventListener("message", ({ data, lastEventId }) => seen.push([lastEventId, JSON.parse(data).message]));
    Object.assign(window, { seen });
  }, room);
  const seen = () => page.evaluate(() => (window as never as { seen: [string, string][] }).seen);
  await expect.poll(seen).toEqual([["1", "1"]]);
  await say("2");
  await expect.poll(seen).toHaveLength(2);
  await server.kill();
  await server.start();
  await say("3");
  await say("4");
  await expect.poll(seen, { timeout: 30_000 }).toEqual(["1", "2", "3", "4"].map((n) => [n, n]));
});
