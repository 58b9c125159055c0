// Pins: the bar under the header, for everybody, until it is hidden.

import { expect, test } from "../support/fixtures";
import { enter, menu, openMenu, say, text } from "../support/room";

test("the owner pins a message, and everybody has it in a bar until they hide it", async ({ visitor, room }) => {
  const [ann, ben] = [await visitor(), await visitor()];
  await enter(ann, room, "Ann");
  for (const words of ["The keys are in the blue box.", "second", "third"]) await say(ann, words);
  await enter(ben, room, "Ben");
  await expect(text(ben, 3)).toBeVisible();
  await openMenu(ben, 1);
  await expect(menu(ben).getByRole("button", { name: "Pin" })).toBeHidden();
  await ben.keyboard.press("Escape");

  await openMenu(ann, 1);
  await menu(ann).getByRole("button", { name: "Pin" }).click();
  const bar = (page: typeof ann) => page.getByRole("region", { name: "Pinned message" });
  for (const page of [ann, ben]) await expect(bar(page)).toContainText("The keys are in the blue box.");
  await bar(ben).getByRole("link", { name: "The keys are" }).click();
  await expect(ben).toHaveURL(/\/1$/);
  await bar(ben).getByRole("button", { name: "Hide the pinned message" }).click();
  await expect(bar(ben)).toBeHidden();
  await ben.reload();
  await expect(text(ben, 1)).toBeVisible();
  await expect(bar(ben)).toBeHidden();

  // Another pin shows it again; deleting that message unpins it.
  await openMenu(ann, 3);
  await menu(ann).getByRole("button", { name: "Pin" }).click();
  await expect(bar(ben)).toContainText("third");
  await openMenu(ann, 3);
  await menu(ann).getByRole("button", { name: "Unpin" }).click();
  await expect(bar(ann)).toContainText("The keys are in the blue box.");
  await expect(bar(ben)).toBeHidden();
});
