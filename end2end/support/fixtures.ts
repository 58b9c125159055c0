// What every test has: a server (one per worker), a room (one per test), and visitors whose consoles must stay silent.

import { type BrowserContext, type BrowserContextOptions, type Page, expect, test as base } from "@playwright/test";
import { randomUUID } from "node:crypto";
import { Server } from "./server";

/** What browsers complained about, except what a test expects. */
class Complaints {
  private readonly heard: string[] = [];
  // A browser complains when what it was told to load early is needed late: on a busy machine, or where no script runs.
  private readonly expected: RegExp[] = [/preloaded using link preload but not used/];

  /** From now on, and for what was heard before: this is part of the test. */
  expect(...patterns: RegExp[]): void {
    this.expected.push(...patterns);
  }

  /** The test takes the server or the network away: whatever a page is fetching or connecting to then fails. */
  expectOutage(): void {
    this.expect(/WebSocket connection to .* failed/);
    this.expect(/Failed to load resource: net::ERR_(CONNECTION_(REFUSED|RESET)|EMPTY_RESPONSE|INTERNET_DISCONNECTED)/);
  }

  listen(context: BrowserContext): void {
    context.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.heard.push(`${message.type()}: ${message.text()}`);
    });
    context.on("weberror", (error) => this.heard.push(`uncaught: ${error.error()}`));
  }

  unexpected(): string[] {
    return this.heard.filter((text) => !this.expected.some((pattern) => pattern.test(text)));
  }
}

type TestFixtures = {
  /** A room that nobody else uses. */
  room: string;
  /** A browser of its own, not yet anywhere. */
  visitor: (options?: BrowserContextOptions) => Promise<Page>;
  complaints: Complaints;
};

export const test = base.extend<TestFixtures, { server: Server }>({
  server: [
    async ({}, use) => {
      const server = await Server.start();
      await use(server);
      await server.remove();
    },
    { scope: "worker" },
  ],

  baseURL: async ({ server }, use) => use(server.url),

  room: async ({}, use) => use(`room-${randomUUID()}`),

  complaints: [
    async ({ context, browserName }, use) => {
      const complaints = new Complaints();
      complaints.listen(context);
      await use(complaints);
      // Other browsers say the same in other words.
      if (browserName === "chromium") expect(complaints.unexpected(), "what the browsers' consoles say").toEqual([]);
    },
    { auto: true },
  ],

  visitor: async ({ browser, baseURL, complaints }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (options) => {
      const context = await browser.newContext({ baseURL, ...options });
      contexts.push(context);
      complaints.listen(context);
      return context.newPage();
    });
    await Promise.all(contexts.map((context) => context.close()));
  },
});

export { expect };
