// The pages without script, with it, and where it comes late or not at all.

import { type Page } from "@playwright/test";
import { createServer } from "node:http";
import { type AddressInfo } from "node:net";
import { expect, test } from "../support/fixtures";
import {
  act, change, composer, enter, fill, flood, isLive, message, messages, nameField, numbers, post, range, say, scrollTo, status, text, top,
} from "../support/room";

const without = { javaScriptEnabled: false };
const worlds = [["without script", without], ["with script", {}]] as const;

/** Opens a room; where script runs, waits for it. */
async function open(page: Page, world: (typeof worlds)[number][0], path: string): Promise<void> {
  await page.goto(path);
  if (world === "with script") await isLive(page);
}

/** Says something whatever the button is called. */
async function send(page: Page, text: string): Promise<void> {
  await composer(page).fill(text);
  await page.locator(".composer .button").click();
}

for (const [world, options] of worlds) {
  test.describe(world, () => {
    test("a room is read and written", async ({ visitor, request, room }) => {
      await post(request, room, "Ben", "welcome\n`code` and https://example.org/");
      const page = await visitor(options);
      await open(page, world, `/${room}/?username=Ann`);
      await expect(text(page, 1)).toContainText("welcome");
      await expect(text(page, 1).locator("code")).toHaveText("code");
      await expect(text(page, 1).getByRole("link")).toHaveAttribute("href", "https://example.org/");
      await say(page, "thank you\r\nall");
      await expect(messages(page, "thank you").locator(".message-author")).toHaveText("Ann");
      await expect(composer(page)).toHaveValue("");
      expect(await numbers(page)).toEqual([1, 2]);
    });

    test("the name is asked once, with the first message, and remembered", async ({ visitor, room }) => {
      const page = await visitor(options);
      await open(page, world, `/${room}/`);
      await expect(page.locator(".composer-hint")).toContainText("Add your name");
      await nameField(page).fill("Ann");
      await send(page, "first");
      await expect(text(page, 1)).toHaveText("first");
      await expect(nameField(page)).toBeHidden();
      await open(page, world, `/${room}-b/`);
      await expect(nameField(page)).toBeHidden();
      await say(page, "elsewhere");
      await expect(message(page, 1).locator(".message-author")).toHaveText("Ann");
    });

    test("a name in the address renames nobody", async ({ visitor, room }) => {
      const page = await visitor(options);
      await open(page, world, `/${room}/?username=Ann`);
      await open(page, world, `/${room}-b/?username=Eve`);
      await say(page, "who?");
      await expect(message(page, 1).locator(".message-author")).toHaveText("Ann");
    });

    test("the front page leads into the room", async ({ visitor, request, room }) => {
      await post(request, room, "Ben", "welcome");
      const page = await visitor(options);
      await page.goto("/");
      await page.locator("input[name=username]").fill("Ann");
      await page.locator("input[name=room_name]").fill(room);
      await page.getByRole("button", { name: "Open the room" }).click();
      await expect(text(page, 1)).toHaveText("welcome");
      await expect(nameField(page)).toBeHidden();
    });

    test("a permalink leads to its message, and a time is a permalink", async ({ visitor, request, room }) => {
      await fill(request, room, 120);
      const page = await visitor(options);
      await open(page, world, `/${room}/40`);
      await expect(message(page, 40)).toHaveClass(/marked/);
      await expect(message(page, 40)).toBeInViewport();
      await message(page, 42).hover();
      await message(page, 42).locator(".message-time").click();
      await expect(page).toHaveURL(`/${room}/42`);
      await expect(page.locator("li.marked")).toHaveAttribute("data-seq", "42");
      await expect(message(page, 42)).toBeInViewport();
    });
  });
}

test("without script a permalink leads to its message also where the page comes in pieces", async ({ visitor, server, request, room }) => {
  await fill(request, room, 120);
  let pieces = 0;
  const slow = createServer(async (asked, answer) => {
    const { body, headers } = await fetch(server.url + asked.url).then(async (page) => ({ body: await page.text(), headers: page.headers }));
    const [first, ...rest] = body.split(/(?=<li[^>]*id="m45")/);
    pieces = Math.max(pieces, 1 + rest.length);
    answer.writeHead(200, { "content-type": headers.get("content-type") ?? "" });
    answer.write(first);
    setTimeout(() => answer.end(rest.join("")), rest.length > 0 ? 1000 : 0);
  });
  await new Promise<void>((listens) => slow.listen(0, "127.0.0.1", listens));
  try {
    const page = await visitor({ ...without, baseURL: `http://127.0.0.1:${(slow.address() as AddressInfo).port}` });
    await page.goto(`/${room}/40`);
    await expect(message(page, 60)).toBeAttached();
    expect(pieces).toBe(2);
    await expect(message(page, 40)).toBeInViewport();
  } finally {
    slow.close();
  }
});

test("without script the link to earlier messages leads on, to the beginning", async ({ visitor, request, room }) => {
  await flood(request, room, 180);
  const page = await visitor(without);
  await page.goto(`/${room}/`);
  const seen = new Set(await numbers(page));
  const earlier = page.getByRole("link", { name: "Earlier messages" });
  for (let pages = 0; (await earlier.count()) > 0 && pages < 20; pages++) {
    const first = (await numbers(page))[0];
    await earlier.click();
    await expect(message(page, first)).toBeInViewport();
    for (const seq of await numbers(page)) seen.add(seq);
  }
  expect([...seen].sort((a, b) => a - b)).toEqual(range(1, 180));
  await expect(page.getByText("This is the start of")).toBeAttached();
});

test("without script a link leads back to the newest", async ({ visitor, request, room }) => {
  await flood(request, room, 180);
  const page = await visitor(without);
  await page.goto(`/${room}/40`);
  await page.getByRole("link", { name: "Newest" }).click();
  await expect(text(page, 180)).toBeInViewport();
});

test("without script no button does nothing", async ({ visitor, request, room }) => {
  const page = await visitor(without);
  const idle = () => page.locator("button:visible").evaluateAll((all) => all.filter((it) => !(it as HTMLButtonElement).form || (it as HTMLButtonElement).type !== "submit").map((it) => it.outerHTML));
  await page.goto(`/${room}/`);
  expect(await idle()).toEqual([]);
  await flood(request, room, 120);
  await page.goto(`/${room}/40`);
  expect(await idle()).toEqual([]);
});

test("without script a name that is taken comes back with the text and the reason", async ({ visitor, request, room, complaints }) => {
  complaints.expect(/status of (409|422)/);
  const ben = await visitor(without);
  await ben.goto(`/${room}/?username=Ben`);
  await say(ben, "mine");
  const ann = await visitor(without);
  await ann.goto(`/${room}/`);
  await nameField(ann).fill("Ben");
  await send(ann, "keep what I typed");
  await expect(ann.getByRole("alert").filter({ hasText: "Ben is in use in this room. Ben-2 is free." })).toBeVisible();
  await expect(composer(ann)).toHaveValue("keep what I typed");
  await nameField(ann).fill("Ann");
  await ann.locator(".composer .button").click();
  await expect(text(ann, 2)).toHaveText("keep what I typed");
  await expect(message(ann, 2).locator(".message-author")).toHaveText("Ann");
  expect((await request.get(`/${room}/`)).status()).toBe(200);
});

test("without script a stranger's button says what it does", async ({ visitor, room }) => {
  const page = await visitor(without);
  await page.goto(`/${room}/`);
  await expect(page.locator(".composer .button")).toHaveText("Send");
});

test("without script the page says how to see more", async ({ visitor, request, room }) => {
  const page = await visitor(without);
  await page.goto(`/${room}/?username=Ann`);
  await post(request, room, "Ben", "later");
  await page.getByRole("link", { name: "Show new messages" }).click();
  await expect(text(page, 1)).toHaveText("later");
});

test("without script the time leads to the page of a message, where its author edits and removes it", async ({ visitor, request, room }) => {
  await post(request, room, "Ben", "welcome");
  const page = await visitor(without);
  await page.goto(`/${room}/?username=Ann`);
  await send(page, "first thoghts");
  await message(page, 2).locator(".message-time").click();
  const form = page.getByRole("form", { name: "This message" });
  await form.getByRole("textbox").fill("first thoughts");
  await form.getByRole("button", { name: "Save" }).click();
  await expect(page).toHaveURL(`/${room}/2`);
  await expect(text(page, 2)).toHaveText("first thoughts edited");
  await expect(composer(page)).toBeInViewport({ ratio: 1 });
  await form.getByRole("button", { name: "Remove" }).click();
  await expect(text(page, 2)).toHaveText("Message removed");
  await expect(form).toHaveCount(0);
  await page.goto(`/${room}/1`);
  await expect(text(page, 1)).toHaveText("welcome");
  await expect(form.getByRole("link", { name: "Reply" })).toBeVisible();
  await expect(form.getByRole("textbox"), "the message of somebody else").toHaveCount(0);
  await expect(form.getByRole("button", { name: "Save" })).toHaveCount(0);
});

test("where the program does not come, the room is read and written by form, and says how to see more", async ({ page, request, room, complaints }) => {
  complaints.expect(/wasm/i, /Failed to (fetch|load)/i, /ERR_FAILED/);
  await page.route(/\.wasm$/, (route) => route.abort());
  await post(request, room, "Ben", "welcome");
  await page.goto(`/${room}/`);
  await expect(text(page, 1)).toHaveText("welcome");
  await nameField(page).fill("Ann");
  await send(page, "by form");
  await expect(text(page, 2)).toHaveText("by form");
  await expect(message(page, 2).locator(".message-author")).toHaveText("Ann");
  await expect(page.locator(".toolbar")).toBeHidden();
  await post(request, room, "Ben", "later");
  await page.getByRole("link", { name: "Show new messages" }).click();
  await expect(text(page, 3)).toHaveText("later");
});

/** Keeps the program from coming until it is released. */
async function holdProgram(page: Page): Promise<() => void> {
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route(/\.wasm$/, async (route) => {
    await released;
    await route.continue();
  });
  return () => release();
}

test("what is typed before the program has come stays, and is sent", async ({ page, request, room }) => {
  const release = await holdProgram(page);
  await post(request, room, "Ben", "welcome");
  await page.goto(`/${room}/`, { waitUntil: "commit" });
  await expect(text(page, 1)).toHaveText("welcome");
  await nameField(page).fill("Ann");
  await composer(page).focus();
  await page.keyboard.type("typed ear");
  release();
  await isLive(page);
  await page.keyboard.type("ly");
  await expect(composer(page)).toBeFocused();
  await expect(composer(page)).toHaveValue("typed early");
  await expect(nameField(page)).toHaveValue("Ann");
  await page.keyboard.press("Enter");
  await expect(text(page, 2)).toHaveText("typed early");
  await expect(message(page, 2).locator(".message-author")).toHaveText("Ann");
});

test("what is typed before the program has come is a draft like any other", async ({ page, request, room }) => {
  await post(request, room, "Ben", "welcome");
  const release = await holdProgram(page);
  await page.goto(`/${room}/?username=Ann`, { waitUntil: "commit" });
  await composer(page).fill("typed early");
  release();
  await isLive(page);
  await change(page, `${room}-b`);
  await expect(composer(page)).toHaveValue("");
  await change(page, room);
  await expect(composer(page)).toHaveValue("typed early");
});

test("what is typed before the program has come is there again after an edit", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await say(page, "mine");
  await expect(text(page, 1)).toHaveText("mine");
  const release = await holdProgram(page);
  await page.reload({ waitUntil: "commit" });
  await composer(page).fill("typed early");
  release();
  await isLive(page);
  await act(page, 1, "Edit");
  await expect(composer(page)).toHaveValue("mine");
  await page.keyboard.press("Escape");
  await expect(composer(page)).toHaveValue("typed early");
});

for (const where of ["", "40"]) {
  test(`whoever has scrolled before the program has come stays there, at /room/${where}`, async ({ page, request, room }) => {
    await fill(request, room, 60);
    const release = await holdProgram(page);
    await page.goto(`/${room}/${where}`, { waitUntil: "commit" });
    // Drawn, where the address leads: nobody scrolls before that.
    await expect(text(page, where === "" ? 60 : 40)).toBeInViewport();
    const before = await scrollTo(page, 20, "start");
    release();
    await isLive(page);
    // Above it, older messages have come by then.
    await expect(message(page, 1)).toBeAttached();
    expect(Math.abs((await top(page, 20)) - before)).toBeLessThan(1);
  });
}

test("whoever goes back before the program has come is in the room before", async ({ page, request, room, complaints }) => {
  // It begins to connect to the room that was left; whether it is through by then is chance.
  complaints.expect(/closed before the connection is established/);
  await fill(request, room, 60);
  await flood(request, `${room}-b`, 60);
  await post(request, `${room}-b`, "Ben", "in the second");
  await enter(page, room, "Ann");
  await change(page, `${room}-b`);
  const release = await holdProgram(page);
  await page.reload({ waitUntil: "commit" });
  await expect(text(page, 61)).toHaveText("in the second");
  await page.evaluate(() => history.back());
  await expect(page).toHaveURL(`/${room}/`);
  release();
  await expect(text(page, 60)).toContainText("message 60");
  await expect(page.locator("h1")).toHaveText(room);
  await isLive(page);
});

test("a program that ends leaves a page that is read and written to by its form", async ({ page, request, room, complaints }) => {
  complaints.expect(/the program ends here/);
  await enter(page, room, "Ann");
  await expect(page.getByRole("link", { name: "Show new messages" })).toBeHidden();
  await page.evaluate(() => {
    Element.prototype.getBoundingClientRect = () => {
      throw new WebAssembly.RuntimeError("the program ends here");
    };
  });
  await post(request, room, "Ben", "news");
  await expect(page.locator(".room")).not.toHaveClass(/is-hydrated/);
  await expect(status(page)).toHaveText("");
  await expect(page.getByRole("link", { name: "Show new messages" })).toBeVisible();
  await composer(page).fill("by form");
  await page.locator(".composer .button").click();
  await expect(text(page, 2)).toHaveText("by form");
  await isLive(page);
  await expect(composer(page)).toHaveValue("");
});
