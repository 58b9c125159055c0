// Messages: in groups and days, with times of the reader's own, edited and removed before everybody's eyes.

import { type Page } from "@playwright/test";
import { expect, test } from "../support/fixtures";
import { act, composer, enter, isLive, menu, message, messages, post, deleteDialog, say, text } from "../support/room";

const noon = Date.UTC(2026, 2, 1, 12);
const nextDay = noon + 24 * 60 * 60 * 1000;

/** Lets messages arrive as if they had been sent so many minutes after the first one. */
async function retime(page: Page, start: number, minutes: Record<string, number>): Promise<void> {
  await page.routeWebSocket(/\/ws\//, (socket) => {
    socket.connectToServer().onMessage((raw) => {
      const frame = JSON.parse(String(raw));
      if (frame.type === "message") frame.sent_at = start + minutes[frame.message] * 60_000;
      socket.send(JSON.stringify(frame));
    });
  });
}

test("what one author writes within five minutes is one group", async ({ page, request, room }) => {
  await retime(page, noon, { one: 0, two: 4.9, three: 9.8, late: 14.9, between: 15, after: 16 });
  await enter(page, room, "Ann");
  for (const said of ["one", "two", "three", "late"]) await post(request, room, "Ben", said);
  await expect(text(page, 4)).toBeVisible();
  await say(page, "between");
  await expect(text(page, 5)).toBeVisible();
  await post(request, room, "Ben", "after");
  await expect(text(page, 6)).toBeVisible();
  for (const [at, said] of ["one", "two", "three", "late", "between", "after"].entries()) {
    const leads = !["two", "three"].includes(said);
    await expect(message(page, at + 1).locator(".message-author")).toBeVisible({ visible: leads });
    await expect(message(page, at + 1).locator(".avatar")).toBeVisible({ visible: leads });
  }
});

test("a new day begins with a line, where the reader is", async ({ visitor, request, room }) => {
  const page = await visitor({ timezoneId: "Asia/Tokyo", locale: "en-GB" });
  // In Tokyo midnight is at three in the afternoon, UTC.
  await retime(page, Date.UTC(2025, 2, 1, 14, 58), { before: 0, midnight: 1, after: 2, much: 60 * 24 });
  await enter(page, room, "Ann");
  for (const said of ["before", "midnight", "after", "much"]) await post(request, room, "Ben", said);
  await expect(text(page, 4)).toBeVisible();
  await expect(page.locator(".message-list > li")).toHaveText([
    /Saturday,? 1 March 2025/, /before/, /midnight/, /Sunday,? 2 March 2025/, /after/, /much/,
  ]);
});

for (const [how, goesOn] of [
  ["on coming back to the page", async (page: Page) => {
    await page.clock.setSystemTime(nextDay);
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange", { bubbles: true })));
    await page.clock.runFor(100);
  }],
  ["at midnight, though nothing happens", (page: Page) => page.clock.fastForward("24:00:00")],
] as const) {
  test(`today is called so; a day later it is another that is, ${how}`, async ({ page, request, room }) => {
    await page.clock.install({ time: noon });
    await retime(page, noon, { now: 0 });
    await enter(page, room, "Ann");
    await post(request, room, "Ben", "now");
    await expect(page.locator("li.day-divider")).toHaveText(["Today"]);
    await goesOn(page);
    await expect(page.locator("li.day-divider")).toHaveText(["Yesterday"]);
  });
}

test("times are in UTC without script, and the reader's own with it", async ({ visitor, request, room }) => {
  await post(request, room, "Ben", "what time is it?");
  const [plain, tokyo] = [await visitor({ javaScriptEnabled: false }), await visitor({ timezoneId: "Asia/Tokyo", locale: "en-GB" })];
  await plain.goto(`/${room}/`);
  const time = (page: Page) => message(page, 1).locator("time");
  const sent = (await time(plain).getAttribute("datetime")) ?? "";
  expect(sent).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
  expect(Math.abs(Date.now() - Date.parse(sent))).toBeLessThan(60_000);
  await expect(time(plain)).toHaveText(sent.slice(11, 16));
  await expect(time(plain)).toHaveAttribute("title", /^\d{4}-.*UTC$/);

  await enter(tokyo, room, "Ann");
  const local = new Date(sent).toLocaleTimeString("en-GB", { hour: "numeric", minute: "2-digit", timeZone: "Asia/Tokyo" });
  expect(local).not.toBe(sent.slice(11, 16));
  await expect(time(tokyo)).toHaveText(local);
  await expect(time(tokyo)).toHaveAttribute("datetime", sent);
  const full = new Date(sent).toLocaleString("en-GB", { dateStyle: "full", timeStyle: "medium", timeZone: "Asia/Tokyo" });
  await expect(time(tokyo)).toHaveAttribute("title", full);
});

test("an edit is seen by others at once, and by whoever comes later", async ({ visitor, room }) => {
  const [ann, ben] = [await visitor(), await visitor()];
  await enter(ann, room, "Ann");
  await enter(ben, room, "Ben");
  await say(ann, "helo");
  await expect(text(ben, 1)).toHaveText("helo");
  await act(ann, 1, "Edit");
  await composer(ann).fill("hello");
  await ann.getByRole("button", { name: "Save" }).click();
  for (const page of [ann, ben]) await expect(text(page, 1)).toHaveText("hello edited");
  await ben.reload();
  await isLive(ben);
  await expect(text(ben, 1)).toHaveText("hello edited");
});

test("a removed message leaves a trace and none of its text", async ({ visitor, room }) => {
  const [ann, ben] = [await visitor(), await visitor()];
  await enter(ann, room, "Ann");
  await enter(ben, room, "Ben");
  await say(ann, "regrettable");
  await expect(text(ben, 1)).toHaveText("regrettable");
  await act(ann, 1, "Remove");
  await deleteDialog(ann).getByRole("button", { name: "Remove" }).click();
  for (const page of [ann, ben]) {
    await expect(text(page, 1)).toHaveText("Message removed");
    await expect(message(page, 1).getByRole("button")).toHaveCount(0);
  }
  const answer = await ben.reload();
  expect(await answer?.text()).not.toContain("regrettable");
  await isLive(ben);
  await expect(text(ben, 1)).toHaveText("Message removed");
  expect(await ben.content()).not.toContain("regrettable");
});

test("a question answered with Keep removes nothing", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await say(page, "stays");
  await expect(text(page, 1)).toBeVisible();
  await act(page, 1, "Remove");
  await deleteDialog(page).getByRole("button", { name: "Keep it" }).click();
  await say(page, "next");
  await expect(text(page, 2)).toHaveText("next");
  await expect(text(page, 1)).toHaveText("stays");
});

test("removing one message leaves the begun edit of another alone", async ({ page, room }) => {
  await enter(page, room, "Ann");
  for (const [at, said] of ["goes", "stays"].entries()) {
    await say(page, said);
    await expect(text(page, at + 1)).toHaveText(said);
  }
  await act(page, 2, "Edit");
  await composer(page).fill("half an edit");
  await act(page, 1, "Remove");
  await deleteDialog(page).getByRole("button", { name: "Remove" }).click();
  await expect(text(page, 1)).toHaveText("Message removed");
  await expect(composer(page)).toHaveValue("half an edit");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(text(page, 2)).toHaveText("half an edit edited");
});

test("letters of any direction find their way: names, text and what is typed", async ({ page, request, room }) => {
  await post(request, room, "שרה", "שלום");
  await enter(page, room);
  const places = [message(page, 1).locator(".message-author"), text(page, 1), composer(page), page.getByRole("textbox", { name: "Your name" }), page.locator("h1 [dir]")];
  for (const place of places) await expect(place).toHaveAttribute("dir", "auto");
  expect(await text(page, 1).evaluate((it) => it.matches(":dir(rtl)"))).toBe(true);
});

test("two people of one name are told apart", async ({ visitor, room }) => {
  const [ann, ben] = [await visitor(), await visitor()];
  for (const page of [ann, ben]) {
    await enter(page, room);
    await say(page, "nameless");
  }
  await expect(messages(ann)).toHaveCount(2);
  const [first, second] = await ann.locator(".message-tag").allTextContents();
  expect(first).toMatch(/\w{4}/);
  expect(second).not.toBe(first);
  // A colour says the same as far as there are colours: 24 of them.
  for (const [at, tag] of [first, second].entries()) {
    await expect(message(ann, at + 1).locator(".avatar")).toHaveClass(`avatar hue-${parseInt(tag, 16) % 24}`);
  }
});

test("at a desk the pointer or the keyboard shows it, and a click leaves nothing standing", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await say(page, "mine");
  await expect(text(page, 1)).toBeVisible();
  const more = message(page, 1).getByRole("button", { name: "More" });
  await text(page, 1).click();
  await expect(more).toBeVisible();
  await page.mouse.move(0, 0);
  await expect(more).toBeHidden();
  await message(page, 1).getByRole("link").focus();
  await expect(more).toBeVisible();
  await page.keyboard.press("ArrowRight");
  await expect(message(page, 1).locator(".toolbar :focus")).toBeVisible();
});

test("on a phone a tap shows what can be done with a message", async ({ visitor, room }) => {
  const page = await visitor({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  await enter(page, room, "Ann");
  await say(page, "first thoughts");
  const edit = menu(page).getByRole("button", { name: "Edit" });
  await expect(text(page, 1)).toHaveText("first thoughts");
  await expect(page.getByRole("button", { name: "More" })).toBeHidden();
  await text(page, 1).tap();
  const sheet = (await menu(page).boundingBox())!;
  expect([Math.round(sheet.x), Math.round(sheet.width), Math.round(sheet.y + sheet.height)], "a sheet from below").toEqual([0, 390, 844]);
  await edit.tap();
  await expect(composer(page)).toHaveValue("first thoughts");
  await composer(page).fill("second thoughts");
  await page.getByRole("button", { name: "Save" }).tap();
  await expect(text(page, 1)).toContainText("second thoughts");
});

test("on a phone a line that follows is as wide as the first, and a tap opens its sheet", async ({ visitor, room }) => {
  const page = await visitor({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  await enter(page, room, "Ann");
  const long = "and so it goes on and on ".repeat(6);
  await say(page, long);
  await say(page, long);
  const height = (seq: number) => text(page, seq).evaluate((it) => it.getBoundingClientRect().height);
  expect(await height(2)).toBe(await height(1));
  await expect(message(page, 2).locator(".message-time")).toBeHidden();
  await text(page, 2).tap();
  await expect(menu(page).getByRole("button", { name: "Edit" })).toBeVisible();
  // A tap beside it closes it, and opens no other.
  await page.touchscreen.tap(200, 100);
  await expect(menu(page)).toBeHidden();
  // The time of the first one still leads to it.
  await message(page, 1).locator(".message-time").tap();
  await expect(page).toHaveURL(/\/1$/);
  await expect(menu(page)).toBeHidden();
});
