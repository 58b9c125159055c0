// Rooms that load slowly or not at once, and what waits for a room that is not open.

import { expect, test } from "../support/fixtures";
import { act, change, composer, deleteDialog, enter, goOffline, hold, isLive, messages, pending, post, say, switcher, text } from "../support/room";

const opening = /\/api\/open_room\?/;

test.beforeEach(({ complaints }) => complaints.expectOutage());

test("a room whose request hangs is asked for again once there is a network", async ({ page, room }) => {
  await enter(page, room, "Ann");
  const hung = await hold(page, opening);
  await page.keyboard.press("Control+k");
  await switcher(page).getByRole("textbox").fill(`${room}-b`);
  await page.keyboard.press("Enter");
  await expect.poll(hung.count).toBe(1);
  // From here on, requests are answered.
  await page.route(opening, (route) => route.continue());
  await page.evaluate(() => window.dispatchEvent(new Event("online")));
  await isLive(page);
  await say(page, "here");
  await expect(messages(page, "here")).toBeVisible();
  hung.release();
  await expect(messages(page, "here")).toBeVisible();
});

test("an edit goes on in a room that loads only at the second try", async ({ page, room, complaints }) => {
  complaints.expect(/Failed to load resource: net::ERR_FAILED/);
  await enter(page, room, "Ann");
  await say(page, "first");
  await expect(text(page, 1)).toBeVisible();
  await act(page, 1, "Edit");
  await composer(page).fill("first, and more");
  await change(page, `${room}-b`);
  await page.route(opening, (route) => route.abort(), { times: 1 });
  await page.goBack();
  await expect(page.locator("h1")).toHaveText(room);
  await isLive(page);
  await expect(page.getByText("Editing your message")).toBeVisible();
  await expect(composer(page)).toHaveValue("first, and more");
});

test("a removal for a room that has started over is dropped with a word, also where another room is open", async ({ page, request, server, room }) => {
  await enter(page, `${room}-b`, "Ann");
  await change(page, room);
  await say(page, "first");
  await expect(text(page, 1)).toBeVisible();
  await goOffline(page);
  await act(page, 1, "Remove");
  await deleteDialog(page).getByRole("button", { name: "Remove" }).click();
  await say(page, "for the old room");
  await page.goBack();
  await expect(page.locator("h1")).toHaveText(`${room}-b`);
  server.command("delete", room, "--yes");
  await post(request, room, "Ben", "new first");
  await page.context().setOffline(false);
  await isLive(page);
  // The other room's commands are sent, and returned.
  const refused = (name: string) => Object.keys(localStorage).filter((key) => key.startsWith(`parlour:outbox:${name}:`) && localStorage[key].includes("started over")).length;
  await expect.poll(() => page.evaluate(refused, room)).toBe(1);
  await page.goForward();
  await isLive(page);
  await expect(page.locator(".notice")).toContainText("This room has started over.");
  await expect(pending(page)).toHaveText([/for the old room.*not sent/s]);
  await expect(page.locator("li.message .message-text")).toHaveText(["new first"]);
});

test("a wish to edit that could not be met is not met later", async ({ page, request, room }) => {
  await enter(page, room, "Ann");
  for (let number = 0; number < 60; number++) await post(request, room, "Ben", `message ${number}\nand\nmore`);
  await say(page, "mine");
  await expect(messages(page, "mine")).toBeVisible();
  await page.goto(`/${room}/3`);
  await isLive(page);
  await goOffline(page);
  await composer(page).press("ArrowUp");
  await expect(page.locator(".notice")).toContainText("offline");
  await page.context().setOffline(false);
  await isLive(page);
  await expect(messages(page, "mine")).toBeInViewport();
  await expect(page.getByText("Editing your message")).toBeHidden();
});

test("what a closed room has refused stays in view there", async ({ page, visitor, server, room, complaints }) => {
  complaints.expect(/status of 403/);
  const owner = await visitor();
  await enter(owner, room, "Ben");
  await say(owner, "mine");
  await expect(text(owner, 1)).toBeVisible();
  await enter(page, `${room}-b`, "Ann");
  await change(page, room);
  await say(page, "first");
  await expect(text(page, 2)).toBeVisible();
  await goOffline(page);
  await say(page, "too late");
  await page.goBack();
  await expect(page.locator("h1")).toHaveText(`${room}-b`);
  server.command("ban", `${room}/2`, "1d");
  await page.context().setOffline(false);
  await isLive(page);
  await page.keyboard.press("Control+k");
  await expect(switcher(page)).toContainText("1 not sent");
  const refused = (name: string) => Object.keys(localStorage).some((key) => key.startsWith(`parlour:outbox:${name}:`) && localStorage[key].includes("banned"));
  await expect.poll(() => page.evaluate(refused, room)).toBe(true);
  await page.keyboard.press("Escape");
  await page.goForward();
  await expect(page.locator(".connection-status")).toHaveText("Closed");
  await expect(pending(page)).toHaveText([/too late.*banned/s]);
  server.command("pardon", `${room}/2`);
  await page.getByRole("button", { name: "Try again" }).first().click();
  await isLive(page);
  await pending(page).getByRole("button", { name: "Try again" }).click();
  await expect(messages(page, "too late")).toBeVisible();
});
