// The owner makes a study in the dashboard, and a participant of a recruiting service takes part with the dashboard's own code.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { type Site, eventually, site } from './browser';
import { agree, skip as noFace, withOwnerAndFace } from './experiment';
import { pictures } from './pictures';
import { noProgram } from './program';
import { PICTURES, browser, login, program } from './served';

const skip = noFace || noProgram();
withOwnerAndFace(skip);

const PERSON = 'prolific5f3a0c9e77';
const PAGE = (code: string) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Task</title>
<body><button id="buy">Buy now</button> <button id="sell">Sell</button> <label>Comment <input id="comment"></label>
${code}
<script>recorder.state$.subscribe((s) => { if (s.phase === 'recording') window.begun = s; });</script></body></html>`;

/** Makes the study and its key, and returns the code for the page. */
const makeStudy = async (owner: Page, origin: string): Promise<string> => {
  await owner.goto(`${program.url}/#/new-study`);
  await pictures(owner, 'new_study', (p) => p.getByLabel('Short name').waitFor());
  await owner.getByLabel('Short name').fill('shop');
  await owner.getByLabel('Title').fill('Shop <i>study</i>');
  await owner.getByLabel('Address of the study').fill(`${origin}/task`);
  await owner.getByLabel('Text of the consent dialog').fill('We record your face.\n\nReally.');
  await owner.getByLabel('Camera').selectOption('video');
  await owner.getByLabel('Record the page itself').selectOption('true');
  await owner.getByLabel('Fields whose typed text').fill('#comment');
  await owner.getByLabel('Largest number of participants').fill('2');
  await owner.getByLabel('Conditions for a balanced').fill('calm\nloud');
  await owner.getByLabel('How often each condition').fill('1');
  await owner.getByLabel('Completion code').fill('AB12');
  await owner.getByLabel('Address to go to').fill('http://not.safe');
  await owner.getByRole('button', { name: 'Make the study' }).click();
  assert.equal(await owner.getByLabel('Address to go to').evaluate((field: HTMLInputElement) => field.validity.valid), false);
  await owner.getByLabel('Address to go to').fill('https://prolific.example/done?cc=AB12&id={participant}');
  await owner.getByRole('button', { name: 'Make the study' }).click();
  const card = owner.locator('.study', { hasText: 'Shop <i>study</i>' });
  await card.waitFor();
  await card.getByRole('button', { name: 'New write key' }).click();
  await owner.locator('dialog textarea').fill('https://with.example/path');
  await owner.getByRole('button', { name: 'Make the key' }).click();
  await owner.locator('dialog .loss', { hasText: 'is not an origin' }).waitFor();
  await pictures(owner, 'dialog_key', (p) => p.locator('dialog textarea').waitFor());
  await owner.locator('dialog textarea').fill(origin);
  await owner.getByRole('button', { name: 'Make the key' }).click();
  await card.getByText('Code for your page').click();
  return (await card.locator('.code pre').first().textContent())!;
};

const visitTask = async (address: string): Promise<{ condition: string; completion: { code: string; redirect: string } }> => {
  const page = await browser.newPage();
  try {
    await page.goto(address);
    await agree(page);
    await page.waitForFunction('recorder.state.camera === "on"', null, { timeout: 30_000 });
    for (let k = 0; k < 2; k++) {
      await page.waitForTimeout(1500);
      await page.click('#buy');
      await page.waitForTimeout(1500);
      await page.click('#sell');
    }
    await page.fill('#comment', 'fine');
    await page.waitForTimeout(1000);
    const condition = await page.evaluate('recorder.condition') as string;
    const ended = await page.evaluate('recorder.stop()') as { phase: string; completion: { code: string; redirect: string } };
    assert.equal(ended.phase, 'finished', JSON.stringify(ended));
    return { condition, completion: ended.completion };
  } finally {
    await page.context().close();
  }
};

/** Every file below a folder. */
const files = (root: string): string[] => readdirSync(root, { recursive: true })
  .map((name) => join(root, String(name))).filter((path) => statSync(path).isFile());

test('a study from the dashboard to its downloads', { skip, timeout: 280_000 }, async () => {
  const pages: Record<string, string> = {};
  const shop: Site = await site(pages);
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light' });
  const owner = await context.newPage();
  const wrong: string[] = [];
  owner.on('pageerror', (e) => wrong.push(e.message));
  owner.on('console', (m) => {
    const isWanted = m.text().includes('status of 401') || m.text().includes('status of 422') || m.text().includes('status of 404');
    if (m.type() === 'error' && !isWanted) wrong.push(m.text());
  });
  try {
    await owner.goto(program.url);
    await pictures(owner, 'login', (p) => p.locator('#password').waitFor());
    await owner.locator('#password').focus();
    await login(owner);
    await pictures(owner, 'home_empty', (p) => p.getByText('0 sessions').waitFor());
    const code = await makeStudy(owner, shop.url);
    assert.match(code, /integrity="sha384-/);
    pages['/task'] = PAGE(code);
    const first = await visitTask(`${shop.url}/task?participant=${PERSON}`);
    assert.ok(['calm', 'loud'].includes(first.condition), first.condition);
    assert.deepEqual(first.completion, { code: 'AB12', redirect: `https://prolific.example/done?cc=AB12&id=${PERSON}` });
    const again = await visitTask(`${shop.url}/task?participant=${PERSON}`);
    assert.equal(again.condition, first.condition);
    const other = await visitTask(`${shop.url}/task?participant=somebody-else`);
    assert.notEqual(other.condition, first.condition, 'a block of two conditions is balanced');

    await owner.goto(`${program.url}/#/`);
    await eventually('all videos are scored', async () => await owner.locator('.lamp.closed').count() === 3, 120_000);
    // The server removes no file any more.
    for (const path of files(program.sessions)) assert.ok(!readFileSync(path).includes(PERSON), `the identifier is in ${path}`);
    await pictures(owner, 'home', (p) => p.locator('table a').first().waitFor());
    await owner.goto(`${program.url}/#/studies`);
    await owner.locator('.study', { hasText: '2 of 2 participants' }).waitFor();
    for (const summary of ['Write keys', 'Code for your page', 'Links for recruiting']) {
      await owner.locator('.study', { hasText: 'Shop <i>' }).locator('summary', { hasText: summary }).click();
    }
    await pictures(owner, 'studies', (p) => p.locator('.study').first().waitFor());
    await owner.goto(`${program.url}/#/study/shop`);
    await owner.getByLabel('Text of the consent dialog').fill('We record your face. <script>alert(1)</script>');
    await owner.getByRole('button', { name: 'Store' }).click();
    await owner.getByText('The study is stored.').waitFor();
    await pictures(owner, 'study', (p) => p.getByLabel('Title').waitFor());

    await owner.goto(`${program.url}/#/`);
    await owner.locator('table a').last().click();
    await owner.locator('img.face').waitFor();
    await owner.getByRole('button', { name: 'Load the recorded page' }).click();
    const replayed = owner.frameLocator('iframe[title="The recorded page"]').frameLocator('iframe');
    await owner.getByLabel('Time in the session').fill('4');
    await replayed.getByRole('button', { name: 'Buy now' }).waitFor({ timeout: 20_000 });
    await eventually('the picture at 4 s', async () => {
      const source = await owner.locator('img.face').evaluate((img: HTMLImageElement) => (img.complete && img.naturalWidth > 0 ? img.src : ''));
      return source.includes('at_s=4.00');
    });
    await owner.getByRole('button', { name: 'Play' }).click();
    await owner.waitForTimeout(1500);
    await owner.getByRole('button', { name: 'Pause' }).click();
    assert.ok(Number(await owner.getByLabel('Time in the session').inputValue()) > 5, 'the playhead moves');
    await owner.locator('textarea').fill('Answered <b>the telephone</b>');
    await owner.locator('textarea').blur();
    await owner.getByText('The note is stored.').waitFor();
    await owner.screenshot({ path: join(PICTURES, 'dashboard_playback.png'), fullPage: true });
    await owner.reload();
    await eventually('the note', async () => await owner.locator('textarea').inputValue() === 'Answered <b>the telephone</b>');
    await owner.getByText("the study's text, below").waitFor();
    await pictures(owner, 'session', (p) => p.locator('img.face').waitFor());

    await owner.getByText('All sessions of').click();
    await owner.getByRole('heading', { name: /^sub-/ }).waitFor();
    await eventually('both sessions of one person', async () => await owner.locator('table a').count() === 2);
    await pictures(owner, 'participant', (p) => p.locator('table a').first().waitFor());
    await owner.goto(`${program.url}/#/session/sub-nobody_01`);
    await pictures(owner, 'not_found', (p) => p.getByText('Back to all sessions').waitFor());

    await owner.goto(`${program.url}/#/average/shop`);
    await owner.getByText('epochs of 2 participants').waitFor();
    await pictures(owner, 'average', (p) => p.locator('.plot canvas').first().waitFor());
    const choices = owner.locator('form select');
    await choices.nth(1).selectOption({ index: 1 });
    await choices.nth(3).selectOption({ label: (await choices.nth(3).locator('option', { hasText: 'page · click' }).textContent())! });
    await choices.nth(4).selectOption({ index: 2 });
    await owner.getByLabel('From').fill('-0.5');
    await owner.getByLabel('Until').fill('1');
    await owner.getByRole('button', { name: 'Show' }).click();
    await owner.getByText('Cluster-based permutation test').waitFor({ timeout: 30_000 });
    await pictures(owner, 'comparison', (p) => p.locator('.plot canvas').first().waitFor());

    // A download that the browser itself makes, and one session erased.
    await owner.goto(`${program.url}/#/studies`);
    const downloaded = async (format: string): Promise<string> => {
      const menu = owner.locator('.study', { hasText: 'Shop <i>' }).locator('.menu');
      if (await menu.getAttribute('open') === null) await menu.locator('summary').click();
      const [download] = await Promise.all([owner.waitForEvent('download'), menu.getByRole('link', { name: format, exact: true }).click()]);
      return execFileSync('tar', ['-tf', await download.path()]).toString();
    };
    const bids = await downloaded('BIDS');
    assert.match(bids, /dataset_description\.json/);
    assert.equal(bids.match(/_events\.tsv/g)?.length, 3, bids);
    for (const [format, file] of [['CSV', /affect\.csv/], ['Parquet', /\.parquet/], ['Files of the session', /session\.sqlite/]] as const) {
      assert.match(await downloaded(format), file, format);
    }
    await owner.goto(`${program.url}/#/`);
    await owner.locator('table a').first().click();
    await owner.getByRole('button', { name: 'Erase session' }).click();
    await pictures(owner, 'dialog_erase_session', (p) => p.locator('dialog').waitFor());
    await owner.getByRole('button', { name: 'Erase session', exact: true }).click();
    await eventually('the erasure', async () => program.recorded().length === 2 && await owner.locator('table a').count() === 2);
    assert.deepEqual(wrong, [], 'no error in the console, for example a refused script or style');
  } catch (error) {
    await owner.screenshot({ path: join(PICTURES, 'dashboard_failed.png'), fullPage: true });
    console.log(wrong.join('\n'));
    throw error;
  } finally {
    await context.close();
    shop.close();
  }
});
