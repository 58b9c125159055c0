// Names across rooms, tabs and outages.

import { type Page } from "@playwright/test";
import { expect, test } from "../support/fixtures";
import { change, composer, enter, goOffline, goOnline, hold, isLive, message, messages, nameField, pending, say, switcher, text } from "../support/room";

test.beforeEach(({ complaints }) => complaints.expectOutage());

const join = "Join";

/** Somebody else is Ann in this room. */
async function meetAnotherAnn(other: Page, room: string): Promise<void> {
  await enter(other, room, "Ann");
  await say(other, "I am Ann here");
  await expect(text(other, 1)).toBeVisible();
}

/** Ann goes to the room where somebody else has her name, and takes another one there. */
async function becomeAnnie(page: Page, room: string): Promise<void> {
  await change(page, room);
  await say(page, "so am I");
  await expect(pending(page)).toContainText("in use");
  await nameField(page).fill("Annie");
  await page.getByRole("button", { name: join }).click();
  await expect(nameField(page)).toBeHidden();
}

test("a name given without a network is remembered", async ({ page, room }) => {
  await enter(page, room);
  await goOffline(page);
  await nameField(page).fill("Ann");
  await page.getByRole("button", { name: join }).click();
  await expect(nameField(page)).toBeHidden();
  await page.context().setOffline(false);
  await page.reload();
  await isLive(page);
  await expect(nameField(page)).toBeHidden();
  await say(page, "me");
  await expect(message(page, 1).locator(".message-author")).toHaveText("Ann");
  // The server knows it too by now.
  await expect.poll(async () => (await page.context().cookies()).find((it) => it.name === "parlour_username")?.value).toBe("Ann");
});

test("a name taken in one room because the own one is in use there does not rename anywhere else", async ({ page, visitor, room, complaints }) => {
  complaints.expect(/status of (409|422)/);
  await meetAnotherAnn(await visitor(), room);
  await enter(page, `${room}-b`, "Ann");
  await say(page, "Ann here");
  await expect(messages(page, "Ann here").locator(".message-author")).toHaveText("Ann");
  await becomeAnnie(page, room);
  await pending(page).getByRole("button", { name: "Try again" }).click();
  await expect(messages(page, "so am I").locator(".message-author")).toHaveText("Annie");
  await change(page, `${room}-c`);
  await say(page, "and elsewhere");
  await expect(messages(page, "and elsewhere").locator(".message-author")).toHaveText("Ann");
  // Here the other name stays, also after a reload.
  await enter(page, room);
  await say(page, "again");
  await expect(messages(page, "again")).toBeVisible();
  await expect(messages(page, "again")).not.toHaveClass(/starts-group/);
});

test("a name that was refused is not the visitor's in the next room", async ({ page, visitor, room, complaints }) => {
  complaints.expect(/status of (409|422)/);
  const ben = await visitor();
  await enter(ben, room, "Ben");
  await say(ben, "mine");
  await expect(text(ben, 1)).toBeVisible();
  await enter(page, room);
  await goOffline(page);
  await nameField(page).fill("Ben");
  await say(page, "so am I");
  await goOnline(page);
  await expect(pending(page)).toContainText("Ben is in use");
  await change(page, `${room}-b`);
  await expect(nameField(page)).toBeVisible();
  await page.reload();
  await isLive(page);
  await expect(nameField(page)).toBeVisible();
});

test("a second tab learns the name, and a new name reaches the tabs and the rooms opened later", async ({ visitor, room }) => {
  const one = await visitor();
  await enter(one, room);
  const two = await one.context().newPage();
  await enter(two, room);
  await expect(nameField(two)).toBeVisible();
  await nameField(one).fill("Ann");
  await one.getByRole("button", { name: join }).click();
  await expect(nameField(two)).toBeHidden();
  await say(two, "from the second");
  await expect(messages(two, "from the second").locator(".message-author")).toHaveText("Ann");
  // The front page renames.
  const three = await one.context().newPage();
  await three.goto("/");
  await three.getByLabel("Your name").fill("Anna");
  await three.locator("input[name=room_name]").fill(`${room}-b`);
  await three.getByRole("button", { name: "Open the room" }).click();
  await isLive(three);
  await say(two, "renamed");
  await expect(messages(two, "renamed").locator(".message-author")).toHaveText("Anna");
  await change(one, `${room}-c`);
  await say(one, "elsewhere");
  await expect(messages(one, "elsewhere").locator(".message-author")).toHaveText("Anna");
});

test("a name taken in one room is not the visitor's in the next one, before that is loaded either", async ({ page, visitor, room, complaints }) => {
  complaints.expect(/status of (409|422)/);
  const other = `${room}-b`;
  await meetAnotherAnn(await visitor(), room);
  await enter(page, `${room}-c`, "Ann");
  await becomeAnnie(page, room);
  const opening = await hold(page, /\/api\/open_room\?/);
  await page.keyboard.press("Control+k");
  await switcher(page).getByRole("textbox").fill(other);
  await page.keyboard.press("Enter");
  await expect(page.locator("h1")).toHaveText(other);
  await say(page, "and elsewhere");
  await expect(pending(page)).toContainText("and elsewhere");
  opening.release();
  await expect(messages(page, "and elsewhere").locator(".message-author")).toHaveText("Ann");
});

test("a name whose answer comes late is known in the room that is open by then", async ({ page, room }) => {
  await enter(page, room);
  const joining = await hold(page, /\/api\/join_room/);
  await nameField(page).fill("Ann");
  await say(page, "said here");
  await expect.poll(joining.count).toBe(1);
  await change(page, `${room}-b`);
  await expect(nameField(page)).toBeVisible();
  joining.release();
  await expect(nameField(page)).toBeHidden();
  await say(page, "and there");
  await expect(messages(page, "and there").locator(".message-author")).toHaveText("Ann");
});

test("a name given before the room is loaded is known after it", async ({ page, room }) => {
  await enter(page, room);
  const [opening, joining] = [await hold(page, /\/api\/open_room\?/), await hold(page, /\/api\/join_room/)];
  await page.keyboard.press("Control+k");
  await switcher(page).getByRole("textbox").fill(`${room}-b`);
  await page.keyboard.press("Enter");
  await expect(page.locator("h1")).toHaveText(`${room}-b`);
  await nameField(page).fill("Ann");
  await composer(page).fill("said at once");
  await page.getByRole("button", { name: "Send" }).click();
  await expect.poll(joining.count).toBe(1);
  opening.release();
  await expect(messages(page, "said at once").locator(".message-author")).toHaveText("Ann");
  joining.release();
  await expect(nameField(page)).toBeHidden();
});
