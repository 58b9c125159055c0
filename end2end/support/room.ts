// A room as a test sees it.

import { type APIRequestContext, type Locator, type Page, expect, test } from "@playwright/test";

/** Opens a room, and waits until it lives. */
export async function enter(page: Page, room: string, username?: string): Promise<void> {
  const query = username === undefined ? "" : `?username=${encodeURIComponent(username)}`;
  await page.goto(`/${encodeURIComponent(room)}/${query}`);
  await isLive(page);
}

export async function isLive(page: Page): Promise<void> {
  await expect(status(page, true)).toHaveText("");
}

/** What a room says about its connection: nothing, if the connection is live. */
export function status(page: Page, isLive = false): Locator {
  return page.locator(isLive ? ".is-hydrated .connection-status:has(.live)" : ".connection-status");
}

/** Waits until a room whose server was away lives again: up to half a minute lies between two tries. */
export async function comesBack(page: Page): Promise<void> {
  test.slow();
  await expect(status(page, true)).toHaveText("", { timeout: 40_000 });
}

export async function goOffline(page: Page): Promise<void> {
  await page.context().setOffline(true);
  await expect(page.locator(".connection-status")).toHaveText(/^Offline/);
}

export async function goOnline(page: Page): Promise<void> {
  await page.context().setOffline(false);
  await isLive(page);
}

export function composer(page: Page): Locator {
  return page.locator("form.composer textarea[name=message]");
}

/** The field that asks for a name, where none is known. */
export function nameField(page: Page): Locator {
  return page.locator("form.composer input[name=username]");
}

/** Writes a message and sends it by the button. */
export async function say(page: Page, text: string): Promise<void> {
  await composer(page).fill(text);
  await page.getByRole("button", { name: "Send" }).click();
}

/** The messages of the log that say this; not those on their way. */
export function messages(page: Page, text?: string): Locator {
  const all = page.locator("ol.message-list > li.message");
  return text === undefined ? all : all.filter({ has: page.locator(".message-text", { hasText: text }) });
}

export function message(page: Page, seq: number): Locator {
  return page.locator(`li.message[data-seq="${seq}"]`);
}

export function pending(page: Page): Locator {
  return page.locator("li.pending");
}

/** The menu of a message, beside it or as a sheet. */
export function menu(page: Page): Locator {
  return page.getByRole("dialog", { name: "This message" });
}

/** Opens the menu of a message: by its toolbar, which shows when the message is pointed at, or by a tap. */
export async function openMenu(page: Page, seq: number): Promise<void> {
  if (await page.evaluate(() => matchMedia("(pointer: coarse)").matches)) return text(page, seq).tap();
  await message(page, seq).hover();
  await message(page, seq).getByRole("button", { name: "More" }).click();
}

/** Does something with a message. */
export async function act(page: Page, seq: number, what: "Edit" | "Mute" | "Ban" | "Remove" | "Copy the text" | "Copy the link"): Promise<void> {
  await openMenu(page, seq);
  await menu(page).getByRole("button", { name: what }).click();
}

/** The confirmation before a message is deleted. */
export function deleteDialog(page: Page): Locator {
  return page.getByRole("dialog", { name: "Remove this message?" });
}

/** Opens the settings of a room. */
export async function openSettings(page: Page): Promise<void> {
  await page.getByRole("link", { name: "Settings" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Settings");
}

/** Changes one setting of a room by its form, on a page of its own. */
export async function changeSetting(page: Page, room: string, section: string, change: (form: Locator) => Promise<unknown>): Promise<void> {
  const settings = await page.context().newPage();
  await settings.goto(`/${encodeURIComponent(room)}/settings`);
  const place = settings.locator(`#${section}`);
  await change(place);
  await expect(settings).toHaveURL(/saved=/);
  await settings.close();
}

/** The owner slows a room down, or ends that. */
export async function slowDown(page: Page, room: string, choice: string): Promise<void> {
  await changeSetting(page, room, "messages", async (section) => {
    const row = section.locator("form", { hasText: "Slow mode" });
    await row.getByRole("combobox").selectOption(choice);
    await row.getByRole("button", { name: "Save" }).click();
  });
}

/** The owner says who may come in. */
export async function letIn(page: Page, room: string, choice: "Anyone with the link" | "Nobody new"): Promise<void> {
  await changeSetting(page, room, "access", async (section) => {
    await section.getByLabel(choice).check();
    await section.getByRole("button", { name: "Save" }).click();
  });
}

/** The dialog that leads to other rooms. */
export function switcher(page: Page): Locator {
  return page.getByRole("dialog", { name: "Your rooms" });
}

/** Opens another room in place, as people do. */
export async function change(page: Page, room: string): Promise<void> {
  await page.keyboard.press("Control+k");
  await switcher(page).getByRole("textbox").fill(room);
  await page.keyboard.press("Enter");
  await expect(page.locator("h1")).toHaveText(room);
  await isLive(page);
}

/** Brings a message into view; how far from the window's upper edge it then is. */
export async function scrollTo(page: Page, seq: number, block: ScrollLogicalPosition = "center"): Promise<number> {
  await message(page, seq).evaluate((line, block) => line.scrollIntoView({ block }), block);
  return top(page, seq);
}

/** Like `scrollTo`, until the page knows of it: the browser tells it with the next frame, after a change of size. */
export async function scrolledTo(page: Page, seq: number, block: ScrollLogicalPosition = "center"): Promise<number> {
  await scrollTo(page, seq, block);
  await page.evaluate(async () => {
    for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
  });
  return top(page, seq);
}

export async function top(page: Page, seq: number): Promise<number> {
  return text(page, seq).evaluate((line) => line.getBoundingClientRect().top);
}

/** Holds what is asked for at these addresses, until it is let go on. */
export async function hold(page: Page, address: RegExp): Promise<{ count: () => number; release: () => void }> {
  const held: (() => void)[] = [];
  await page.route(address, async (route) => {
    await new Promise<void>((release) => held.push(release));
    await route.continue();
  });
  return { count: () => held.length, release: () => held.splice(0).forEach((release) => release()) };
}

/** Leaves a mark that the page loses when it is loaded anew. */
export async function mark(page: Page): Promise<() => Promise<boolean>> {
  await page.evaluate(() => ((window as { marked?: boolean }).marked = true));
  return () => page.evaluate(() => (window as { marked?: boolean }).marked === true);
}

export function text(page: Page, seq: number): Locator {
  return page.locator(`li.message[data-seq="${seq}"] .message-text`);
}

/** The numbers of the messages in the page, from top to bottom. */
export async function numbers(page: Page): Promise<number[]> {
  return messages(page).evaluateAll((items) => items.map((item) => Number((item as HTMLElement).dataset.seq)));
}

/** Posts as the form does, without a browser. */
export async function post(request: APIRequestContext, room: string, username: string, message: string): Promise<void> {
  const answer = await request.post(`/${room}/`, { form: { username, message }, maxRedirects: 0 });
  expect(answer.status()).toBe(303);
}

/** Posts `message 1` to `message count`, each long enough for a few lines. */
export async function fill(request: APIRequestContext, room: string, count: number): Promise<void> {
  for (let number = 1; number <= count; number++) {
    await post(request, room, "Ann", `message ${number}${"\nand more of it".repeat(number % 4)}`);
  }
}

/** The same for many, in no particular order. */
export async function flood(request: APIRequestContext, room: string, count: number): Promise<void> {
  await post(request, room, "Ann", "message"); // who writes is known from here on
  for (let done = 1; done < count; done += 30) {
    const some = Array.from({ length: Math.min(30, count - done) }, (_, at) => done + at);
    await Promise.all(some.map((number) => post(request, room, "Ann", `message${"\nand more of it".repeat(number % 4)}`)));
  }
}

export const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);
