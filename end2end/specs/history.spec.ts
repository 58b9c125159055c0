// What was said is still there: after a reload, after a restart, further up.

import { expect, test } from "../support/fixtures";
import { enter, fill, isLive, messages, numbers, post, range, say, text } from "../support/room";

test("the history is in the page, oldest first", async ({ request, room }) => {
  await fill(request, room, 60);
  const html = await (await request.get(`/${room}/`)).text();
  expect([...html.matchAll(/<li[^>]* data-seq="(\d+)"/g)].map(([, seq]) => Number(seq))).toEqual(range(11, 60));
  expect(html).toMatch(new RegExp(`<ol[^>]* data-room="${room}"[^>]* data-epoch="\\w+"[^>]* data-head="60"`));
});

test("a reload shows what was said", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await say(page, "remember me");
  await expect(text(page, 1)).toHaveText("remember me");
  await page.reload();
  await expect(text(page, 1)).toHaveText("remember me");
  await isLive(page);
  expect(await numbers(page)).toEqual([1]);
});

for (const [how, end] of [["stopped", "stop"], ["killed", "kill"]] as const) {
  test(`a server that was ${how} has forgotten nothing`, async ({ page, server, room, complaints }) => {
    complaints.expectOutage();
    await enter(page, room, "Ann");
    await say(page, "before");
    await expect(text(page, 1)).toHaveText("before");
    await server[end]();
    await server.start();
    await page.reload();
    await expect(text(page, 1)).toHaveText("before");
    await isLive(page);
    await say(page, "after");
    await expect(text(page, 2)).toHaveText("after");
    expect(await numbers(page)).toEqual([1, 2]);
  });
}

test("older messages come while scrolling up, and the line being read stays where it is", async ({ page, request, room }) => {
  await fill(request, room, 120);

  // Older pages are held back until the test has looked.
  const held: (() => void)[] = [];
  await page.route(/\/api\/load_history/, async (route) => {
    await new Promise<void>((release) => held.push(release));
    await route.continue();
  });
  await enter(page, room, "Ben");
  await expect(text(page, 120)).toBeInViewport();

  for (const [first, next] of [[71, 21], [21, 1]]) {
    await text(page, first).evaluate((line) => line.scrollIntoView({ block: "start" }));
    await expect.poll(() => held.length).toBe(1);
    const top = () => text(page, first).evaluate((line) => line.getBoundingClientRect().top);
    const before = await top();
    held.pop()?.();
    await expect(page.locator(`li.message[data-seq="${next}"]`)).toBeAttached();
    expect(Math.abs((await top()) - before)).toBeLessThan(1);
  }

  expect(await numbers(page)).toEqual(range(1, 120));
  await page.locator('li.message[data-seq="1"]').scrollIntoViewIfNeeded();
  await expect(page.getByText("This is the start of")).toBeVisible();
});

test("scrolled up, the page does not jump when somebody speaks; at the end, it follows", async ({ page, request, room }) => {
  await fill(request, room, 60);
  await enter(page, room, "Ben");
  await expect(text(page, 60)).toBeInViewport();
  await post(request, room, "Ann", "one more");
  await expect(text(page, 61)).toBeInViewport();

  await text(page, 30).evaluate((line) => line.scrollIntoView({ block: "center" }));
  const top = () => text(page, 30).evaluate((line) => line.getBoundingClientRect().top);
  const before = await top();
  await post(request, room, "Ann", "another one");
  await expect(text(page, 62)).toBeAttached();
  expect(Math.abs((await top()) - before)).toBeLessThan(1);
  await expect(text(page, 62)).not.toBeInViewport();
});

test("a permalink shows its message, marked, among its neighbours", async ({ page, request, room }) => {
  await fill(request, room, 120);
  await page.goto(`/${room}/40`);
  await expect(page.locator('li.message[data-seq="40"]')).toHaveClass(/marked/);
  await expect(page.locator('li.message[data-seq="40"]')).toBeInViewport();
  await expect(messages(page).first()).toBeAttached();
  const seen = await numbers(page);
  expect(seen).toContain(39);
  expect(seen).toContain(41);
});

test("without script too a permalink brings its message into view", async ({ visitor, request, room }) => {
  await fill(request, room, 120);
  const page = await visitor({ javaScriptEnabled: false });
  await page.goto(`/${room}/40`);
  await expect(page.locator('li.message[data-seq="40"]')).toBeInViewport();
});
