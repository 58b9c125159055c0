// A page beside a server of a later release: it takes the numbers of events that it does not know, and shows nothing.

import { Dances, isCommand } from "../support/dances";
import { expect, test } from "../support/fixtures";
import { act, composer, enter, message, messages, pending, post, say, text } from "../support/room";

test("events of unknown types take their numbers and show nothing", async ({ page, request, room }) => {
  const dances = await Dances.bySocket(page, 1);
  await enter(page, room, "Ann");
  await say(page, "one");
  await expect(text(page, 1)).toHaveText("one");
  await post(request, room, "Ben", "two");
  // Number 2 was an event of another type.
  await expect(text(page, 3)).toHaveText("two");
  await expect(pending(page)).toHaveCount(0);
  await expect(messages(page)).toHaveCount(2);
  // An edit by its number leads to the message that the page shows.
  await act(page, 1, "Edit");
  await composer(page).fill("one, edited");
  await composer(page).press("Enter");
  await expect(text(page, 1)).toContainText("one, edited");
  await expect(page.getByText("unseen")).toHaveCount(0);
  expect(dances.sent).toEqual(["post", "edit"]);
});

test("many events of unknown types in a row, of any shape, hold nothing up", async ({ page, request, room }) => {
  const dances = await Dances.bySocket(page, 25);
  await enter(page, room, "Ann");
  await say(page, "one");
  await expect(text(page, 1)).toHaveText("one");
  await post(request, room, "Ben", "two");
  await post(request, room, "Ben", "three");
  await expect(text(page, 27)).toHaveText("two");
  await expect(text(page, 53)).toHaveText("three");
  await say(page, "four");
  await expect(text(page, 79)).toHaveText("four");
  await expect(messages(page)).toHaveCount(4);
  await expect(page.getByText("unseen")).toHaveCount(0);
  expect(dances.sent).toEqual(["post", "post"]);
});

test("an event of an unknown type with the id of a message acknowledges it", async ({ page, room }) => {
  await page.routeWebSocket(/\/ws\//, (socket) => {
    socket.connectToServer().onMessage((frame) => socket.send(frame));
    socket.onMessage((frame) => {
      const { type, id } = JSON.parse(String(frame)) as { type: string; id: string };
      if (type === "post") socket.send(JSON.stringify({ type: "dance", seq: 1, id }));
    });
  });
  await enter(page, room, "Ann");
  await say(page, "became something else");
  await expect(composer(page)).toHaveValue("");
  await expect(pending(page)).toHaveCount(0);
  await expect(messages(page)).toHaveCount(0);
});

for (const seq of ['"2"', "2.5", "null", "true", "[2]"]) {
  test(`a frame whose number is ${seq} is no event`, async ({ page, request, room }) => {
    const sent: string[] = [];
    await page.routeWebSocket(/\/ws\//, (socket) => {
      const server = socket.connectToServer();
      socket.onMessage((frame) => {
        const command = JSON.parse(String(frame));
        if (isCommand(command)) sent.push(command.type);
        server.send(frame);
      });
      server.onMessage((frame) => {
        socket.send(frame);
        for (const type of ["dance", "message", "deleted"])
          if (JSON.parse(String(frame)).type === "message") socket.send(`{"type":"${type}","seq":${seq},"target":1}`);
      });
    });
    await enter(page, room, "Ann");
    await say(page, "one");
    await expect(text(page, 1)).toHaveText("one");
    await post(request, room, "Ben", "two");
    await expect(text(page, 2)).toHaveText("two");
    await expect(message(page, 1)).toBeVisible();
    expect(sent).toEqual(["post"]);
  });
}

test("by HTTP, events of unknown types take their numbers and show nothing", async ({ page, request, room }) => {
  test.slow();
  await page.addInitScript(() => Object.defineProperty(window, "WebSocket", { value: undefined }));
  const dances = await Dances.byHttp(page, 3);
  await page.goto(`/${room}/?username=Ann`);
  await expect(page.locator(".connection-status")).toHaveText("Limited connection", { timeout: 60_000 });
  await say(page, "one");
  await expect(text(page, 1)).toHaveText("one");
  await post(request, room, "Ben", "two");
  await expect(text(page, 5)).toHaveText("two");
  await say(page, "three");
  await expect(text(page, 9)).toHaveText("three");
  await expect(pending(page)).toHaveCount(0);
  await expect(messages(page)).toHaveCount(3);
  await expect(page.getByText("unseen")).toHaveCount(0);
  expect(dances.sent).toEqual(["post", "post"]);
});
