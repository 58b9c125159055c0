// Takes the pictures of the documents, in docs/pictures: a server of its own, an invented conversation, and Chromium.
// Dates, colors and fonts are given, so that two runs draw the same.

import { type Browser, type Page, test as base } from "@playwright/test";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { composer, enter, isLive, message } from "../support/room";
import { Server } from "../support/server";
import { Conversation, type Crew, HARBOUR, gather } from "./conversation";
import { SITE } from "./crew";
import { date } from "./dates";

const directory = resolve(__dirname, "../../docs/pictures");
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

const test = base.extend<object, { server: Server }>({
  server: [
    async ({}, use) => {
      const server = await Server.start(["--limits", "off", "--public-url", SITE]);
      await use(server);
      await server.remove();
    },
    { scope: "worker" },
  ],
  // The site has a name and no port, and is as trustworthy as one with a certificate.
  launchOptions: [
    async ({ launchOptions, server }, use) => {
      const { port } = new URL(server.url);
      const flags = [`--host-resolver-rules=MAP chat.example 127.0.0.1:${port}`, `--unsafely-treat-insecure-origin-as-secure=${SITE}`];
      const env = { ...process.env, FONTCONFIG_FILE: join(__dirname, "fonts.conf") } as Record<string, string>;
      await use({ ...launchOptions, args: [...(launchOptions.args ?? []), "--font-render-hinting=none", ...flags], env });
    },
    { scope: "worker" },
  ],
});

/** Quality of the pictures, from 0 to 1: at two pixels for one, text is as clear as without loss, at a quarter of the size. */
const QUALITY = 0.8;

/** Saves the page as it looks as docs/pictures/NAME.webp. */
async function take(page: Page, name: string): Promise<void> {
  const png = await page.screenshot({ animations: "disabled", caret: "hide" });
  const blank = await page.context().browser()!.newPage();
  const webp = await blank.evaluate(async ([png, quality]) => {
    const picture = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    canvas.getContext("2d")!.drawImage(picture, 0, 0);
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: "image/webp", quality })).arrayBuffer());
    return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  }, [png.toString("base64"), QUALITY] as const);
  await blank.close();
  const file = join(directory, `${name}.webp`);
  writeFileSync(file, Buffer.from(webp, "latin1"));
  console.log(`pictures: docs/pictures/${name}.webp, ${Math.round(statSync(file).size / 1000)} kB`);
}

/** Gives the messages their dates: the server begins anew with them. */
async function settle(server: Server, conversation: Conversation): Promise<void> {
  await server.stop();
  date(join(server.directory, "parlour.db"), conversation.dates);
  await server.start();
}

/** Opens the room for everybody who is here in the pictures. Returns the page of Jonas. */
async function gatherIn(browser: Browser, crew: Crew, page: Page): Promise<Page> {
  const pages = [];
  for (const person of [crew.marta, crew.jonas, crew.pim]) {
    const theirs = await person.device(browser);
    await enter(theirs, HARBOUR);
    pages.push(theirs);
  }
  await page.getByText("4 here").waitFor();
  return pages[1];
}

test("the pictures", async ({ browser, server }) => {
  mkdirSync(directory, { recursive: true });
  const crew = await gather(browser);
  const conversation = new Conversation(crew);
  await conversation.begin();
  const reader = await crew.ann.context.newPage();
  // The rooms are listed in the order of these visits and of their messages.
  const visits = { "quiz-night": "11-16T22:00", allotment: "11-25T17:00", [conversation.bookClub]: "11-29T20:00", "summer-trip": "11-30T08:00", [HARBOUR]: "11-30T08:12" };
  for (const [room, at] of Object.entries(visits)) {
    await crew.ann.context.clock.setFixedTime(new Date(`2026-${at}Z`));
    await reader.goto(`/${room}/`);
    await isLive(reader);
  }
  await reader.close();
  await conversation.goOn();
  await settle(server, conversation);

  const front = await crew.ann.device(browser, { viewport: { width: 1120, height: 720 } });
  await front.goto("/");
  await front.getByText("8:21 AM").waitFor();
  await take(front, "front");
  const phone = await crew.ann.device(browser, { ...PHONE, colorScheme: "dark" });
  await enter(phone, HARBOUR);
  await gatherIn(browser, crew, phone);
  await take(phone, "phone");
  for (const context of browser.contexts()) if (!Object.values(crew).some((person) => person.context === context)) await context.close();

  await conversation.answer();
  await settle(server, conversation);
  const room = await crew.ann.device(browser, { viewport: { width: 1280, height: 880 } });
  await enter(room, HARBOUR);
  const jonas = await gatherIn(browser, crew, room);
  // The others see for a few seconds that somebody is typing.
  const typing = room.getByText("Jonas is typing");
  await message(room, conversation.seqs.question).hover();
  for (let isSeen = false; !isSeen; isSeen = await typing.isVisible()) {
    await composer(jonas).pressSequentially("So ");
    await typing.waitFor();
    await take(room, "room");
  }

  await typing.waitFor({ state: "hidden" });
  await room.setViewportSize({ width: 1024, height: 820 });
  await message(room, conversation.seqs.light).hover();
  await message(room, conversation.seqs.light).locator(".toolbar").getByRole("button", { name: "React" }).click();
  const palette = room.getByRole("dialog", { name: "Reactions" });
  await palette.getByRole("button", { name: "All emoji" }).click();
  await palette.getByRole("searchbox").fill("boat");
  await palette.getByRole("button", { name: "waving hand" }).waitFor({ state: "hidden" });
  await take(room, "palette");

  const settings = await crew.marta.device(browser, { viewport: { width: 1024, height: 860 } });
  await settings.goto(`/${HARBOUR}/settings`);
  await take(settings, "settings");

  const plain = await crew.ann.device(browser, { viewport: { width: 1024, height: 720 }, javaScriptEnabled: false });
  await plain.goto(`/${HARBOUR}/${conversation.seqs.question}`);
  await take(plain, "script");
});
