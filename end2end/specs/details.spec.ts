// Small things that people notice: initials, copies, previews, and what can still be changed before it is sent.

import { expect, test } from "../support/fixtures";
import { act, change, composer, enter, goOffline, goOnline, isLive, message, numbers, pending, post, say, text } from "../support/room";

test("nobody is told that they are writing themselves, in another tab", async ({ page, context, visitor, room }) => {
  const other = await context.newPage();
  const ben = await visitor();
  await enter(page, room, "Ann");
  await enter(other, room);
  await enter(ben, room, "Ben");
  await Promise.all([
    composer(other).pressSequentially("hello everybody", { delay: 400 }),
    expect(ben.locator(".typing-indicator")).toHaveText("Ann is typing"),
  ]);
  await expect(page.locator(".typing-indicator")).toHaveText("");
});

test("initials are whole characters, and of every name there are some", async ({ page, request, room }) => {
  const initials = [["🇫🇷 Ann", "🇫🇷A"], ["ßa", "ẞa"], ["__", "_"], ["👋🏽👋🏽👋🏽", "👋🏽👋🏽"], ["e\u0323\u0301x", "ẹ\u0301x"], ["👩\u200d🚀 Zoe", "👩\u200d🚀Z"]];
  const avatars = page.locator(".message .avatar");
  for (const [name] of initials.slice(0, 3)) await post(request, room, name, "from the server");
  await enter(page, room, "Ann");
  for (const [name] of initials) await post(request, `${room}`, name, "hello");
  await expect(text(page, 9)).toBeVisible();
  await expect(avatars).toHaveText([...initials.slice(0, 3), ...initials].map(([, letters]) => letters));
  const width = await avatars.nth(1).evaluate((avatar) => {
    const range = document.createRange();
    range.selectNodeContents(avatar);
    return range.getBoundingClientRect().width;
  });
  expect(width).toBeLessThan(30);
});

test("a copied conversation has no initials and no hidden times", async ({ page, request, room }) => {
  for (const said of ["one", "two", "three"]) await post(request, room, "Zoe Quill", said);
  await enter(page, room, "Ann");
  await expect(text(page, 3)).toBeVisible();
  await page.locator(".message-list").evaluate((list) => getSelection()!.selectAllChildren(list));
  const copied = await page.evaluate(() => String(getSelection()));
  expect(copied).toContain("Zoe Quill");
  for (const said of ["one", "two", "three"]) expect(copied).toContain(said);
  expect(copied).not.toMatch(/^\s*Zo\s*$/m);
  expect(copied.match(/\d\d?:\d\d/g)).toHaveLength(1);
});

test("previews have a description and an image", async ({ request, room }) => {
  for (const path of ["/", `/${room}/`]) {
    const html = await (await request.get(path)).text();
    const content = (name: string) => new RegExp(`<meta (?:property|name)="${name}" content="([^"]+)"`).exec(html)?.[1];
    expect(content("description")).toMatch(/\w+ .*\w+/);
    expect(content("og:description")).toBe(content("description"));
    expect(content("og:title")).toBeTruthy();
    const image = await request.get(content("og:image")!);
    expect([image.status(), image.headers()["content-type"]]).toEqual([200, "image/png"]);
  }
});

test("without script the address stays plain after posting", async ({ browser, baseURL, room }) => {
  const context = await browser.newContext({ baseURL, javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`/${room}/`);
  await page.locator("form.composer input[name=username]").fill("Ann");
  await composer(page).fill("hello");
  await page.getByRole("button", { name: "Send" }).click();
  await expect(text(page, 1)).toHaveText("hello");
  expect(page.url()).toBe(`${baseURL}/${room}/`);
  await composer(page).fill("again");
  await page.getByRole("button", { name: "Send" }).click();
  await expect(text(page, 2)).toHaveText("again");
  await expect(message(page, 2)).toHaveClass(/own/);
  expect(page.url()).toBe(`${baseURL}/${room}/`);
  await context.close();
});

test("what waits can be canceled, and edited", async ({ page, room, complaints }) => {
  complaints.expectOutage();
  await enter(page, room, "Ann");
  await goOffline(page);
  for (const said of ["one", "second", "tree"]) await say(page, said);
  await expect(pending(page)).toHaveCount(3);
  await pending(page).filter({ hasText: "second" }).getByRole("button", { name: "Cancel" }).click();
  await expect(pending(page)).toHaveCount(2);
  await composer(page).fill("a draft");
  await pending(page).filter({ hasText: "tree" }).getByRole("button", { name: "Edit" }).click();
  await expect(pending(page)).toHaveCount(1);
  await expect(composer(page)).toHaveValue("a draft\ntree");
  await page.reload({ waitUntil: "commit" }).catch(() => {});
  await page.context().setOffline(false);
  await page.goto(`/${room}/`);
  await isLive(page);
  await expect(text(page, 1)).toHaveText("one");
  await expect(composer(page)).toHaveValue("a draft\ntree");
  expect(await numbers(page)).toEqual([1]);
});

test("what was sent and not answered cannot be taken back", async ({ page, room, complaints }) => {
  complaints.expectOutage();
  let answers = true;
  await page.routeWebSocket(/\/ws\//, (socket) => {
    socket.connectToServer().onMessage((raw) => {
      if (answers) socket.send(raw);
    });
  });
  await enter(page, room, "Ann");
  answers = false;
  await say(page, "only once");
  await expect(pending(page)).toHaveCount(1);
  await pending(page).getByRole("button", { name: "Edit" }).click();
  await expect(page.locator(".notice")).toHaveText("That message is on its way already.");
  await expect(composer(page)).toHaveValue("");
  await page.reload();
  answers = true;
  await page.goto(`/${room}/`);
  await isLive(page);
  await expect(text(page, 1)).toHaveText("only once");
  await expect(pending(page)).toHaveCount(0);
});

test("a text and a link are copied from a message", async ({ visitor, request, room, baseURL }) => {
  const page = await visitor({ permissions: ["clipboard-read", "clipboard-write"] });
  await post(request, room, "Ben", "see `this`\nand that");
  await enter(page, room, "Ann");
  const clipboard = () => page.evaluate(() => navigator.clipboard.readText());
  await act(page, 1, "Copy the text");
  await expect(page.locator(".notice")).toHaveText("Copied.");
  expect(await clipboard()).toBe("see `this`\nand that");
  await act(page, 1, "Copy the link");
  await expect.poll(clipboard).toBe(`${baseURL}/${room}/1`);
});

test("a pasted book does not block the page", async ({ visitor, room }) => {
  const page = await visitor({ permissions: ["clipboard-read", "clipboard-write"] });
  await enter(page, room, "Ann");
  const book = "It was a dark night, and the rain fell. ".repeat(2800);
  await page.evaluate((book) => navigator.clipboard.writeText(book), book);
  await composer(page).focus();
  await page.keyboard.press("Control+v");
  await expect(composer(page)).toHaveValue(book);
  // The field does not measure a text of this length to find its own height.
  expect(await composer(page).evaluate((field) => getComputedStyle(field).getPropertyValue("field-sizing"))).toBe("fixed");
  expect(await composer(page).evaluate((field) => field.clientHeight)).toBeGreaterThan(100);
  await composer(page).fill("short");
  expect(await composer(page).evaluate((field) => getComputedStyle(field).getPropertyValue("field-sizing"))).toBe("content");
  await goOffline(page);
  await goOnline(page);
  await change(page, `${room}-b`);
});
