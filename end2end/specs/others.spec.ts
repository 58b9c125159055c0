// The others: who is here, and who is writing.

import { expect, test } from "../support/fixtures";
import { change, composer, enter, say, text } from "../support/room";

test("who is here is counted and named, and whoever leaves is gone", async ({ visitor, room }) => {
  const [ann, ben] = [await visitor(), await visitor()];
  await enter(ann, room, "Ann");
  await expect(ann.locator(".room-count")).toHaveText("1 here");
  await enter(ben, room, "Ben");
  for (const page of [ann, ben]) {
    await expect(page.locator(".room-count")).toHaveText("2 here");
    await expect(page.locator(".participant-name").filter({ hasText: /^Ann$/ })).toBeVisible();
    await expect(page.locator(".participant-name").filter({ hasText: /^Ben$/ })).toBeVisible();
  }
  await expect(ann.locator(".participant").filter({ hasText: "you" })).toContainText("Ann");
  await change(ben, `${room}-b`);
  await expect(ann.locator(".room-count")).toHaveText("1 here");
  await expect(ben.locator(".room-count")).toHaveText("1 here");
  await expect(ann.locator("li.message")).toHaveCount(0);
});

test("on a phone who is here opens from the count, and Esc closes it", async ({ visitor, room }) => {
  const page = await visitor({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await enter(page, room, "Ann");
  const list = page.getByRole("complementary", { name: "Here now" });
  await expect(list).toBeHidden();
  await page.locator(".people-button").tap();
  await expect(list).toBeVisible();
  await expect(list).toContainText("Ann");
  await expect(page.locator(".people-button")).toHaveAttribute("aria-expanded", "true");
  await page.keyboard.press("Escape");
  await expect(list).toBeHidden();
});

test("somebody is writing, until the message is there", async ({ visitor, room }) => {
  const [ann, ben] = [await visitor(), await visitor()];
  await enter(ann, room, "Ann");
  await enter(ben, room, "Ben");
  await Promise.all([
    composer(ben).pressSequentially("hello everybody", { delay: 600 }),
    expect(ann.locator(".typing-indicator")).toHaveText("Ben is typing"),
  ]);
  await expect(ben.locator(".typing-indicator")).toHaveText("");
  await say(ben, "hello");
  await expect(text(ann, 1)).toHaveText("hello");
  await expect(ann.locator(".typing-indicator")).toHaveText("");
});

test("whoever stops writing is let go of while others go on", async ({ visitor, room }) => {
  const [ann, ben, cleo] = [await visitor(), await visitor(), await visitor()];
  await enter(ann, room, "Ann");
  await enter(ben, room, "Ben");
  await enter(cleo, room, "Cleo");
  await Promise.all([
    composer(ben).pressSequentially("hello everybody", { delay: 600 }),
    expect(ann.locator(".typing-indicator")).toHaveText("Ben is typing"),
  ]);
  await Promise.all([
    composer(cleo).pressSequentially("abcdefghijklmnop", { delay: 600, timeout: 45_000 }),
    expect(ann.locator(".typing-indicator")).toHaveText("Cleo is typing"),
  ]);
});
