// For everybody: what axe finds, at any size, in any colours, with any finger.

import { type BrowserContextOptions, type Page } from "@playwright/test";
import { findings, overflow, smallPrint, tooSmall } from "../support/access";
import { expect, test } from "../support/fixtures";
import { act, composer, enter, goOffline, message, nameField, pending, post, deleteDialog, say, switcher, text } from "../support/room";

const phone: BrowserContextOptions = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

type Surroundings = { page: Page; request: Parameters<typeof post>[0]; room: string };

/** A room with a bit of everything in it. */
async function furnish({ page, request, room }: Surroundings): Promise<void> {
  await post(request, room, "Ben", "see https://example.org/ and `code`");
  await post(request, room, "Ben", "```\nlet a = 1;\nlet b = 2;\n```");
  await enter(page, room, "Ann");
  for (const said of ["stays", "to be edited", "to be removed"]) await say(page, said);
  await expect(text(page, 5)).toBeVisible();
  await act(page, 4, "Edit");
  await composer(page).fill("edited");
  await page.getByRole("button", { name: "Save" }).click();
  await act(page, 5, "Remove");
  await deleteDialog(page).getByRole("button", { name: "Remove" }).click();
  await expect(text(page, 4)).toHaveText("edited edited");
  await expect(text(page, 5)).toHaveText("Message removed");
}

const states: Record<string, (surroundings: Surroundings) => Promise<void>> = {
  "an empty room, without a name": async ({ page, room }) => {
    await enter(page, room);
    await expect(nameField(page)).toBeVisible();
  },
  "a room with a bit of everything": furnish,
  "a message pointed at, and marked": async (surroundings) => {
    await furnish(surroundings);
    await message(surroundings.page, 3).hover();
    await message(surroundings.page, 3).locator(".message-time").click();
    await expect(message(surroundings.page, 3)).toHaveClass(/marked/);
  },
  "a message that failed": async ({ page, room }) => {
    await enter(page, room, "Ann");
    await say(page, `${"word ".repeat(700)}\0`);
    await expect(pending(page).getByRole("button", { name: "Try again" })).toBeVisible();
  },
  "an edit, near the limit": async (surroundings) => {
    await furnish(surroundings);
    await composer(surroundings.page).press("ArrowUp");
    await composer(surroundings.page).fill("word ".repeat(790));
    await expect(surroundings.page.locator(".composer-counter")).toHaveText("50 characters left");
  },
  "a reply with a quote, and names to mention": async (surroundings) => {
    await furnish(surroundings);
    for (const said of ["yes, @Ben", "and"]) {
      await message(surroundings.page, 1).hover();
      await message(surroundings.page, 1).getByRole("button", { name: "Reply" }).click();
      if (said !== "and") await say(surroundings.page, said);
    }
    await expect(surroundings.page.locator(".message .quote")).toBeVisible();
    await composer(surroundings.page).pressSequentially("and @b");
    await expect(surroundings.page.getByRole("option", { name: "Ben" })).toBeVisible();
  },
  "the rooms": async ({ page, request, room }) => {
    await enter(page, `${room}-b`, "Ann");
    await enter(page, room);
    await post(request, `${room}-b`, "Ben", "hello");
    await page.keyboard.press("Control+k");
    await expect(switcher(page).getByText("1 new")).toBeVisible();
  },
  "the confirmation of a deletion": async (surroundings) => {
    await furnish(surroundings);
    await act(surroundings.page, 3, "Remove");
    await expect(deleteDialog(surroundings.page)).toBeVisible();
  },
  "without a network": async (surroundings) => {
    await furnish(surroundings);
    await goOffline(surroundings.page);
    await say(surroundings.page, "on its way");
    await expect(pending(surroundings.page)).toContainText("Waiting for the network");
  },
  "new messages below, and above": async ({ page, request, room }) => {
    for (const part of [1, 2, 3]) await post(request, room, "Ben", `part ${part}${"\nline".repeat(35)}`);
    await enter(page, room, "Ann");
    await page.locator(".timeline").evaluate((it) => it.scrollTo(0, -1000));
    await expect(page.locator(".jump-button")).toHaveText("Newest");
    await post(request, room, "Ben", "hello");
    await expect(page.getByRole("button", { name: "1 new message below" })).toBeVisible();
    await expect(page.locator("li.unread-divider")).toBeAttached();
  },
};

for (const colorScheme of ["light", "dark"] as const) {
  for (const [state, reach] of Object.entries(states)) {
    test(`axe finds nothing, ${colorScheme}: ${state}`, async ({ visitor, request, room, complaints }) => {
      complaints.expectOutage();
      const page = await visitor({ colorScheme });
      await reach({ page, request, room });
      expect(await findings(page)).toEqual([]);
    });
  }

  test(`axe finds nothing, ${colorScheme}: who is here, on a phone`, async ({ visitor, room }) => {
    const page = await visitor({ ...phone, colorScheme });
    await enter(page, room, "Ann");
    await page.locator(".people-button").tap();
    await expect(page.getByRole("complementary", { name: "Here now" })).toBeVisible();
    expect(await findings(page)).toEqual([]);
  });
}

for (const [device, options, pixels] of [["a desk", {}, 24], ["a phone", phone, 44]] as const) {
  for (const state of ["an empty room, without a name", "a message pointed at, and marked", "a message that failed", "the rooms", "the confirmation of a deletion"]) {
    test(`targets are at least ${pixels} pixels on ${device}, and fields have letters of 16: ${state}`, async ({ visitor, request, room }) => {
      const page = await visitor(options);
      await states[state]({ page, request, room });
      expect(await tooSmall(page, pixels)).toEqual([]);
      expect(await smallPrint(page)).toEqual([]);
    });
  }

  test(`targets are at least ${pixels} pixels on ${device}: the front page, and what is not found`, async ({ visitor, room, complaints }) => {
    complaints.expect(/status of 404/);
    const page = await visitor(options);
    await enter(page, room, "Ann");
    await page.goto("/");
    await expect(page.getByRole("link", { name: room })).toBeVisible();
    expect(await tooSmall(page, pixels)).toEqual([]);
    expect(await smallPrint(page)).toEqual([]);
    await page.goto("/.hidden/");
    expect(await tooSmall(page, pixels)).toEqual([]);
  });
}

for (const state of ["an empty room, without a name", "a message pointed at, and marked", "a message that failed", "the rooms", "without a network"]) {
  test(`at 200 % nothing is cut off: ${state}`, async ({ visitor, request, room, complaints }) => {
    complaints.expectOutage();
    const page = await visitor({ viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 });
    await states[state]({ page, request, room });
    expect(await overflow(page)).toEqual([]);
    if (state !== "the rooms") {
      await composer(page).scrollIntoViewIfNeeded();
      await expect(composer(page)).toBeInViewport({ ratio: 1 });
      await expect(page.locator(".composer .button")).toBeInViewport({ ratio: 1 });
    }
    const isWithin = (await page.locator(".room").boundingBox())!;
    expect(isWithin.height).toBeLessThanOrEqual(400);
  });
}

test("zooming is allowed", async ({ request, room }) => {
  const html = await (await request.get(`/${room}/`)).text();
  const viewport = /<meta name="viewport" content="([^"]*)"/.exec(html)?.[1];
  expect(viewport).toContain("width=device-width");
  expect(viewport).not.toMatch(/user-scalable|maximum-scale/);
});

for (const options of [{ forcedColors: "active" }, { reducedMotion: "reduce" }] as const) {
  test(`people talk with ${Object.entries(options).join(" ")}`, async ({ visitor, request, room, complaints }) => {
    complaints.expectOutage();
    const page = await visitor(options);
    await furnish({ page, request, room });
    await goOffline(page);
    await say(page, "on its way");
    await expect(pending(page).locator(".pending-state")).toBeVisible();
    if ("reducedMotion" in options) {
      const moves = (it: Element) => [getComputedStyle(it).animationName, getComputedStyle(it).transitionDuration].join();
      for (const it of [pending(page), pending(page).locator(".pending-state"), page.locator(".composer .button")]) {
        expect(await it.evaluate(moves)).toBe("none,0s");
      }
    } else {
      // What is told by a ground's colour alone must have a border there.
      expect(await page.locator(".composer .button").evaluate((it) => getComputedStyle(it).borderTopStyle)).toBe("solid");
    }
    expect(await findings(page)).toEqual([]);
  });
}
