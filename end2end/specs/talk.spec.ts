// Two people, one room.

import { expect, test } from "../support/fixtures";
import { composer, enter, messages, numbers, say, text } from "../support/room";

test("two browsers talk, each under its name", async ({ visitor, room }) => {
  const [ann, ben] = [await visitor(), await visitor()];
  await enter(ann, room, "Ann");
  await enter(ben, room, "Ben");

  await say(ann, "Is anybody here?");
  await expect(messages(ben, "Is anybody here?").locator(".message-author")).toHaveText("Ann");
  await say(ben, "I am.");
  await expect(messages(ann, "I am.").locator(".message-author")).toHaveText("Ben");

  for (const page of [ann, ben]) await expect.poll(() => numbers(page)).toEqual([1, 2]);
});

test("what is said in one room is not heard in another", async ({ visitor, room }) => {
  const [ann, ben] = [await visitor(), await visitor()];
  await enter(ann, room, "Ann");
  await enter(ben, `${room}-b`, "Ben");
  await say(ann, "for this room");
  await expect(messages(ann, "for this room")).toBeVisible();
  await say(ben, "for that room");
  await expect(messages(ben, "for that room")).toBeVisible();
  expect(await numbers(ben)).toEqual([1]);
});

test("sending empties the box and keeps the focus in it", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await say(page, "hello");
  await expect(composer(page)).toHaveValue("");
  await expect(composer(page)).toBeFocused();
});

test("Enter sends, Shift and Enter break the line", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await composer(page).click();
  await page.keyboard.type("one");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("two");
  await expect(composer(page)).toHaveValue("one\ntwo");
  await page.keyboard.press("Enter");
  await expect(text(page, 1)).toBeVisible();
  expect((await text(page, 1).innerText()).trim()).toBe("one\ntwo");
  await expect(composer(page)).toHaveValue("");
});

test("white space alone is not sent", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await composer(page).fill("  \n ");
  await page.keyboard.press("Enter");
  await say(page, "something");
  await expect(text(page, 1)).toHaveText("something");
});

test("whoever gives no name is Anonymous", async ({ page, room }) => {
  await enter(page, room);
  await say(page, "guess who");
  await expect(messages(page, "guess who").locator(".message-author")).toHaveText("Anonymous");
});

const long = "word ".repeat(800).trim().padEnd(4000, "!");
for (const [what, said] of [
  ["letters of many scripts", "Grüße, žluťoučký kůň, Ἀχιλλεύς, 漢字かな交じり文, ไทย, नमस्ते, 한국어"],
  ["emoji of many parts", "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇺🇳 1️⃣"],
  ["right to left", "שלום, מה שלומך? (123) abc"],
  ["marks that combine", "Z͑ͫ̓ͪ̂ͫ̽a̴̵lgo é"],
  ["what looks like markup", `<script>alert("x")</script> &amp; <b>bold</b> {{ 1 + 1 }} %3Cb%3E \\n`],
  ["4000 characters", long],
  ["4000 characters of four bytes", "😀".repeat(4000)],
]) {
  test(`arrives as it was sent: ${what}`, async ({ visitor, room }) => {
    const [ann, ben] = [await visitor(), await visitor()];
    await enter(ann, room, "Ann");
    await enter(ben, room, "Ben");
    await say(ann, said);
    await expect(text(ben, 1)).toBeVisible();
    const isWhole = async () => {
      const received = (await text(ben, 1).textContent())?.trim() ?? "";
      expect([...received].length).toBe([...said].length); // before thousands of characters are compared in print
      expect(received).toBe(said);
    };
    await isWhole();
    await ben.reload();
    await isWhole();
  });
}

for (const name of ["Ἄννα", "שרה", "王小明", "Zoë & Co. 🎉"]) {
  test(`a name of any script is shown as it was given: ${name}`, async ({ visitor, room }) => {
    const [ann, ben] = [await visitor(), await visitor()];
    await enter(ann, room, name);
    await enter(ben, room, "Ben");
    await say(ann, "me");
    await expect(messages(ben, "me").locator(".message-author")).toHaveText(name);
  });
}
