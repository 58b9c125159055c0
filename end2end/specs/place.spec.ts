// The place in a room: what was read, in which tab, and what is in view when something changes its height.

import { type Page } from "@playwright/test";
import { expect, test } from "../support/fixtures";
import { act, change, composer, deleteDialog, enter, fill, flood, isLive, message, messages, post, say, scrollTo, scrolledTo, text, top } from "../support/room";

const jump = (page: Page) => page.locator(".jump-button");

const read = (page: Page, room: string) =>
  page.evaluate((room) => Number(localStorage.getItem(`parlour:read:${room}`)?.split(" ")[0]), room);

/** A window that can lose the focus while it stays visible. */
async function focusable(page: Page): Promise<(focused: boolean) => Promise<void>> {
  await page.addInitScript(() => {
    let focused = true;
    document.hasFocus = () => focused;
    (window as never as { attend: (it: boolean) => void }).attend = (it) => {
      focused = it;
      window.dispatchEvent(new Event(it ? "focus" : "blur"));
    };
  });
  return (focused) => page.evaluate((it) => (window as never as { attend: (it: boolean) => void }).attend(it), focused);
}

test("a link to an old message keeps what is unread, with its count and line", async ({ page, request, room }) => {
  await flood(request, room, 20);
  await enter(page, room, "Ben");
  await expect.poll(() => read(page, room)).toBe(20);
  await page.goto("about:blank");
  await flood(request, room, 100);
  await page.goto(`/${room}/5`);
  await isLive(page);
  await expect(message(page, 5)).toBeInViewport();
  await expect(jump(page)).toHaveText("99+ new messages below");
  expect(await read(page, room)).toBe(20);
  await page.reload();
  await isLive(page);
  await expect(jump(page)).toHaveText("99+ new messages below");
  await jump(page).click();
  await expect(page.locator("li.unread-divider")).toBeInViewport();
  await expect(message(page, 21)).toBeInViewport();
});

test("a link below what is unread does not count what lies above it as read", async ({ page, request, room }) => {
  await flood(request, room, 20);
  await enter(page, room, "Ben");
  await expect.poll(() => read(page, room)).toBe(20);
  await page.goto("about:blank");
  await flood(request, room, 80);
  await page.goto(`/${room}/70`);
  await isLive(page);
  await expect(message(page, 70)).toBeInViewport();
  await expect(jump(page)).toHaveText("80 new messages above");
  await page.mouse.move(300, 300);
  await page.mouse.wheel(0, 40);
  await expect(jump(page)).toHaveText("80 new messages above");
  expect(await read(page, room)).toBe(20);
  await jump(page).click();
  await expect(page.locator("li.unread-divider")).toBeInViewport();
  await page.keyboard.press("Escape");
  await expect(message(page, 100)).toBeInViewport();
  await expect.poll(() => read(page, room)).toBe(100);
});

test("a link into what is unread counts all of it, and a removed one no more", async ({ page, request, server, room }) => {
  await post(request, room, "Ben", "message 1");
  await enter(page, room, "Ann");
  await expect.poll(() => read(page, room)).toBe(1);
  await page.goto("/");
  for (let number = 2; number <= 100; number++) await post(request, room, "Ben", `message ${number}`);
  await page.goto(`/${room}/5`);
  await isLive(page);
  await expect(page.locator(".unread-divider")).toHaveText("99 new");
  await expect.poll(() => read(page, room)).toBeGreaterThan(5);
  const rest = 100 - (await read(page, room));
  await expect(jump(page)).toContainText(`${rest} new messages`);
  server.command("remove", `${room}/100`);
  await expect(jump(page)).toContainText(`${rest - 1} new messages`);
  await expect(page.locator(".unread-divider")).toHaveText("98 new");
});

test("a visible window without the focus reads nothing, until it has it or is used", async ({ page, request, room }) => {
  const attend = await focusable(page);
  await post(request, room, "Ben", "before");
  await enter(page, room, "Ann");
  await attend(false);
  await post(request, room, "Ben", "one");
  await expect(text(page, 2)).toBeVisible();
  await expect(page.locator("li.unread-divider")).toBeVisible();
  await expect(page).toHaveTitle(`(1) ${room} · Parlour`);
  expect(await read(page, room)).toBe(1);
  await attend(true);
  await expect(page).toHaveTitle(`${room} · Parlour`);
  await expect.poll(() => read(page, room)).toBe(2);

  await attend(false);
  await post(request, room, "Ben", "two");
  await expect(text(page, 3)).toBeVisible();
  await expect(page).toHaveTitle(`(1) ${room} · Parlour`);
  expect(await read(page, room)).toBe(2);
  await page.locator(".timeline").click();
  await expect(page).toHaveTitle(`${room} · Parlour`);
  await expect.poll(() => read(page, room)).toBe(3);
});

test("what is read in one tab no longer calls in another", async ({ page, context, request, room }) => {
  const attend = await focusable(page);
  await enter(page, room, "Ann");
  await attend(false);
  await post(request, room, "Ben", "hello");
  await expect(page).toHaveTitle(`(1) ${room} · Parlour`);
  const other = await context.newPage();
  await enter(other, room);
  await expect(text(other, 1)).toBeVisible();
  await other.evaluate(() => dispatchEvent(new Event("focus")));
  await expect(page).toHaveTitle(`${room} · Parlour`);
});

test("a message that was removed is not new", async ({ page, visitor, room }) => {
  const attend = await focusable(page);
  const ben = await visitor();
  await enter(page, room, "Ann");
  await enter(ben, room, "Ben");
  await attend(false);
  for (const said of ["one", "two"]) await say(ben, said);
  await expect(page).toHaveTitle(`(2) ${room} · Parlour`);
  await act(ben, 1, "Remove");
  await deleteDialog(ben).getByRole("button", { name: "Remove" }).click();
  await expect(page).toHaveTitle(`(1) ${room} · Parlour`);
  await expect(page.locator("li.unread-divider")).toHaveText("1 new");
  await act(ben, 2, "Remove");
  await deleteDialog(ben).getByRole("button", { name: "Remove" }).click();
  await expect(page).toHaveTitle(`${room} · Parlour`);
  await expect(page.locator("li.unread-divider")).toHaveCount(0);
});

test("a link to a number that is no message says so", async ({ page, browser, baseURL, room }) => {
  await enter(page, room, "Ann");
  await say(page, "hello");
  await expect(text(page, 1)).toHaveText("hello");
  await composer(page).press("ArrowUp");
  await composer(page).fill("hello!");
  await composer(page).press("Enter");
  await expect(text(page, 1)).toContainText("hello!");
  const says = "This message doesn’t exist.";
  for (const seq of [2, 99]) {
    await page.goto(`/${room}/${seq}`);
    await isLive(page);
    await expect(page.locator(".notice")).toContainText(says);
  }
  await page.goto(`/${room}/1`);
  await isLive(page);
  await expect(page.locator(".notice")).toHaveText("");
  const plain = await browser.newContext({ baseURL, javaScriptEnabled: false });
  const reader = await plain.newPage();
  await reader.goto(`/${room}/99`);
  await expect(reader.locator(".notice")).toContainText(says);
  await reader.goto(`/${room}/`);
  await expect(reader.locator(".notice")).toHaveText("");
  await plain.close();
});

test("Back to a number that is no message says so, too", async ({ page, request, room }) => {
  await flood(request, room, 3);
  await page.goto(`/${room}/77?username=Ann`);
  await isLive(page);
  await change(page, `${room}-b`);
  await expect(page.locator(".notice")).toHaveText("");
  await page.goBack();
  await expect(messages(page)).toHaveCount(3);
  await expect(page.locator(".notice")).toContainText("This message doesn’t exist.");
});

test("the place is kept when the composer grows and shrinks", async ({ page, request, room }) => {
  await fill(request, room, 60);
  await enter(page, room, "Ben");
  const before = await scrolledTo(page, 20, "start");
  await composer(page).fill(Array.from({ length: 8 }, (_, line) => `line ${line}`).join("\n"));
  await expect.poll(async () => Math.abs((await top(page, 20)) - before)).toBeLessThan(1);
  await composer(page).fill("");
  await expect.poll(async () => Math.abs((await top(page, 20)) - before)).toBeLessThan(1);
});

test("the place is kept when a keyboard takes a part of the window", async ({ visitor, request, room }) => {
  await fill(request, room, 60);
  const page = await visitor({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await enter(page, room, "Ben");
  const before = await scrolledTo(page, 20, "start");
  await page.setViewportSize({ width: 390, height: 500 });
  await expect.poll(async () => Math.abs((await top(page, 20)) - before)).toBeLessThan(1);
  await page.setViewportSize({ width: 390, height: 844 });
  // iOS draws its keyboard over the page, and only tells how much is visible.
  await page.evaluate(() => {
    Object.defineProperty(visualViewport, "height", { configurable: true, get: () => 480 });
    visualViewport!.dispatchEvent(new Event("resize"));
  });
  await expect.poll(() => page.locator(".room").evaluate((room) => room.clientHeight)).toBe(480);
  await expect.poll(async () => Math.abs((await top(page, 20)) - before)).toBeLessThan(1);
  await expect(composer(page)).toBeInViewport();
  await page.evaluate(() => {
    delete (visualViewport as never as Record<string, unknown>).height;
    visualViewport!.dispatchEvent(new Event("resize"));
  });
  await expect.poll(() => page.locator(".room").evaluate((room) => room.clientHeight)).toBe(844);
});

test("Esc leads to the end, and a second one back to the place", async ({ page, request, room }) => {
  await flood(request, room, 420);
  await page.goto(`/${room}/100?username=Ben`);
  await isLive(page);
  const before = await scrollTo(page, 95, "start");
  await page.keyboard.press("Escape");
  await expect(text(page, 420)).toBeInViewport();
  await page.keyboard.press("Escape");
  await expect(text(page, 95)).toBeInViewport();
  await expect.poll(async () => Math.abs((await top(page, 95)) - before)).toBeLessThan(2);
  await page.keyboard.press("Escape");
  await expect(text(page, 420)).toBeInViewport();
});

test("days are named, and the date of the messages in view floats above them", async ({ page, request, room }) => {
  await page.clock.setFixedTime(Date.now() + 24 * 3600 * 1000);
  await fill(request, room, 60);
  await page.goto(`/${room}/?username=Ben`);
  await expect(page.locator(".day-divider")).toHaveText("Yesterday");
  await scrollTo(page, 30, "start");
  await expect(page.locator(".day-divider")).toBeInViewport();
  const list = (await page.locator(".timeline").boundingBox())!;
  const date = (await page.locator(".day-divider").boundingBox())!;
  expect(Math.abs(date.y - list.y)).toBeLessThan(12);
});
