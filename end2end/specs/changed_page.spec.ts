// Pages that others have changed: extensions, translators, telephones and proxies, before the program starts and after.

import { type Page } from "@playwright/test";
import { expect, test } from "../support/fixtures";
import { change, composer, enter, fill, hold, isLive, message, messages, nameField, post, status, text, top } from "../support/room";

/** What others do to a page, in the page. */
const changes: Record<string, () => void> = {
  "a link around a telephone number": () => {
    const line = [...document.querySelectorAll(".message-text")].find((line) => line.textContent?.includes("555"))!;
    line.innerHTML = line.innerHTML.replace(/\+1 [()0-9 -]+/, (number) => `<a href="tel:${number}">${number}</a>`);
  },
  "an element beside the name field": () => document.querySelector("[name=username]")!.after(document.createElement("div")),
  "an element before the name field": () => document.querySelector("[name=username]")!.before(document.createElement("div")),
  "an element before the message field": () => document.querySelector("textarea")!.before(document.createElement("div")),
  "an element after the message field": () => document.querySelector("textarea")!.after(document.createElement("div")),
  "an element around the message field": () => {
    const [field, around] = [document.querySelector("textarea")!, document.createElement("div")];
    field.replaceWith(around);
    around.append(field);
  },
  "an element with a shadow tree in the form": () => {
    const icon = document.createElement("x-passwords");
    icon.attachShadow({ mode: "open" }).innerHTML = "<button>fill in</button>";
    document.querySelector(".composer-row")!.append(icon);
  },
  "a button in the header": () => document.querySelector(".room-status")!.prepend(document.createElement("button")),
  "a translation of the messages": () => {
    for (const line of document.querySelectorAll(".message-text")) line.innerHTML = `<font dir="auto"><font>${line.innerHTML}</font></font>`;
  },
  "a translation of everything": () => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const texts: Node[] = [];
    while (walker.nextNode()) texts.push(walker.currentNode);
    for (const node of texts.filter((node) => node.textContent?.trim() && !node.parentElement?.closest("script, textarea"))) {
      const font = document.createElement("font");
      font.textContent = node.textContent;
      (node as Text).replaceWith(font);
    }
  },
  "comments taken away": () => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_COMMENT);
    const comments: Node[] = [];
    while (walker.nextNode()) comments.push(walker.currentNode);
    comments.forEach((comment) => (comment as Comment).remove());
  },
  "texts that are split": () => {
    for (const line of document.querySelectorAll(".message-text")) (line.firstChild as Text).splitText(3);
  },
  "a word that is marked": () => {
    const line = document.querySelector(".message-text")!;
    line.innerHTML = line.innerHTML.replace("message", "<mark>message</mark>");
  },
  "emoji as pictures": () => {
    for (const line of document.querySelectorAll(".message-text")) line.append(document.createElement("img"));
  },
  "a message that is taken away": () => document.querySelector("li.message")!.remove(),
  "a banner that is taken away": () => document.querySelector(".connection-banner")!.remove(),
  "an element at the end of the list": () => document.querySelector("ol.message-list")!.append(document.createElement("li")),
  "a list that is written anew": () => {
    const list = document.querySelector("ol.message-list")!;
    list.innerHTML = list.innerHTML;
  },
  "a page that is written anew": () => {
    document.querySelector("main")!.innerHTML = document.querySelector("main")!.innerHTML;
  },
  "attributes on fields": () => {
    const field = document.querySelector("textarea")!;
    field.dataset.gramm = "true";
    field.setAttribute("style", "outline: none");
  },
  "elements around the page": () => {
    document.body.prepend(document.createElement("div"));
    document.documentElement.append(document.createElement("x-overlay"));
    document.head.append(document.createElement("style"));
  },
};

/** Opens a room of a few messages, in which the program waits until it is released. */
async function openHeld(page: Page, room: string, username = "Ann"): Promise<() => void> {
  const program = await hold(page, /\.wasm$/);
  await page.goto(`/${room}/?username=${username}`, { waitUntil: "commit" });
  await expect(text(page, 2)).toBeVisible();
  await expect.poll(program.count).toBeGreaterThan(0);
  return program.release;
}

/** The room lives: it receives, and it sends. */
async function lives(page: Page, news: () => Promise<void>, says: string | RegExp = ""): Promise<void> {
  await expect(status(page, true)).toHaveText(says, { timeout: 40_000 });
  await news();
  await expect(messages(page, "news")).toBeVisible();
  await composer(page).fill("answer");
  await composer(page).press("Enter");
  await expect(messages(page, "answer")).toBeVisible();
  await expect(composer(page)).toHaveValue("");
}

for (const [name, change] of Object.entries(changes)) {
  for (const when of ["before", "after"]) {
    test(`${when} hydration, ${name}: the room receives and sends`, async ({ page, request, room, complaints }) => {
      complaints.expect(/panicked at/, /unreachable/, /hydrat/i, /inline style/, /Non-fatal error/);
      await post(request, room, "Ben", "message: call +1 (555) 123-4567");
      await post(request, room, "Ben", "message two\nof two lines");
      const release = await openHeld(page, room);
      if (when === "before") await page.evaluate(change);
      release();
      await isLive(page);
      if (when === "after") await page.evaluate(change);
      await lives(page, () => post(request, room, "Ben", "news"));
    });
  }
}

for (const [name, change] of [
  ["comments", /<!(?!DOCTYPE).*?>/gs],
  ["space between elements, and comments", /<!(?!DOCTYPE).*?>|(?<=>)\s+(?=<)/gs],
] as const) {
  test(`a proxy that strips ${name} leaves a room that receives and sends`, async ({ page, request, room, complaints }) => {
    complaints.expect(/panicked at/, /unreachable/, /hydrat/i, /WebSocket connection/);
    await post(request, room, "Ben", "message");
    await page.route(`**/${room}/*`, async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, body: (await answer.text()).replace(change, "") });
    });
    await page.goto(`/${room}/?username=Ann`);
    // Chromium trusts a page that comes from the test less, and may refuse it sockets.
    await lives(page, () => post(request, room, "Ben", "news"), /^(Limited connection)?$/);
  });
}

test("a page that nobody has changed is hydrated, not rendered again", async ({ page, request, room }) => {
  await post(request, room, "Ben", "see https://example.org/ `code`\n```js\nmore\n```");
  await enter(page, room, "Ann");
  await expect(page.locator("leptos-island[data-renewed]")).toHaveCount(0);
  await page.goto("/");
  await expect(page.locator(".front-rooms .room-entry")).toHaveCount(1);
});

test("what was typed, the focus and the place stay when the room is rendered again", async ({ page, request, room }) => {
  await fill(request, room, 50);
  const fetched: string[] = [];
  const release = await openHeld(page, room, "Dora");
  page.on("request", (request) => fetched.push(new URL(request.url()).pathname));
  await composer(page).click();
  await page.keyboard.type("half a thought");
  await page.keyboard.press("ArrowLeft");
  await message(page, 20).evaluate((line) => line.scrollIntoView({ block: "center" }));
  // The change itself may shift the messages.
  await page.evaluate(changes["an element before the message field"]);
  const before = await top(page, 20);
  release();
  await isLive(page);
  await expect(page.locator("leptos-island[data-renewed]")).toHaveCount(1);
  expect(Math.abs((await top(page, 20)) - before)).toBeLessThan(2);
  await expect(composer(page)).toBeFocused();
  await page.keyboard.type("!");
  await expect(composer(page)).toHaveValue("half a though!t");
  expect(fetched.filter((path) => /parlour|wasm|^\/api\/open/.test(path) || path === `/${room}/`)).toEqual([]);
  await page.keyboard.press("Enter");
  await expect(messages(page, "half a though!t")).toBeVisible();
  await expect(messages(page, "half a though!t").locator(".message-author")).toHaveText("Dora");
});

test("a stranger who is typing a name keeps it", async ({ page, request, room }) => {
  await post(request, room, "Ben", "one");
  await post(request, room, "Ben", "two");
  const program = await hold(page, /\.wasm$/);
  await page.goto(`/${room}/`, { waitUntil: "commit" });
  await nameField(page).fill("Ann");
  await page.evaluate(changes["an element before the name field"]);
  program.release();
  await isLive(page);
  await expect(nameField(page)).toHaveValue("Ann");
  await composer(page).fill("hello");
  await composer(page).press("Enter");
  await expect(messages(page, "hello").locator(".message-author")).toHaveText("Ann");
});

test("where it cannot be rendered again the page says so, and its form works", async ({ page, request, room, complaints }) => {
  complaints.expect(/panicked at/, /unreachable/, /hydrat/i);
  await post(request, room, "Ben", "one");
  await post(request, room, "Ben", "two");
  const release = await openHeld(page, room);
  await page.evaluate(() => {
    document.querySelector("textarea")!.before(document.createElement("div"));
    const skeleton = document.getElementById("skeleton")!;
    skeleton.textContent = skeleton.textContent!.replaceAll("|!>", "");
  });
  await composer(page).fill("half a thought");
  release();
  await expect(page.getByText("This page can’t update itself any more.")).toBeVisible();
  await expect(text(page, 1)).toHaveText("one");
  await expect(composer(page)).toHaveValue("half a thought");
  await expect(page.getByRole("link", { name: "Show new messages" })).toBeVisible();
  await composer(page).fill("by form");
  await page.locator(".composer .button").click();
  await expect(messages(page, "by form")).toBeVisible();
});

for (const [name, change] of [
  ["taken away", () => document.getElementById("room-data")!.remove()],
  ["rewritten", () => document.getElementById("room-data")!.prepend("<a>")],
] as const) {
  test(`data that is ${name} is asked for, and what was typed stays`, async ({ page, request, room, complaints }) => {
    complaints.expect(/panicked at/, /unreachable/, /hydrat/i, /Non-fatal error/);
    await post(request, room, "Ben", "one");
    await post(request, room, "Ben", "two");
    const release = await openHeld(page, room);
    await composer(page).fill("half a thought");
    await page.evaluate(change);
    release();
    await isLive(page);
    await expect(text(page, 1)).toHaveText("one");
    await expect(composer(page)).toHaveValue("half a thought");
    await lives(page, () => post(request, room, "Ben", "news"));
  });
}

test("without the data and the skeleton the page says that it stands still", async ({ page, request, room, complaints }) => {
  complaints.expect(/panicked at/, /unreachable/, /hydrat/i);
  await post(request, room, "Ben", "one");
  await page.route(`**/${room}/*`, async (route) => {
    const answer = await route.fetch();
    const data = /<script type="(application\/json|text\/plain)".*?<\/script>/gs;
    await route.fulfill({ response: answer, body: (await answer.text()).replace(data, "") });
  });
  await page.goto(`/${room}/?username=Ann`);
  await expect(page.getByText("This page can’t update itself any more.")).toBeVisible();
  await expect(text(page, 1)).toHaveText("one");
});

test("a room without its island is rendered again", async ({ page, request, room, complaints }) => {
  complaints.expect(/panicked at/, /unreachable/, /hydrat/i);
  await post(request, room, "Ben", "one");
  await post(request, room, "Ben", "two");
  const release = await openHeld(page, room);
  await page.evaluate(() => document.querySelector("leptos-island")!.replaceWith(document.querySelector(".room")!));
  release();
  await lives(page, () => post(request, room, "Ben", "news"));
});

for (const part of ["textarea", "form.composer"]) {
  test(`a copy in place of the ${part} keeps the text and the focus, and sends`, async ({ page, request, room }) => {
    await enter(page, room, "Ann");
    await composer(page).fill("half a thought");
    await page.evaluate((part) => {
      const [old, text] = [document.querySelector(part)!, document.querySelector("textarea")!.value];
      old.outerHTML = old.outerHTML;
      document.querySelector("textarea")!.value = text;
      document.querySelector("textarea")!.focus();
    }, part);
    await expect(page.locator("leptos-island[data-renewed]")).toHaveCount(1);
    await isLive(page);
    await expect(composer(page)).toBeFocused();
    await expect(composer(page)).toHaveValue("half a thought");
    await lives(page, () => post(request, room, "Ben", "news"));
  });
}

test("a room that was rendered again is the only one that hears the page", async ({ page, request, room, complaints }) => {
  complaints.expect(/Non-fatal error/);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await post(request, room, "Ben", "one");
  await enter(page, room, "Ann");
  await page.evaluate(changes["a list that is written anew"]);
  await post(request, room, "Ben", "two");
  await expect(page.locator("leptos-island[data-renewed]")).toHaveCount(1);
  await isLive(page);
  await page.evaluate(async () => {
    await navigator.clipboard.writeText("pasted");
    (document.activeElement as HTMLElement).blur();
  });
  await page.keyboard.press("Control+v");
  await expect(composer(page)).toHaveValue("pasted");
  await composer(page).fill("");
  await change(page, `${room}-other`);
  await page.goBack();
  await expect(page.locator("h1")).toHaveText(room);
  await lives(page, () => post(request, room, "Ben", "news"));
});

test("in a translated page what the program writes is not translated", async ({ page, request, room }) => {
  await post(request, room, "Ben", "bonjour");
  await enter(page, room, "Ann");
  const translated = await page.evaluate(() =>
    Object.fromEntries(
      ["h1", ".connection-status", ".composer .button", ".message-text", ".message-author", ".day-divider", "footer"].map((selector) => [
        selector,
        document.querySelector<HTMLElement>(selector)?.translate,
      ]),
    ),
  );
  expect(translated).toMatchObject({
    h1: false,
    ".connection-status": false,
    ".composer .button": false,
    ".message-text": true,
    ".message-author": false,
    ".day-divider": false,
  });
});
