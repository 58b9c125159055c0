// Reactions: live for everybody, counted once, and without moving anything.

import { findings, overflow } from "../support/access";
import { expect, test } from "../support/fixtures";
import { enter, menu, message, openMenu, say, text } from "../support/room";

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
  await palette.getByRole("button", { name: /🎉|party popper/ }).first().click();
  await expect(palette).toBeHidden();
  const own = message(ben, 1).getByRole("button", { name: "🎉, 1 person, you too" });
  await expect(own).toHaveAttribute("aria-pressed", "true");
  const theirs = message(ann, 1).getByRole("button", { name: "🎉, 1 person" });
  await expect(theirs).toHaveAttribute("aria-pressed", "false");
  await expect(ann).toHaveTitle(title);

  // A click on the pill joins in, the focus stays, and its tooltip tells who.
  await theirs.click();
  await expect(message(ben, 1).getByRole("button", { name: "🎉, 2 people, you too" })).toBeVisible();
  await expect(message(ann, 1).getByRole("button", { name: "🎉, 2 people, you too" })).toBeFocused();
  await ann.reload();
  const pill = message(ann, 1).getByRole("button", { name: "🎉, 2 people, you too" });
  await expect(pill).toHaveAttribute("aria-pressed", "true");
  await pill.focus();
  await expect(pill).toHaveAttribute("title", "Ben, Ann");

  await own.or(message(ben, 1).getByRole("button", { name: "🎉, 2 people, you too" })).click();
  await expect(message(ann, 1).getByRole("button", { name: "🎉, 1 person, you too" })).toBeVisible();
  await message(ann, 1).getByRole("button", { name: "🎉, 1 person, you too" }).click();
  for (const page of [ann, ben]) await expect(message(page, 1).locator(".reaction")).toHaveCount(0);
});

test("all emoji are loaded once, found by name, and chosen by keyboard", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await say(page, "dinosaurs");
  await expect(text(page, 1)).toBeVisible();
  const loads: string[] = [];
  page.on("request", (request) => /emoji\.html$/.test(request.url()) && loads.push(request.url()));
  for (const wanted of [["t-rex", "🦖"], ["sauropod", "🦕"]]) {
    await message(page, 1).hover();
    await message(page, 1).locator(".toolbar").getByRole("button", { name: "React" }).click();
    const palette = page.getByRole("dialog", { name: "Reactions" });
    const search = palette.getByRole("searchbox");
    await search.fill(wanted[0]);
    await expect(palette.getByRole("button", { name: "waving hand" })).toBeHidden();
    await search.press("ArrowDown");
    await page.keyboard.press("Enter");
    await expect(message(page, 1).getByRole("button", { name: `${wanted[1]}, 1 person, you too` })).toBeVisible();
  }
  expect(loads).toHaveLength(1);
  // Escape closes it, and the focus goes back to the message.
  await message(page, 1).hover();
  await message(page, 1).locator(".toolbar").getByRole("button", { name: "React" }).click();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog", { name: "Reactions" })).toBeHidden();
});

for (const [name, options] of [
  ["light", {}], ["dark", { colorScheme: "dark" }], ["forced colors", { forcedColors: "active" }],
  ["320 pixels", { viewport: { width: 320, height: 600 } }], ["a phone", { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
] as const) {
  test(`the palette has groups, recent emoji and skin tones, by keyboard, and axe finds nothing: ${name}`, async ({ visitor, room }) => {
    const page = await visitor(options);
    await enter(page, room, "Ann");
    await say(page, "hello");
    await expect(text(page, 1)).toBeVisible();
    const palette = page.getByRole("dialog", { name: "Reactions" });
    const open = async () => {
      await openMenu(page, 1);
      const more = menu(page).getByRole("button", { name: /Add a reaction|More emoji/ });
      if (await more.first().isVisible()) return more.first().click();
      await page.keyboard.press("Escape");
      await message(page, 1).locator(".toolbar").getByRole("button", { name: "React" }).click();
    };
    await open();
    const groups = palette.getByRole("tab");
    await expect(groups).toHaveCount(10);
    expect(await findings(page)).toEqual([]);
    expect(await overflow(page)).toEqual([]);
    await expect(groups.first()).toHaveAttribute("aria-selected", "true");
    await groups.first().focus();
    await page.keyboard.press("ArrowLeft");
    await expect(palette.getByRole("tab", { name: "Flags" })).toBeFocused();
    await expect(palette.getByRole("button", { name: "chequered flag" })).toBeInViewport();
    await palette.getByRole("button", { name: "Skin tone: none" }).click();
    await expect(palette.getByRole("button", { name: "Skin tone: light", exact: true })).toBeFocused();
    await palette.getByRole("searchbox").fill("waving hand");
    await palette.getByRole("searchbox").press("Enter");
    await expect(message(page, 1).getByRole("button", { name: "👋🏻, 1 person, you too" })).toBeVisible();
    await open();
    await expect(palette.locator(".emoji button").first()).toHaveText("👋🏻");
    await page.keyboard.press("Escape");
    await expect(palette).toBeHidden();
  });
}
