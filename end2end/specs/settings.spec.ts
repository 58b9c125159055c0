// The settings of a room: forms, with script and without; for everybody a name, for the owner everything else.

import { type Page } from "@playwright/test";
import { findings, overflow, smallPrint } from "../support/access";
import { expect, test } from "../support/fixtures";
import { composer, enter, messages, openSettings, say, text } from "../support/room";

const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const person = (page: Page, name: string) => page.locator("#people li", { hasText: name });

/** Ann owns the room, Bob has written in it; without script the page is loaded for it. */
async function gather(ann: Page, bob: Page, room: string): Promise<void> {
  for (const [page, name] of [[ann, "Ann"], [bob, "Bob"]] as const) {
    await page.goto(`/${room}/?username=${name}`);
    await composer(page).fill(`I am ${name}`);
    await page.locator(".composer .button").click();
    await expect(messages(page, `I am ${name}`)).toHaveCount(1);
  }
}

for (const [world, options] of [["without script", { javaScriptEnabled: false }], ["with script", {}]] as const) {
  test.describe(world, () => {
    test("the owner names the room, and everybody reads it", async ({ visitor, room }) => {
      const [ann, bob] = [await visitor(options), await visitor(options)];
      await gather(ann, bob, room);
      await openSettings(ann);
      await ann.getByLabel("Name", { exact: true }).fill("Summer trip");
      await ann.getByLabel("Topic").fill("غرفة الأصدقاء");
      await ann.locator("#room").getByRole("button", { name: "Save" }).click();
      await expect(ann.locator("#room").getByRole("status")).toHaveText("Saved");
      await expect(ann.getByLabel("Topic")).toHaveValue("غرفة الأصدقاء");
      if (world === "without script") await bob.reload();
      await expect(bob.getByRole("heading", { level: 1 })).toHaveText("Summer trip");
      await expect(bob).toHaveTitle("Summer trip · Parlour");
      await expect(bob.locator(".room-topic")).toHaveText("غرفة الأصدقاء");
      await ann.getByRole("link", { name: "Back to Summer trip" }).click();
      await expect(ann).toHaveURL(new RegExp(`/${room}/$`));
    });

    test("a choice is saved, at once where a script runs", async ({ visitor, room, complaints }) => {
      complaints.expect(/ERR_INTERNET_DISCONNECTED/);
      const [ann, bob] = [await visitor(options), await visitor(options)];
      await gather(ann, bob, room);
      await openSettings(ann);
      const row = ann.locator("#messages form", { hasText: "Slow mode" });
      await row.getByRole("combobox").selectOption("10 seconds");
      const save = row.getByRole("button", { name: "Save" });
      if (world === "without script") await save.click();
      else await expect(save).toBeHidden();
      await expect(row.getByRole("status")).toHaveText("Saved");
      if (world === "with script") {
        await ann.context().setOffline(true);
        await ann.getByLabel("Nobody new").check();
        await expect(ann.locator("#access").getByRole("alert")).toHaveText("That didn’t work: you’re not connected.");
        await ann.context().setOffline(false);
        await ann.getByLabel("Anyone with the link").check();
        await ann.getByLabel("Nobody new").check();
        await expect(ann.locator("#access").getByRole("status")).toHaveText("Saved");
        await expect(ann.locator("#access").getByRole("alert")).toHaveCount(0);
        await ann.reload();
        await expect(ann.getByLabel("Nobody new")).toBeChecked();
      }
      await expect(row.getByRole("combobox")).toHaveValue("10");
      if (world === "without script") await bob.reload();
      await expect(bob.locator(".event-line").first()).toHaveText(/^Ann set slow mode to one message every 10 seconds\. \d/);
    });

    test("what is refused stays in its field", async ({ visitor, room, complaints }) => {
      complaints.expect(/status of 4\d\d/);
      const [ann, bob] = [await visitor(options), await visitor(options)];
      await gather(ann, bob, room);
      await openSettings(bob);
      await bob.getByLabel("Your name").fill("Ann");
      await bob.getByRole("button", { name: "Save" }).click();
      await expect(bob.getByRole("alert")).toContainText("in use");
      await expect(bob.getByLabel("Your name")).toHaveValue("Ann");
      await bob.getByLabel("Your name").fill("Robert");
      await bob.getByRole("button", { name: "Save" }).click();
      await expect(bob.getByRole("status")).toHaveText("Saved");
      await openSettings(ann);
      await ann.getByLabel("Topic").fill("x".repeat(201));
      await ann.locator("#room").getByRole("button", { name: "Save" }).click();
      await expect(ann.getByRole("alert")).toHaveText("Up to 200 characters.");
      await expect(ann.getByLabel("Topic")).toHaveValue("x".repeat(201));
    });

    test("somebody is banned, and let in again by Undo", async ({ visitor, room, complaints }) => {
      complaints.expect(/403/);
      const [ann, bob] = [await visitor(options), await visitor(options)];
      await gather(ann, bob, room);
      await openSettings(ann);
      await person(ann, "Bob").getByText("Ban…").click();
      const choice = person(ann, "Bob").locator("details[open]");
      await choice.getByLabel("For how long").selectOption("30 days");
      await choice.getByRole("button", { name: "Ban" }).click();
      await expect(ann.locator("#people .bar")).toContainText("Bob is banned until");
      await expect(person(ann, "Bob")).toContainText("banned until");
      await bob.goto(`/${room}/`);
      await expect(bob.getByText(/You can’t come in until/)).toBeVisible();
      await ann.getByRole("button", { name: "Undo" }).click();
      await expect(ann.locator("#people")).toContainText("Bob can write again.");
      await bob.goto(`/${room}/`);
      await expect(text(bob, 1)).toHaveText("I am Ann");
    });

    test("the room is handed over and deleted only after a question", async ({ visitor, room }) => {
      const [ann, bob] = [await visitor(options), await visitor(options)];
      await gather(ann, bob, room);
      await openSettings(ann);
      await ann.getByLabel("New owner").selectOption("Bob");
      await ann.getByRole("button", { name: "Hand over…" }).click();
      await expect(ann.getByRole("heading")).toHaveText(`Hand ${room} over to Bob?`);
      await ann.getByRole("link", { name: "Cancel" }).click();
      await ann.getByLabel("New owner").selectOption("Bob");
      await ann.getByRole("button", { name: "Hand over…" }).click();
      await ann.getByRole("button", { name: "Hand over" }).click();
      await expect(ann.getByRole("heading", { name: "Danger zone" })).toHaveCount(0);
      await openSettings(bob);
      await bob.getByRole("button", { name: "Delete…" }).click();
      await bob.getByRole("button", { name: "Delete the room" }).click();
      await expect(bob).toHaveURL(/\/$/);
      await bob.goto(`/${room}/`);
      await expect(messages(bob)).toHaveCount(0);
    });

    test("webhooks and tokens are shown once", async ({ visitor, request, room }) => {
      const [ann, bob] = [await visitor(options), await visitor(options)];
      await gather(ann, bob, room);
      await openSettings(ann);
      await ann.getByLabel("New webhook").fill("Tide station");
      await ann.locator("#hooks").getByRole("button", { name: "Create" }).click();
      const address = await ann.getByLabel("The address that programs post to.").inputValue();
      expect((await request.post(address, { data: { text: "low water" } })).status()).toBe(200);
      await ann.goto(`/${room}/settings`);
      await expect(ann.locator("#hooks .row").first()).toContainText("Last used on");
      await ann.locator("#hooks").getByRole("button", { name: "Delete" }).click();
      await expect(ann.locator("#hooks .row").first()).toContainText("Ended on");
      await ann.getByLabel("New token").fill("Bot");
      await ann.locator("#tokens").getByRole("button", { name: "Create" }).click();
      await expect(ann.getByLabel("The token.")).toHaveValue(/^plr_/);
    });
  });
}

test("a name in every script stays in its place", async ({ visitor, room }) => {
  const [ann, bob] = [await visitor(), await visitor()];
  await enter(ann, room, "Ann");
  await say(ann, "mine");
  await enter(bob, room, "محمد");
  await say(bob, "مرحبا");
  await expect(messages(ann, "مرحبا")).toHaveCount(1);
  await openSettings(ann);
  await expect(person(ann, "محمد").locator("b")).toHaveCSS("direction", "rtl");
  await expect(person(ann, "محمد").getByText("Ban…")).toBeVisible();
});

for (const [name, options] of [
  ["light", {}], ["dark", { colorScheme: "dark" }], ["a phone", phone], ["forced colors", { forcedColors: "active" }],
  ["320 pixels", { viewport: { width: 320, height: 600 } }], ["200 %", { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 }],
] as const) {
  test(`axe finds nothing, and nothing is cut off: ${name}`, async ({ visitor, room }) => {
    const [ann, bob] = [await visitor(options), await visitor()];
    await gather(ann, bob, room);
    await ann.goto(`/${room}/settings`);
    await person(ann, "Bob").getByText("Mute…").click();
    await ann.locator("details[open]").getByRole("button", { name: "Mute" }).click();
    await person(ann, "Bob").getByText("Ban…").click();
    expect(await findings(ann)).toEqual([]);
    expect(await overflow(ann)).toEqual([]);
    expect(await smallPrint(ann)).toEqual([]);
    const least = name === "a phone" ? 43 : 24;
    const small = await ann.locator("button:visible, a:visible, select:visible, summary:visible").evaluateAll(
      (all, least) => all.filter((it) => it.getBoundingClientRect().height < least).map((it) => it.outerHTML), least);
    expect(small).toEqual([]);
    await ann.getByRole("button", { name: "Delete…" }).click();
    expect(await findings(ann)).toEqual([]);
  });
}
