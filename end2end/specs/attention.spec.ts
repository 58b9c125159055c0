// Attention: the title and the icon call while nobody looks; a screen reader hears what others say, and no more.

import { type Page } from "@playwright/test";
import { listen } from "../support/access";
import { expect, test } from "../support/fixtures";
import { composer, enter, fill, menu, openMenu, post, say, text, slowDown } from "../support/room";

/** A page that can be hidden from its visitor. */
async function hideable(page: Page): Promise<(hidden: boolean) => Promise<void>> {
  await page.addInitScript(() => {
    let hidden = false;
    Object.defineProperty(document, "hidden", { get: () => hidden });
    Object.defineProperty(document, "visibilityState", { get: () => (hidden ? "hidden" : "visible") });
    (window as never as { hide: (it: boolean) => void }).hide = (it) => {
      hidden = it;
      document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    };
  });
  return (hidden) => page.evaluate((it) => (window as never as { hide: (it: boolean) => void }).hide(it), hidden);
}

const announcer = (page: Page) => page.locator(".announcer");

test("the title counts and the icon changes only while the page is hidden", async ({ page, request, room }) => {
  const hide = await hideable(page);
  await enter(page, room, "Ann");
  const icon = page.locator("link[rel=icon]");
  const is = async (title: string, file: RegExp) => {
    await expect(page).toHaveTitle(`${title}${room} · Parlour`);
    await expect(icon).toHaveAttribute("href", file);
  };
  await post(request, room, "Ben", "seen");
  await expect(text(page, 1)).toBeVisible();
  await is("", /favicon\.svg$/);

  await hide(true);
  await post(request, room, "Ben", "missed");
  await is("(1) ", /favicon-new\.svg$/);
  await post(request, room, "Ben", "missed too");
  await is("(2) ", /favicon-new\.svg$/);
  const answer = await page.request.get((await icon.getAttribute("href"))!);
  expect(answer.status()).toBe(200);

  await hide(false);
  await is("", /favicon\.svg$/);
  await hide(true);
  await is("", /favicon\.svg$/);
});

test("what came while the page was hidden stands below a line", async ({ page, request, room }) => {
  const hide = await hideable(page);
  await post(request, room, "Ben", "before");
  await enter(page, room, "Ann");
  await hide(true);
  for (const said of ["one", "two"]) await post(request, room, "Ben", said);
  await expect(text(page, 3)).toBeAttached();
  await hide(false);
  await expect(page.locator(".message-list > li:not(.day-divider)")).toHaveText([/before/, /^2 new$/, /one/, /two/]);
});

test("messages are marked as unread from one on, until the visitor writes", async ({ page, request, room }) => {
  const lines = page.locator(".message-list > li:not(.day-divider)");
  for (const said of ["one", "two", "three"]) await post(request, room, "Ben", said);
  await enter(page, room, "Ann");
  await openMenu(page, 2);
  await menu(page).getByRole("button", { name: "Mark as unread" }).click();
  await expect(lines).toHaveText([/one/, /^2 new$/, /two/, /three/]);
  // What comes while they are read does not change that.
  await post(request, room, "Ben", "four");
  await expect(lines).toHaveText([/one/, /^3 new$/, /two/, /three/, /four/]);
  await page.reload();
  await expect(lines).toHaveText([/one/, /^3 new$/, /two/, /three/, /four/]);
  await say(page, "five");
  await expect(page.locator(".unread-divider")).toHaveCount(0);
});

test("more than fits while the page was hidden: the way leads up to the first of it", async ({ page, request, room }) => {
  const hide = await hideable(page);
  await post(request, room, "Ann", "before");
  await enter(page, room, "Ben");
  await expect(text(page, 1)).toBeVisible();
  await hide(true);
  await fill(request, room, 40);
  await expect(text(page, 41)).toBeAttached();
  await hide(false);
  await expect(page.locator(".jump-button")).toHaveText("40 new messages above");
  await page.locator(".jump-button").click();
  await expect(page.locator("li.unread-divider")).toBeInViewport();
});

test("own messages of another tab do not call", async ({ page, context, request, room }) => {
  const hide = await hideable(page);
  await enter(page, room, "Ann");
  await hide(true);
  const other = await context.newPage();
  await enter(other, room);
  await say(other, "it is only me");
  await expect(text(page, 1)).toBeAttached();
  await other.close();
  await post(request, room, "Ben", "and me");
  await expect(page).toHaveTitle(`(1) ${room} · Parlour`);
});

test("a screen reader hears what others say; not history, not own messages", async ({ page, request, room }) => {
  for (const said of ["old", "older"]) await post(request, room, "Ben", said);
  await enter(page, room, "Ann");
  const told = await listen(announcer(page));
  await say(page, "my own");
  await expect(text(page, 3)).toBeVisible();
  await post(request, room, "Ben", "to be heard");
  await expect.poll(told).toEqual(["Ben: to be heard"]);
  await say(page, "my own again");
  await post(request, room, "Ben", "and this");
  await expect.poll(told).toEqual(["Ben: to be heard", "Ben: and this"]);
});

test("who says the same again is heard again", async ({ page, request, room }) => {
  await enter(page, room, "Ann");
  const told = await listen(announcer(page));
  await post(request, room, "Ben", "really?");
  await expect.poll(told).toEqual(["Ben: really?"]);
  await post(request, room, "Ben", "really?");
  await expect.poll(told).toEqual(["Ben: really?", "Ben: really?"]);
});

test("a burst is summed up", async ({ page, request, room }) => {
  // All of it arrives at one moment.
  let burst: (() => void)[] = [];
  await page.routeWebSocket(/\/ws\//, (socket) => {
    socket.connectToServer().onMessage((frame) => {
      const isMessage = JSON.parse(String(frame)).type === "message";
      if (isMessage) burst.push(() => socket.send(frame));
      else socket.send(frame);
      if (burst.length === 5) burst = burst.flatMap((deliver) => (deliver(), []));
    });
  });
  await page.clock.install();
  await enter(page, room, "Ann");
  const told = await listen(announcer(page));
  // No time passes until all of it is there.
  await page.clock.pauseAt(Date.now() + 10_000);
  for (const number of [1, 2, 3, 4, 5]) await post(request, room, "Ben", `number ${number}`);
  await expect.poll(() => page.evaluate((room) => localStorage.getItem(`parlour:read:${room}`), room)).toMatch(/^5 /);
  await page.clock.resume();
  await expect.poll(told).toEqual(["5 new messages"]);
});

test("the list is a log that says nothing by itself", async ({ page, room }) => {
  await enter(page, room, "Ann");
  const log = page.getByRole("log", { name: "Messages" });
  await expect(log).toBeVisible();
  await expect(log).toHaveAttribute("aria-live", "off");
  await expect(announcer(page)).toHaveText("");
});

test("nobody is asked for permissions, and nothing sounds", async ({ page, request, room }) => {
  await page.addInitScript(() => {
    const asked: string[] = ((window as never as { asked: string[] }).asked = []);
    Notification.requestPermission = async () => (asked.push("notifications"), "denied");
    HTMLMediaElement.prototype.play = async () => void asked.push("sound");
    navigator.permissions.query = async () => (asked.push("query"), await new Promise(() => {}));
  });
  await enter(page, room, "Ann");
  await post(request, room, "Ben", "hello");
  await expect(text(page, 1)).toBeVisible();
  expect(await page.evaluate(() => (window as never as { asked: string[] }).asked)).toEqual([]);
});

test("what was done about the room is told once, however often somebody writes", async ({ visitor, room }) => {
  const [ann, ben] = [await visitor(), await visitor()];
  await enter(ann, room, "Ann");
  await enter(ben, room, "Ben");
  await say(ann, "mine");
  await expect(text(ben, 1)).toBeVisible();
  const heard = await listen(ben.locator(".notice"));
  await slowDown(ann, room, "1 minute");
  await expect(ben.locator(".notice")).toHaveText("Ann set slow mode to one message every 60 seconds.");
  await Promise.all([
    composer(ann).pressSequentially("hello everybody", { delay: 600 }),
    expect(ben.locator(".typing-indicator")).toHaveText("Ann is typing"),
  ]);
  await expect(ben.locator(".typing-indicator")).toHaveText("");
  await expect(ben.locator(".notice")).toHaveText("Ann set slow mode to one message every 60 seconds.");
  expect(await heard()).toEqual(["Ann set slow mode to one message every 60 seconds."]);
});

test("how much room is left is told in steps", async ({ page, room }) => {
  await enter(page, room, "Ann");
  const heard = await listen(page.locator(".composer [role=status]"));
  await composer(page).fill("x".repeat(3849));
  await composer(page).press("End");
  await composer(page).pressSequentially("xxx");
  await expect(page.locator(".composer-counter")).toHaveText("148 characters left");
  await composer(page).fill("x".repeat(4001));
  await expect.poll(heard).toEqual(["Less than 200 characters left", "Less than 150 characters left", "Too many characters"]);
});
