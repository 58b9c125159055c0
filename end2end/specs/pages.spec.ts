// The pages themselves: the way in, with and without script; addresses that lead nowhere; access for all.

import { type Page } from "@playwright/test";
import { findings, overflow } from "../support/access";
import { expect, test } from "../support/fixtures";
import { composer, enter, isLive, messages, nameField, post, say, text } from "../support/room";

async function comeIn(page: Page, username: string, room: string): Promise<void> {
  await page.goto("/");
  await page.locator("input[name=username]").fill(username);
  await page.locator("input[name=room_name]").fill(room);
  await page.getByRole("button", { name: "Open the room" }).click();
}

test("the front page leads into the room", async ({ page, room }) => {
  await comeIn(page, "Ann Bell", room);
  await isLive(page);
  await expect(page).toHaveURL(`/${room}/`);
  await say(page, "here I am");
  await expect(messages(page, "here I am").locator(".message-author")).toHaveText("Ann Bell");
});

test("a room's name is written as it may be", async ({ page, room }) => {
  await comeIn(page, "", `  ${room.toUpperCase()} two `);
  await expect(page).toHaveURL(`/${room}-two/`);
});

test("a room that cannot be is refused with the reason, and nothing typed is lost", async ({ page, complaints }) => {
  complaints.expect(/status of 422/);
  await comeIn(page, "Ann", "what/ever?");
  await expect(page.getByRole("alert")).toBeVisible();
  await expect(page.locator("input[name=username]")).toHaveValue("Ann");
  await expect(page.locator("input[name=room_name]")).toHaveValue("what/ever?");
});

test("without script the front page leads into the room, and the room can be read and written", async ({ visitor, request, room }) => {
  await post(request, room, "Ben", "welcome");
  const ann = await visitor({ javaScriptEnabled: false });
  await comeIn(ann, "Ann", room);
  await expect(text(ann, 1)).toHaveText("welcome");
  await say(ann, "no script here\r\nbut two lines");
  await expect(messages(ann, "no script here").locator(".message-author")).toHaveText("Ann");
  // Line breaks are seen once the stylesheet is there.
  await expect.poll(async () => (await text(ann, 2).innerText()).trim()).toBe("no script here\nbut two lines");
  await expect(composer(ann)).toHaveValue("");
});

test("without script too, a message that is refused comes back with the reason", async ({ visitor, room, complaints }) => {
  complaints.expect(/status of 413/);
  const ann = await visitor({ javaScriptEnabled: false });
  await ann.goto(`/${room}/?username=Ann`);
  await composer(ann).evaluate((box) => box.removeAttribute("maxlength"));
  await say(ann, "x".repeat(4001));
  await expect(ann.getByText("Up to 4000 characters.")).toBeVisible();
  await expect(composer(ann)).toHaveValue("x".repeat(4001));
  // The name is not what was wrong.
  await expect(nameField(ann)).toBeHidden();
  await composer(ann).fill("shorter");
  await ann.getByRole("button", { name: "Send" }).click();
  await expect(messages(ann, "shorter").locator(".message-author")).toHaveText("Ann");
});

for (const [address, reason] of [
  ["/.hidden/", /begin/i],
  ["/a%20room/", /.{10}/],
  [`/${"x".repeat(65)}/`, /64/],
  ["/one/two/three", /.{10}/],
  ["/assets/", /.{10}/],
] as const) {
  test(`${address.slice(0, 20)} is not found, and the page says why`, async ({ page, complaints }) => {
    complaints.expect(/status of 404/);
    const answer = await page.goto(address);
    expect(answer?.status()).toBe(404);
    await expect(page.locator("main p").first()).toHaveText(reason);
    await page.getByRole("link").first().click();
    await expect(page.getByRole("button", { name: "Open the room" })).toBeVisible();
  });
}

test.describe("for everybody", () => {
  for (const colorScheme of ["light", "dark"] as const) {
    test(`axe finds nothing, ${colorScheme}`, async ({ visitor, request, room, complaints }) => {
      complaints.expect(/status of 404/);
      complaints.expectOutage();
      const page = await visitor({ colorScheme });
      await page.goto("/");
      expect(await findings(page), "front page").toEqual([]);

      await post(request, room, "Ben", "hello");
      await post(request, room, "Ben", "hello again");
      await enter(page, room, "Ann");
      await say(page, "hello Ben");
      await expect(text(page, 3)).toBeVisible();
      expect(await findings(page), "room").toEqual([]);

      await page.context().setOffline(true);
      await expect(page.locator(".connection-status")).toHaveText(/^Offline/);
      await say(page, "on its way");
      await expect(page.locator(".pending")).toBeVisible();
      expect(await findings(page), "room without a network").toEqual([]);
      await page.context().setOffline(false);

      await page.goto("/.hidden/");
      expect(await findings(page), "not found").toEqual([]);
    });
  }

  test("a phone shows everything without scrolling sideways", async ({ visitor, request, room }) => {
    const page = await visitor({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
    await page.goto("/");
    expect(await overflow(page)).toEqual([]);
    await post(request, room, "B".repeat(32), `${"longword".repeat(60)} https://example.org/${"path/".repeat(60)}`);
    await enter(page, room, "Ann");
    await expect(text(page, 1)).toBeVisible();
    expect(await overflow(page)).toEqual([]);
    expect(await page.evaluate(() => innerWidth)).toBe(390);
  });
});
