// What holds still: people and messages under the pointer, the focus, the selection; and the way through all of it by
// keyboard, on small screens, and for ears.

import { type Page } from "@playwright/test";
import { listen } from "../support/access";
import { expect, test } from "../support/fixtures";
import {
  act, change, composer, enter, fill, flood, goOffline, isLive, message, menu,
  messages, pending, post, say, scrollTo, switcher, text, letIn, slowDown,
} from "../support/room";

const dialog = (page: Page) => page.locator("dialog.moderation");
const notice = (page: Page) => page.locator(".notice");
const names = (page: Page) => page.locator(".participant-name");
const moderate = (page: Page, name: string) => page.locator(".participant").filter({ hasText: name }).getByRole("button");

/** Ann owns the room and sees who comes. */
async function own(page: Page, room: string): Promise<void> {
  await enter(page, room, "Ann");
  await say(page, "mine");
  await expect(text(page, 1)).toHaveText("mine");
}

test("the button that has the focus stays that of its person, whoever comes and goes", async ({ page, visitor, room }) => {
  const [ben, cleo, aaron] = [await visitor(), await visitor(), await visitor()];
  await own(page, room);
  await enter(ben, room, "Ben");
  await expect(names(page)).toHaveText(["Ann", "Ben"]);
  await enter(cleo, room, "Cleo");
  await expect(names(page)).toHaveText(["Ann", "Ben", "Cleo"]);
  await moderate(page, "Cleo").focus();
  await enter(aaron, room, "Aaron");
  await expect(page.locator(".room-count")).toHaveText("4 here");
  await expect(moderate(page, "Cleo")).toBeFocused();
  await ben.close();
  await expect(page.locator(".room-count")).toHaveText("3 here");
  await expect(moderate(page, "Cleo")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(dialog(page).getByRole("heading")).toHaveText("Cleo");
  await page.keyboard.press("Escape");
  await composer(page).focus();
  await expect(names(page).filter({ hasText: "Ben" })).toHaveCount(0);
});

test("the button that has the focus stays where its person takes another name", async ({ page, visitor, room }) => {
  const ben = await visitor();
  await own(page, room);
  await enter(ben, room, "Ben");
  await expect(names(page)).toHaveText(["Ann", "Ben"]);
  // By keyboard: a button that was clicked holds nothing up.
  await moderate(page, "Ben").focus();
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Tab");
  await expect(moderate(page, "Ben")).toBeFocused();
  const elsewhere = await ben.context().newPage();
  await elsewhere.goto("/");
  await elsewhere.getByRole("textbox", { name: "Your name" }).fill("Benjamin");
  await elsewhere.getByRole("textbox", { name: "Room" }).fill(room);
  await elsewhere.keyboard.press("Enter");
  await isLive(elsewhere);
  await ben.close();
  await expect(names(page)).toHaveText(["Ann", "Benjamin"]);
  await expect(page.locator(".participant .avatar").nth(1)).toHaveText("Be");
  await expect(moderate(page, "Benjamin")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(dialog(page).getByRole("heading")).toHaveText("Benjamin");
});

test("nobody moves under the pointer", async ({ page, visitor, room }) => {
  const [ben, cleo, dora] = [await visitor(), await visitor(), await visitor()];
  await own(page, room);
  await enter(ben, room, "Ben");
  await enter(cleo, room, "Cleo");
  await expect(names(page)).toHaveText(["Ann", "Ben", "Cleo"]);
  await moderate(page, "Cleo").hover();
  await ben.close();
  await enter(dora, room, "Dora");
  await expect(names(page).filter({ hasText: "Dora" })).toBeVisible();
  await page.mouse.down();
  await page.mouse.up();
  await expect(dialog(page).getByRole("heading")).toHaveText("Cleo");
});

test("a message whose actions are pointed at does not move when others come", async ({ page, request, room }) => {
  await own(page, room);
  for (let number = 0; number < 40; number++) await say(page, `line ${number}`);
  await expect(text(page, 41)).toBeVisible();
  await message(page, 39).hover();
  await message(page, 39).getByRole("button", { name: "More" }).hover();
  for (const said of ["one", "two"]) await post(request, room, "Ben", said);
  await expect(text(page, 43)).toBeAttached();
  await page.mouse.down();
  await page.mouse.up();
  await menu(page).getByRole("button", { name: "Remove" }).click();
  await page.getByRole("dialog", { name: "Remove this message?" }).getByRole("button", { name: "Remove" }).click();
  await expect(text(page, 39)).toHaveText("Message removed");
});

test("what can be undone offers it, to its owner alone", async ({ page, visitor, room }) => {
  const ben = await visitor();
  await own(page, room);
  await enter(ben, room, "Ben");
  const undo = page.getByRole("button", { name: "Undo" });
  await moderate(page, "Ben").click();
  await dialog(page).getByRole("button", { name: "Mute for 10 minutes" }).click();
  await expect(notice(ben)).toHaveText(/^Ben was muted until \d/);
  await expect(ben.getByRole("button", { name: "Undo" })).toBeHidden();
  await undo.click();
  await expect(notice(ben)).toHaveText("Ben can write again.");
  await say(ben, "thanks");
  await expect(messages(page, "thanks")).toHaveCount(1);
});

test("slow mode, a lock and a mute have a lasting sign, a mute with its end", async ({ page, visitor, room }) => {
  const ben = await visitor();
  await own(page, room);
  await enter(ben, room, "Ben");
  await say(ben, "hello");
  await expect(text(page, 2)).toHaveText("hello");
  await slowDown(page, room, "1 minute");
  await letIn(page, room, "Nobody new");
  await act(page, 2, "Mute");
  await dialog(page).getByRole("button", { name: "Mute for 10 minutes" }).click();
  const rules = ben.locator(".room-rules");
  await expect(rules).toHaveText(/^Locked · Slow mode: 60 s · You’re muted until \d+:\d\d/);
  await ben.reload();
  await isLive(ben);
  await expect(rules).toHaveText(/^Locked · Slow mode: 60 s · You’re muted until \d+:\d\d/);
  await expect(page.locator(".room-rules")).toHaveText("Locked · Slow mode: 60 s");
  await act(page, 2, "Mute");
  await dialog(page).getByRole("button", { name: "Unmute" }).click();
  await expect(rules).toHaveText("Locked · Slow mode: 60 s");
});

test("a line that is drawn again keeps the focus and the selection", async ({ page, visitor, request, room }) => {
  const ben = await visitor();
  await flood(request, room, 60);
  await enter(page, room, "Ann");
  await enter(ben, room, "Ben");
  await say(ben, "first");
  await say(ben, "second");
  await expect(text(page, 62)).toHaveText("second");
  const link = message(page, 62).locator(".message-time");
  await link.focus();
  await text(page, 61).evaluate((line) => getSelection()!.selectAllChildren(line));
  await act(ben, 62, "Edit");
  await composer(ben).fill("second, better");
  await composer(ben).press("Enter");
  await expect(text(page, 62)).toContainText("second, better");
  await expect(link).toBeFocused();
  // The first one stands at the beginning of a group no more, once what is new was answered.
  await scrollTo(page, 12);
  await expect(text(page, 1)).toBeAttached();
  expect(await page.evaluate(() => String(getSelection()))).toBe("first");
  await expect(link).toBeFocused();
});

test("the messages are one stop of the Tab key, and a link skips them", async ({ page, request, room }) => {
  for (let number = 0; number < 30; number++) await post(request, room, "Ben", `see https://a.example/${number}`);
  await enter(page, room, "Ann");
  await say(page, "mine");
  await expect(text(page, 31)).toBeVisible();
  await page.reload();
  await isLive(page);
  const stops: string[] = [];
  for (let stop = 0; stop < 15; stop++) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => document.activeElement!.id || document.activeElement!.className);
    stops.push(at);
    if (at === "message") break;
  }
  expect(stops[0]).toBe("skip-link");
  expect(stops.at(-1)).toBe("message");
  expect(stops.filter((stop) => stop === "timeline")).toHaveLength(1);
  expect(stops.filter((stop) => /message-|^m\d|timeline-more/.test(stop))).toEqual([]);
  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await page.locator(".skip-link").focus();
  await expect(page.locator(".skip-link")).toBeInViewport();
  await page.keyboard.press("Enter");
  await expect(composer(page)).toBeFocused();
  expect(new URL(page.url()).hash).toBe("");
  await page.locator(".timeline").focus();
  for (const seq of [31, 30, 29]) {
    await page.keyboard.press("ArrowUp");
    await expect(message(page, seq)).toBeFocused();
  }
});

test("at 400 % messages are seen, however long the text in the composer", async ({ visitor, request, room }) => {
  await fill(request, room, 20);
  const page = await visitor({ viewport: { width: 320, height: 256 }, deviceScaleFactor: 4 });
  await enter(page, room, "Ann");
  await composer(page).fill("line\n".repeat(20));
  const height = await page.locator("form.composer").evaluate((form) => form.getBoundingClientRect().height);
  expect(height).toBeLessThanOrEqual(0.36 * 256);
  expect(await page.locator(".timeline").evaluate((list) => list.clientHeight)).toBeGreaterThan(60);
});

test("at 400 % messages are seen without a network and by strangers, too", async ({ visitor, request, room, complaints }) => {
  complaints.expectOutage();
  await fill(request, room, 20);
  const page = await visitor({ viewport: { width: 320, height: 256 }, deviceScaleFactor: 4 });
  const height = () => page.locator(".timeline").evaluate((list) => list.clientHeight);
  const below = () => page.locator("form.composer").evaluate((form) => form.getBoundingClientRect().bottom);
  await enter(page, room);
  await composer(page).fill("line\n".repeat(20));
  expect(await height()).toBeGreaterThan(60);
  expect(await below()).toBeLessThanOrEqual(256);
  await composer(page).fill("");
  await enter(page, room, "Ann");
  await goOffline(page);
  await composer(page).fill("line\n".repeat(20));
  await expect(page.locator(".connection-banner")).toBeVisible();
  expect(await height()).toBeGreaterThan(60);
  expect(await below()).toBeLessThanOrEqual(256);
});

test("that somebody is writing is not said each time, and another room is", async ({ page, visitor, room }) => {
  const ben = await visitor();
  await enter(page, room, "Ann");
  await enter(ben, room, "Ben");
  await composer(ben).pressSequentially("hello", { delay: 50 });
  await expect(page.locator(".typing-indicator")).toHaveText("Ben is typing");
  expect(await page.locator(".typing-indicator").evaluate((it) => it.closest("[role=status], [aria-live]"))).toBeNull();
  await change(page, `${room}-b`);
  const told = await listen(page.locator(".announcer"));
  await page.goBack();
  await expect(page.locator("h1")).toHaveText(room);
  await expect.poll(told).toEqual([room]);
});

test("refused lines are told apart in forced colors", async ({ visitor, room }) => {
  const page = await visitor({ forcedColors: "active" });
  await enter(page, room, "Ann");
  await say(page, "x\0");
  await expect(pending(page)).toContainText("U+0000");
  expect(await pending(page).evaluate((line) => getComputedStyle(line).borderTopStyle)).not.toBe("none");
});

test("on a touch screen with a keyboard Ctrl+Enter sends", async ({ visitor, room }) => {
  const page = await visitor({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await enter(page, room, "Ann");
  for (const [number, keys] of [[1, "Control+Enter"], [2, "Meta+Enter"]] as const) {
    await composer(page).fill(`by ${keys}`);
    await composer(page).press(keys);
    await expect(text(page, number)).toHaveText(`by ${keys}`);
  }
});

test("a tap outside closes the panel of who is here, and the dialogs", async ({ visitor, room }) => {
  const page = await visitor({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await enter(page, room, "Ann");
  const list = page.getByRole("complementary", { name: "Here now" });
  await page.locator(".people-button").tap();
  await expect(list).toBeVisible();
  await list.getByRole("heading", { name: "Here now" }).tap();
  await expect(list).toBeVisible();
  await page.touchscreen.tap(40, 400);
  await expect(list).toBeHidden();
  await page.getByRole("link", { name: "Your rooms" }).tap();
  await expect(switcher(page)).toBeVisible();
  await page.touchscreen.tap(5, 5);
  await expect(switcher(page)).toBeHidden();
});
