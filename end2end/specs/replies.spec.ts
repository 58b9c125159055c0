// Replies: what is quoted reads as it reads now, a click leads there and back, and a reply is kept like its draft.

import { type CDPSession, type Page } from "@playwright/test";
import { expect, test } from "../support/fixtures";
import {
  act, change, comesBack, composer, deleteDialog, enter, flood, goOffline, isLive, mark, menu, message, openMenu, pending, say, text,
} from "../support/room";

const quote = (page: Page, seq: number) => message(page, seq).locator(".quote");

/** The bar above the composer's field; it can be cancelled. */
const bar = (page: Page) => page.locator(".composer-context", { has: page.getByRole("link", { name: "Cancel the reply" }) });

async function replyTo(page: Page, seq: number): Promise<void> {
  await message(page, seq).hover();
  await message(page, seq).getByRole("button", { name: "Reply" }).click();
  await expect(bar(page)).toBeVisible();
  await expect(composer(page)).toBeFocused();
}

test("a quote reads as its message reads now, and a click leads there and back", async ({ visitor, request, room }) => {
  const [ann, bob] = [await visitor(), await visitor()];
  await enter(ann, room, "Cleo");
  await enter(bob, room, "Bob");
  await say(ann, "Who brings\nthe cake?");
  await expect(text(bob, 1)).toBeVisible();
  await replyTo(bob, 1);
  await expect(bar(bob)).toHaveText(/^Cleo Who brings the cake\?$/);
  await say(bob, "I do.");
  await expect(bar(bob)).toBeHidden();
  for (const page of [ann, bob]) await expect(quote(page, 2)).toHaveText(/Cleo\s+Who brings the cake\?$/);
  await act(ann, 1, "Edit");
  await composer(ann).fill("Who brings the bread?");
  await composer(ann).press("Enter");
  for (const page of [ann, bob]) await expect(quote(page, 2)).toHaveText(/Cleo\s+Who brings the bread\?$/);

  // Far away: the quote comes with the page, and live to those who have not loaded the message.
  await flood(request, room, 70);
  const eve = await visitor();
  await enter(eve, room, "Eve");
  await expect(message(eve, 1)).toHaveCount(0);
  await bob.goto(`/${room}/1`);
  await isLive(bob);
  // The keyboard chooses a message, and R replies to it.
  await message(bob, 2).focus();
  await bob.keyboard.press("ArrowUp");
  await expect(message(bob, 1)).toBeFocused();
  await bob.keyboard.press("r");
  await expect(bar(bob)).toBeVisible();
  await expect(composer(bob)).toHaveValue("");
  await composer(bob).fill("And butter.");
  await composer(bob).press("Enter");
  const last = 74;
  for (const page of [bob, eve]) await expect(quote(page, last)).toHaveText(/Cleo\s+Who brings the bread\?$/);
  await bob.goto(`/${room}/`);
  await isLive(bob);
  await expect(message(bob, 1)).toHaveCount(0);
  await expect(quote(bob, last)).toHaveText(/Cleo\s+Who brings the bread\?$/);
  const stays = await mark(bob);
  await quote(bob, last).click();
  await expect(text(bob, 1)).toBeInViewport();
  await expect(bob).toHaveURL(new RegExp(`/${room}/1$`));
  await bob.goBack();
  await expect(text(bob, last)).toBeInViewport();
  expect(await stays()).toBe(true);

  await ann.goto(`/${room}/1`);
  await isLive(ann);
  await act(ann, 1, "Remove");
  await deleteDialog(ann).getByRole("button", { name: "Remove" }).click();
  for (const page of [bob, eve]) await expect(quote(page, last)).toHaveText(/Message removed$/);
});

test("a reply is kept with its draft, over a reload, and through the outbox", async ({ page, request, room, complaints }) => {
  complaints.expectOutage();
  await enter(page, room, "Ann");
  await say(page, "one");
  await expect(text(page, 1)).toBeVisible();
  await replyTo(page, 1);
  await composer(page).fill("half a thought");
  await page.reload();
  await isLive(page);
  await expect(bar(page)).toHaveText("Ann one");
  await change(page, `${room}-other`);
  await expect(bar(page)).toBeHidden();
  await change(page, room);
  await expect(bar(page)).toHaveText("Ann one");
  await expect(composer(page)).toHaveValue("half a thought");
  // Escape and the cross cancel the reply, and leave the text.
  await composer(page).press("Escape");
  await expect(bar(page)).toBeHidden();
  await replyTo(page, 1);
  await bar(page).getByRole("link", { name: "Cancel the reply" }).click();
  await expect(bar(page)).toBeHidden();
  await expect(composer(page)).toHaveValue("half a thought");

  await replyTo(page, 1);
  await goOffline(page);
  await composer(page).press("Enter");
  await expect(pending(page).locator(".quote")).toHaveText(/Ann\s+one$/);
  await page.context().setOffline(false);
  await comesBack(page);
  await expect(quote(page, 2)).toHaveText(/Ann\s+one$/);
  const stored = await (await request.get(`/${room}/2`, { headers: { accept: "application/json" } })).json();
  expect([stored.reply_to, stored.message]).toEqual([1, "half a thought"]);
  // A message that is removed while it is replied to.
  await replyTo(page, 1);
  await act(page, 1, "Remove");
  await deleteDialog(page).getByRole("button", { name: "Remove" }).click();
  await expect(bar(page)).toBeHidden();
});

/** A finger that moves from one place to another, and rests there: else the browser takes the next tap for its end. */
async function swipe(page: Page, from: { x: number; y: number }, to: { x: number; y: number }): Promise<void> {
  const session: CDPSession = await page.context().newCDPSession(page);
  let timestamp = Date.now() / 1000 - 2;
  const touch = (type: "touchStart" | "touchMove" | "touchEnd", x: number, y: number) => {
    timestamp += type === "touchEnd" ? 1 : 0.02;
    return session.send("Input.dispatchTouchEvent", { type, touchPoints: type === "touchEnd" ? [] : [{ x, y }], timestamp });
  };
  await touch("touchStart", from.x, from.y);
  for (let step = 1; step <= 8; step++) {
    await touch("touchMove", from.x + ((to.x - from.x) * step) / 8, from.y + ((to.y - from.y) * step) / 8);
  }
  await touch("touchEnd", to.x, to.y);
}

test("a finger replies by a swipe or by the sheet, and scrolls as before", async ({ visitor, request, room, browserName }) => {
  test.skip(browserName !== "chromium", "only Chromium takes touches from a test");
  await flood(request, room, 30);
  const page = await visitor({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await enter(page, room, "Cleo");
  const box = (await text(page, 30).boundingBox())!;
  const at = { x: box.x + 40, y: box.y + box.height / 2 };
  await swipe(page, at, { x: at.x + 20, y: at.y });
  await expect(bar(page)).toBeHidden();
  await swipe(page, at, { x: at.x + 6, y: at.y - 120 });
  await expect(bar(page)).toBeHidden();
  await swipe(page, at, { x: at.x + 120, y: at.y + 4 });
  await expect(bar(page)).toBeVisible();
  await expect.poll(() => message(page, 30).evaluate((item) => (item as HTMLElement).style.getPropertyValue("--swipe"))).toBe("0px");
  await page.getByRole("link", { name: "Cancel the reply" }).tap();
  await expect(bar(page)).toBeHidden();
  await openMenu(page, 30);
  await menu(page).getByRole("button", { name: "Reply" }).tap();
  await expect(bar(page)).toBeVisible();
});

test("without script, a link leads to a form that replies", async ({ visitor, request, room }) => {
  const page = await visitor({ javaScriptEnabled: false });
  await page.goto(`/${room}/?username=Ann`);
  await composer(page).fill("Who brings the cake?");
  await page.getByRole("button", { name: "Send" }).click();
  await page.goto(`/${room}/1`);
  await page.getByRole("link", { name: "Reply", exact: true }).click();
  await expect(bar(page)).toHaveText("Ann Who brings the cake?");
  await composer(page).fill("I do.");
  await page.getByRole("button", { name: "Send" }).click();
  await expect(quote(page, 2)).toHaveText(/Ann\s+Who brings the cake\?$/);
  await quote(page, 2).click();
  await expect(page).toHaveURL(new RegExp(`/${room}/1$`));
  const stored = await (await request.get(`/${room}/2`, { headers: { accept: "application/json" } })).json();
  expect(stored.reply_to).toBe(1);
});
