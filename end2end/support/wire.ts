// The sockets of a page as a network treats them: they go dead without a word, or are dialed and never answered.

import { type Page } from "@playwright/test";

export class Wire {
  /** How many sockets the page has opened. */
  dials = 0;
  /** Whether sockets that are opened from here on are never answered. */
  hangs = false;
  private cuts = 0;

  /** To be called before the page opens a socket. */
  static async of(page: Page): Promise<Wire> {
    const wire = new Wire();
    await page.routeWebSocket(/\/ws\//, (socket) => {
      wire.dials++;
      if (wire.hangs) return;
      const cuts = wire.cuts;
      const server = socket.connectToServer();
      socket.onMessage((frame) => void (cuts === wire.cuts && server.send(frame)));
      server.onMessage((frame) => void (cuts === wire.cuts && socket.send(frame)));
    });
    return wire;
  }

  /** Nothing comes through the open sockets any more, in either direction, and nobody is told. */
  cut(): void {
    this.cuts++;
  }
}
