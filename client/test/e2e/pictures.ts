// Pictures of the dashboard's views, for people to look at (`target/screenshots/dashboard_….png`).

import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { PICTURES } from './served';

const WIDTHS = [[390, 844], [1280, 800], [1920, 1080]] as const;

/** Pictures of a view at three widths, light and dark. No view is wider than its window, and no dialog touches its
 * edges. */
export const pictures = async (owner: Page, name: string, ready: (page: Page) => Promise<unknown>): Promise<void> => {
  for (const colorScheme of ['light', 'dark'] as const) {
    await owner.emulateMedia({ colorScheme });
    await owner.waitForTimeout(400); // some views are opened again
    for (const [width, height] of WIDTHS) {
      await owner.setViewportSize({ width, height });
      await owner.evaluate('new Promise((shown) => { requestAnimationFrame(() => requestAnimationFrame(shown)); })'); // plots have the new size
      await ready(owner);
      const wide = await owner.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${name} at ${width} px is ${wide} px too wide`);
      const margins = await owner.locator('dialog[open]').evaluateAll((all) => all.map((d) => d.getBoundingClientRect()).flatMap((d) => [d.left, innerWidth - d.right]));
      for (const margin of margins) assert.ok(margin >= 8, `a dialog of ${name} at ${width} px is ${margin} px from the edge`);
      await owner.screenshot({ path: join(PICTURES, `dashboard_${name}_${width}_${colorScheme}.png`), fullPage: true });
    }
  }
  await owner.setViewportSize({ width: 1280, height: 800 });
  await owner.emulateMedia({ colorScheme: 'light' });
};
