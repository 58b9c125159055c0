// The owner of a room has a small dialog for whoever wrote a message, and the room's settings; nobody else sees of it
// more than what was done.

import { type Page } from "@playwright/test";
import { expect, test } from "../support/fixtures";
import {
  act, composer, deleteDialog, enter, goOffline, isLive, mark, menu, message, messages, openMenu, pending, say, text, letIn, openSettings, slowDown,
} from "../support/room";
import { Wire } from "../support/wire";

const dialog = (page: Page) => page.locator("dialog.moderation");
const notice = (page: Page) => page.locator(".notice");

/** Ann has spoken first (1), then Bob (2). */
async function gather(ann: Page, bob: Page, room: string): Promise<void> {
  await enter(ann, room, "Ann");
  await enter(bob, room, "Bob");
  await say(ann, "mine");
  await expect(text(bob, 1)).toHaveText("mine");
  await say(bob, "hello");
  await expect(text(ann, 2)).toHaveText("hello");
}

test("whoever speaks first owns the room, and nobody else is offered anything", async ({ page, visitor, room }) => {
  const bob = await visitor();
  await gather(page, bob, room);
  await openMenu(bob, 1);
  await expect(menu(bob).getByRole("button")).toHaveText(["Reply", "Add a reaction", "Copy the text", "Copy the link"]);
  await bob.keyboard.press("Escape");
  await openSettings(bob);
  await expect(bob.getByRole("heading", { level: 2 })).toHaveText(["You", "You"]);
  await openSettings(page);
  await expect(page.getByRole("heading", { name: "Danger zone" })).toBeVisible();
});

test("the owner removes a message of somebody else", async ({ page, visitor, room }) => {
  const bob = await visitor();
  await gather(page, bob, room);
  await act(page, 2, "Remove");
  await deleteDialog(page).getByRole("button", { name: "Remove" }).click();
  await expect(text(bob, 2)).toHaveText("Message removed");
});

test("somebody who is muted is told so, keeps the text, and talks again when let", async ({ page, visitor, room }) => {
  const bob = await visitor();
  await gather(page, bob, room);
  await act(page, 2, "Mute");
  await expect(dialog(page).getByRole("heading")).toHaveText("Bob");
  await dialog(page).getByRole("button", { name: "Mute for 10 minutes" }).click();
  await expect(dialog(page)).toBeHidden();
  await expect(message(page, 2)).toBeFocused();
  await expect(notice(bob)).toHaveText(/^Bob was muted until \d/);
  await say(bob, "may I?");
  await expect(bob.locator("li.pending")).toContainText("muted");
  await expect(bob.locator("li.pending")).toContainText("may I?");
  await act(page, 2, "Mute");
  await dialog(page).getByRole("button", { name: "Unmute, lift the ban" }).click();
  await expect(notice(bob)).toHaveText("Bob can write again.");
  await bob.locator("li.pending").getByRole("button", { name: "Try again" }).click();
  await expect(messages(page, "may I?")).toHaveCount(1);
});

test("somebody who is banned has to go, and the room stays shut", async ({ page, visitor, room, complaints }) => {
  complaints.expect(/403/);
  const bob = await visitor();
  await gather(page, bob, room);
  await act(page, 2, "Mute");
  await dialog(page).getByRole("button", { name: "Ban for a day" }).click();
  await expect(bob.locator(".connection-banner")).toContainText("You’re banned from this room for now.");
  await bob.reload();
  await expect(bob.getByRole("heading")).toHaveText(/^You can’t come in until \d+ \w+ \d{4}\.$/);
  await expect(bob.getByText("The owner of this room has banned you for now.")).toBeVisible();
  await expect(composer(bob)).toHaveCount(0);
});

test("the owner locks the room and slows it down", async ({ page, visitor, room, complaints }) => {
  complaints.expect(/403/);
  const [bob, carol] = [await visitor(), await visitor()];
  await gather(page, bob, room);
  await letIn(page, room, "Nobody new");
  await expect(notice(bob)).toHaveText("The room was locked. Nobody new can come in.");
  await carol.goto(`/${room}/`);
  await expect(carol.getByRole("heading")).toHaveText("This room is locked.");
  await expect(carol.getByText("Only people who were here before can come in.")).toBeVisible();
  await slowDown(page, room, "1 minute");
  await expect(notice(bob)).toHaveText("Slow mode: one message every 60 seconds.");
  await expect(page.locator(".room-rules")).toHaveText("Locked · Slow mode: 60 s");
});

test("an act of the owner without a connection waits, is shown, and is done when it is back", async ({ page, visitor, room, complaints }) => {
  complaints.expectOutage();
  const bob = await visitor();
  await gather(page, bob, room);
  await goOffline(page);
  await act(page, 2, "Mute");
  await dialog(page).getByRole("button", { name: "Mute for a day" }).click();
  await expect(notice(page)).toHaveText("That waits until you’re connected again.");
  await expect(pending(page)).toContainText("Bob is muted.");
  await page.reload().catch(() => {});
  await page.context().setOffline(false);
  await page.goto(`/${room}/`);
  await isLive(page);
  await expect(notice(bob)).toHaveText(/^Bob was muted until .*\d/);
  await expect(pending(page)).toHaveCount(0);
});

test("a ban into a dead connection is not lost", async ({ page, visitor, room, complaints }) => {
  complaints.expect(/403/);
  const bob = await visitor();
  const wire = await Wire.of(page);
  await gather(page, bob, room);
  wire.cut();
  await act(page, 2, "Mute");
  await dialog(page).getByRole("button", { name: "Ban for a day" }).click();
  await expect(bob.locator(".connection-banner")).toContainText("You can’t come in until ", { timeout: 30_000 });
});

test("somebody who is banned reads until when, and comes back by a button after a pardon", async ({ page, visitor, room, complaints }) => {
  complaints.expect(/403/);
  const bob = await visitor();
  await gather(page, bob, room);
  await act(page, 2, "Mute");
  await dialog(page).getByRole("button", { name: "Ban for a day" }).click();
  const banner = bob.locator(".connection-banner");
  await expect(banner).toContainText(/You can’t come in until \d+ \w+ \d{4}, \d\d:\d\d UTC\./);
  await banner.getByRole("button", { name: "Try again" }).click();
  await expect(banner).toContainText("You can’t come in until");
  await act(page, 2, "Mute");
  await dialog(page).getByRole("button", { name: "Unmute, lift the ban" }).click();
  await expect(notice(page)).toHaveText("Bob can write again.");
  const isSame = await mark(bob);
  await banner.getByRole("button", { name: "Try again" }).click();
  await isLive(bob);
  await say(bob, "thank you");
  await expect(messages(page, "thank you")).toHaveCount(1);
  expect(await isSame()).toBe(true);
});
