// The people of the pictures: visitors with a browser each, who always have the same color, and speak by requests.

import { type Browser, type BrowserContext, type BrowserContextOptions, type Page } from "@playwright/test";

/** The address of the site in the pictures. */
export const SITE = "http://chat.example";

/** The moment at which the pictures are taken. */
export const NOW = new Date("2026-11-30T08:24:30Z");

const options: BrowserContextOptions = {
  baseURL: SITE,
  viewport: { width: 1280, height: 800 },
  deviceScaleFactor: 2,
  colorScheme: "light",
  locale: "en-US",
  timezoneId: "UTC",
  reducedMotion: "reduce",
};

/** What the server answers to an event: its number. */
type Stored = { seq: number };

/** Sends one frame over a socket, and returns the answer that `isAnswer` names; without a frame, the welcome. */
function exchange({ path, frame }: { path: string; frame?: object }): Promise<{ tag: string }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(path);
    socket.onerror = () => reject(new Error(`${path} has failed`));
    socket.onmessage = ({ data }) => {
      const answer = JSON.parse(data);
      if (answer.type === "rejected") reject(new Error(answer.detail));
      if (answer.type === "welcome" && frame) return socket.send(JSON.stringify(frame));
      if (answer.type !== (frame ? "moderated" : "welcome")) return;
      socket.close();
      resolve(answer);
    };
  });
}

export class Person {
  private constructor(
    readonly name: string,
    readonly context: BrowserContext,
    /** The front page, from which the person speaks. */
    private readonly desk: Page,
  ) {}

  /** A visitor whose avatar has this one of the 24 colors: the color is that of the identity, so some are tried. */
  static async of(browser: Browser, name: string, hue: number): Promise<Person> {
    const context = await Person.browser(browser);
    const desk = await context.newPage();
    await desk.goto("/");
    for (;;) {
      await context.clearCookies();
      await desk.evaluate(() => fetch("/"));
      const { tag } = await desk.evaluate(exchange, { path: "ws://chat.example/ws/harbour/" });
      if (parseInt(tag, 16) % 24 !== hue) continue;
      // The name is remembered for every room.
      await desk.evaluate((name) => fetch(`/harbour/?username=${name}`), name);
      return new Person(name, context, desk);
    }
  }

  /** A browser at the moment of the pictures. */
  private static async browser(browser: Browser, more: BrowserContextOptions = {}): Promise<BrowserContext> {
    const context = await browser.newContext({ ...options, ...more });
    await context.clock.setFixedTime(NOW);
    return context;
  }

  /** Another device of the person: with the same cookies and storage. */
  async device(browser: Browser, more: BrowserContextOptions = {}): Promise<Page> {
    const context = await Person.browser(browser, { ...more, storageState: await this.context.storageState() });
    return context.newPage();
  }

  /** Posts a message. Returns its number. */
  async says(room: string, message: string, replyTo?: number): Promise<number> {
    const { seq } = await this.sends("POST", `/${room}/`, { message, username: this.name, reply_to: replyTo });
    return seq;
  }

  async edits(room: string, seq: number, message: string): Promise<void> {
    await this.sends("PATCH", `/${room}/${seq}`, { message });
  }

  async reacts(room: string, seq: number, emoji: string): Promise<void> {
    await this.sends("POST", `/${room}/${seq}/react`, { emoji, on: true });
  }

  async pins(room: string, seq: number): Promise<void> {
    await this.sends("POST", `/${room}/${seq}/pin`, { on: true });
  }

  /** Sets the title or the topic of the room. */
  async describes(room: string, action: "title" | "topic", text: string): Promise<void> {
    const path = `ws://chat.example/ws/${room}/`;
    await this.desk.evaluate(exchange, { path, frame: { type: "moderate", id: action, action, text } });
  }

  /** Creates a private room, whose color in the list is this one of the 24: the color is that of its name. */
  async opensPrivate(title: string, hue: number): Promise<string> {
    for (;;) {
      const room = await this.desk.evaluate(async ([title, username]) => {
        const form = new FormData(document.querySelector<HTMLFormElement>(".front-form")!);
        form.set("kind", "private");
        form.set("room_name", title);
        form.set("username", username);
        const answer = await fetch("/", { method: "POST", body: new URLSearchParams(form as never) });
        return new URL(answer.url).pathname.split("/")[1];
      }, [title, this.name]);
      if (hueOfRoom(room) === hue) return room;
    }
  }

  private async sends(method: string, path: string, body: object): Promise<Stored> {
    return this.desk.evaluate(
      async ({ method, path, body }) => {
        const headers = { "Content-Type": "application/json", Accept: "application/json" };
        const answer = await fetch(path, { method, headers, body: JSON.stringify(body) });
        if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
        return answer.json();
      },
      { method, path, body },
    );
  }
}

/** The color of a room: FNV-1a of its name (src/domain/room_preview.rs). */
function hueOfRoom(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(decodeURIComponent(name))) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0) % 24;
}
