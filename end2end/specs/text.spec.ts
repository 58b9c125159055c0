// What is made of a text: links, code, and nothing else.

import { overflow } from "../support/access";
import { expect, test } from "../support/fixtures";
import { enter, isLive, message, post, text } from "../support/room";

for (const address of ["https://example.org/a?b=c&d=(e)", "http://example.org/", "mailto:ann@example.org"]) {
  test(`a link, also after a reload: ${address}`, async ({ page, request, room }) => {
    await enter(page, room, "Ann");
    await post(request, room, "Ben", `see ${address}, please`);
    for (const again of [false, true]) {
      if (again) await page.reload();
      const link = text(page, 1).getByRole("link");
      await expect(link).toHaveText(address);
      await expect(link).toHaveAttribute("href", address);
      await expect(link).toHaveAttribute("rel", "noopener noreferrer nofollow ugc");
      await expect(text(page, 1)).toHaveText(`see ${address}, please`);
    }
  });
}

test("a link opens, beside the room", async ({ page, request, room }) => {
  await page.context().route("https://example.org/**", (route) => route.fulfill({ body: "elsewhere", contentType: "text/plain" }));
  await post(request, room, "Ben", "https://example.org/there");
  await enter(page, room, "Ann");
  const [popup] = await Promise.all([page.waitForEvent("popup"), text(page, 1).getByRole("link").click()]);
  await expect(popup).toHaveURL("https://example.org/there");
  expect(await popup.evaluate(() => window.opener)).toBeNull();
  await expect(page).toHaveURL(`/${room}/`);
});

for (const said of ["javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:msgbox", "file:///etc/passwd", " \u0001javascript:alert(1)"]) {
  test(`not a link: ${JSON.stringify(said)}`, async ({ page, request, room }) => {
    await post(request, room, "Ben", `click ${said}`);
    await enter(page, room, "Ann");
    await expect(text(page, 1)).toContainText("click");
    await expect(text(page, 1).getByRole("link")).toHaveCount(0);
  });
}

test("what stands between backticks is code, and has no links", async ({ page, request, room }) => {
  await post(request, room, "Ben", "run `ls -l https://example.org` now");
  await post(request, room, "Ben", "so:\n```rust\nlet a = `1`;\n    let b = 2;\n```\nand on");
  await enter(page, room, "Ann");
  await expect(text(page, 1).locator("code")).toHaveText(["ls -l https://example.org"]);
  await expect(text(page, 1).getByRole("link")).toHaveCount(0);
  const block = text(page, 2).locator("code");
  await expect(block).toHaveCount(1);
  expect(await block.textContent()).toBe("let a = `1`;\n    let b = 2;");
  await expect(block).toHaveCSS("display", "block");
  await expect(text(page, 2)).toContainText("and on");
});

const payloads = [
  `<img src=x onerror=alert(1)>`,
  `<script>alert(1)</script>`,
  `</script><script>alert(1)</script>`,
  `</textarea></p></li><svg onload=alert(1)>`,
  `"><iframe srcdoc="<script>alert(1)</script>">`,
  `"}]}' onfocus='alert(1)' autofocus x='`,
  `<!--<script>`,
  `https://example.org/"onmouseover="alert(1)`,
  `\`<img src=x onerror=alert(1)>\``,
  "```\n<style>*{display:none}</style>\n```",
  `&lt;b&gt;&#x3C;b&#x3E;`,
];

test("markup is text: nothing runs, no element appears", async ({ page, request, room }) => {
  page.on("dialog", () => expect("a script").toBe("never run"));
  await enter(page, room, "Ann");
  const last = payloads.length;
  for (const live of [true, false]) {
    if (live) for (const said of payloads) await post(request, room, "Ben", said);
    else await page.reload();
    await isLive(page);
    await expect(message(page, last)).toBeVisible();
    for (const [at, said] of payloads.entries()) {
      const shown = (await text(page, at + 1).textContent()) ?? "";
      expect(shown).toBe(said.replaceAll(/^`+\n?|\n?`+$/g, ""));
    }
    const elements = await page.locator(".message-text").evaluateAll((all) => all.flatMap((it) => [...it.querySelectorAll("*")].map((it) => it.tagName)));
    expect(elements.filter((it) => !["A", "CODE"].includes(it))).toEqual([]);
  }
});

for (const name of ["<img src=x onerror=alert(1)>", "</script><svg onload=alert(1)>", `" onfocus=alert(1) autofocus="`]) {
  test(`markup in a name is text: ${name}`, async ({ page, request, room }) => {
    page.on("dialog", () => expect("a script").toBe("never run"));
    await post(request, room, name, "who am I?");
    await enter(page, room, "Ann");
    await expect(message(page, 1).locator(".message-author")).toHaveText(name);
    expect(await message(page, 1).locator(".message-byline *").evaluateAll((all) => all.map((it) => it.tagName))).toEqual(["B", "SPAN", "A", "TIME"]);
  });
}

test("long words and long code do not widen a phone's page", async ({ visitor, request, room }) => {
  const page = await visitor({ viewport: { width: 390, height: 844 } });
  await post(request, room, "W".repeat(32), "longword".repeat(100));
  await post(request, room, "W".repeat(32), `\`${"c".repeat(300)}\`\n\`\`\`\n${"block ".repeat(100)}\n\`\`\``);
  await enter(page, room, "Ann");
  await expect(message(page, 2)).toBeVisible();
  expect(await overflow(page)).toEqual([]);
  const box = await text(page, 1).boundingBox();
  expect((box?.x ?? 0) + (box?.width ?? 999)).toBeLessThanOrEqual(390);
  expect(box?.height).toBeGreaterThan(100);
});

test("marks piled upon a letter do not widen a phone's page", async ({ visitor, request, room }) => {
  const page = await visitor({ viewport: { width: 390, height: 844 } });
  await post(request, room, "Ann", `a${"\u0483".repeat(900)}`);
  await enter(page, room, "Ben");
  await expect(message(page, 1)).toBeVisible();
  expect(await overflow(page)).toEqual([]);
});
