// Private rooms: opened from the front page, entered by their link, shut to everybody else.

import { type Locator, type Page } from "@playwright/test";
import { expect, test } from "../support/fixtures";
import { changeSetting, composer, enter, isLive, message, openSettings, say, switcher, text } from "../support/room";

const notice = (page: Page) => page.locator(".notice");
const link = (page: Page): Locator => page.locator(".invite-link a");
const nowhere = (page: Page) => page.getByText("There’s no room here.");

/** Opens a private room; its name. */
async function open(page: Page, title: string, username: string): Promise<string> {
  await page.goto("/");
  await page.getByLabel("Your name").fill(username);
  await page.locator("input[name=room_name]").fill(title);
  await page.getByLabel("Private room").check();
  await page.getByRole("button", { name: "Open the room" }).click();
  await expect(page).toHaveURL(/\/[^/]+~[a-z2-7]{26}\/(\?.*)?$/);
  return decodeURIComponent(new URL(page.url()).pathname.slice(1, -1));
}

/** The owner removes somebody, which is asked for twice: it cannot be undone. */
async function remove(page: Page, room: string, name: string): Promise<void> {
  await changeSetting(page, room, "people", async (section) => {
    await section.locator("li", { hasText: name }).getByRole("button", { name: "Remove" }).click();
    await section.page().getByRole("button", { name: "Remove" }).click();
  });
}

test("a private room is opened from the front page and shared by its link", async ({ page, visitor, room, complaints }) => {
  complaints.expect(/404/);
  const name = await open(page, room, "Ann");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(room);
  await expect(page).toHaveTitle(`${room} · Parlour`);
  await expect(page.getByRole("img", { name: "Private room" })).toBeVisible();
  await expect(link(page)).toHaveAttribute("href", new RegExp(`/${name}/$`));
  const [bob, eve] = [await visitor(), await visitor()];
  await bob.goto((await link(page).getAttribute("href"))!);
  await enter(bob, name, "Bob");
  await say(bob, "hello");
  await expect(text(page, 1)).toHaveText("hello");
  await eve.goto(`/${name.slice(0, -1)}${name.endsWith("a") ? "e" : "a"}/`);
  await expect(nowhere(eve)).toBeVisible();
  await expect(composer(eve)).toHaveCount(0);
});

test("the owner renews the invitation, and whoever is in stays", async ({ page, visitor, room, complaints }) => {
  complaints.expect(/404/);
  const name = await open(page, room, "Ann");
  const [bob, carol] = [await visitor(), await visitor()];
  await enter(bob, name, "Bob");
  await say(bob, "hello");
  await expect(text(page, 1)).toHaveText("hello");
  await changeSetting(page, name, "access", (section) => section.getByRole("button", { name: "Make a new link" }).click());
  await expect(notice(bob)).toHaveText("Ann made a new link. The old one stopped working.");
  const renewed = new RegExp(`/${name}/\\?invitation=[a-z2-7]{26}$`);
  await expect(link(page)).toHaveAttribute("href", renewed);
  await expect(link(bob)).toHaveAttribute("href", renewed);
  await carol.goto(`/${name}/`);
  await expect(nowhere(carol)).toBeVisible();
  await carol.goto((await link(page).getAttribute("href"))!);
  await expect(carol).toHaveURL(new RegExp(`/${name}/$`));
  await enter(carol, name, "Carol");
  await say(carol, "me too");
  await bob.reload();
  await expect(text(bob, 3)).toHaveText("me too");
  await expect(link(bob)).toHaveAttribute("href", renewed);
});

test("whoever is removed has to go and finds no room", async ({ page, visitor, room, complaints }) => {
  complaints.expect(/404/);
  const name = await open(page, room, "Ann");
  const bob = await visitor();
  await enter(bob, name, "Bob");
  await say(bob, "hello");
  await expect(message(page, 1)).toBeVisible();
  await remove(page, name, "Bob");
  await expect(bob.locator(".connection-banner")).toContainText("closed your connection");
  await bob.reload();
  await expect(nowhere(bob)).toBeVisible();
});

test("whoever is here and says nothing can be removed as well", async ({ page, visitor, room }) => {
  const name = await open(page, room, "Ann");
  const bob = await visitor();
  await bob.goto(`/${name}/`);
  const others = page.locator(".participant", { hasNotText: "you" });
  await expect(others).toHaveCount(1);
  await remove(page, name, "Anonymous");
  await expect(bob.locator(".connection-banner")).toContainText("closed your connection");
  await expect(others).toHaveCount(0);
});

test("an open room is not told of invitations", async ({ page, visitor, room }) => {
  const bob = await visitor();
  await enter(page, room, "Ann");
  await say(page, "mine");
  await expect(text(page, 1)).toHaveText("mine");
  await expect(page.getByText("Private", { exact: true })).toBeHidden();
  await enter(bob, room, "Bob");
  await say(bob, "hello");
  await openSettings(page);
  await expect(page.locator("#people li", { hasText: "Bob" }).getByText("Ban…")).toBeVisible();
  await expect(page.getByRole("button", { name: /new link|Remove/ })).toHaveCount(0);
});

test("changing rooms in place leads into a private room and out of it", async ({ page, room }) => {
  const name = await open(page, room, "Ann");
  await isLive(page);
  await say(page, "between us");
  await page.keyboard.press("Control+k");
  await page.getByLabel("Open a room").fill(`${room}-open`);
  await page.keyboard.press("Enter");
  await expect(page.getByText("Private", { exact: true })).toBeHidden();
  await isLive(page);
  await page.keyboard.press("Control+k");
  await switcher(page).locator(".room-row", { hasText: room }).filter({ hasNotText: "-open" }).click();
  await expect(page).toHaveURL(new RegExp(`/${name}/$`));
  await expect(text(page, 1)).toHaveText("between us");
  await expect(page.getByRole("img", { name: "Private room" })).toBeVisible();
});

test.describe("without script", () => {
  test.use({ javaScriptEnabled: false });

  test("a private room is opened, read and written", async ({ page, visitor, room }) => {
    const name = await open(page, room, "Ann");
    await composer(page).fill("by form");
    await page.getByRole("button", { name: "Send" }).click();
    await expect(text(page, 1)).toHaveText("by form");
    const bob = await visitor();
    await bob.goto(`/${name}/`);
    await expect(text(bob, 1)).toHaveText("by form");
  });
});
