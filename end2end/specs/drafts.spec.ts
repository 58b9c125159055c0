// Drafts in several tabs, the newest own message, and the end of the room.

import { expect, test } from "../support/fixtures";
import { act, composer, deleteDialog, enter, flood, goOffline, goOnline, isLive, message, messages, pending, say, text } from "../support/room";

test.beforeEach(({ complaints }) => complaints.expectOutage());

test("a draft that was sent in one tab is gone in the other", async ({ visitor, room }) => {
  const one = await visitor();
  await enter(one, room, "Ann");
  await composer(one).pressSequentially("shared thought");
  const two = await one.context().newPage();
  await enter(two, room);
  await expect(composer(two)).toHaveValue("shared thought");
  await composer(two).press("Enter");
  await expect(text(two, 1)).toHaveText("shared thought");
  await expect(composer(one)).toHaveValue("");
  await one.reload();
  await isLive(one);
  await expect(composer(one)).toHaveValue("");
  // Also one that the other tab has gone on writing.
  await composer(one).pressSequentially("and then");
  await two.reload();
  await isLive(two);
  await composer(two).press("End");
  await composer(two).pressSequentially(" some");
  await composer(two).press("Enter");
  await expect(text(two, 2)).toHaveText("and then some");
  await expect(composer(one)).toHaveValue("");
  await one.reload();
  await isLive(one);
  await expect(composer(one)).toHaveValue("");
});

test("erasing a short text in one tab takes no draft of another tab away", async ({ visitor, room }) => {
  const one = await visitor();
  await enter(one, room, "Ann");
  const two = await one.context().newPage();
  await enter(two, room);
  await composer(one).fill("a long draft, written with care");
  await composer(two).pressSequentially("x");
  await composer(two).press("Backspace");
  await expect(composer(one)).toHaveValue("a long draft, written with care");
  const three = await one.context().newPage();
  await one.close({ runBeforeUnload: false });
  await enter(three, room);
  await expect(composer(three)).toHaveValue("a long draft, written with care");
  await composer(two).fill("y");
  await composer(three).press("End");
  await composer(three).pressSequentially("!");
  await composer(two).fill("");
  await three.reload();
  await isLive(three);
  await expect(composer(three)).toHaveValue("a long draft, written with care!");
});

test("a message sent without a network from an old place is in view once it has arrived", async ({ page, request, room }) => {
  await enter(page, room, "Cleo");
  await flood(request, room, 400);
  await page.goto(`/${room}/20`);
  await isLive(page);
  await expect(message(page, 20)).toBeInViewport();
  await goOffline(page);
  await say(page, "here I am");
  await expect(pending(page)).toBeInViewport();
  await goOnline(page);
  await expect(messages(page, "here I am")).toBeInViewport();
});

test("Up edits the newest own message, also where it is not loaded", async ({ page, request, room }) => {
  await enter(page, room, "Cleo");
  await say(page, "an old one");
  await expect(text(page, 1)).toHaveText("an old one");
  await flood(request, room, 120);
  await say(page, "the newest one");
  await expect(messages(page, "the newest one")).toBeVisible();
  await page.goto(`/${room}/1`);
  await isLive(page);
  await expect(messages(page, "the newest one")).toHaveCount(0);
  await composer(page).press("ArrowUp");
  await expect(composer(page)).toHaveValue("the newest one");
  await composer(page).fill("the newest one, edited");
  await composer(page).press("Enter");
  await expect(messages(page, "the newest one, edited")).toBeVisible();
});

test("Up passes over a message whose removal waits, and waits for one that is being sent", async ({ page, room }) => {
  await enter(page, room, "Ann");
  for (const said of ["one", "two"]) {
    await say(page, said);
    await expect(messages(page, said)).toBeVisible();
  }
  await goOffline(page);
  await act(page, 2, "Remove");
  await deleteDialog(page).getByRole("button", { name: "Remove" }).click();
  await expect(message(page, 2)).toContainText("Message removed");
  await composer(page).press("ArrowUp");
  await expect(composer(page)).toHaveValue("one");
  await page.keyboard.press("Escape");
  await expect(composer(page)).toHaveValue("");
  await say(page, "three");
  await expect(pending(page)).toContainText("three");
  await composer(page).press("ArrowUp");
  await expect(page.getByText("Editing your message")).toBeHidden();
});
