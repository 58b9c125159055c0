// Mentions: names are completed as in any combobox, and whoever is mentioned sees it.

import { type Page } from "@playwright/test";
import { findings } from "../support/access";
import { expect, test } from "../support/fixtures";
import { composer, enter, message, say, text } from "../support/room";

const options = (page: Page) => page.getByRole("listbox", { name: "Mention somebody" }).getByRole("option");

test("a name is completed by keyboard and by pointer", async ({ visitor, room }) => {
  // Somebody who has left, and whom only the server knows.
  const zoe = await visitor();
  await enter(zoe, room, "Zoë Quarles");
  await say(zoe, "hello");
  await expect(text(zoe, 1)).toBeVisible();
  await zoe.context().close();
  const [bea, bo] = [await visitor(), await visitor()];
  await enter(bea, room, "Bea");
  await enter(bo, room, "Bo Lee");
  const page = await visitor();
  await enter(page, room, "Ann");
  await say(page, "hi");
  await expect(options(page)).toHaveCount(0);

  await composer(page).pressSequentially("hello @b");
  await expect(options(page)).toHaveCount(2);
  expect((await options(page).locator(".clip").allInnerTexts()).sort()).toEqual(["Bea", "Bo Lee"]);
  await expect(options(page).first().locator(".avatar")).toHaveText(/^(BE|BL)$/i);
  const active = () =>
    page.evaluate(() => document.getElementById(document.activeElement?.getAttribute("aria-activedescendant") ?? "")?.querySelector(".clip")?.textContent);
  const first = await active();
  await expect(options(page).first()).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("ArrowDown");
  await expect(options(page).nth(1)).toHaveAttribute("aria-selected", "true");
  expect(await active()).not.toBe(first);
  expect(await findings(page)).toEqual([]);
  await page.keyboard.press("ArrowDown");
  await expect(options(page).first()).toHaveAttribute("aria-selected", "true");
  // Escape closes the list, and leaves the text.
  await page.keyboard.press("Escape");
  await expect(options(page)).toHaveCount(0);
  await expect(composer(page)).toHaveValue("hello @b");
  await expect(composer(page)).toBeFocused();
  await page.keyboard.type("o");
  await expect(options(page).locator(".clip:visible")).toHaveText(["Bo Lee"]);
  await page.keyboard.press("Tab");
  await expect(composer(page)).toHaveValue("hello @Bo Lee ");
  await page.keyboard.type("and @zo");
  await expect(options(page).locator(".clip:visible")).toHaveText(["Zoë Quarles"]);
  await options(page).first().click();
  await expect(composer(page)).toHaveValue("hello @Bo Lee and @Zoë Quarles ");
  await expect(composer(page)).toBeFocused();
  // Nobody has such a name, so Enter sends.
  await page.keyboard.type("@nobody");
  await expect(options(page)).toHaveCount(0);
  await page.keyboard.press("Enter");
  await expect(text(page, 3)).toHaveText("hello @Bo Lee and @Zoë Quarles @nobody");
  // A name that is complete is offered, and Enter sends all the same.
  await page.keyboard.type("for @bea");
  await expect(options(page).locator(".clip:visible")).toHaveText(["Bea"]);
  await page.keyboard.press("Enter");
  await expect(text(page, 4)).toHaveText("for @bea");
  await expect(composer(page)).toHaveValue("");
  // Bo Lee has written nothing, so nobody holds the name.
  await expect(message(page, 3).locator(".mention")).toHaveText(["@Zoë Quarles"]);
});

test("whoever is mentioned sees it, in the message and in the title", async ({ visitor, room }) => {
  const [ann, bob] = [await visitor(), await visitor()];
  await ann.addInitScript(() => {
    let hidden = false;
    Object.defineProperty(document, "hidden", { get: () => hidden });
    (window as never as { hide: (it: boolean) => void }).hide = (it) => {
      hidden = it;
      document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    };
  });
  const hide = (it: boolean) => ann.evaluate((it) => (window as never as { hide: (it: boolean) => void }).hide(it), it);
  await enter(ann, room, "Ann");
  await say(ann, "hello");
  await enter(bob, room, "Bob");
  await expect(text(bob, 1)).toBeVisible();
  await hide(true);
  await say(bob, "nothing for you");
  await say(bob, "hi @Ann, and @ann");
  await expect(ann).toHaveTitle(`(2, @1) ${room} · Parlour`);
  await expect(message(ann, 3)).toHaveClass(/to-me/);
  await expect(message(ann, 3).locator(".mention.me")).toHaveText(["@Ann", "@ann"]);
  await expect(message(bob, 3).locator(".mention:not(.me)")).toHaveCount(2);
  await expect(message(bob, 3)).not.toHaveClass(/to-me/);
  await hide(false);
  await expect(ann).toHaveTitle(`${room} · Parlour`);
  // An edit has its own mentions, and so has the page that is loaded later.
  await message(bob, 3).hover();
  await composer(bob).press("ArrowUp");
  await composer(bob).fill("hi all");
  await composer(bob).press("Enter");
  for (const page of [ann, bob]) await expect(text(page, 3)).toHaveText("hi all edited");
  await expect(message(ann, 3)).not.toHaveClass(/to-me/);
  await composer(bob).press("ArrowUp");
  await composer(bob).fill("hi @ANN");
  await composer(bob).press("Enter");
  await expect(message(ann, 3)).toHaveClass(/to-me/);
  await ann.reload();
  await expect(message(ann, 3)).toHaveClass(/to-me/);
});
