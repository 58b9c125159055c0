// What is typed reaches the room it was typed for, or stays visible as unsent: while rooms are changed, while the page
// is reset, when a room has started over, and from rooms that are not open.

import { type Page } from "@playwright/test";
import { expect, test } from "../support/fixtures";
import { act, change, comesBack, composer, deleteDialog, enter, fill, goOffline, goOnline, hold, isLive, mark, messages, numbers, pending, post, say, switcher, text } from "../support/room";
import { Wire } from "../support/wire";

test.beforeEach(({ complaints }) => complaints.expectOutage());

/** Fills the browser's storage up to the last byte. */
async function fillStorage(page: Page): Promise<void> {
  await page.evaluate(() => {
    for (let size = 1 << 20; size > 0; size >>= 1) {
      try {
        for (let at = 0; ; at++) localStorage.setItem(`full-${size}-${at}`, "x".repeat(size));
      } catch {
        // Smaller pieces may fit.
      }
    }
  });
}

async function blockStorage(page: Page): Promise<void> {
  await page.addInitScript(() => {
    Object.defineProperty(window, "localStorage", { get: () => { throw new DOMException("denied", "SecurityError"); } });
  });
}

/** Chooses a room by its name, without waiting for it. */
async function choose(page: Page, room: string): Promise<void> {
  await page.keyboard.press("Control+k");
  await switcher(page).getByRole("textbox").fill(room);
  await page.keyboard.press("Enter");
}

test("a message typed right after choosing another room goes to that room", async ({ page, visitor, room }) => {
  const other = `${room}-b`;
  const ben = await visitor();
  await enter(ben, other, "Ben");
  await enter(page, room, "Ann");
  await say(page, "said before");
  await expect(text(page, 1)).toHaveText("said before");
  const rooms = await hold(page, /\/api\/open_room/);
  await choose(page, other);
  await expect(page.locator("h1")).toHaveText(other);
  await expect(page).toHaveURL(`/${other}/`);
  await expect(page.getByRole("progressbar", { name: "Loading" })).toBeVisible();
  await expect(messages(page)).toHaveCount(0);
  await expect(page.locator(".empty-room")).toBeHidden();
  await page.keyboard.type("for the other room");
  await page.keyboard.press("Enter");
  await expect(pending(page)).toContainText("for the other room");
  await expect.poll(rooms.count).toBe(1);
  rooms.release();
  await expect(text(ben, 1)).toHaveText("for the other room");
  await expect(pending(page)).toHaveCount(0);
  await expect(page.getByRole("progressbar", { name: "Loading" })).toBeHidden();
  await page.unrouteAll();
  await page.goBack();
  await expect(page.locator("h1")).toHaveText(room);
  await isLive(page);
  expect(await messages(page).count()).toBe(1);
});

test("after Back too, a message goes to the room of the address", async ({ page, visitor, room }) => {
  const other = `${room}-b`;
  const ben = await visitor();
  await enter(ben, room, "Ben");
  await enter(page, room, "Ann");
  await change(page, other);
  const rooms = await hold(page, /\/api\/open_room/);
  await page.goBack();
  await expect(page.locator("h1")).toHaveText(room);
  await composer(page).fill("back again");
  await composer(page).press("Enter");
  await expect.poll(rooms.count).toBe(1);
  rooms.release();
  await expect(text(ben, 1)).toHaveText("back again");
  await expect(text(page, 1)).toHaveText("back again");
});

test("going back before the other room is there restores everything as it was", async ({ page, request, room }) => {
  await fill(request, room, 60);
  await enter(page, room, "Ann");
  await composer(page).fill("half a thought");
  const rooms = await hold(page, /\/api\/open_room/);
  await choose(page, `${room}-b`);
  await expect(page.locator("h1")).toHaveText(`${room}-b`);
  await expect(composer(page)).toHaveValue("");
  await composer(page).fill("another thought");
  await page.goBack();
  await expect(page.locator("h1")).toHaveText(room);
  await isLive(page);
  await expect(text(page, 60)).toBeInViewport();
  await expect(composer(page)).toHaveValue("half a thought");
  rooms.release();
  await page.goForward();
  await expect(composer(page)).toHaveValue("another thought");
});

test("a room that comes late is asked for again, and a message written for it arrives", async ({ page, visitor, server, room }) => {
  test.slow();
  const other = `${room}-b`;
  await enter(page, room, "Ann");
  await server.kill();
  await choose(page, other);
  await expect(page.locator("h1")).toHaveText(other);
  await expect(page.getByText("The server could not be reached.")).toBeVisible();
  await say(page, "written early");
  await expect(pending(page)).toContainText("written early");
  await server.start();
  await expect(page.locator(".is-hydrated .connection-status:has(.live)")).toHaveText("", { timeout: 40_000 });
  await expect(text(page, 1)).toHaveText("written early");
  const ben = await visitor();
  await enter(ben, other, "Ben");
  expect(await numbers(ben)).toEqual([1]);
});

test("a message for a room that cannot be stays with its author", async ({ page, room, complaints }) => {
  complaints.expect(/status of 404/);
  await enter(page, room, "Ann");
  const rooms = await hold(page, /\/api\/open_room/);
  await choose(page, ".hidden");
  await expect(page.locator("h1")).toHaveText(".hidden");
  await say(page, "into nowhere");
  await expect.poll(rooms.count).toBe(1);
  rooms.release();
  await expect(pending(page)).toContainText("into nowhere");
  await expect(pending(page)).toContainText("Room names do not begin with a full stop.");
  await pending(page).getByRole("button", { name: "Discard" }).click();
  await expect(pending(page)).toHaveCount(0);
});

for (const [how, prepare] of [["full", fillStorage], ["blocked", undefined]] as const) {
  test(`with a ${how} storage, a reset takes nothing that waits, no draft and no edit`, async ({ page, server, room }) => {
    test.slow();
    if (!prepare) await blockStorage(page);
    await enter(page, room, "Ann");
    await say(page, "said");
    await expect(text(page, 1)).toHaveText("said");
    if (prepare) await prepare(page);
    const isSame = await mark(page);
    await goOffline(page);
    for (const line of ["one", "two", "three"]) await say(page, line);
    await expect(pending(page)).toHaveText([/one/, /two/, /three/]);
    await composer(page).fill("half a thought");
    // The room goes on elsewhere, further than can be caught up with.
    server.command("delete", room, "--yes");
    await page.context().setOffline(false);
    await isLive(page);
    await expect(pending(page)).toHaveText([/one.*not sent/s, /two.*not sent/s, /three.*not sent/s]);
    await expect(composer(page)).toHaveValue("half a thought");
    expect(await isSame()).toBe(true);
    await pending(page).first().getByRole("button", { name: "Try again" }).click();
    await expect(text(page, 1)).toHaveText("one");
  });
}

test("an unfinished edit goes on after a reset of the same room", async ({ page, room }) => {
  let reset = () => {};
  await page.routeWebSocket(/\/ws\//, (socket) => {
    const server = socket.connectToServer();
    let epoch = "";
    server.onMessage((frame) => {
      epoch = JSON.parse(String(frame)).epoch ?? epoch;
      socket.send(frame);
    });
    reset = () => socket.send(JSON.stringify({ type: "reset", epoch, head: 1 }));
  });
  await enter(page, room, "Ann");
  await say(page, "said");
  await expect(text(page, 1)).toHaveText("said");
  await act(page, 1, "Edit");
  await composer(page).fill("said better");
  const isSame = await mark(page);
  const loaded = page.waitForResponse(/open_room/);
  reset();
  await loaded;
  await isLive(page);
  await expect(page.getByText("Editing your message")).toBeVisible();
  await composer(page).press("Enter");
  await expect(text(page, 1)).toHaveText("said better edited");
  expect(await isSame()).toBe(true);
});

test("in a room that has started over, nothing is done that was meant for the one before", async ({ page, request, server, room }) => {
  await enter(page, room, "Ann");
  for (const line of ["first", "second"]) {
    await say(page, line);
    await expect(messages(page, line)).toBeVisible();
  }
  await goOffline(page);
  await act(page, 1, "Remove");
  await deleteDialog(page).getByRole("button", { name: "Remove" }).click();
  await act(page, 2, "Edit");
  await composer(page).fill("second, edited");
  await composer(page).press("Enter");
  await say(page, "for the old room");
  await expect(pending(page)).toHaveText([/for the old room/]);
  server.command("delete", room, "--yes");
  await post(request, room, "Ben", "new first");
  await post(request, room, "Ben", "new second");
  await goOnline(page);
  await expect(page.locator(".notice")).toContainText("This room has started over.");
  await expect(page.locator(".notice")).toContainText("second, edited");
  await expect(pending(page)).toHaveText([/for the old room.*not sent/s]);
  await expect(page.locator("li.message .message-text")).toHaveText(["new first", "new second"]);
  await page.reload();
  await isLive(page);
  await expect(pending(page)).toHaveText([/for the old room.*not sent/s]);
  await expect(page.locator("li.message .message-text")).toHaveText(["new first", "new second"]);
  await pending(page).getByRole("button", { name: "Try again" }).click();
  await expect(text(page, 3)).toHaveText("for the old room");
});

test("an edit that was begun before a room has started over is not taken up in the new one", async ({ page, server, room }) => {
  await enter(page, room, "Ann");
  await say(page, "first");
  await expect(text(page, 1)).toHaveText("first");
  await composer(page).fill("a draft");
  await act(page, 1, "Edit");
  await composer(page).fill("first, and mor");
  await goOffline(page);
  server.command("delete", room, "--yes");
  await page.context().setOffline(false);
  await isLive(page);
  await expect(page.locator(".notice")).toContainText("first, and mor");
  await expect(page.getByText("Editing your message")).toBeHidden();
  await expect(composer(page)).toHaveValue("a draft");
  await composer(page).press("Enter");
  await expect(text(page, 1)).toHaveText("a draft");
  await act(page, 1, "Edit");
  await expect(composer(page)).toHaveValue("a draft");
});

test("commands that an earlier release has stored, without an epoch, are sent", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await say(page, "said");
  await expect(text(page, 1)).toHaveText("said");
  await page.evaluate((room) => {
    const pending = (id: string, order: number, wish: object) => localStorage.setItem(`parlour:outbox:${room}:${id}`, JSON.stringify({ id, order, wish, refused: null }));
    pending("old-edit", 1, { edit: { target: 1, text: "said before" } });
    pending("old-post", 2, { post: { username: "Ann", text: "from yesterday" } });
  }, room);
  await page.reload();
  await expect(text(page, 1)).toHaveText("said before edited");
  await expect(messages(page, "from yesterday")).toHaveCount(1);
  await expect(pending(page)).toHaveCount(0);
});

test("messages that wait in a room that is not open any more are sent from another, and shown in the list until then", async ({ page, visitor, room }) => {
  const other = `${room}-b`;
  const ben = await visitor();
  await enter(ben, room, "Ben");
  const wire = await Wire.of(page);
  await enter(page, other, "Ann");
  await change(page, room);
  await say(page, "said");
  await expect(text(ben, 1)).toHaveText("said");
  wire.cut();
  wire.hangs = true;
  await say(page, "one");
  await say(page, "two");
  await expect(pending(page)).toHaveText([/one/, /two/]);
  await choose(page, other);
  await expect(page.locator("h1")).toHaveText(other);
  await page.keyboard.press("Control+k");
  await expect(switcher(page).getByRole("link", { name: room, exact: false }).filter({ hasText: "2 not sent" })).toBeVisible();
  await page.keyboard.press("Escape");
  wire.hangs = false;
  await comesBack(page);
  await expect(text(ben, 3)).toHaveText("two", { timeout: 40_000 });
  expect(await numbers(ben)).toEqual([1, 2, 3]);
  await page.keyboard.press("Control+k");
  await expect(switcher(page).getByText("not sent")).toHaveCount(0);
});

test("the front page marks rooms with unsent messages, and sends them", async ({ page, visitor, room }) => {
  const ben = await visitor();
  await enter(ben, room, "Ben");
  const wire = await Wire.of(page);
  await enter(page, room, "Ann");
  await expect(ben.locator(".participant")).toHaveCount(2);
  wire.cut();
  wire.hangs = true;
  await say(page, "not yet");
  await expect(pending(page)).toContainText("not yet");
  await page.goto("/");
  const entry = page.getByRole("region", { name: "Your rooms" }).getByRole("link");
  await expect(entry).toContainText("1 not sent");
  wire.hangs = false;
  await expect(text(ben, 1)).toHaveText("not yet", { timeout: 40_000 });
  await expect(entry).not.toContainText("not sent");
});

test("the browser warns before a page with unsent messages is closed, and only then", async ({ page, room }) => {
  const asked: string[] = [];
  page.on("dialog", (dialog) => {
    asked.push(dialog.type());
    void dialog.accept();
  });
  await enter(page, room, "Ann");
  await say(page, "sent");
  await expect(text(page, 1)).toHaveText("sent");
  await expect(pending(page)).toHaveCount(0);
  await page.goto("/");
  await enter(page, room);
  expect(asked).toEqual([]);
  await goOffline(page);
  await say(page, "unsent");
  await expect(pending(page)).toContainText("unsent");
  await page.routeWebSocket(/\/ws\//, () => {});
  await page.context().setOffline(false);
  await page.goto("/");
  expect(asked).toEqual(["beforeunload"]);
});
