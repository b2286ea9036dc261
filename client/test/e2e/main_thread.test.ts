// The main thread's time of this library beside rrweb and posthog-js: the same page, the same visitor, one run. All time below
// a function of the library counts, also the browser's own functions that it calls.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { CLIENT, launch, site, skip, watch } from './browser';
import { ProtocolServer, rowsOf } from './server';

const ROUNDS = 3;
const CLICKS = 15;

/** The page changes by itself ten times a second. */
const PAGE = (recorder: string) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title>
<body style="height: 3000px"><button id="buy">Buy now</button> <input id="comment"> <ul id="list"></ul>
<script>
  let n = 0;
  setInterval(() => {
    const item = document.createElement('li');
    item.className = 'item';
    item.textContent = 'Item ' + n++;
    list.append(item);
    if (list.children.length > 30) list.firstChild.remove();
  }, 100);
</script>
${recorder}`;

/** As rrweb's guide sends its events. */
const RRWEB = `
  window.emitted = 0;
  let events = [];
  rrweb.record({ emit(event) { events.push(event); emitted += 1; } });
  setInterval(() => {
    const body = JSON.stringify({ events });
    events = [];
    fetch('/sink', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  }, 1000);`;

const POSTHOG = `
  import posthog from '/node_modules/posthog-js/dist/module.full.no-external.js';
  posthog.init('phc_test', { api_host: location.origin, autocapture: true, capture_pageview: true, person_profiles: 'always', opt_out_useragent_filter: true });
  window.posthog = posthog;`;
/** What posthog-js asks its server for: to record the page for replay. */
const POSTHOG_ANSWER = JSON.stringify({
  sessionRecording: { endpoint: '/s/', recorderVersion: 'v2' }, supportedCompression: ['gzip-js'], autocapture_opt_out: false,
  featureFlags: {}, hasFeatureFlags: false,
});

interface Run { page: Page; server: ProtocolServer; posts: string[] }
interface Variant {
  name: string;
  /** The page's code that records. */
  code(server: string): string;
  /** Where its functions come from. */
  isOwn(url: string): boolean;
  ready(page: Page): Promise<unknown>;
  /** It has recorded the visit. */
  check(run: Run): Promise<void>;
}

const ours = (name: string, options: string, check: (server: ProtocolServer) => void): Variant => ({
  name,
  code: (server) => `<script src="/dist/affectograph.min.js"></script><script>
    const recorder = affectograph.createRecorder({ server: '${server}', study: 'shop', key: 'key', consentGiven: true, ${options} });
    const started = recorder.start();
  </script>`,
  isOwn: (url) => url.includes('/dist/') && !url.includes('posthog'),
  ready: (page) => page.evaluate('started'),
  check: async ({ page, server }) => {
    assert.equal((await page.evaluate('recorder.stop()') as { phase: string }).phase, 'finished');
    assert.equal(rowsOf(server.session, 'page').filter((row) => row.kind === 'click').length, CLICKS);
    check(server);
  },
});

const VARIANTS: Variant[] = [
  ours('affectograph, events', '', () => undefined),
  ours('affectograph, events and replay', 'replay: true', (server) => assert.ok(rowsOf(server.session, 'replay').length > 20)),
  {
    name: 'rrweb, replay',
    code: () => '<script src="/rrweb.js"></script><script src="/rrweb-use.js"></script>',
    isOwn: (url) => url.includes('/rrweb'),
    ready: (page) => page.waitForFunction('emitted > 0'),
    check: async ({ page, posts }) => {
      assert.ok(await page.evaluate('emitted') as number > 20);
      assert.ok(posts.some((path) => path === '/sink'));
    },
  },
  {
    name: 'posthog-js, events and replay',
    code: () => `<script type="module" src="/posthog-use.js"></script>`,
    isOwn: (url) => url.includes('posthog'),
    ready: (page) => page.waitForFunction('window.posthog && posthog.sessionRecordingStarted()'),
    check: async ({ page, posts }) => {
      await page.waitForTimeout(4000); // it sends every few seconds
      assert.ok(posts.some((path) => path.startsWith('/s/')), `replay: ${posts.join(', ')}`);
      assert.ok(posts.some((path) => path.startsWith('/e/') || path.startsWith('/i/')), `events: ${posts.join(', ')}`);
    },
  },
];

/** What the visitor does. */
const act = async (page: Page): Promise<void> => {
  await page.click('#comment');
  for (let k = 0; k < 150; k++) {
    await page.mouse.move(50 + k * 4, 100 + (k % 20) * 10);
    if (k % 3 === 0) await page.keyboard.press('a');
    if (k % 15 === 0) await page.mouse.wheel(0, 30);
  }
  // The first click was into the field.
  for (let k = 1; k < CLICKS; k++) await page.click('#buy');
  await page.waitForTimeout(1000);
};

/** The part of the time below functions of the library, and the whole, in ms. */
const profiled = async (cdp: CDPSession, isOwn: (url: string) => boolean, work: () => Promise<void>): Promise<{ own_ms: number; whole_ms: number }> => {
  await cdp.send('Profiler.enable');
  await cdp.send('Profiler.setSamplingInterval', { interval: 200 });
  await cdp.send('Profiler.start');
  await work();
  const { profile } = await cdp.send('Profiler.stop');
  const own = new Set<number>();
  // Each node comes before its children.
  for (const { id, callFrame, children } of profile.nodes) {
    if (isOwn(callFrame.url)) own.add(id);
    if (own.has(id)) for (const child of children ?? []) own.add(child);
  }
  let own_us = 0;
  profile.samples!.forEach((id, k) => { if (own.has(id)) own_us += profile.timeDeltas![k]!; });
  return { own_ms: own_us / 1000, whole_ms: (profile.endTime - profile.startTime) / 1000 };
};

let browser: Browser;
before(async () => { if (!skip) browser = await launch(); });
after(async () => { if (!skip) await browser.close(); });

const measure = async ({ name, code, isOwn, ready, check }: Variant): Promise<{ own_ms: number; whole_ms: number }> => {
  const server = await new ProtocolServer().start();
  const pages: Record<string, string | Buffer> = {
    '/': PAGE(code(server.url)), '/rrweb.js': readFileSync(join(CLIENT, 'node_modules/rrweb/dist/rrweb.umd.min.cjs')),
    '/rrweb-use.js': Buffer.from(RRWEB), '/posthog-use.js': Buffer.from(POSTHOG), '/sink': '{}', '/s/': '{"status": 1}', '/e/': '{"status": 1}',
    '/i/v0/e/': '{"status": 1}', '/flags/': POSTHOG_ANSWER, '/array/phc_test/config': POSTHOG_ANSWER,
  };
  const shop = await site(pages);
  const context = await browser.newContext();
  const errors = watch(context);
  const posts: string[] = [];
  context.on('request', (request) => { if (request.method() === 'POST') posts.push(new URL(request.url()).pathname); });
  try {
    const page = await context.newPage();
    await page.goto(shop.url);
    await ready(page).catch((error: unknown) => { throw new Error(`${name}: ${posts.join(', ')}; ${errors.join('; ')}`, { cause: error }); });
    const cost = await profiled(await context.newCDPSession(page), isOwn, () => act(page));
    assert.ok(cost.own_ms > 0, `${name}: no function of it has run`);
    await check({ page, server, posts });
    return cost;
  } finally {
    await context.close();
    shop.close();
    await server.kill();
  }
};

test('the main thread\'s time beside rrweb and posthog-js', { skip, timeout: 280_000 }, async () => {
  const costs = new Map(VARIANTS.map((variant) => [variant.name, [] as { own_ms: number; whole_ms: number }[]]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const variant of VARIANTS) costs.get(variant.name)!.push(await measure(variant));
  }
  const shares = new Map<string, number>();
  const { length: most } = [...VARIANTS].sort((a, b) => b.name.length - a.name.length)[0]!.name;
  for (const [name, runs] of costs) {
    const { own_ms, whole_ms } = runs.sort((a, b) => a.own_ms / a.whole_ms - b.own_ms / b.whole_ms)[Math.floor(ROUNDS / 2)]!;
    shares.set(name, own_ms / whole_ms);
    console.log(`${name.padEnd(most)}  ${own_ms.toFixed(1).padStart(6)} ms of ${whole_ms.toFixed(0)} ms, ${((100 * own_ms) / whole_ms).toFixed(2)} % (median of ${ROUNDS})`);
  }
  // The computer's load changes all of them. README.md has figures of one run.
  const [recorded, posthog] = ['affectograph, events and replay', 'posthog-js, events and replay'].map((name) => shares.get(name)!);
  assert.ok(recorded! < posthog!, 'the library costs more than posthog-js, which records the same');
});
