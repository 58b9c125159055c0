// Attack by text: markup is never taken for markup, wherever it is put in; and what turns text round stays in its place.

import { type Page } from "@playwright/test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "../support/fixtures";
import { act, composer, enter, isLive, message, post, text } from "../support/room";

const payloads = readFileSync(join(__dirname, "../../tests/hostile/markup.txt"), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("# "));
const parts = [0, 1, 2].map((part) => payloads.filter((_, at) => at % 3 === part));

test.describe.configure({ timeout: 180_000 });

test.beforeEach(({ page }) => {
  page.on("dialog", (dialog) => expect(dialog.message(), "a script has run").toBe("never"));
  page.on("request", (request) => expect(new URL(request.url()).hostname, "something is fetched").not.toBe("evil.example"));
});

/** How many elements of each name a page has; attributes that would run something count too. */
function elements(page: Page): Promise<Record<string, number>> {
  return page.evaluate(() => {
    const counts: Record<string, number> = {};
    for (const element of document.querySelectorAll("*")) {
      const handlers = [...element.attributes].map((it) => it.name).filter((name) => name.startsWith("on"));
      for (const name of [element.tagName, ...handlers]) counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  });
}

test("the corpus is large", () => expect(payloads.length).toBeGreaterThanOrEqual(60));

for (const [part, payloads] of parts.entries()) {
  test(`markup in messages is text, ${part + 1}`, async ({ page, request, room }) => {
    await enter(page, room, "Ann");
    for (const said of payloads) await post(request, room, "Ben", said);
    for (const again of [false, true]) {
      if (again) await page.reload();
      await isLive(page);
      await expect(message(page, payloads.length)).toBeVisible();
      for (const [at, said] of payloads.entries()) {
        expect(await text(page, at + 1).textContent()).toBe(said.replaceAll(/`([^`]+)`/g, "$1"));
      }
      const made = await page.locator(".message-text *").evaluateAll((all) => all.map((it) => [it.tagName, it.getAttribute("href")]));
      for (const [tag, href] of made) {
        expect(["A", "CODE"]).toContain(tag);
        if (tag === "A") expect(href).toMatch(/^(https?:\/\/|mailto:)/);
      }
      const handlers = Object.keys(await elements(page)).filter((name) => name.startsWith("on"));
      expect(handlers).toEqual([]);
    }
  });

  test(`markup in names is text, ${part + 1}`, async ({ page, request, room, complaints }) => {
    complaints.expect(/the server responded with a status of 4\d\d/);
    await page.goto(`/${room}/?username=${encodeURIComponent("x".repeat(40))}`);
    await isLive(page);
    const plain = await elements(page);
    for (const name of payloads) {
      const answer = await request.post(`/${room}/`, { form: { username: name, message: "who am I?" }, maxRedirects: 0 });
      expect([303, 422]).toContain(answer.status());
    }
    const others = await elements(page);
    expect(Object.keys(others).filter((name) => !(name in plain) && !["A", "B", "LI", "OL", "P", "SPAN", "TIME"].includes(name))).toEqual([]);
    // In the address: filled into the form, or given back with the reason.
    for (const name of payloads) {
      await page.context().clearCookies();
      await page.goto(`/plain-${room}/?username=${encodeURIComponent(name)}`);
      const made = await elements(page);
      expect(Object.keys(made).filter((it) => !(it in others)), name).toEqual([]);
      expect(made.SCRIPT, name).toBe(plain.SCRIPT);
    }
  });

  test(`markup in addresses is text, ${part + 1}`, async ({ page, complaints }) => {
    complaints.expect(/the server responded with a status of 4\d\d/);
    const seen = async (path: string) => {
      await page.goto(path);
      return elements(page);
    };
    const notFound = await seen("/a%20b/");
    const front = await seen("/?room_name=a%2Fb&username=Ann");
    for (const name of payloads) {
      const encoded = encodeURIComponent(name);
      expect(await seen(`/${encoded}/`), name).toEqual(notFound);
      expect(await seen(`/?room_name=${encoded}%2F&username=${encoded}`), name).toEqual(front);
    }
  });
}

const controls = ["\u202a", "\u202b", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u200f", "\u061c", "\u202c\u202c", "\u2069\u2069", "\u202e\u2067\u202e"];

/** Where every letter of an element stands from left to right, line by line; without what is said in it. */
function letters(page: Page, seq: number, of: string): Promise<number[]> {
  return message(page, seq).evaluate((item, of) => {
    const places: number[] = [];
    for (const element of item.querySelectorAll(of)) {
      const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) {
        const node = walker.currentNode as Text;
        for (let at = 0; at < node.length; at++) {
          const range = document.createRange();
          range.setStart(node, at);
          range.setEnd(node, at + 1);
          places.push(Math.round(range.getBoundingClientRect().left * 10) / 10);
        }
      }
    }
    return places;
  }, of);
}

test("what turns text round does not reach beyond its message", async ({ page, request, room }) => {
  for (const control of ["", ...controls]) {
    await post(request, room, "Mallory", `${control}turned (round) 12${control}`);
    await post(request, room, "Ann", "see (this) 1, 2");
  }
  await enter(page, room, "Ann");
  await expect(message(page, 2 * controls.length + 2)).toBeVisible();
  const [author, said] = [await letters(page, 1, ".message-author"), await letters(page, 2, ".message-author, .message-text")];
  expect(said.length).toBeGreaterThan(10);
  for (let seq = 3; seq <= 2 * controls.length + 2; seq += 2) {
    expect(await letters(page, seq, ".message-author"), `the name above ${seq}`).toEqual(author);
    expect(await letters(page, seq + 1, ".message-author, .message-text"), `after ${seq}`).toEqual(said);
  }
  // The override does turn what it stands in.
  const turned = await letters(page, 9, ".message-text");
  expect(turned.at(1)).toBeGreaterThan(turned.at(10)!);
});

test("what turns text round does not turn what is said about it, nor an address", async ({ page, room }) => {
  await enter(page, room, "Ann");
  await composer(page).fill("one");
  await page.keyboard.press("Enter");
  await act(page, 1, "Edit");
  await composer(page).fill("\u202eabc https://example.org/x");
  await page.keyboard.press("Enter");
  await expect(text(page, 1)).toContainText("edited");
  for (const part of [".message-note", ".message-text a"]) {
    const places = (await letters(page, 1, part)).slice(1);
    expect(places.length).toBeGreaterThan(5);
    expect(places, part).toEqual([...places].sort((a, b) => a - b));
  }
});
