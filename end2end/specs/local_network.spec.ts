// A site in a local network: plain http under another name than this machine's. Browsers then send no Sec-Fetch-Site.

import { expect, test } from "../support/fixtures";
import { messages, say } from "../support/room";

test("forms work, and those of other sites do not", async ({ visitor, server, room, complaints }) => {
  complaints.expect(/Cross-Origin-Opener-Policy header has been ignored/, /status of 403/);
  const site = server.url.replace("127.0.0.1", "chat.example");
  const page = await visitor({ javaScriptEnabled: false, baseURL: site });
  await page.goto(`/${room}/?username=Ann`);
  const posted = page.waitForRequest((request) => request.method() === "POST");
  await say(page, "by form");
  const headers = await (await posted).allHeaders();
  expect([headers["sec-fetch-site"], headers["origin"]]).toEqual([undefined, site]);
  await expect(messages(page, "by form")).toHaveCount(1);

  await page.route("http://elsewhere.example/", (route) =>
    route.fulfill({
      contentType: "text/html",
      body: `<form method="post" action="${site}/${room}/"><input name="message" value="not hers"><button>Send</button></form>`,
    }),
  );
  await page.goto("http://elsewhere.example/");
  const refused = page.waitForResponse((response) => response.request().method() === "POST");
  await page.getByRole("button").click();
  expect((await refused).status()).toBe(403);
  await page.goto(`/${room}/`);
  await expect(messages(page)).toHaveCount(1);
});

test("the front page's form renames, and a link to where it leads does not", async ({ visitor, server, room, complaints }) => {
  complaints.expect(/Cross-Origin-Opener-Policy header has been ignored/);
  const site = server.url.replace("127.0.0.1", "chat.example");
  const page = await visitor({ javaScriptEnabled: false, baseURL: site });
  const remembered = async () => {
    const cookies = await page.context().cookies(site);
    return cookies.find((cookie) => cookie.name === "parlour_username")?.value;
  };
  await page.goto(`/${room}/?username=Ann`);
  expect(await remembered()).toBe("Ann");
  await page.goto("/");
  await page.getByLabel("Your name").fill("Bob");
  await page.locator("input[name=room_name]").fill(room);
  await page.getByRole("button", { name: "Open the room" }).click();
  await page.waitForURL(`**/${room}/**`);
  expect(await remembered()).toBe("Bob");

  const address = `${site}/?username=Eve&room_name=${room}`;
  for (const policy of ["no-referrer", "unsafe-url"]) {
    await page.route("http://elsewhere.example/", (route) =>
      route.fulfill({
        contentType: "text/html",
        headers: { "referrer-policy": policy },
        body: `<a href="${address.replace("&", "&amp;")}">A link</a>`,
      }),
    );
    await page.goto("http://elsewhere.example/");
    await page.getByRole("link").click();
    await page.waitForURL(`**/${room}/**`);
    expect(await remembered()).toBe("Bob");
  }
});
