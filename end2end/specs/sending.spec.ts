// Sending: nothing that was typed is lost, and nothing is said twice.

import { type Page } from "@playwright/test";
import { expect, test } from "../support/fixtures";
import { act, change, comesBack, composer, enter, goOffline, goOnline, hold, isLive, message, messages, nameField, numbers, pending, deleteDialog, say, text } from "../support/room";

test.beforeEach(({ complaints }) => complaints.expectOutage());

/** Exactly this was said in the room, in this order. */
async function heard(page: Page, said: string[]): Promise<void> {
  await expect(page.locator("li.message .message-text")).toHaveText(said);
  expect(await numbers(page)).toEqual(said.map((_, at) => at + 1));
}

test("what waits is dimmed and says for what", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await goOffline(page);
  await say(page, "on its way");
  await expect(pending(page)).toHaveText(/Waiting for the network.*on its way/s);
  const colour = (it: Element) => getComputedStyle(it).color;
  const ink = await page.locator("body").evaluate(colour);
  await expect.poll(() => pending(page).locator(".message-text").evaluate(colour)).not.toBe(ink);
  await expect(page.locator(".connection-banner")).toContainText("You’re offline. Messages wait here.");
  await expect(composer(page)).toBeEditable();
  await goOnline(page);
  await heard(page, ["on its way"]);
  await expect(pending(page)).toHaveCount(0);
});

test("what waits survives a reload, and goes out once and in order", async ({ visitor, room }) => {
  const [ann, ben] = [await visitor(), await visitor()];
  await enter(ann, room, "Ann");
  await enter(ben, room, "Ben");
  await goOffline(ann);
  for (const said of ["one", "two", "three"]) await say(ann, said);
  await expect(pending(ann)).toHaveText([/one/, /two/, /three/]);
  // The page comes from elsewhere, the connection does not come at all.
  await ann.routeWebSocket(/\/ws\//, (socket) => void socket.close({ code: 1013 }));
  await ann.context().setOffline(false);
  await ann.reload();
  await expect(pending(ann)).toHaveText([/one/, /two/, /three/]);
  await ann.unrouteAll();
  const again = await ann.context().newPage();
  await ann.close();
  await enter(again, room);
  for (const page of [again, ben]) await heard(page, ["one", "two", "three"]);
  await expect(pending(again)).toHaveCount(0);
});

test("a page that is killed has said everything once another is opened", async ({ visitor, room }) => {
  const ann = await visitor();
  const context = ann.context();
  await enter(ann, room, "Ann");
  await goOffline(ann);
  await say(ann, "my last words");
  await expect(pending(ann)).toHaveCount(1);
  await ann.close({ runBeforeUnload: false });
  await context.setOffline(false);
  const again = await context.newPage();
  await enter(again, room);
  await heard(again, ["my last words"]);
  await again.reload();
  await isLive(again);
  await heard(again, ["my last words"]);
});

test("two tabs type in turns without a network: all comes out once, in the order of typing", async ({ visitor, room }) => {
  const [one, ben] = [await visitor(), await visitor()];
  await enter(ben, room, "Ben");
  await enter(one, room, "Ann");
  const two = await one.context().newPage();
  await enter(two, room);
  await goOffline(one);
  await expect(two.locator(".connection-status")).toHaveText(/^Offline/);
  const said = ["1", "2", "3", "4", "5", "6"].map((number) => `turn ${number}`);
  for (const [at, line] of said.entries()) {
    const tab = [one, two][at % 2];
    await say(tab, line);
    await expect(pending(tab).filter({ hasText: line })).toBeVisible();
  }
  await one.context().setOffline(false);
  for (const page of [one, two, ben]) await heard(page, said);
  for (const page of [one, two]) await expect(pending(page)).toHaveCount(0);
});

test("a message that is refused says why, and can be tried again, edited, copied and discarded", async ({ visitor, room }) => {
  const page = await visitor({ permissions: ["clipboard-read", "clipboard-write"] });
  await enter(page, room, "Ann");
  const odd = "x".repeat(3000) + "\0";
  await say(page, odd);
  const reason = pending(page).getByText("Messages cannot contain the character U+0000.");
  await expect(reason).toBeVisible();
  await page.reload();
  await isLive(page);
  await pending(page).getByRole("button", { name: "Try again" }).click();
  await expect(reason).toBeVisible();
  await pending(page).getByRole("button", { name: "Copy" }).click();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toContain("x".repeat(3000));
  await say(page, "short");
  await expect(text(page, 1)).toHaveText("short");
  await expect(reason).toBeVisible();
  await pending(page).getByRole("button", { name: "Discard" }).click();
  await expect(pending(page)).toHaveCount(0);
  await page.reload();
  await isLive(page);
  await expect(pending(page)).toHaveCount(0);
  expect(await numbers(page)).toEqual([1]);
  await composer(page).fill("a draft");
  await composer(page).press("Enter");
  await expect(text(page, 2)).toHaveText("a draft");
  await say(page, "od\0d");
  await composer(page).fill("next");
  await pending(page).getByRole("button", { name: "Edit" }).click();
  await expect(pending(page)).toHaveCount(0);
  await expect(composer(page)).toBeFocused();
  await expect(composer(page)).toHaveValue(/^next\nod.?d$/);
});

test("what is too long is not sent and stays in the composer, to be shortened", async ({ page, room }) => {
  await enter(page, room, "Ann");
  for (const long of ["x".repeat(4001), "x".repeat(20_000)]) {
    await say(page, long);
    await expect(page.getByRole("alert").getByText("Up to 4000 characters.")).toBeVisible();
    await expect(composer(page)).toHaveValue(long);
    await expect(pending(page)).toHaveCount(0);
  }
  await say(page, "short");
  await heard(page, ["short"]);
  await expect(page.locator("form.composer .form-error")).toHaveText("");
  await composer(page).press("ArrowUp");
  await composer(page).fill("y".repeat(4001));
  await composer(page).press("Enter");
  await expect(page.getByRole("alert").getByText("Up to 4000 characters.")).toBeVisible();
  await expect(page.getByText("Editing your message")).toBeVisible();
  await expect(text(page, 1)).toHaveText("short");
});

test("what a full storage does not keep is sent all the same", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await page.evaluate(() => {
    for (let size = 1 << 20; size > 0; size >>= 1) {
      try {
        for (let at = 0; ; at++) localStorage.setItem(`full-${size}-${at}`, "x".repeat(size));
      } catch {
        // Smaller pieces may fit.
      }
    }
  });
  await goOffline(page);
  for (const said of ["one", "two"]) await say(page, said);
  await expect(pending(page)).toHaveText([/one/, /two/]);
  await goOnline(page);
  await heard(page, ["one", "two"]);
  await expect(pending(page)).toHaveCount(0);
});

test("an edit goes on from the edit before, though that has not arrived", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await say(page, "one");
  await expect(text(page, 1)).toHaveText("one");
  await goOffline(page);
  const save = async (before: string, after: string) => {
    await composer(page).press("ArrowUp");
    await expect(composer(page)).toHaveValue(before);
    await composer(page).fill(after);
    await composer(page).press("Enter");
    await expect(text(page, 1)).toHaveText(`${after} saving…`);
  };
  await save("one", "two");
  await save("two", "three");
  await save("three", "one");
  await goOnline(page);
  await heard(page, ["one edited"]);
  await page.reload();
  await isLive(page);
  await heard(page, ["one edited"]);
});

test("characters are counted only near the limit", async ({ page, room }) => {
  await enter(page, room, "Ann");
  const left = page.locator(".composer-counter");
  for (const [length, words] of [[3700, ""], [3900, "100 characters left"], [4000, "0 characters left"], [4003, "3 characters over"], [10, ""]] as const) {
    await composer(page).fill("😀".repeat(length));
    await expect(left).toHaveText(words);
  }
});

test("the composer grows to eight lines, and then scrolls", async ({ page, room }) => {
  await enter(page, room, "Ann");
  const height = (lines: number) =>
    composer(page).fill("line\n".repeat(lines - 1) + "line").then(() => composer(page).evaluate((it) => it.getBoundingClientRect().height));
  const [one, two, eight, twenty] = [await height(1), await height(2), await height(8), await height(20)];
  expect(two).toBeGreaterThan(one + 15);
  expect(eight).toBeCloseTo(one + 7 * (two - one), 0);
  expect(twenty).toBeCloseTo(eight, 0);
});

test("a draft survives a reload", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await composer(page).fill("half a thought");
  await page.reload();
  await isLive(page);
  await expect(composer(page)).toHaveValue("half a thought");
  await composer(page).press("Enter");
  await heard(page, ["half a thought"]);
  await page.reload();
  await isLive(page);
  await expect(composer(page)).toHaveValue("");
});

test("a message edited and one removed without a network are so for all when it is back", async ({ visitor, room }) => {
  const [ann, ben] = [await visitor(), await visitor()];
  await enter(ann, room, "Ann");
  await enter(ben, room, "Ben");
  for (const said of ["to be edited", "to be removed", "stays"]) {
    await say(ann, said);
    await expect(messages(ann, said)).toBeVisible();
  }
  await goOffline(ann);
  await act(ann, 1, "Edit");
  await composer(ann).fill("edited");
  await composer(ann).press("Enter");
  await expect(text(ann, 1)).toHaveText("edited saving…");
  await act(ann, 2, "Remove");
  await deleteDialog(ann).getByRole("button", { name: "Remove" }).click();
  await expect(message(ann, 2)).toContainText("Message removed");
  await expect(text(ben, 1)).toHaveText("to be edited");
  await goOnline(ann);
  for (const page of [ann, ben]) {
    await expect(page.locator("li.message .message-text")).toHaveText(["edited edited", "Message removed", "stays"]);
  }
});

test("a server killed while messages are on their way loses none and doubles none", async ({ visitor, server, room }) => {
  const [ann, ben] = [await visitor(), await visitor()];
  await enter(ann, room, "Ann");
  await enter(ben, room, "Ben");
  const said = Array.from({ length: 12 }, (_, at) => `line ${at + 1}.`);
  for (const [at, line] of said.entries()) {
    if (at === 6) await server.kill();
    await say(ann, line);
  }
  await server.start();
  for (const page of [ann, ben]) await comesBack(page);
  for (const page of [ann, ben]) await heard(page, said);
  await expect(pending(ann)).toHaveCount(0);
  await expect(nameField(ann)).toBeHidden();
});

test("what waits in one room does not go to another", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await goOffline(page);
  await say(page, "for the first room");
  await expect(pending(page)).toHaveCount(1);
  await page.context().setOffline(false);
  await page.goto(`/${room}-b/`);
  await isLive(page);
  await say(page, "for the second");
  await heard(page, ["for the second"]);
});

test("two tabs write in one room, and neither takes the other's draft away", async ({ visitor, room }) => {
  const one = await visitor();
  await enter(one, room, "Ann");
  await say(one, "said");
  await expect(text(one, 1)).toHaveText("said");
  await composer(one).fill("half a thought");
  const two = await one.context().newPage();
  await enter(two, room);
  await say(two, "from the other tab");
  await expect(text(one, 2)).toHaveText("from the other tab");
  // Its own goes with a message, also while something else stands in the composer.
  await act(one, 1, "Edit");
  await expect(composer(one)).toHaveValue("said");
  await composer(two).fill("another");
  await composer(two).press("Enter");
  await expect(text(one, 3)).toHaveText("another");
  await one.keyboard.press("Escape");
  await expect(composer(one)).toHaveValue("half a thought");
  await composer(one).fill("half a thought more");
  await composer(two).fill("half a thought of mine");
  await one.reload();
  await isLive(one);
  await expect(composer(one)).toHaveValue("half a thought more");
  await expect(composer(two)).toHaveValue("half a thought of mine");
});

test("where the browser keeps nothing, the page does", async ({ page, room }) => {
  await page.addInitScript(() => {
    Object.defineProperty(window, "localStorage", { get: () => { throw new DOMException("denied", "SecurityError"); } });
  });
  await enter(page, room, "Ann");
  await say(page, "said");
  await expect(text(page, 1)).toHaveText("said");
  await say(page, "x\0");
  await expect(pending(page)).toContainText("U+0000");
  await composer(page).fill("half a thought");
  await act(page, 1, "Edit");
  await composer(page).fill("half an edit");
  await page.keyboard.press("Escape");
  await expect(composer(page)).toHaveValue("half a thought");
  await change(page, `${room}-b`);
  await expect(composer(page)).toHaveValue("");
  await expect(pending(page)).toHaveCount(0);
  await change(page, room);
  await expect(composer(page)).toHaveValue("half a thought");
  await expect(pending(page)).toContainText("U+0000");
  await pending(page).getByRole("button", { name: "Discard" }).click();
  await change(page, `${room}-b`);
  await change(page, room);
  await expect(pending(page)).toHaveCount(0);
});

test("what is typed before the program comes does not take the place of the draft", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await composer(page).fill("from yesterday");
  const program = await hold(page, /parlour\.wasm/);
  await page.reload();
  await composer(page).pressSequentially("hi");
  await expect.poll(program.count).toBeGreaterThan(0);
  await expect(composer(page)).toHaveValue("hi");
  program.release();
  await expect(composer(page)).toHaveValue("from yesterday\nhi");
  await composer(page).press("End");
  await composer(page).pressSequentially("!");
  await page.unrouteAll();
  await page.reload();
  await expect(composer(page)).toHaveValue("from yesterday\nhi!");
});

test("each edit that was begun is kept until it is saved or cancelled", async ({ page, room }) => {
  await enter(page, room, "Ann");
  for (const said of ["one", "two"]) {
    await say(page, said);
    await expect(messages(page, said)).toBeVisible();
  }
  await act(page, 1, "Edit");
  await composer(page).fill("one, and mor");
  await act(page, 2, "Edit");
  await expect(composer(page)).toHaveValue("two");
  await composer(page).fill("two, too");
  await composer(page).press("Enter");
  await expect(text(page, 2)).toHaveText("two, too edited");
  await act(page, 1, "Edit");
  await expect(composer(page)).toHaveValue("one, and mor");
  // This key is the input method's.
  await composer(page).dispatchEvent("keydown", { key: "Escape", keyCode: 229 });
  await expect(composer(page)).toHaveValue("one, and mor");
  await composer(page).press("Escape");
  await expect(composer(page)).toHaveValue("");
  await act(page, 1, "Edit");
  await expect(composer(page)).toHaveValue("one");
});

test("without a clipboard, what was refused is selected as a whole", async ({ visitor, server, room, complaints }) => {
  complaints.expect(/Cross-Origin-Opener-Policy header has been ignored/);
  const page = await visitor({ baseURL: server.url.replace("127.0.0.1", "chat.example") });
  await enter(page, room, "Ann");
  const long = "long ".repeat(700).trim();
  await say(page, `${long}\0`);
  await expect(pending(page)).toContainText("U+0000");
  await pending(page).getByRole("button", { name: "Copy" }).click();
  await expect.poll(() => page.evaluate(() => String(getSelection()).trim())).toContain(long);
});

test("what waits for a room that is closed comes back to its author", async ({ page, room }) => {
  let banned = false;
  await page.routeWebSocket(/\/ws\//, (socket) => {
    if (banned) void socket.close({ code: 4503 });
    else socket.connectToServer();
  });
  await enter(page, room, "Ann");
  await goOffline(page);
  await say(page, "before I knew");
  await expect(pending(page)).toContainText("Waiting for the network");
  banned = true;
  await page.context().setOffline(false);
  await expect(page.locator(".connection-banner")).toContainText("You’re banned from this room for now.");
  await expect(pending(page)).toContainText("You’re banned from this room for now.");
  await say(page, "now I do");
  await expect(pending(page)).toHaveText([/before I knew.*You’re banned/s, /now I do.*You’re banned/s]);
  await expect(pending(page).first().getByRole("button")).toHaveText(["Try again", "Copy", "Discard", ""]);
  await expect(pending(page).first().getByRole("button", { name: "Edit" })).toBeVisible();
});
