// The dashboard in a real browser: the owner watches a live session, reviews it, averages around events and erases a participant.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { eventually, site } from './browser';
import { experimentPage, skip as noFace, takePart, withOwnerAndFace } from './experiment';
import { pictures } from './pictures';
import { noProgram } from './program';
import { PICTURES, browser, login, program } from './served';

const skip = noFace || noProgram();
withOwnerAndFace(skip);

const picture = (page: Page, name: string) => page.screenshot({ path: join(PICTURES, `dashboard_${name}.png`) });

/** A remote participant who takes part in the whole experiment. */
const participant = async (watch_ms: number): Promise<void> => {
  const pages: Record<string, string> = {};
  const shop = await site(pages);
  pages['/'] = experimentPage(program.url, program.key(shop.url), 'scores');
  const page = await browser.newPage();
  try {
    await page.goto(shop.url);
    await takePart(page, watch_ms, 1000);
  } finally {
    await page.context().close();
    shop.close();
  }
};

test('the owner watches, compares and erases', { skip, timeout: 240_000 }, async () => {
  await participant(3000);
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light' });
  const owner = await context.newPage();
  const wrong: string[] = [];
  owner.on('console', (m) => { if (m.type() === 'error' && !/ (401|409) /.test(m.text())) wrong.push(m.text()); });
  owner.on('pageerror', (e) => wrong.push(String(e)));
  try {
    await owner.goto(program.url);
    await login(owner);
    await owner.locator('table a').first().waitFor({ timeout: 10_000 });
    assert.equal(await owner.locator('table a').count(), 1);

    const coming = participant(15_000);
    await owner.locator('.lamp.recording').waitFor(); // it appears without a reload
    await picture(owner, 'home');
    await owner.locator('tr', { has: owner.locator('.lamp.recording') }).locator('a').click();
    const read = async () => (await owner.locator('.key.valence').first().textContent()) ?? '';
    await eventually('a first reading', async () => /\d/.test(await read()));
    const earlier = await read();
    await eventually('the next reading', async () => await read() !== earlier);
    await owner.waitForTimeout(4000);
    await pictures(owner, 'live', (p) => p.locator('.lamp.recording').waitFor());
    await owner.getByRole('button', { name: 'Close now…' }).click();
    await pictures(owner, 'dialog_close', (p) => p.locator('dialog').waitFor());
    await owner.locator('dialog').getByRole('button', { name: 'Cancel' }).click();
    await coming;
    await owner.getByText('Download').first().waitFor({ timeout: 30_000 }); // the view changes when the session has ended
    const rows = await owner.locator('.events tbody tr').allTextContents();
    assert.ok(rows.some((r) => r.includes('click')) && rows.some((r) => r.includes('mark')), rows.slice(0, 5).join('\n'));
    assert.ok(!rows.some((r) => r.includes('rrweb')), 'rrweb records are not in the list of events');
    await picture(owner, 'session');
    await owner.emulateMedia({ colorScheme: 'dark' });
    await owner.waitForTimeout(800);
    await picture(owner, 'session_dark');

    await owner.goto(`${program.url}/#/average/smile`);
    await owner.getByText('no epoch is left').waitFor(); // the clicks of this short task are too close together
    await owner.getByLabel('From').fill('-0.4');
    await owner.getByLabel('Until').fill('0.4');
    await owner.keyboard.press('Enter');
    await owner.getByText('epochs of 2 participants').waitFor();
    await owner.waitForTimeout(300);
    await picture(owner, 'average');
    await owner.getByLabel('Signal').selectOption('affect.happiness');
    await owner.getByRole('button', { name: 'Show' }).click();
    await owner.locator('.key', { hasText: 'affect.happiness' }).waitFor();
    assert.equal(await owner.locator('.key').count(), 1);
    await pictures(owner, 'average_signal', (p) => p.locator('.plot canvas').waitFor());
    await owner.getByLabel('Compared with').selectOption({ index: 1 });
    await owner.getByRole('button', { name: 'Show' }).click();
    await owner.getByText('Two kinds of events').waitFor();
    assert.equal(await owner.locator('h3').textContent(), 'affect.happiness');
    await owner.setViewportSize({ width: 390, height: 844 });
    await owner.goto(`${program.url}/#/`);
    await owner.locator('table a').first().waitFor({ timeout: 10_000 });
    const wide = await owner.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `a phone shows the list without scrolling sideways (${wide} px too wide)`);
    await picture(owner, 'phone');

    await owner.setViewportSize({ width: 1280, height: 800 });
    await owner.locator('table a').first().click();
    await owner.getByText('Erase participant').click();
    const name = /Erase (sub-\w+)/.exec((await owner.locator('dialog h2').textContent()) ?? '')![1]!;
    await owner.keyboard.type(name);
    await pictures(owner, 'dialog_erase_participant', (p) => p.locator('dialog').waitFor());
    await owner.locator('dialog input').focus();
    await owner.keyboard.press('Enter');
    await eventually('the erasure', async () => program.recorded().length === 1 && await owner.locator('table a').count() === 1);
    assert.deepEqual(wrong, [], 'no error in the console, for example a refused script or style');
  } catch (error) {
    await picture(owner, 'failed');
    console.log(wrong.join('\n'));
    throw error;
  } finally {
    await context.close();
  }
});
