// The visitor's rooms: on the front page, in the rail beside the messages, and in the switcher; and the visitor's own
// name among the people of a room.

import { type Locator, type Page } from "@playwright/test";
import { findings, overflow } from "../support/access";
import { expect, test } from "../support/fixtures";
import { change, enter, isLive, mark, post, say, switcher, text } from "../support/room";

const front = (page: Page): Locator => page.getByRole("region", { name: "Your rooms" });
const rail = (page: Page): Locator => page.getByRole("navigation", { name: "Your rooms" });
const row = (list: Locator, title: string): Locator => list.locator("li", { has: list.page().getByText(title, { exact: true }) });
const titles = (list: Locator): Promise<string[]> => list.locator("b .clip").allTextContents();

/** Comes back to the page after a minute: lists are refreshed. */
async function comeBack(page: Page): Promise<void> {
  await page.evaluate(() => {
    const now = Date.now.bind(Date);
    Date.now = () => now() + 60_000;
    dispatchEvent(new Event("focus"));
  });
}

/** Chooses something in the menu of a room, by keyboard. */
async function choose(page: Page, list: Locator, title: string, choice: string): Promise<void> {
  await row(list, title).getByRole("button", { name: `More about ${title}` }).focus();
  await page.keyboard.press("Enter");
  const menu = page.getByRole("dialog", { name: title });
  await expect(menu).toBeVisible();
  await menu.getByRole("button", { name: choice, exact: true }).focus();
  await page.keyboard.press("Enter");
  await expect(menu).toBeHidden();
}

test("the front page shows the newest message and the counts of one's rooms, first on phones, and without script", async ({ page, visitor, browser, baseURL, request, room }) => {
  await enter(page, room, "Ann");
  await say(page, "who brings the tent?");
  await expect(text(page, 1)).toBeVisible();
  await enter(page, `${room}-read-only`);
  await post(request, room, "Ben", "two,\nactually");
  await page.goto("/");
  await expect(row(front(page), room)).toContainText(/Ben: two, actually.*1 new/);
  await expect(front(page).getByRole("link", { name: `${room}-read-only` })).toBeVisible();
  await expect(page.getByLabel("What a room looks like")).toBeHidden();
  expect(await findings(page)).toEqual([]);

  // The server knows the room in which Ann has written: on a phone it comes before the form, at once.
  const cookies = await page.context().cookies();
  for (const javaScriptEnabled of [true, false]) {
    const phone = await browser.newContext({ baseURL, javaScriptEnabled, viewport: { width: 320, height: 640 } });
    await phone.addCookies(cookies);
    const small = await phone.newPage();
    await small.goto("/");
    await expect(row(front(small), room)).toContainText("Ben: two, actually");
    const [list, form] = [await front(small).boundingBox(), await small.locator(".front-form").boundingBox()];
    expect(list!.y).toBeLessThan(form!.y);
    expect(await overflow(small)).toEqual([]);
    await front(small).getByRole("link").first().click();
    await expect(text(small, 2)).toBeVisible();
    await phone.close();
  }

  // Whoever has no rooms sees a sample of one.
  const eve = await visitor();
  await eve.goto("/");
  await expect(eve.getByLabel("What a room looks like")).toBeVisible();
  await expect(front(eve)).toBeHidden();
});

test("the form opens a public room by its name, or a private one with a title", async ({ page, room }) => {
  await page.goto("/");
  await expect(page.getByText("Anyone who knows the name can come in.")).toBeVisible();
  await page.getByLabel("Private room").check();
  await expect(page.getByText("You get a link. Only people with the link can join.")).toBeVisible();
  await page.getByRole("textbox", { name: "Title" }).fill("Book club");
  await page.getByLabel("Your name").fill("Ann");
  await page.getByRole("button", { name: "Open the room" }).click();
  await expect(page).toHaveURL(/\/book-club~[a-z2-7]{26}\/$/);
  await expect(page.locator("h1")).toHaveText(/Book club/);
  await page.goto("/");
  await expect(page.getByLabel("Your name")).toHaveValue("Ann");
  await page.getByRole("textbox", { name: "Room", exact: true }).fill(room);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(`/${room}/`);
});

test("on a wide page the rooms are beside the messages: refreshed, pinned, muted and taken off, in all tabs", async ({ page, request, room }) => {
  test.slow();
  const [one, two] = [`${room}-one`, `${room}-two`];
  await enter(page, one, "Ann");
  await expect(rail(page)).toBeHidden();
  await enter(page, two);
  await expect(rail(page)).toBeVisible();
  // The timeline keeps its measure.
  expect((await page.locator(".timeline-content").boundingBox())!.width).toBeGreaterThanOrEqual(45 * 16);
  await expect(row(rail(page), two).getByRole("link")).toHaveAttribute("aria-current", "page");
  await post(request, one, "Ben", "come over");
  await comeBack(page);
  await expect(row(rail(page), one)).toContainText(/Ben: come over.*1 new/);
  await say(page, "here I am");
  await expect(row(rail(page), two)).toContainText("You: here I am");
  expect(await findings(page)).toEqual([]);

  const tab = await page.context().newPage();
  await enter(tab, two);
  await choose(page, rail(page), one, "Pin to the top");
  for (const each of [page, tab]) await expect.poll(() => titles(rail(each))).toEqual([one, two]);
  await choose(page, rail(page), one, "Mute");
  for (const each of [page, tab]) await expect(row(rail(each), one)).not.toContainText("new");
  await choose(page, rail(page), one, "Unmute");
  for (const each of [page, tab]) await expect(row(rail(each), one)).toContainText("1 new");

  const isSame = await mark(page);
  await row(rail(page), one).getByRole("link").click();
  await expect(page.locator("h1")).toHaveText(one);
  await expect(row(rail(page), one)).not.toContainText("new");
  await expect(row(rail(page), one).getByRole("link")).toHaveAttribute("aria-current", "page");
  expect(await isSame()).toBe(true);

  await choose(page, rail(page), two, "Take off the list");
  await expect.poll(() => titles(rail(tab))).toEqual([one]);
  await expect(rail(page)).toBeHidden();
  await change(page, two);
  await expect.poll(() => titles(rail(page))).toEqual([one, two]);
});

test("the rail is as narrow as one has left it, and gone where the messages would have no place", async ({ page, room }) => {
  await page.setViewportSize({ width: 1400, height: 700 });
  await enter(page, `${room}-one`, "Ann");
  await enter(page, `${room}-two`);
  const width = async () => (await rail(page).boundingBox())!.width;
  expect(await width()).toBeGreaterThan(200);
  await rail(page).getByRole("button", { name: "Hide the names of your rooms" }).click();
  await expect.poll(width).toBeLessThan(100);
  await page.reload();
  await isLive(page);
  expect(await width()).toBeLessThan(100);
  await row(rail(page), `${room}-one`).getByRole("link").click();
  await expect(page.locator("h1")).toHaveText(`${room}-one`);
  await page.setViewportSize({ width: 1024, height: 700 });
  await expect(rail(page)).toBeHidden();
});

test("the switcher finds a room by a part of its title, by keyboard, and opens any by its name", async ({ page, room }) => {
  for (const end of ["harbour", "mountain", "meadow"]) await enter(page, `${room}-${end}`, "Ann");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("HARB");
  await expect.poll(() => titles(switcher(page))).toEqual([`${room}-harbour`]);
  await page.keyboard.press("Enter");
  await expect(page.locator("h1")).toHaveText(`${room}-harbour`);
  await page.keyboard.press("Control+k");
  await page.keyboard.type("m");
  await expect.poll(async () => (await titles(switcher(page))).length).toBeGreaterThanOrEqual(2);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await expect(switcher(page).getByRole("link").nth(1)).toBeFocused();
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await expect(switcher(page).getByRole("textbox")).toBeFocused();
  await switcher(page).getByRole("textbox").fill(`${room}-m`);
  await switcher(page).getByRole("button", { name: `Open a room called “${room}-m”` }).click();
  await expect(page.locator("h1")).toHaveText(`${room}-m`);
  expect(await findings(page)).toEqual([]);
});

test("one's name is changed among the people, and whoever leaves was seen last then", async ({ page, visitor, room, complaints }) => {
  complaints.expect(/status of 409/);
  const ben = await visitor();
  await enter(page, room, "Ann");
  await enter(ben, room, "Ben");
  await say(ben, "I am Ben");
  await expect(text(page, 1)).toBeVisible();
  const people = page.locator("#participants");
  const rename = page.getByRole("dialog", { name: "Your name" });
  await people.getByRole("button", { name: "Change your name" }).click();
  await expect(rename.getByRole("textbox")).toHaveValue("Ann");
  await rename.getByRole("textbox").fill("Ben");
  await page.keyboard.press("Enter");
  await expect(rename.getByRole("alert")).toContainText("Ben");
  await rename.getByRole("textbox").fill("Annabel");
  await page.keyboard.press("Enter");
  await expect(rename).toBeHidden();
  await expect(ben.locator("#participants")).toContainText("Annabel");
  await say(page, "and I am Annabel");
  await expect(text(ben, 2)).toBeVisible();
  await ben.close();
  await expect(people.locator(".absent", { hasText: "Ben" })).toContainText(/last seen at/);
  await page.reload();
  await expect(people.locator(".absent", { hasText: "Ben" })).toContainText(/wrote at/);
  await expect(people).toContainText("Annabel");
});
