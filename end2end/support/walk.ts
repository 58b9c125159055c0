// A random walk of one visitor with two tabs through three rooms, while everything that can go wrong does: and what has
// to hold at its end, whatever happened. A seed repeats the choices.

import { type APIRequestContext, type Page, expect } from "@playwright/test";
import { composer, enter, menu, pending, post, status, switcher } from "./room";
import { type Server } from "./server";
import { type Seen, type Witness } from "./witness";
import { Wire } from "./wire";

/** A tab, and its sockets. */
type Tab = { page: Page; wire: Wire };

/** A text that was submitted, and the room that the page showed then. */
type Said = { text: string; room: string };

const names = ["say", "say", "say", "say", "type", "edit", "edit", "remove", "change", "change", "hasty", "back", "forward", "reload", "offline", "online", "online", "cut", "wake", "restart", "quota", "reopen", "startOver"] as const;

/** Returns a generator of numbers from 0 up to 1: mulberry32, by Tommy Ettinger. */
function generator(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The first word of a text: that of its message, also after edits. */
const base = (text: string) => text.split(" ")[0];

export class Walk {
  private readonly random: () => number;
  private readonly said: Said[] = [];
  private readonly removed = new Set<string>();
  private count = 0;
  private isOffline = false;
  /** What was done, for whoever reads a failure. */
  readonly steps: string[] = [];

  constructor(
    seed: number,
    private readonly tabs: Tab[],
    private readonly rooms: string[],
    private readonly server: Server,
    private readonly witness: Witness,
    private readonly request: APIRequestContext,
  ) {
    this.random = generator(seed);
  }

  /** Opens a tab of the visitor in one of the rooms. */
  static async tab(page: Page, room: string): Promise<Tab> {
    page.on("dialog", (dialog) => void dialog.accept().catch(() => {}));
    const wire = await Wire.of(page);
    await enter(page, room, "Ann");
    return { page, wire };
  }

  async step(): Promise<void> {
    const name = this.choose(names);
    const at = this.below(this.tabs.length);
    this.steps.push(`${name} in tab ${at} (${await this.room(this.tabs[at].page)}${this.isOffline ? ", offline" : ""})`);
    await this[name](this.tabs[at], at);
    for (const { page } of this.tabs) await this.agrees(page);
  }

  private below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  private choose<T>(from: readonly T[]): T {
    return from[this.below(from.length)];
  }

  private room(page: Page): Promise<string> {
    return page.locator("ol.message-list").getAttribute("data-room").then((room) => room ?? "");
  }

  /** The address, the heading and the list name one room. */
  private async agrees(page: Page): Promise<void> {
    await expect
      .poll(() =>
        page.evaluate(() => {
          const names = [decodeURIComponent(location.pathname.split("/")[1]), document.querySelector("h1")?.textContent, document.querySelector<HTMLElement>("ol.message-list")?.dataset.room];
          return new Set(names).size === 1 ? "one room" : names.join(", ");
        }),
      )
      .toBe("one room");
  }

  private async leaveEdit(page: Page): Promise<void> {
    if (await page.getByText("Editing your message").isVisible()) await page.getByRole("button", { name: "Cancel editing" }).click();
  }

  private async say({ page }: Tab): Promise<void> {
    await this.leaveEdit(page);
    const text = `m${++this.count}`;
    await composer(page).fill(text);
    this.said.push({ text, room: await this.room(page) });
    await composer(page).press("Enter");
  }

  private async type({ page }: Tab): Promise<void> {
    await composer(page).fill(`d${++this.count}`);
  }

  /** Edits what the composer offers: the text says which message that is. */
  private async edit({ page }: Tab): Promise<void> {
    await this.leaveEdit(page);
    await composer(page).fill("");
    await composer(page).press("ArrowUp");
    const offered = await composer(page).inputValue();
    if (offered.startsWith("m")) {
      await composer(page).fill(`${base(offered)} e${++this.count}`);
      await composer(page).press("Enter");
    }
  }

  private async remove({ page }: Tab): Promise<void> {
    const chosen = await page.evaluate((random) => {
      const all = [...document.querySelectorAll<HTMLElement>("li.message.own:not(.is-deleted)")];
      const one = all[Math.floor(random * all.length)];
      // The toolbar comes with the focus.
      one?.focus({ preventScroll: true });
      one?.querySelector<HTMLElement>("[data-action=more]")?.click();
      return one?.querySelector(".message-text")?.textContent;
    }, this.random());
    if (!chosen) return;
    this.removed.add(base(chosen.trim()));
    await menu(page).getByRole("button", { name: "Remove" }).click();
    await page.getByRole("dialog", { name: "Remove this message?" }).getByRole("button", { name: "Remove" }).click();
  }

  private async change({ page }: Tab): Promise<void> {
    await page.keyboard.press("Control+k");
    await switcher(page).getByRole("textbox").fill(this.choose(this.rooms));
    await page.keyboard.press("Enter");
    await expect(switcher(page)).toBeHidden();
  }

  /** Chooses a room that comes late, and writes at once. */
  private async hasty(tab: Tab): Promise<void> {
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    await tab.page.route(/\/api\/open_room/, (route) => void held.then(() => route.continue()).catch(() => {}));
    await this.change(tab);
    await this.agrees(tab.page);
    await this.say(tab);
    release();
    await tab.page.unroute(/\/api\/open_room/);
  }

  private async back({ page }: Tab): Promise<void> {
    await this.travel(page, -1);
  }

  private async forward({ page }: Tab): Promise<void> {
    await this.travel(page, 1);
  }

  /** Goes through the history, as far as it leads through rooms. */
  private async travel(page: Page, by: number): Promise<void> {
    const [to, at] = await page.evaluate((by) => {
      type Navigation = { currentEntry: { url: string; index: number }; entries: () => { url: string }[] };
      const { navigation } = window as never as { navigation: Navigation };
      return [navigation.entries()[navigation.currentEntry.index + by]?.url, navigation.currentEntry.url];
    }, by);
    if (to === undefined || to === at) return;
    await page.evaluate((by) => {
      const went = new Promise((resolve) => addEventListener("popstate", resolve, { once: true }));
      history.go(by);
      return went;
    }, by).catch(() => {}); // after a reload it is another document
    await expect(page.locator(".room.is-hydrated")).toBeVisible();
  }

  private async reload({ page }: Tab): Promise<void> {
    if (this.isOffline) return;
    await page.reload();
    await expect(page.locator(".room.is-hydrated")).toBeVisible();
  }

  private async offline(): Promise<void> {
    this.isOffline = true;
    await this.tabs[0].page.context().setOffline(true);
  }

  private async online(): Promise<void> {
    this.isOffline = false;
    await this.tabs[0].page.context().setOffline(false);
  }

  private async cut({ wire }: Tab): Promise<void> {
    wire.cut();
  }

  private async wake({ page }: Tab): Promise<void> {
    await page.evaluate(() => void dispatchEvent(new Event("online")));
  }

  private async restart(): Promise<void> {
    await this.server.kill();
    await this.server.start();
  }

  /** Writes while the storage is full, until that is sent: only the page holds it. */
  private async quota(tab: Tab): Promise<void> {
    await tab.page.evaluate(() => {
      for (let size = 1 << 20; size > 0; size >>= 1) {
        try {
          for (let at = 0; ; at++) localStorage.setItem(`full-${size}-${at}`, "x".repeat(size));
        } catch {
          // Smaller pieces may fit.
        }
      }
    });
    await this.say(tab);
    await this.say(tab);
    await this.online();
    await this.isSent(tab.page);
    await tab.page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("full-")).forEach((key) => localStorage.removeItem(key)));
  }

  /** Closes a tab without a word, and opens another. */
  private async reopen({ page }: Tab, at: number): Promise<void> {
    await this.online();
    const context = page.context();
    await page.close({ runBeforeUnload: false });
    this.tabs[at] = await Walk.tab(await context.newPage(), this.choose(this.rooms));
  }

  /** The host deletes a room while the visitor does something in it without a network; others begin it anew. */
  private async startOver(tab: Tab): Promise<void> {
    await this.offline();
    const room = await this.room(tab.page);
    for (let some = this.below(4); some > 0; some--) await this[this.choose(["say", "edit", "remove"] as const)](tab);
    if ((await this.witness.catchUp(this.request, room)) > 0) this.server.command("delete", room, "--yes");
    for (let some = this.below(3); some > 0; some--) await post(this.request, room, "Zoe", `z${++this.count}`);
    await this.online();
  }

  private async isSent(page: Page): Promise<void> {
    await expect(page.locator("li.pending:not(.refused)")).toHaveCount(0, { timeout: 60_000 });
  }

  /** Lets everything come to rest, and checks what was promised. */
  async check(): Promise<void> {
    await this.online();
    const unsent: Said[] = [];
    for (const tab of this.tabs) {
      for (const room of this.rooms) {
        await tab.page.keyboard.press("Control+k");
        await switcher(tab.page).getByRole("textbox").fill(room);
        await tab.page.keyboard.press("Enter");
        await this.agrees(tab.page);
        await expect(status(tab.page, true)).toHaveText("", { timeout: 60_000 });
        await this.isSent(tab.page);
        const texts = await pending(tab.page).locator(".message-text").allTextContents();
        unsent.push(...texts.map((text) => ({ text: text.trim(), room })));
      }
    }
    const seen = await this.witness.seen(this.request);
    this.checkSaid(seen, unsent);
    this.checkActs(seen);
  }

  /** Every submitted text is in exactly one room's log exactly once, or visible as unsent in that room. */
  private checkSaid(seen: Seen[], unsent: Said[]): void {
    const stored = seen.filter(({ type }) => type === "message");
    for (const { text, room } of this.said) {
      const found = stored.filter(({ message }) => message === text);
      const isUnsent = unsent.some((it) => it.text === text && it.room === room);
      expect(found.length, `${text} is stored so often`).toBeLessThanOrEqual(1);
      expect(found.length === 1 || isUnsent, `${text} is stored or visible as unsent`).toBe(true);
      for (const it of found) expect(it.room, `${text} is in the room it was written in`).toBe(room);
    }
  }

  /** No edit and no removal hits another message than the one it was meant for. */
  private checkActs(seen: Seen[]): void {
    for (const { room, epoch, type, target, text } of seen) {
      if (target === undefined || type === "moderated") continue;
      const original = seen.find((it) => it.room === room && it.epoch === epoch && it.seq === target)?.message ?? "";
      if (type === "edited" && text !== "") expect(base(text ?? ""), `the edit of ${original}`).toBe(base(original));
      // A removed message and the edits of it are replayed with an empty text.
      if (type === "deleted" && original !== "") expect([...this.removed], "what was removed").toContain(base(original));
    }
  }
}
