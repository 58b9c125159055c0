// A witness of rooms: records every event of their logs, over restarts of the server and of the rooms themselves.

import { type APIRequestContext, type Page, expect } from "@playwright/test";

/** An event of a room's log, as the server has sent it, with the epoch of the log. */
export type Seen = { room: string; epoch: string; seq: number; type: string; message?: string; text?: string; target?: number };

export class Witness {
  private constructor(
    private readonly page: Page,
    private readonly rooms: string[],
  ) {}

  static async of(page: Page, rooms: string[]): Promise<Witness> {
    await page.goto("/");
    await page.evaluate((rooms) => {
      const seen: Record<string, object> = {};
      const places: Record<string, { epoch: string; seq: number }> = {};
      Object.assign(window, { seen, places });
      const watch = (room: string) => {
        const socket = new WebSocket(`ws://${location.host}/ws/${room}/`);
        socket.onmessage = ({ data }) => {
          const frame = JSON.parse(data);
          if (frame.type === "welcome") {
            if (places[room]?.epoch !== frame.epoch) places[room] = { epoch: frame.epoch, seq: 0 };
            if (frame.head > places[room].seq) socket.send(JSON.stringify({ type: "sync", after: places[room].seq }));
          } else if (frame.seq !== undefined) {
            const { epoch, seq } = places[room];
            places[room].seq = Math.max(seq, frame.seq);
            seen[`${room} ${epoch} ${frame.seq}`] = { ...frame, room, epoch };
          }
        };
        socket.onclose = () => setTimeout(() => watch(room), 100);
      };
      rooms.forEach(watch);
    }, rooms);
    return new Witness(page, rooms);
  }

  /** Waits until everything that is stored in this room was seen, and nothing more comes. Returns its head. */
  async catchUp(request: APIRequestContext, room: string): Promise<number> {
    let [before, head] = [-1, 0];
    await expect
      .poll(async () => {
        before = head;
        const page = await (await request.get(`/${room}/`)).text();
        head = Number(/data-head="(\d+)"/.exec(page)?.[1]);
        const epoch = /data-epoch="(\w+)"/.exec(page)?.[1];
        const place = await this.page.evaluate((room) => (window as never as { places: Record<string, { epoch: string; seq: number }> }).places[room], room);
        return place?.epoch === epoch && place?.seq === head && before === head;
      }, { timeout: 60_000, intervals: [200] })
      .toBe(true);
    return head;
  }

  async seen(request: APIRequestContext): Promise<Seen[]> {
    for (const room of this.rooms) await this.catchUp(request, room);
    return this.page.evaluate(() => Object.values((window as never as { seen: Record<string, never> }).seen));
  }
}
