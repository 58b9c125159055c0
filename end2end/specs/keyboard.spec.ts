// The keyboard: what sends, what edits, and how everything is reached.

import { type Page } from "@playwright/test";
import { expect, test } from "../support/fixtures";
import { act, change, composer, enter, fill, isLive, menu, message, messages, numbers, openMenu, pending, post, deleteDialog, say, switcher, text } from "../support/room";

async function hasSaid(page: Page, ...said: string[]): Promise<void> {
  for (const text of said) {
    await say(page, text);
    await expect(messages(page, text)).toBeVisible();
  }
}

for (const [how, init] of [["says that it composes", { isComposing: true }], ["keeps the key for itself", { keyCode: 229 }]] as const) {
  test(`Enter sends nothing while an input method ${how}`, async ({ page, room }) => {
    await enter(page, room, "Ann");
    await composer(page).fill("にほん");
    await composer(page).dispatchEvent("keydown", { key: "Enter", ...init });
    await expect(composer(page)).toHaveValue("にほん");
    await composer(page).fill("日本");
    await composer(page).press("Enter");
    await expect(text(page, 1)).toHaveText("日本");
    expect(await numbers(page)).toEqual([1]);
  });
}

test("on a touch screen Enter breaks the line, and the button sends", async ({ visitor, room }) => {
  const page = await visitor({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await enter(page, room, "Ann");
  await composer(page).tap();
  await page.keyboard.type("one");
  await page.keyboard.press("Enter");
  await page.keyboard.type("two");
  await expect(composer(page)).toHaveValue("one\ntwo");
  await page.getByRole("button", { name: "Send" }).tap();
  await expect(text(page, 1)).toContainText("two");
  expect(await numbers(page)).toEqual([1]);
});

test("the focus stays in the composer after Enter", async ({ page, room }) => {
  await enter(page, room, "Ann");
  for (const said of ["one", "two"]) {
    await composer(page).focus();
    await page.keyboard.type(said);
    await page.keyboard.press("Enter");
    await expect(composer(page)).toHaveValue("");
    await expect(composer(page)).toBeFocused();
  }
  await expect(text(page, 2)).toHaveText("two");
});

test("Up in an empty composer edits my last message, Enter saves it", async ({ page, request, room }) => {
  await enter(page, room, "Ann");
  await hasSaid(page, "first", "secnd");
  await post(request, room, "Ben", "not mine");
  await expect(text(page, 3)).toBeVisible();
  await composer(page).press("ArrowUp");
  await expect(composer(page)).toHaveValue("secnd");
  await expect(page.getByText("Editing your message")).toBeVisible();
  await composer(page).fill("second");
  await composer(page).press("Enter");
  await expect(text(page, 2)).toHaveText("second edited");
  await expect(text(page, 1)).toHaveText("first");
  await expect(composer(page)).toHaveValue("");
  await expect(page.getByText("Editing your message")).toBeHidden();
});

test("Up moves the caret where something is written", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await hasSaid(page, "said");
  await composer(page).fill("not empty");
  await composer(page).press("ArrowUp");
  await expect(composer(page)).toHaveValue("not empty");
  await expect(page.getByText("Editing your message")).toBeHidden();
});

test("Esc cancels an edit, and the draft is back", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await hasSaid(page, "as it was");
  await composer(page).fill("my draft");
  await act(page, 1, "Edit");
  await expect(composer(page)).toHaveValue("as it was");
  await composer(page).fill("something else");
  await page.keyboard.press("Escape");
  await expect(composer(page)).toHaveValue("my draft");
  await expect(composer(page)).toBeFocused();
  await expect(text(page, 1)).toHaveText("as it was");
  // What was never sent is not sent later either.
  await page.reload();
  await isLive(page);
  await expect(text(page, 1)).toHaveText("as it was");
  await expect(composer(page)).toHaveValue("my draft");
});

test("an edit that was begun survives a reload and another room, and cancelling it brings the draft back", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await say(page, "hello");
  await expect(text(page, 1)).toHaveText("hello");
  await composer(page).press("ArrowUp");
  await composer(page).fill("hello, wor");
  await page.reload();
  await expect(page.getByText("Editing your message")).toBeVisible();
  await expect(composer(page)).toHaveValue("hello, wor");
  await isLive(page);
  await change(page, `${room}-b`);
  await expect(page.getByText("Editing your message")).toBeHidden();
  await expect(composer(page)).toHaveValue("");
  await change(page, room);
  await expect(composer(page)).toHaveValue("hello, wor");
  await composer(page).fill("hello, world");
  await composer(page).press("Enter");
  await expect(text(page, 1)).toHaveText("hello, world edited");
  await expect(composer(page)).toHaveValue("");
  await composer(page).fill("a draft");
  await page.reload();
  await expect(composer(page)).toHaveValue("a draft");
  await expect(page.getByText("Editing your message")).toBeHidden();
});

test("an edit that empties a message asks whether to remove it", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await hasSaid(page, "to be gone");
  await composer(page).press("ArrowUp");
  await composer(page).fill("");
  await composer(page).press("Enter");
  await deleteDialog(page).getByRole("button", { name: "Remove" }).click();
  await expect(message(page, 1)).toContainText("Message removed");
});

test("Esc goes to the newest message", async ({ page, request, room }) => {
  await fill(request, room, 60);
  await enter(page, room, "Ben");
  await message(page, 20).evaluate((line) => line.scrollIntoView());
  await expect(text(page, 60)).not.toBeInViewport();
  await page.keyboard.press("Escape");
  await expect(text(page, 60)).toBeInViewport();
});

test("typing anywhere goes to the composer, with the first letter", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await page.locator("h1").click();
  await expect(composer(page)).not.toBeFocused();
  await page.keyboard.type("hello");
  await expect(composer(page)).toBeFocused();
  await expect(composer(page)).toHaveValue("hello");
  await page.keyboard.press("Enter");
  await expect(text(page, 1)).toHaveText("hello");
});

test("keys with Ctrl, and the space that turns a page, stay what they are", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await page.locator("h1").click();
  for (const key of ["Control+c", "Space", "PageUp", "Shift"]) await page.keyboard.press(key);
  await expect(composer(page)).not.toBeFocused();
  await expect(composer(page)).toHaveValue("");
});

test("what pointing shows, the arrow keys reach from the message", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await hasSaid(page, "first", "second");
  await page.mouse.move(0, 0);
  const more = (seq: number) => message(page, seq).getByRole("button", { name: "More" });
  const react = (seq: number) => message(page, seq).getByRole("button", { name: "React" });
  const reply = (seq: number) => message(page, seq).getByRole("button", { name: "Reply" });
  await expect(more(2)).toBeHidden();
  await page.locator(".timeline").focus();
  for (const [key, next] of [
    ["ArrowUp", message(page, 2)],
    ["ArrowUp", message(page, 1)],
    ["ArrowRight", message(page, 1).locator(".message-time")],
    ["ArrowRight", react(1)],
    ["ArrowRight", reply(1)],
    ["ArrowRight", more(1)],
    ["ArrowLeft", reply(1)],
    ["ArrowLeft", react(1)],
    ["ArrowLeft", message(page, 1).locator(".message-time")],
    ["ArrowDown", message(page, 2)],
    ["Enter", react(2)],
    ["ArrowUp", message(page, 1)],
    ["Tab", react(1)],
    ["ArrowDown", message(page, 2)],
    ["Tab", react(2)],
    ["ArrowRight", reply(2)],
    ["ArrowRight", more(2)],
    ["Enter", menu(page).getByRole("button", { name: "Copy the text" })],
    ["ArrowDown", menu(page).getByRole("button", { name: "Copy the link" })],
    ["ArrowDown", menu(page).getByRole("button", { name: "Pin" })],
    ["ArrowDown", menu(page).getByRole("button", { name: "Edit" })],
    ["Escape", more(2)],
    ["Enter", menu(page).getByRole("button", { name: "Copy the text" })],
    ["ArrowDown", menu(page).getByRole("button", { name: "Copy the link" })],
    ["ArrowDown", menu(page).getByRole("button", { name: "Pin" })],
    ["ArrowDown", menu(page).getByRole("button", { name: "Edit" })],
  ] as const) {
    await page.keyboard.press(key);
    await expect(next).toBeFocused();
    await expect(next).toBeInViewport();
  }
  await page.keyboard.press("Enter");
  await expect(composer(page)).toHaveValue("second");
  await expect(composer(page)).toBeFocused();
});

test("others' messages cannot be changed", async ({ page, request, room }) => {
  await post(request, room, "Ben", "mine");
  await enter(page, room, "Ann");
  await openMenu(page, 1);
  await expect(menu(page).getByRole("button")).toHaveText(["Copy the text", "Copy the link", "Mark as unread"]);
  await page.keyboard.press("Escape");
  await composer(page).press("ArrowUp");
  await expect(composer(page)).toHaveValue("");
});

/** From a message's time to the question whether to remove it, by keyboard. */
async function ask(page: Page, seq: number): Promise<void> {
  await message(page, seq).locator(".message-time").focus();
  for (const key of ["ArrowRight", "ArrowRight", "ArrowRight", "Enter"]) await page.keyboard.press(key);
  await expect(menu(page).getByRole("button", { name: "Copy the text" })).toBeFocused();
  for (let step = 0; step < 9 && !(await menu(page).getByRole("button", { name: "Remove" }).evaluate((it) => it === document.activeElement)); step++) await page.keyboard.press("ArrowDown");
  await expect(menu(page).getByRole("button", { name: "Remove" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(deleteDialog(page).getByRole("button", { name: "Keep it" })).toBeFocused();
}

test("a message is removed by keyboard", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await hasSaid(page, "first", "second");
  await ask(page, 1);
  for (const key of ["Tab", "Enter"]) await page.keyboard.press(key);
  await expect(deleteDialog(page)).toBeHidden();
  await expect(message(page, 1)).toContainText("Message removed");
  await expect(text(page, 2)).toHaveText("second");
});

for (const [how, key] of [["Esc", "Escape"], ["Keep it", "Enter"]]) {
  test(`the confirmation of a deletion, answered with ${how}, gives the focus back`, async ({ page, room }) => {
    await enter(page, room, "Ann");
    await hasSaid(page, "first");
    await ask(page, 1);
    await page.keyboard.press(key);
    await expect(deleteDialog(page)).toBeHidden();
    await expect(page.locator("li.message[data-seq='1']:focus, li.message[data-seq='1'] :focus")).toHaveCount(1);
    await expect(text(page, 1)).toHaveText("first");
  });
}

test("after a message is removed the focus is still in the room", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await hasSaid(page, "first");
  await act(page, 1, "Remove");
  await deleteDialog(page).getByRole("button", { name: "Remove" }).click();
  await expect(message(page, 1)).toContainText("Message removed");
  await expect(page.locator(".room :focus")).toHaveCount(1);
});

test("other rooms are a key, a name and Enter away, every time", async ({ page, room }) => {
  await enter(page, room, "Ann");
  for (const end of ["b", "c", "d"]) {
    await page.keyboard.press("Control+k");
    await expect(switcher(page).getByRole("textbox")).toBeFocused();
    await page.keyboard.type(`${room}-${end}`);
    await page.keyboard.press("Enter");
    await expect(page.locator("h1")).toHaveText(`${room}-${end}`);
  }
  await page.keyboard.press("Control+k");
  await expect(switcher(page)).toBeVisible();
  await page.goBack();
  await expect(page.locator("h1")).toHaveText(`${room}-c`);
  await expect(switcher(page)).toBeHidden();
});

for (const [what, init] of [
  ["a letter by AltGr", { key: "@", ctrlKey: true, altKey: true, modifierAltGraph: true }],
  ["an accent", { key: "Dead" }],
  ["a key of an input method", { key: "Process", keyCode: 229 }],
] as const) {
  test(`${what} is typing, too`, async ({ page, room }) => {
    await enter(page, room, "Ann");
    await page.locator("h1").click();
    await expect(composer(page)).not.toBeFocused();
    await page.locator("body").dispatchEvent("keydown", init);
    await expect(composer(page)).toBeFocused();
  });
}

test("the focus goes on where its button has gone", async ({ page, request, room }) => {
  await fill(request, room, 60);
  await enter(page, room, "Ann");
  await say(page, "x\0");
  await pending(page).getByRole("button", { name: "Discard" }).focus();
  await page.keyboard.press("Enter");
  await expect(pending(page)).toHaveCount(0);
  await expect(composer(page)).toBeFocused();
  await message(page, 20).evaluate((line) => line.scrollIntoView());
  const pill = page.locator(".jump-button");
  await pill.focus();
  await page.keyboard.press("Enter");
  await expect(text(page, 60)).toBeInViewport();
  await expect(composer(page)).toBeFocused();
});

test("on a wide screen who is here is always shown, on a narrow one a button opens it", async ({ page, room }) => {
  await enter(page, room, "Ann");
  const [list, people] = [page.getByRole("complementary", { name: "Here now" }), page.getByRole("link", { name: "People, 1 here" })];
  await expect(page.locator(".room-count")).toHaveText("1 here");
  await expect(list).toBeVisible();
  await expect(people).toBeHidden();
  await page.setViewportSize({ width: 390, height: 844 });
  await expect(list).toBeHidden();
  await expect(people).toHaveAttribute("aria-expanded", "false");
  await people.click();
  await expect(people).toHaveAttribute("aria-expanded", "true");
  await expect(list).toBeVisible();
});
