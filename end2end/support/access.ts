// What everybody needs: what axe finds, what does not fit, what is too small.

import { type Locator, type Page } from "@playwright/test";
import { readFileSync } from "node:fs";

const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds, one line each. */
export async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const found = await (window as never as { axe: typeof import("axe-core") }).axe.run();
    return found.violations.flatMap(({ id, impact, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${impact} ${id} at ${target}: ${failureSummary}`),
    );
  });
}

/** What has to be scrolled sideways; code may. */
export function overflow(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [document.documentElement, ...document.querySelectorAll("*:not(code)")]
      .filter((it) => it.scrollWidth > it.clientWidth)
      .filter((it) => it === document.documentElement || /auto|scroll/.test(getComputedStyle(it).overflowX))
      .filter((it) => !["INPUT", "TEXTAREA"].includes(it.tagName))
      .map((it) => `${it.tagName}.${it.className}: ${it.scrollWidth} > ${it.clientWidth}`),
  );
}

/** Buttons, fields and links outside of running text that are smaller than this, as they are shown. */
export function tooSmall(page: Page, pixels: number): Promise<string[]> {
  return page.evaluate((pixels) => {
    const targets = [...document.querySelectorAll<HTMLElement>("button, input, textarea, a")];
    return targets
      .filter((it) => it.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !it.closest(".message-text, .visually-hidden"))
      .map((it) => ({ it, area: it.getBoundingClientRect() }))
      .filter(({ area }) => Math.min(area.width, area.height) < pixels - 0.5)
      .map(({ it, area }) => `${it.tagName}.${it.className} "${it.textContent}": ${area.width} × ${area.height}`);
  }, pixels);
}

/** Fields whose letters are so small that phones zoom in. */
export function smallPrint(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll("input:not([type=hidden]), textarea, select")]
      .filter((it) => parseFloat(getComputedStyle(it).fontSize) < 16)
      .map((it) => `${it.tagName}.${it.className}: ${getComputedStyle(it).fontSize}`),
  );
}

/** All that a screen reader is told by this element from here on. */
export async function listen(element: Locator): Promise<() => Promise<string[]>> {
  const told = await element.evaluateHandle((element) => {
    const told: string[] = [];
    new MutationObserver(() => element.textContent && told.push(element.textContent)).observe(element, { childList: true, characterData: true, subtree: true });
    return told;
  });
  return () => told.jsonValue();
}
