// A server of a later release, as a page sees it: after each message its log has events of types that no page knows.
// The page's numbers are the server's, and one more for each of these events.

import { type Page } from "@playwright/test";

type Frame = Record<string, unknown> & { type?: unknown; seq?: unknown; head?: unknown };

/** Frames of later releases, to be numbered: whatever is in them, they have a number. */
const kinds: object[] = [
  { type: "dance", id: "a", at: 5, partner: { steps: [1.5, null, [[]]] }, text: "unseen", message: "unseen" },
  { type: "message", id: "b", message: { parts: ["unseen"] }, sent_at: 5 },
  { type: "heartbeat", head: 0 },
  { type: 7, id: { of: "another type" }, target: "unseen" },
  {},
];

/** Whether the server answers it: neither a hint nor a sign of life. */
export const isCommand = (frame: Frame): boolean => frame.type !== "typing" && frame.type !== "heartbeat";

export class Dances {
  /** Types of the frames that the page has sent, other than hints. */
  readonly sent: string[] = [];
  /** The server's number after which each event of an unknown type comes. */
  private readonly after: number[] = [];

  private constructor(private readonly each: number) {}

  /** To be called before the page opens a socket. Each message is followed by so many events of unknown types. */
  static async bySocket(page: Page, each: number): Promise<Dances> {
    const dances = new Dances(each);
    await page.routeWebSocket(/\/ws\//, (socket) => {
      const server = socket.connectToServer();
      socket.onMessage((frame) => {
        const sent = JSON.parse(String(frame)) as Frame;
        dances.note(sent);
        server.send(dances.toServer(sent));
      });
      server.onMessage((frame) => dances.toPage(String(frame)).forEach((text) => socket.send(text)));
    });
    return dances;
  }

  /** The same for a page that exchanges frames by HTTP. */
  static async byHttp(page: Page, each: number): Promise<Dances> {
    const dances = new Dances(each);
    await page.route("**/api/exchange", async (route) => {
      const body = new URLSearchParams(route.request().postData() ?? "");
      const [after, frame] = [body.get("after"), body.get("frame")];
      if (after !== null) body.set("after", String(dances.numberAtServer(Number(after))));
      if (frame !== null) {
        const sent = JSON.parse(frame) as Frame;
        dances.note(sent);
        body.set("frame", dances.toServer(sent));
      }
      const answer = await route.fetch({ postData: body.toString() });
      const [position, ...frames] = (await answer.text()).trimEnd().split("\n");
      const lines = frames.flatMap((text) => dances.toPage(text));
      const moved = Number(position) < 0 ? position : String(dances.positionInPage(Number(position)));
      await route.fulfill({ response: answer, body: [moved, ...lines].join("\n") + "\n" });
    });
    return dances;
  }

  /** The page's number of this event of the server. */
  private numberInPage(seq: number): number {
    return seq + this.after.filter((before) => before < seq).length;
  }

  /** The page's position once it has everything up to this event of the server, and the unknown ones after it. */
  private positionInPage(seq: number): number {
    return seq + this.after.filter((before) => before <= seq).length;
  }

  /** The server's number of the last of its events up to the page's number. */
  private numberAtServer(seq: number): number {
    let known = seq;
    while (known > 0 && this.numberInPage(known) > seq) known--;
    return known;
  }

  private note(frame: Frame): void {
    if (isCommand(frame)) this.sent.push(String(frame.type));
  }

  private toServer(frame: Frame): string {
    const moved = { ...frame };
    for (const name of ["target", "after"]) {
      const number = moved[name];
      if (typeof number === "number") moved[name] = this.numberAtServer(number);
    }
    return JSON.stringify(moved);
  }

  private toPage(text: string): string[] {
    const frame = JSON.parse(text) as Frame;
    if (typeof frame.head === "number") frame.head = this.positionInPage(frame.head);
    if (typeof frame.seq !== "number") return [JSON.stringify(frame)];
    const server = frame.seq;
    const seq = this.numberInPage(server);
    const moved = JSON.stringify({ ...frame, seq, later: { unknown: [0.5] } });
    if (frame.type !== "message") return [moved];
    if (!this.after.includes(server)) for (let n = 0; n < this.each; n++) this.after.push(server);
    const unknown = Array.from({ length: this.each }, (_, n) => ({ ...kinds[n % kinds.length], seq: seq + n + 1 }));
    return [moved, ...unknown.map((event) => JSON.stringify(event))];
  }
}
