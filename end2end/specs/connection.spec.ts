// A connection that is lost: said in words, mended by itself, nothing missed, nothing sent twice.

import { listen } from "../support/access";
import { expect, test } from "../support/fixtures";
import { comesBack, composer, enter, isLive, messages, numbers, post, say, text } from "../support/room";

test.beforeEach(({ complaints }) => complaints.expectOutage());

test("the page says that the server is gone, and comes back by itself", async ({ page, server, room }) => {
  page.on("dialog", () => expect("an alert box").toBe("never shown"));
  await enter(page, room, "Ann");
  await server.kill();
  await expect(page.locator(".connection-status")).toHaveText(/Reconnecting/);
  await expect(page.getByText(/Reconnecting in \d+ s/)).toBeVisible();
  await expect(composer(page)).toBeEditable();
  await server.start();
  await comesBack(page);
  await expect(page.getByText(/Reconnecting in \d+ s/)).toBeHidden();
  await say(page, "back again");
  await expect(text(page, 1)).toHaveText("back again");
});

test("the header is as high without a connection as with one", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await expect(page.locator(".room-count")).toBeVisible();
  const height = async () => (await page.locator(".room-header").boundingBox())?.height;
  const live = await height();
  await page.context().setOffline(true);
  await expect(page.locator(".connection-status")).toHaveText(/^Offline/);
  await expect(page.locator(".room-count")).toBeHidden();
  expect(await height()).toBe(live);
});

test("whoever does not want to wait connects now", async ({ page, server, room }) => {
  await page.clock.install();
  await enter(page, room, "Ann");
  // From here on no time passes in the page: nothing is tried again by itself.
  await page.clock.pauseAt(Date.now() + 10_000);
  await server.kill();
  await expect(page.getByText(/Reconnecting in \d+ s/)).toBeVisible();
  await server.start();
  await page.getByRole("button", { name: "Try now" }).click();
  await isLive(page);
  await expect(page.getByRole("button", { name: "Try now" })).toBeHidden();
});

test("without a network the page says so, and what was missed appears in its place", async ({ visitor, request, room }) => {
  const [ann, ben] = [await visitor(), await visitor()];
  await enter(ann, room, "Ann");
  await enter(ben, room, "Ben");
  await say(ben, "before");
  await expect(text(ann, 1)).toHaveText("before");

  await ann.context().setOffline(true);
  await expect(ann.locator(".connection-status")).toHaveText(/^Offline/);
  for (const number of [1, 2, 3]) await post(request, room, "Carl", `missed ${number}`);
  await expect(text(ben, 4)).toHaveText("missed 3");
  await ann.context().setOffline(false);
  await isLive(ann);
  await expect(text(ann, 4)).toHaveText("missed 3");
  expect(await numbers(ann)).toEqual([1, 2, 3, 4]);
});

test("what is sent without a network arrives once, in order, when it is back", async ({ visitor, room }) => {
  const [ann, ben] = [await visitor(), await visitor()];
  await enter(ann, room, "Ann");
  await enter(ben, room, "Ben");
  await ann.context().setOffline(true);
  await expect(ann.locator(".connection-status")).toHaveText(/^Offline/);
  await say(ann, "first");
  await expect(composer(ann)).toHaveValue("");
  await say(ann, "second");
  await expect(ann.locator(".pending")).toHaveText([/first/, /second/]);
  // The first says whose it is, like any message of a group.
  await expect(ann.locator(".pending .message-author").first()).toBeVisible();
  await expect(ann.locator(".pending .message-author").last()).toBeHidden();
  expect(await numbers(ann)).toEqual([]);
  const banner = await listen(ann.locator(".connection-banner"));

  await ann.context().setOffline(false);
  for (const page of [ann, ben]) {
    await expect(text(page, 1)).toHaveText("first");
    await expect(text(page, 2)).toHaveText("second");
    expect(await numbers(page)).toEqual([1, 2]);
  }
  await expect(ann.locator(".pending")).toHaveCount(0);
  await expect.poll(async () => (await banner()).join()).toContain("Connected. 2 messages sent.");
  await expect(ann.locator(".connection-banner")).toBeHidden();
});

test("what was typed while the server was away survives a reload, and is sent once", async ({ visitor, server, room }) => {
  const ann = await visitor();
  await enter(ann, room, "Ann");
  await server.kill();
  await expect(ann.locator(".connection-status")).toHaveText(/Reconnecting/);
  // No connection is made until the page is loaded anew.
  await ann.context().setOffline(true);
  await say(ann, "do not lose me");
  await expect(ann.locator(".pending")).toHaveCount(1);
  await server.start();
  await ann.goto("about:blank");
  await ann.context().setOffline(false);
  await enter(ann, room, "Ann");
  await expect(text(ann, 1)).toHaveText("do not lose me");
  await expect(ann.locator(".pending")).toHaveCount(0);
  await ann.reload();
  await isLive(ann);
  await expect(messages(ann, "do not lose me")).toHaveCount(1);
});

test("a message whose acknowledgement is lost is sent again and stored once", async ({ page, room }) => {
  let deaf = true;
  await page.routeWebSocket(/\/ws\//, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((frame) => {
      // The first connection breaks at the moment the message is acknowledged.
      if (deaf && JSON.parse(String(frame)).type === "message") {
        deaf = false;
        void server.close({ code: 1001 });
        void socket.close({ code: 4001, reason: "the test" });
      } else {
        socket.send(frame);
      }
    });
  });
  await enter(page, room, "Ann");
  await say(page, "once");
  await expect(text(page, 1)).toHaveText("once");
  expect(deaf).toBe(false);
  await isLive(page);
  await expect(page.locator(".pending")).toHaveCount(0);
  await say(page, "and next");
  await expect(text(page, 2)).toHaveText("and next");
  expect(await numbers(page)).toEqual([1, 2]);
});

test("whoever listens is told once that the connection is lost, and once that it is back", async ({ page, server, room }) => {
  await enter(page, room, "Ann");
  const told = page.locator(".connection-announcement");
  await expect(told).toHaveText("");
  const heard = await listen(told);
  await server.kill();
  await expect(page.getByText(/Reconnecting in \d+ s/)).toBeVisible();
  await server.start();
  await comesBack(page);
  await expect.poll(heard).toEqual(["The connection is lost. Messages wait here.", "Connected."]);
});

test("a device that says to have no network is not believed for ever", async ({ page, server, room }) => {
  await page.addInitScript(() => Object.defineProperty(Navigator.prototype, "onLine", { get: () => false }));
  await enter(page, room, "Ann");
  await server.kill();
  await expect(page.locator(".connection-status")).toHaveText(/^Offline/);
  await server.start();
  const now = page.getByRole("button", { name: "Try now" });
  await now.focus();
  await page.keyboard.press("Enter");
  await isLive(page);
  await server.kill();
  await expect(page.locator(".connection-status")).toHaveText(/^Offline/);
  await server.start();
  await comesBack(page);
});

test("a server that greets and goes is asked less and less often", async ({ page, room }) => {
  // The longest of the waits that may be.
  await page.addInitScript(() => (Math.random = () => 0.999));
  await page.routeWebSocket(/\/ws\//, (socket) => {
    socket.connectToServer().onMessage((frame) => {
      socket.send(frame);
      void socket.close({ code: 1013 });
    });
  });
  await page.goto(`/${room}/`);
  await expect(page.getByText(/Reconnecting in ([789]|1\d) s/)).toBeVisible({ timeout: 40_000 });
});

test("a clock that is set back holds nothing up", async ({ page, server, room }) => {
  await page.clock.install();
  await enter(page, room, "Ann");
  await page.clock.pauseAt(Date.now() + 10_000);
  await server.kill();
  await expect(page.getByText(/Reconnecting in \d+ s/)).toBeVisible();
  await page.clock.setSystemTime(Date.now() - 60 * 60 * 1000);
  await page.clock.runFor(1000);
  await expect(page.getByText(/Reconnecting in \d\d? s/)).toBeVisible();
  await server.start();
  await page.clock.runFor(31_000);
  await isLive(page);
});
