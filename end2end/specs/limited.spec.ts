// What browsers may block, one at a time: sockets, storage, locks, cookies. And keys and texts that have no field.

import { type Page } from "@playwright/test";
import { expect, test } from "../support/fixtures";
import { act, composer, enter, goOffline, goOnline, isLive, message, messages, pending, post, say, switcher, text } from "../support/room";

const status = (page: Page) => page.locator(".connection-status");

/** A network that lets no WebSocket through: sockets fail, or neither open nor fail. */
async function blockSockets(page: Page, how: "fail" | "hang" | "are refused"): Promise<void> {
  await page.addInitScript((how) => {
    if (how === "are refused") Object.defineProperty(window, "WebSocket", { value: undefined });
    else window.WebSocket = class extends EventTarget {
      onclose?: (event: CloseEvent) => void;
      constructor() {
        super();
        if (how === "fail") setTimeout(() => this.onclose?.(new CloseEvent("close", { code: 1006 })));
      }
      send() {}
      close() {}
    } as never;
  }, how);
}

for (const how of ["fail", "hang", "are refused"] as const) {
  test(`where sockets ${how} the room is read and written by HTTP`, async ({ page, visitor, request, room }) => {
    test.slow();
    await post(request, room, "Ben", "welcome");
    await blockSockets(page, how);
    await page.goto(`/${room}/?username=Ann`);
    await expect(status(page)).toHaveText(/Connecting|Reconnecting/);
    await composer(page).fill("typed while it tries");
    await composer(page).press("Enter");
    await expect(status(page)).toHaveText("Limited connection", { timeout: 60_000 });
    await expect(messages(page, "typed while it tries")).toHaveCount(1);
    await post(request, room, "Ben", "news");
    await expect(messages(page, "news")).toBeVisible();
    await say(page, "answer");
    await expect(messages(page, "answer")).toHaveCount(1);
    await expect(pending(page)).toHaveCount(0);
    await act(page, 2, "Edit");
    await composer(page).fill("edited by HTTP");
    await composer(page).press("Enter");
    await expect(text(page, 2)).toContainText("edited by HTTP");
    const other = await visitor();
    await enter(other, room, "Carol");
    await expect(text(other, 2)).toContainText("edited by HTTP");
    await expect(messages(other, "answer")).toHaveCount(1);
  });
}

test("a server that was away is no reason to limit the connection", async ({ page, server, room, complaints }) => {
  test.slow();
  complaints.expectOutage();
  await enter(page, room, "Ann");
  await server.stop();
  await expect(status(page)).toHaveText(/Reconnecting|Connecting/);
  await page.waitForTimeout(6000); // some attempts fail meanwhile
  await server.start();
  await expect(page.locator(".connection-status:has(.live)")).toHaveText("", { timeout: 60_000 });
});

/** What a browser does that blocks cookies, or the storage of this site. */
const storages: Record<string, () => void> = {
  "storage that is blocked": () => {
    for (const name of ["localStorage", "sessionStorage"])
      Object.defineProperty(window, name, {
        get() {
          throw new DOMException("denied", "SecurityError");
        },
      });
    navigator.locks.request = () => Promise.reject(new DOMException("denied", "SecurityError")) as never;
  },
  "storage whose every call throws": () => {
    for (const name of ["getItem", "setItem", "removeItem", "key"] as const)
      Storage.prototype[name] = () => {
        throw new DOMException("denied", "SecurityError");
      };
  },
  "storage that is full": () => {
    Storage.prototype.setItem = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
  },
  "storage that forgets": () => {
    Storage.prototype.setItem = () => {};
  },
  "no storage and no locks": () => {
    Object.defineProperty(window, "localStorage", { value: null });
    Object.defineProperty(navigator, "locks", { value: undefined });
  },
};

for (const [name, block] of Object.entries(storages)) {
  test(`with ${name} messages are sent at once, and nothing typed is lost`, async ({ page, room }) => {
    await page.addInitScript(block);
    // A lock that is waited for is not given up after 3 seconds.
    await page.addInitScript(() => {
      const { setTimeout } = window;
      window.setTimeout = ((run: () => void, ms?: number) => (ms === 3000 ? 0 : setTimeout(run, ms))) as never;
    });
    await enter(page, room, "Ann");
    for (const text of ["one", "two"]) {
      await say(page, text);
      await expect(messages(page, text)).toHaveCount(1);
    }
    await goOffline(page);
    await say(page, "three");
    await composer(page).fill("a draft");
    await goOnline(page);
    await expect(messages(page, "three")).toHaveCount(1);
    await expect(composer(page)).toHaveValue("a draft");
  });
}

for (const where of ["this tab", "another tab"]) {
  test(`storage that is cleared in ${where} loses nothing`, async ({ page, room }) => {
    await enter(page, room, "Ann");
    await goOffline(page);
    await say(page, "waits");
    await say(page, "waits as well");
    await composer(page).fill("a draft");
    if (where === "this tab") {
      await page.evaluate(() => localStorage.clear());
    } else {
      const other = await page.context().newPage();
      await other.route("**/blank", (route) => route.fulfill({ contentType: "text/html", body: "" }));
      await page.context().setOffline(false);
      await other.goto("/blank");
      await other.evaluate(() => localStorage.clear());
      await other.close();
    }
    await goOnline(page);
    await expect(messages(page, "waits")).toHaveCount(2);
    await expect(pending(page)).toHaveCount(0);
    await page.reload();
    await isLive(page);
    await expect(composer(page)).toHaveValue("a draft");
  });
}

test("keys that are typed into the fields of others stay there", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await page.evaluate(() => {
    const shadow = (id: string, mode: ShadowRootMode, parent: Element) => {
      const host = document.createElement("div");
      host.id = id;
      const field = document.createElement("input");
      host.attachShadow({ mode }).append(field);
      host.onfocus = () => field.focus();
      (host as { field?: HTMLInputElement } & Element).field = field;
      parent.append(host);
    };
    shadow("open", "open", document.body);
    shadow("closed", "closed", document.body);
    shadow("inside", "closed", document.querySelector(".composer-row")!);
    document.getElementById("inside")!.tabIndex = 0;
    const note = document.createElement("div");
    note.id = "note";
    note.contentEditable = "true";
    document.querySelector(".room-header")!.append(note);
    document.body.append(document.createElement("iframe"));
  });
  for (const id of ["open", "closed", "inside"]) {
    await page.evaluate((id) => (document.getElementById(id) as { field?: HTMLInputElement } & Element).field!.focus(), id);
    await page.keyboard.type("abc");
    expect(await page.evaluate((id) => (document.getElementById(id) as { field?: HTMLInputElement } & Element).field!.value, id)).toBe("abc");
  }
  await page.locator("#note").focus();
  await page.keyboard.type("abc");
  await expect(page.locator("#note")).toHaveText("abc");
  await page.locator("iframe").focus();
  await page.keyboard.type("abc");
  await expect(composer(page)).toHaveValue("");
  await page.locator(".timeline").focus();
  await page.keyboard.type("d");
  await expect(composer(page)).toBeFocused();
  await expect(composer(page)).toHaveValue("d");
});

for (const [platform, opens, edits] of [
  ["MacIntel", "Meta+k", "Control+k"],
  ["Linux x86_64", "Control+k", undefined],
] as const) {
  test(`on ${platform}, ${opens} opens the rooms`, async ({ page, room }) => {
    await page.addInitScript((platform) => Object.defineProperty(navigator, "platform", { get: () => platform }), platform);
    await enter(page, room, "Ann");
    await composer(page).fill("half a line");
    if (edits) {
      await page.keyboard.press(edits);
      await expect(switcher(page)).toBeHidden();
    }
    await page.keyboard.press(opens);
    await expect(switcher(page)).toBeVisible();
  });
}

test("a text that is pasted with nothing focused goes into the composer", async ({ page, room }) => {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await enter(page, room, "Ann");
  await composer(page).fill("before ");
  await page.evaluate(async () => {
    await navigator.clipboard.writeText("pasted");
    (document.activeElement as HTMLElement).blur();
  });
  await page.keyboard.press("Control+v");
  await expect(composer(page)).toHaveValue("before pasted");
  await expect(composer(page)).toBeFocused();
  await page.reload();
  await isLive(page);
  await expect(composer(page)).toHaveValue("before pasted");
});

for (const scripts of [true, false]) {
  test(`a message of very many lines is folded ${scripts ? "with" : "without"} script`, async ({ visitor, request, room }) => {
    await post(request, room, "Ben", Array.from({ length: 1990 }, (_, line) => line % 10).join("\n"));
    await post(request, room, "Ben", "short");
    const page = await visitor({ javaScriptEnabled: scripts });
    await page.goto(`/${room}/`);
    if (scripts) await isLive(page);
    const height = async () => (await text(page, 1).boundingBox())!.height;
    await expect(message(page, 2).getByText("Show all")).toHaveCount(0);
    expect(await height()).toBeLessThan(700);
    await text(page, 1).scrollIntoViewIfNeeded();
    const show = message(page, 1).getByText("Show all");
    await show.scrollIntoViewIfNeeded();
    const before = (await text(page, 1).boundingBox())!.y;
    await show.click();
    await expect.poll(height).toBeGreaterThan(20_000);
    if (scripts) await expect.poll(async () => Math.abs((await text(page, 1).boundingBox())!.y - before)).toBeLessThan(2);
  });
}
