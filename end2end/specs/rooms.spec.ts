// From room to room: in place, with what is unread in each, and back to where one was.

import { expect, test } from "../support/fixtures";
import { act, change, composer, enter, fill, flood, goOffline, goOnline, hold, isLive, mark, message, messages, nameField, numbers, post, deleteDialog, say, scrollTo, switcher, text, top } from "../support/room";

for (const [how, open] of [["a key", "key"], ["a tap", "tap"]]) {
  test(`the recent rooms with what is unread there are ${how} away`, async ({ page, request, room }) => {
    await post(request, room, "Ben", "long read");
    await enter(page, room, "Ann");
    await enter(page, `${room}-b`);
    await post(request, room, "Ben", "one");
    await post(request, room, "Ben", "two");
    const isSame = await mark(page);
    // A wide page has them beside the messages.
    if (open === "tap") await page.setViewportSize({ width: 390, height: 844 });
    if (open === "key") await page.keyboard.press("Control+k");
    else await page.getByRole("link", { name: "Rooms" }).click();

    await expect(switcher(page).getByRole("link", { name: `${room}-b` })).toBeVisible();
    await switcher(page).getByRole("link", { name: "Ben: two 2 new" }).click();
    await expect(switcher(page)).toBeHidden();
    await expect(page.locator("h1")).toHaveText(room);
    await expect(page).toHaveURL(`/${room}/`);
    await expect(page).toHaveTitle(`${room} · Parlour`);
    await expect.poll(() => numbers(page)).toEqual([1, 2, 3]);
    await expect(page.locator("li.unread-divider")).toHaveText("2 new");
    expect(await isSame()).toBe(true);
  });
}

test("in another room, opened in place, people talk as in any", async ({ visitor, room }) => {
  const [ann, ben] = [await visitor(), await visitor()];
  await enter(ann, room, "Ann");
  await say(ann, "first room");
  await expect(text(ann, 1)).toBeVisible();
  const isSame = await mark(ann);
  await change(ann, `${room}-b`);
  await expect(messages(ann)).toHaveCount(0);
  await expect(composer(ann)).toBeFocused();
  await enter(ben, `${room}-b`, "Ben");
  await say(ann, "second room");
  await expect(text(ben, 1)).toHaveText("second room");
  await say(ben, "I hear you");
  await expect(text(ann, 2)).toHaveText("I hear you");
  expect(await isSame()).toBe(true);
});

test("Back and Forward lead through the rooms, without a reload", async ({ page, request, room }) => {
  for (const end of ["a", "b", "c"]) await post(request, `${room}-${end}`, "Ben", `said in ${end}`);
  await enter(page, `${room}-a`, "Ann");
  const isSame = await mark(page);
  const isIn = async (end: string) => {
    await expect(page).toHaveURL(`/${room}-${end}/`);
    await expect(page.locator("h1")).toHaveText(`${room}-${end}`);
    await expect(page).toHaveTitle(`${room}-${end} · Parlour`);
    await expect(text(page, 1)).toHaveText(`said in ${end}`);
    await isLive(page);
  };
  for (const end of ["b", "c"]) {
    await change(page, `${room}-${end}`);
    await isIn(end);
  }
  for (const end of ["b", "a"]) {
    await page.goBack();
    await isIn(end);
  }
  for (const end of ["b", "c"]) {
    await page.goForward();
    await isIn(end);
  }
  expect(await isSame()).toBe(true);
});

test("Back leads to the same place in the room", async ({ page, request, room }) => {
  await fill(request, room, 120);
  await enter(page, room, "Ben");
  await scrollTo(page, 80);
  await expect(message(page, 30)).toBeAttached();
  await scrollTo(page, 30, "start");
  await expect(message(page, 1)).toBeAttached();
  const before = await scrollTo(page, 40);
  await change(page, `${room}-b`);
  await page.goBack();
  await expect(message(page, 40)).toBeInViewport();
  await expect.poll(async () => Math.abs((await top(page, 40)) - before)).toBeLessThanOrEqual(2);
});

test("a question about a message does not go along into another room", async ({ page, room }) => {
  const other = `${room}-other`;
  for (const name of [other, room]) {
    await enter(page, name, "Ann");
    await say(page, `said in ${name}`);
    await expect(text(page, 1)).toHaveText(`said in ${name}`);
  }
  await change(page, other);
  await act(page, 1, "Remove");
  await expect(deleteDialog(page)).toBeVisible();
  await page.goBack();
  await expect(page.locator("h1")).toHaveText(room);
  await expect(deleteDialog(page)).toBeHidden();
});

test("Back and Forward in quick succession lead to the room of the address", async ({ page, room }) => {
  const other = `${room}-other`;
  await enter(page, room, "Ann");
  await change(page, other);
  const rooms = await hold(page, /\/api\/open_room/);
  await page.goBack();
  await expect.poll(rooms.count).toBe(1);
  await page.goForward();
  await expect(page).toHaveURL(new RegExp(`/${other}/$`));
  const answered = page.waitForResponse(/api\/open_room/);
  rooms.release();
  await answered;
  await say(page, "where I am");
  await expect(text(page, 1)).toHaveText("where I am");
  await expect(page.locator("h1")).toHaveText(other);
});

test("on the way to another room, nothing of the one that is left is fetched", async ({ page, request, room }) => {
  const other = `${room}-other`;
  await flood(request, other, 120);
  await enter(page, room, "Ann");
  await page.evaluate((path) => history.pushState(null, "", path), `/${other}/10`);
  await page.evaluate(() => dispatchEvent(new PopStateEvent("popstate")));
  await expect(page.locator("h1")).toHaveText(other);
  await isLive(page);
  const rooms = await hold(page, /\/api\/open_room/);
  await page.goBack();
  await expect.poll(rooms.count).toBe(1);
  await page.keyboard.press("Escape");
  rooms.release();
  await expect(page.locator("h1")).toHaveText(room);
  await expect(page).toHaveURL(new RegExp(`/${room}/`));
});

test("a room that cannot be reached is said to be so, and Back catches up", async ({ page, room, complaints }) => {
  complaints.expectOutage();
  const other = `${room}-other`;
  await enter(page, room, "Ann");
  await change(page, other);
  const stays = await mark(page);
  await goOffline(page);
  await page.keyboard.press("Control+k");
  await switcher(page).getByRole("textbox").fill(room);
  await page.keyboard.press("Enter");
  await expect(page.getByText("The server could not be reached.")).toBeVisible();
  await expect(page.locator("h1")).toHaveText(other);
  await page.goBack();
  await expect(page).toHaveURL(new RegExp(`/${room}/`));
  await goOnline(page);
  await expect(page.locator("h1")).toHaveText(room);
  expect(await stays()).toBe(true);
});

test("why a name is not taken in one room is not said in another", async ({ page, visitor, room }) => {
  const ben = await visitor();
  await enter(ben, room, "Ann");
  await say(ben, "I am Ann here");
  await expect(text(ben, 1)).toBeVisible();
  await enter(page, `${room}-other`, "Ann");
  await change(page, room);
  await say(page, "so am I");
  await expect(page.getByRole("alert").filter({ hasText: /Ann/ }).first()).toBeVisible();
  await change(page, `${room}-other`);
  await expect(page.locator(".form-error")).toHaveText("");
  await expect(nameField(page)).toBeHidden();
});

test("every room keeps a draft of its own", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await composer(page).fill("for the first");
  await change(page, `${room}-b`);
  await expect(composer(page)).toHaveValue("");
  await composer(page).fill("for the second");
  await page.goBack();
  await expect(composer(page)).toHaveValue("for the first");
  await isLive(page);
  await page.goForward();
  await expect(composer(page)).toHaveValue("for the second");
  await page.goto(`/${room}/`);
  await isLive(page);
  await expect(composer(page)).toHaveValue("for the first");
  await page.keyboard.press("Enter");
});

test("the front page lists the recent rooms", async ({ page, request, room }) => {
  await enter(page, room, "Ann");
  await enter(page, `${room}-b`);
  await post(request, room, "Ben", "come back");
  await page.goto("/");
  const recent = page.getByRole("region", { name: "Your rooms" }).getByRole("link");
  await expect(recent).toHaveText([new RegExp(`${room}-b`), new RegExp(`${room}.*Ben: come back1 new`)]);
  await recent.last().click();
  await expect(text(page, 1)).toHaveText("come back");
  await expect(page.locator("li.unread-divider")).toHaveText("1 new");
});

test("whoever has been nowhere sees no recent rooms", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByRole("button", { name: "Open the room" })).toBeVisible();
  await expect(page.getByText("Your rooms")).toBeHidden();
});

test("a room that cannot be, asked for in place, leads to the page that says why", async ({ page, room, complaints }) => {
  complaints.expect(/status of 404/);
  await enter(page, room, "Ann");
  await page.keyboard.press("Control+k");
  await switcher(page).getByRole("textbox").fill(".hidden");
  await page.keyboard.press("Enter");
  await expect(page.getByText("Room names do not begin with a full stop.")).toBeVisible();
});

test("Esc closes the rooms, and the focus is where it was", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await composer(page).fill("half a sentence");
  await page.keyboard.press("Control+k");
  await expect(switcher(page)).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(switcher(page)).toBeHidden();
  await expect(composer(page)).toBeFocused();
  await expect(composer(page)).toHaveValue("half a sentence");
});

test("a message's time is its permalink: the address names it, and Back leads to where one was", async ({ page, request, room }) => {
  await fill(request, room, 60);
  await enter(page, room, "Ben");
  await expect(text(page, 60)).toBeInViewport();
  await scrollTo(page, 30, "start");
  const isSame = await mark(page);
  await message(page, 33).hover();
  const before = await top(page, 30);
  await message(page, 33).locator(".message-time").click();
  await expect(page).toHaveURL(`/${room}/33`);
  await expect(page.locator("li.marked")).toHaveAttribute("data-seq", "33");
  await page.goBack();
  await expect(page).toHaveURL(`/${room}/`);
  await expect.poll(async () => Math.abs((await top(page, 30)) - before)).toBeLessThanOrEqual(2);
  await page.goForward();
  await expect(page).toHaveURL(`/${room}/33`);
  await expect(page.locator("li.marked")).toHaveAttribute("data-seq", "33");
  expect(await isSame()).toBe(true);
});

test("Back takes the mark away", async ({ page, request, room }) => {
  await post(request, room, "Ben", "look at this");
  await enter(page, room, "Ann");
  await message(page, 1).locator(".message-time").click();
  await expect(message(page, 1)).toHaveClass(/marked/);
  await page.goBack();
  await expect(message(page, 1)).not.toHaveClass(/marked/);
});
