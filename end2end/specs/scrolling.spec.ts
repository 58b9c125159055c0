// A long room: bounded, calm while being read, and with a way to what is new.

import { type Page } from "@playwright/test";
import { expect, test } from "../support/fixtures";
import { act, change, enter, fill, flood, hold, isLive, message, messages, numbers, pending, post, range, deleteDialog, say, scrollTo, scrolledTo, text, top } from "../support/room";

const pill = (page: Page) => page.locator(".jump-button");

test("hundreds of messages: the list stays bounded, up and down, and the line being read does not move", async ({ page, request, room }) => {
  await flood(request, room, 420);
  const pages = await hold(page, /\/api\/load_history/);
  await enter(page, room, "Ben");
  const isAPiece = async () => {
    const seen = await numbers(page);
    expect(seen.length).toBeLessThanOrEqual(300);
    expect(seen).toEqual(range(seen[0], seen[seen.length - 1]));
    return seen;
  };
  for (const [reached, anchor] of [[(seen: number[]) => seen[0] === 1, 18], [(seen: number[]) => seen.at(-1) === 420, -18]] as const) {
    for (let seen = await isAPiece(); !reached(seen); seen = await isAPiece()) {
      const line = seen.at(anchor)!;
      const before = await scrollTo(page, line);
      await expect.poll(pages.count).toBe(1);
      pages.release();
      await expect.poll(async () => (await numbers(page)).at(anchor < 0 ? -1 : 0)).not.toBe(seen.at(anchor < 0 ? -1 : 0));
      expect(Math.abs((await top(page, line)) - before), `line ${line}`).toBeLessThan(1);
    }
  }
  await page.keyboard.press("Escape");
  await expect(text(page, 420)).toBeInViewport();
});

test("the end is followed, also when it was reached by scrolling", async ({ page, request, room }) => {
  await fill(request, room, 60);
  await enter(page, room, "Ben");
  await scrollTo(page, 30);
  await expect(message(page, 1)).toBeAttached();
  await scrollTo(page, 60, "end");
  await post(request, room, "Ann", "one more");
  await expect(text(page, 61)).toBeInViewport();
  await expect(pill(page)).toBeHidden();
});

test("an own message always goes to the end", async ({ page, request, room }) => {
  await fill(request, room, 60);
  await enter(page, room, "Ben");
  await scrollTo(page, 20);
  await say(page, "I have read enough");
  await expect(text(page, 61)).toBeInViewport();
});

test("a pill tells what is new below, and leads to the first of it", async ({ page, request, room }) => {
  await fill(request, room, 60);
  await enter(page, room, "Ben");
  await scrollTo(page, 30);
  await expect(pill(page)).toHaveText("Newest");
  const before = await top(page, 30);
  await post(request, room, "Ann", `new${"\nline".repeat(39)}`);
  await expect(pill(page)).toHaveText("1 new message below");
  for (const number of [2, 3]) await post(request, room, "Ann", `new ${number}${"\nline".repeat(39)}`);
  await expect(pill(page)).toHaveText("3 new messages below");
  expect(Math.abs((await top(page, 30)) - before)).toBeLessThan(1);

  await pill(page).click();
  await expect(page.locator("li.unread-divider")).toHaveText("3 new");
  await expect(page.locator("li.unread-divider")).toBeInViewport();
  await expect(message(page, 61).locator(".message-author")).toBeInViewport();
  await expect(message(page, 63)).not.toBeInViewport();
  await scrollTo(page, 63, "end");
  await expect(pill(page)).toBeHidden();
});

test("what comes before the browser has told of the scrolling is news too", async ({ page, request, room }) => {
  await fill(request, room, 60);
  await enter(page, room, "Ben");
  await page.evaluate(() => addEventListener("scroll", (event) => event.stopImmediatePropagation(), { capture: true }));
  const before = await scrollTo(page, 20);
  await post(request, room, "Ann", "new");
  await expect(pill(page)).toHaveText("1 new message below");
  await expect(page.locator("li.unread-divider")).toBeAttached();
  expect(Math.abs((await top(page, 20)) - before)).toBeLessThan(1);
});

test("the pill without news leads to the end", async ({ page, request, room }) => {
  await fill(request, room, 60);
  await enter(page, room, "Ben");
  await scrollTo(page, 20);
  await pill(page).click();
  await expect(text(page, 60)).toBeInViewport();
  await expect(pill(page)).toBeHidden();
});

test("whoever comes back finds a line before what is new, until speaking", async ({ visitor, request, room }) => {
  const page = await visitor();
  await post(request, room, "Ann", "read");
  await enter(page, room, "Ben");
  await expect(text(page, 1)).toBeVisible();
  await page.goto("about:blank");
  for (const said of ["new", "newer"]) await post(request, room, "Ann", said);
  await page.goto(`/${room}/`);
  await isLive(page);
  await expect(page.locator(".message-list > li:not(.day-divider)")).toHaveText([/read/, /^2 new$/, /new/, /newer/]);
  await say(page, "I have read it");
  await expect(text(page, 4)).toBeVisible();
  await expect(page.locator("li.unread-divider")).toHaveCount(0);
});

test("what was read while present is not new on coming back", async ({ page, request, room }) => {
  await enter(page, room, "Ben");
  await post(request, room, "Ann", "seen coming");
  await expect(text(page, 1)).toBeVisible();
  await page.reload();
  await isLive(page);
  await expect(text(page, 1)).toBeVisible();
  await expect(page.locator("li.unread-divider")).toHaveCount(0);
});

test("more new messages than fit: the pill leads up to the first", async ({ page, request, room }) => {
  await post(request, room, "Ann", "read");
  await enter(page, room, "Ben");
  await expect(text(page, 1)).toBeVisible();
  await page.goto("about:blank");
  await fill(request, room, 40);
  await page.goto(`/${room}/`);
  await isLive(page);
  await expect(pill(page)).toHaveText("40 new messages above");
  await pill(page).click();
  await expect(page.locator("li.unread-divider")).toBeInViewport();
  await expect(page.locator("li.unread-divider")).toHaveText("40 new");
});

test("a permalink lands centred and marked; from there a message goes to the end", async ({ page, request, room }) => {
  await flood(request, room, 420);
  await page.goto(`/${room}/100?username=Ben`);
  await isLive(page);
  await expect(page).toHaveURL(`/${room}/100`);
  await expect(page.locator("li.marked")).toHaveAttribute("data-seq", "100");
  const distance = () =>
    message(page, 100).evaluate((line) => {
      const middle = (it: Element) => it.getBoundingClientRect().top + it.getBoundingClientRect().height / 2;
      return Math.abs(middle(line) - middle(line.closest(".timeline")!));
    });
  await expect.poll(distance).toBeLessThan(4);
  await say(page, "from far up");
  await expect(text(page, 421)).toHaveText("from far up");
  await expect(text(page, 421)).toBeInViewport();
  expect((await numbers(page)).at(-2)).toBe(420);
});

test("a permalink in a room of short lines stays where it leads", async ({ visitor, request, room }) => {
  const page = await visitor({ viewport: { width: 1280, height: 1800 } });
  for (let number = 1; number <= 120; number++) await post(request, room, "Ann", `message ${number}`);
  await page.goto(`/${room}/1?username=Ben`);
  await isLive(page);
  await expect.poll(async () => (await numbers(page)).length).toBeGreaterThan(60);
  await expect(page.locator("li.marked")).toHaveAttribute("data-seq", "1");
  await expect(text(page, 1)).toBeInViewport();
});

test("whoever reads the last line of a piece stays there when more comes", async ({ page, request, room }) => {
  await flood(request, room, 420);
  const pages = await hold(page, /\/api\/load_history/);
  await page.goto(`/${room}/100?username=Ben`);
  await isLive(page);
  const last = (await numbers(page)).at(-1)!;
  const before = await scrollTo(page, last, "end");
  // What was asked for before may be above; more below is asked for then.
  const reached = async () => (pages.release(), (await numbers(page)).at(-1)!);
  await expect.poll(reached).toBeGreaterThan(last);
  expect(Math.abs((await top(page, last)) - before)).toBeLessThan(1);
});

test("whoever goes to the end is not taken back by a page that was asked for before", async ({ page, request, room }) => {
  await fill(request, room, 3);
  await enter(page, room, "Ben");
  await expect(text(page, 3)).toBeVisible();
  await page.goto("about:blank");
  await flood(request, room, 100);
  await page.goto(`/${room}/`);
  await isLive(page);
  await expect(pill(page)).toHaveText(/new messages above/);
  const pages = await hold(page, /\/api\/load_history/);
  await pill(page).click();
  await expect.poll(pages.count).toBe(1);
  await say(page, "here I am");
  const own = page.getByText("here I am");
  await expect(own).toBeInViewport();
  const answered = page.waitForResponse(/\/api\/load_history/);
  pages.release();
  await answered;
  await post(request, room, "Ann", "the last word");
  await expect(messages(page, "the last word")).toBeInViewport();
  await expect(own).toBeInViewport();
});

test("a message removed while another piece is on its way stays removed", async ({ page, visitor, request, room }) => {
  const ann = await visitor();
  await enter(ann, room, "Dora");
  await flood(request, room, 60);
  // So long that nothing below it is fetched early.
  await say(ann, `regrettable${"\nline".repeat(39)}`);
  await expect(messages(ann, "regrettable")).toHaveCount(1);
  const gone = (await numbers(ann)).at(-1)!;
  await flood(request, room, 35);
  await page.goto(`/${room}/${gone - 11}?username=Ben`);
  await isLive(page);
  await expect(text(page, gone)).toBeAttached();
  // The answer is what was there before.
  await page.route(/\/api\/load_history\?[^&]*$/, async (route) => {
    const answer = await route.fetch();
    await act(ann, gone, "Remove");
    await deleteDialog(ann).getByRole("button", { name: "Remove" }).click();
    await expect(text(page, gone)).toHaveText("Message removed");
    await route.fulfill({ response: answer });
  }, { times: 1 });
  await page.keyboard.press("Escape");
  await expect.poll(async () => (await numbers(page)).at(-1)!).toBe(gone + 35);
  await expect(text(page, gone)).toHaveText("Message removed");
});

test("a first visit in the middle of a room has read what was there", async ({ page, request, room }) => {
  await flood(request, room, 200);
  await page.goto(`/${room}/10?username=Ben`);
  await isLive(page);
  await post(request, room, "Ann", "news");
  await expect(pill(page)).toHaveText("1 new message below");
  const last = (await numbers(page)).at(-1)!;
  await scrollTo(page, last);
  await expect.poll(async () => (await numbers(page)).at(-1)!).toBeGreaterThan(last);
  await expect(page.locator("li.unread-divider")).toHaveCount(0);
  await pill(page).click();
  await expect(messages(page, "news")).toBeInViewport();
  await expect(page.locator("li.unread-divider")).toHaveText("1 new");
});

test("a refusal leaves the reader in place, also before the browser has told of the scrolling", async ({ page, request, room }) => {
  await fill(request, room, 60);
  const refused: (() => void)[] = [];
  await page.routeWebSocket(/\/ws\//, (socket) => {
    socket.connectToServer().onMessage((raw) => {
      if (String(raw).includes("rejected")) refused.push(() => socket.send(raw));
      else socket.send(raw);
    });
  });
  await enter(page, room, "Ben");
  await say(page, "x\0");
  await expect(pending(page)).toBeVisible();
  await page.evaluate(() => addEventListener("scroll", (event) => event.stopImmediatePropagation(), { capture: true }));
  const before = await scrollTo(page, 20);
  await expect.poll(() => refused.length).toBe(1);
  refused[0]();
  await expect(pending(page)).toHaveText(/U\+0000/);
  expect(Math.abs((await top(page, 20)) - before)).toBeLessThan(1);
});

test("a link leads from far up to the newest messages", async ({ page, request, room }) => {
  await flood(request, room, 420);
  await page.goto(`/${room}/100?username=Ben`);
  await isLive(page);
  const down = page.getByRole("link", { name: "Newest" });
  await down.evaluate((link: HTMLElement) => link.click());
  await expect(text(page, 420)).toBeInViewport();
  await expect(down).toHaveCount(0);
  await post(request, room, "Ann", "and on");
  await expect(text(page, 421)).toBeInViewport();
});

test("a reload shows the same place", async ({ page, request, room }) => {
  await flood(request, room, 200);
  await enter(page, room, "Ben");
  await scrollTo(page, 155, "start");
  await expect(message(page, 105)).toBeAttached();
  const before = await scrollTo(page, 110);
  await page.reload();
  await isLive(page);
  await expect(message(page, 110)).toBeInViewport();
  await expect.poll(async () => Math.abs((await top(page, 110)) - before)).toBeLessThanOrEqual(2);
  expect(await messages(page).count()).toBeLessThanOrEqual(300);
});

test("a phone that is turned shows the same line, and the end where that was shown", async ({ visitor, request, room }) => {
  const page = await visitor({ viewport: { width: 390, height: 844 } });
  for (let number = 1; number <= 40; number++) await post(request, room, "Ann", "some words that take a few lines on a phone. ".repeat(6));
  await enter(page, room, "Ben");
  await scrolledTo(page, 15, "start");
  const upper = () => message(page, 15).evaluate((line) => line.getBoundingClientRect().top);
  const before = await upper();
  for (const turned of [{ width: 844, height: 390 }, { width: 390, height: 844 }]) {
    await page.setViewportSize(turned);
    await expect.poll(async () => Math.abs((await upper()) - before)).toBeLessThan(2);
  }
  await page.keyboard.press("Escape");
  await expect(text(page, 40)).toBeInViewport({ ratio: 1 });
  await page.setViewportSize({ width: 844, height: 390 });
  await expect(text(page, 40)).toBeInViewport({ ratio: 1 });
});

test("whoever left a room at its end comes back to its end, whatever the address names", async ({ page, request, room }) => {
  await flood(request, room, 120);
  await page.goto(`/${room}/20?username=Ben`);
  await isLive(page);
  await expect(text(page, 20)).toBeInViewport();
  await page.keyboard.press("Escape");
  await expect(text(page, 120)).toBeInViewport();
  await page.reload();
  await isLive(page);
  await expect(text(page, 120)).toBeInViewport();
  await change(page, `${room}-b`);
  await page.goBack();
  await expect(text(page, 120)).toBeInViewport();
});
