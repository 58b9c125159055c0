import { test, expect } from "../support/fixtures";
import { composer, enter, message, say, text } from "../support/room";
for (const scheme of ["light", "dark"] as const) {
  test(`shots ${scheme}`, async ({ visitor, room }) => {
    const marta = await visitor();
    await enter(marta, room, "Marta");
    await say(marta, "Anyone against moving the Tuesday crossing to 6:15?");
    const ann = await visitor({ colorScheme: scheme, viewport: { width: 1180, height: 760 } });
    await enter(ann, room, "Ann");
    await say(ann, "hello");
    await expect(text(marta, 2)).toBeVisible();
    await message(marta, 1).hover();
    await message(marta, 1).getByRole("button", { name: "Reply" }).click();
    await say(marta, "@Ann could you take the early one? @Marta takes the late one.");
    await message(ann, 1).hover();
    await message(ann, 1).getByRole("button", { name: "Reply" }).click();
    await say(ann, "Yes, I’ll take it, @Marta.");
    await expect(text(ann, 4)).toBeVisible();
    await message(ann, 3).hover();
    await message(ann, 3).getByRole("button", { name: "Reply" }).click();
    await composer(ann).pressSequentially("Done. Thanks for swapping, @m");
    await expect(ann.getByRole("option")).toHaveCount(1);
    await ann.screenshot({ path: `/tmp/s/shots/reply-${scheme}.png` });
    await ann.setViewportSize({ width: 390, height: 760 });
    await ann.screenshot({ path: `/tmp/s/shots/reply-${scheme}-phone.png` });
  });
}
