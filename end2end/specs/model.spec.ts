// A random walk through rooms, tabs, outages and new beginnings; at its end nothing that was typed is lost, misplaced or
// applied to the wrong message. MODEL_SEED repeats walks (several with commas between), MODEL_STEPS makes them longer.

import { expect, test } from "../support/fixtures";
import { Server } from "../support/server";
import { Walk } from "../support/walk";
import { Witness } from "../support/witness";

const seeds = (process.env.MODEL_SEED ?? "1,2,3").split(",").map(Number);
const steps = Number(process.env.MODEL_STEPS ?? 30);

for (const seed of seeds) {
  test(`typed text is stored once where it was meant to be, or shown as unsent: walk ${seed} of ${steps} steps`, async ({ browser, room, playwright }) => {
    test.setTimeout(240_000 + steps * 10_000);
    // With the limits of a new installation: some messages come too fast.
    const server = await Server.start([]);
    const visitor = await browser.newContext({ baseURL: server.url });
    const others = await browser.newContext({ baseURL: server.url });
    const request = await playwright.request.newContext({ baseURL: server.url });
    try {
      const rooms = ["a", "b", "c"].map((end) => `${room}-${end}`);
      const witness = await Witness.of(await others.newPage(), rooms);
      const tabs = [await Walk.tab(await visitor.newPage(), rooms[0]), await Walk.tab(await visitor.newPage(), rooms[1])];
      const walk = new Walk(seed, tabs, rooms, server, witness, request);
      try {
        for (let step = 0; step < steps; step++) await walk.step();
        await walk.check();
      } catch (error) {
        throw new Error(`MODEL_SEED=${seed} MODEL_STEPS=${steps}, after:\n${walk.steps.join("\n")}`, { cause: error });
      }
      expect(walk.steps.length).toBe(steps);
    } finally {
      await Promise.all([visitor.close(), others.close(), request.dispose()]);
      await server.remove();
    }
  });
}
