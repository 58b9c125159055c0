// Reactions: live for everybody, counted once, and without moving anything.

import { expect, test } from "../support/fixtures";
import { enter, message, say, text } from "../support/room";

test("a reaction is chosen from the palette, seen by everybody, and taken back", async ({ visitor, room }) => {
  const [ann, ben] = [await visitor(), await visitor()];
  await enter(ann, room, "Ann");
  await say(ann, "Cake at four?");
  await enter(ben, room, "Ben");
  await expect(text(ben, 1)).toBeVisible();
  const title = await ann.title();

  await message(ben, 1).hover();
  await message(ben, 1).getByRole("button", { name: "React" }).click();
  const palette = ben.getByRole("dialog", { name: "Reactions" });
  await palette.getByRole("button", { name: "🎉" }).click();
  await expect(palette).toBeHidden();
  const own = message(ben, 1).getByRole("button", { name: "🎉 1, with yours" });
  await expect(own).toHaveAttribute("aria-pressed", "true");
  const theirs = message(ann, 1).getByRole("button", { name: "🎉 1" });
  await expect(theirs).toHaveAttribute("aria-pressed", "false");
  await expect(ann).toHaveTitle(title);

  // A click on the pill joins in, the focus stays, and its tooltip tells who.
  await theirs.click();
  await expect(message(ben, 1).getByRole("button", { name: "🎉 2, with yours" })).toBeVisible();
  await expect(message(ann, 1).getByRole("button", { name: "🎉 2, with yours" })).toBeFocused();
  await ann.reload();
  const pill = message(ann, 1).getByRole("button", { name: "🎉 2, with yours" });
  await expect(pill).toHaveAttribute("aria-pressed", "true");
  await pill.focus();
  await expect(pill).toHaveAttribute("title", "Ben, Ann");

  await own.or(message(ben, 1).getByRole("button", { name: "🎉 2, with yours" })).click();
  await expect(message(ann, 1).getByRole("button", { name: "🎉 1, with yours" })).toBeVisible();
  await message(ann, 1).getByRole("button", { name: "🎉 1, with yours" }).click();
  for (const page of [ann, ben]) await expect(message(page, 1).locator(".reaction")).toHaveCount(0);
});

test("all emoji are loaded once, found by name, and chosen by keyboard", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await say(page, "dinosaurs");
  await expect(text(page, 1)).toBeVisible();
  const loads: string[] = [];
  page.on("request", (request) => /emoji\.html$/.test(request.url()) && loads.push(request.url()));
  for (const [round, wanted] of [["t-rex", "🦖"], ["sauropod", "🦕"]].entries()) {
    await message(page, 1).hover();
    await message(page, 1).locator(".toolbar").getByRole("button", { name: "React" }).click();
    const palette = page.getByRole("dialog", { name: "Reactions" });
    if (round === 0) await palette.getByRole("button", { name: "All emoji" }).click();
    const search = palette.getByRole("searchbox");
    await search.fill(wanted[0]);
    await expect(palette.getByRole("button", { name: "waving hand" })).toBeHidden();
    await search.press("ArrowDown");
    await page.keyboard.press("Enter");
    await expect(message(page, 1).getByRole("button", { name: `${wanted[1]} 1, with yours` })).toBeVisible();
  }
  expect(loads).toHaveLength(1);
  // Escape closes it, and the focus goes back to the message.
  await message(page, 1).hover();
  await message(page, 1).locator(".toolbar").getByRole("button", { name: "React" }).click();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog", { name: "Reactions" })).toBeHidden();
});
