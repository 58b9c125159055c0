// The way in: a name is asked once, remembered, and never somebody else's.

import { expect, test } from "../support/fixtures";
import { composer, enter, isLive, message, messages, nameField, pending, post, say, text } from "../support/room";

const join = "Join";

test("a link without a name shows the room, and the composer asks for one", async ({ page, request, room }) => {
  await post(request, room, "Ben", "welcome");
  await enter(page, room);
  await expect(text(page, 1)).toHaveText("welcome");
  await expect(page.locator(".composer-hint")).toHaveText("You’re reading along. Add your name to join in.");
  await nameField(page).fill("Ann");
  await page.getByRole("button", { name: join }).click();
  await expect(nameField(page)).toBeHidden();
  await expect(page.locator(".composer-hint")).toBeHidden();
  await expect(composer(page)).toBeFocused();
  await say(page, "here I am");
  await expect(messages(page, "here I am").locator(".message-author")).toHaveText("Ann");
});

test("a name given together with the first message is taken for it", async ({ page, room }) => {
  await enter(page, room);
  await nameField(page).fill("Ann");
  await say(page, "both at once");
  await expect(messages(page, "both at once").locator(".message-author")).toHaveText("Ann");
  await expect(nameField(page)).toBeHidden();
});

test("the name is remembered, over a reload and in other rooms", async ({ page, room }) => {
  await enter(page, room);
  await nameField(page).fill("Ann");
  await page.getByRole("button", { name: join }).click();
  await expect(nameField(page)).toBeHidden();
  for (const path of [room, `${room}-b`]) {
    await enter(page, path);
    await expect(nameField(page)).toBeHidden();
    await say(page, "still me");
    await expect(message(page, 1).locator(".message-author")).toHaveText("Ann");
  }
});

test("a name in the address is taken, and vanishes from the address", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await expect(page).toHaveURL(`/${room}/`);
  await expect(nameField(page)).toBeHidden();
  await page.reload();
  await isLive(page);
  await say(page, "me");
  await expect(message(page, 1).locator(".message-author")).toHaveText("Ann");
});

test("a name in the address renames nobody who has one", async ({ page, room }) => {
  await enter(page, room, "Ann");
  for (const path of [room, `${room}-b`]) {
    await enter(page, path, "Eve");
    await say(page, "not Eve");
    await expect(message(page, 1).locator(".message-author")).toHaveText("Ann");
    await expect(page.locator(".participant")).toHaveText(/Ann/);
  }
});

test("a name that cannot be is given back with the reason", async ({ page, room, complaints }) => {
  complaints.expect(/status of 422/);
  await enter(page, room, "x".repeat(33));
  await expect(page.getByRole("alert").filter({ hasText: "Up to 32 characters" })).toBeVisible();
  await expect(nameField(page)).toHaveValue("x".repeat(33));
  await nameField(page).fill("Ann");
  await page.getByRole("button", { name: join }).click();
  await expect(nameField(page)).toBeHidden();
  await expect(page.getByText("Up to 32 characters")).toBeHidden();
});

for (const given of ["in the field", "in the address"]) {
  test(`a name that another holds is refused, given ${given}; what was typed goes out under the next one`, async ({ visitor, room, complaints }) => {
    complaints.expect(/status of (409|422)/);
    const [ben, ann] = [await visitor(), await visitor()];
    await enter(ben, room, "Ben");
    await say(ben, "mine");
    await expect(text(ben, 1)).toBeVisible();

    await enter(ann, room, given === "in the address" ? "Ben" : undefined);
    if (given === "in the field") await nameField(ann).fill("Ben");
    await say(ann, "what I typed");
    await expect(pending(ann)).toContainText("what I typed");
    await expect(pending(ann).getByText("Ben is in use in this room. Ben-2 is free.")).toBeVisible();
    await expect(ann.locator(".composer .form-error")).toHaveText("Ben is in use in this room. Ben-2 is free.");

    await nameField(ann).fill("Ann");
    await ann.getByRole("button", { name: join }).click();
    await expect(nameField(ann)).toBeHidden();
    await pending(ann).getByRole("button", { name: "Try again" }).click();
    for (const page of [ann, ben]) {
      await expect(messages(page, "what I typed").locator(".message-author")).toHaveText("Ann");
    }
    await expect(pending(ann)).toHaveCount(0);
  });
}

test("a room exists as soon as it is visited; an empty one offers its link", async ({ visitor, baseURL, room }) => {
  const page = await visitor({ permissions: ["clipboard-read", "clipboard-write"] });
  await page.clock.install();
  await enter(page, room, "Ann");
  const empty = page.locator(".empty-room");
  await expect(empty).toContainText("Send the link to somebody");
  await expect(empty.getByRole("textbox")).toHaveValue(`${baseURL}/${room}/`);
  // It is said for two seconds: none pass while this looks.
  await page.clock.pauseAt(Date.now() + 10_000);
  await empty.getByRole("button", { name: "Copy" }).click();
  await expect(empty.getByRole("button", { name: "Copied" })).toBeVisible();
  await page.clock.resume();
  await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(`${baseURL}/${room}/`);
  await say(page, "somebody is here");
  await expect(text(page, 1)).toBeVisible();
  await expect(empty).toBeHidden();
});

test("a link that the browser does not copy is selected, to be copied by hand", async ({ page, room }) => {
  await page.addInitScript(() => {
    navigator.clipboard.writeText = () => Promise.reject(new DOMException("no", "NotAllowedError"));
  });
  await enter(page, room, "Ann");
  const empty = page.locator(".empty-room");
  await empty.getByRole("button", { name: "Copy" }).click();
  await expect.poll(() => page.evaluate(() => getSelection()?.toString())).toMatch(new RegExp(`/${room}/$`));
  await expect(empty.getByRole("button", { name: "Copy", exact: true })).toBeVisible();
});

test("of two names the later one holds, whenever the answers come", async ({ page, visitor, room, complaints }) => {
  complaints.expect(/status of 409/);
  const ben = await visitor();
  await enter(ben, room, "Ben");
  await say(ben, "hello");
  await expect(text(ben, 1)).toHaveText("hello");
  let answer = () => {};
  const held = new Promise<void>((resolve) => (answer = resolve));
  await page.route(/join_room/, async (route) => {
    if (route.request().postData()?.includes("Ben")) await held;
    await route.continue();
  });
  await enter(page, room);
  for (const name of ["Ben", "Ann"]) {
    await nameField(page).fill(name);
    await page.getByRole("button", { name: "Join" }).click();
  }
  await expect(nameField(page)).toBeHidden();
  const answered = page.waitForResponse(/join_room/);
  answer();
  await (await answered).finished();
  await say(page, "hello Ben");
  await expect(messages(page, "hello Ben").locator(".message-author")).toHaveText("Ann");
  await expect(page.locator(".composer .form-error")).toHaveText("");
});

test("a name that is taken is told once", async ({ visitor, room, complaints }) => {
  complaints.expect(/status of (409|422)/);
  const [ben, ann] = [await visitor(), await visitor()];
  await enter(ben, room, "Ben");
  await say(ben, "mine");
  await expect(text(ben, 1)).toBeVisible();
  await enter(ann, room, "Ben");
  await say(ann, "what I typed");
  await expect(pending(ann)).toContainText("Ben is in use");
  await expect(ann.getByRole("alert").filter({ hasText: "Ben is in use" })).toHaveCount(1);
  // A free one is offered.
  await ann.getByRole("button", { name: "Use Ben-2" }).click();
  await expect(nameField(ann)).toBeHidden();
  await pending(ann).getByRole("button", { name: "Try again" }).click();
  await expect(messages(ann, "what I typed").locator(".message-author")).toHaveText("Ben-2");
});

test("a name of 32 characters fits into its field, whatever they take to be written down", async ({ visitor, room }) => {
  const page = await visitor();
  await enter(page, room);
  const name = "👍🏽".repeat(32);
  await nameField(page).fill("");
  await nameField(page).pressSequentially("👍🏽".repeat(3));
  await nameField(page).evaluate((field: HTMLInputElement, name) => field.setRangeText(name), name.slice(0, 29 * 4));
  expect(await nameField(page).evaluate((field: HTMLInputElement) => field.maxLength)).toBeGreaterThanOrEqual(name.length);
});
