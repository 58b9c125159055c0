// A room as a test sees it.

import { type APIRequestContext, type Locator, type Page, expect } from "@playwright/test";

/** Opens a room, and waits until it lives. */
export async function enter(page: Page, room: string, username?: string): Promise<void> {
  const query = username === undefined ? "" : `?username=${encodeURIComponent(username)}`;
  await page.goto(`/${encodeURIComponent(room)}/${query}`);
  await isLive(page);
}

export async function isLive(page: Page): Promise<void> {
  await expect(page.locator(".connection-status")).toHaveText(/^Live/);
}

export function composer(page: Page): Locator {
  return page.locator("form.composer textarea[name=message]");
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
