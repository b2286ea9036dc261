// The pages of the manual's integrations, with the real server. Each page is read from the manual.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accept, eventually, launch, site, skip as noBrowser, watch } from './browser';
import { manualPage } from './manual';
import { noProgram, query } from './program';
import { browser, program, withServer } from './served';

const skip = noBrowser || noProgram();
withServer(skip, () => launch());

test('lab.js: screens become marks, and lab.js\'s data name the session', { skip, timeout: 90_000 }, async () => {
  const earlier = new Set(program.recorded());
  const pages: Record<string, string> = {};
  const lab = await site(pages);
  pages['/'] = manualPage('../docs/integrations/labjs.md', program.url, program.key(lab.url), [['"/affectograph/', '"/dist/'], ['"/lab.js/', '"/node_modules/lab.js/']]);
  const context = await browser.newContext();
  const errors = watch(context);
  try {
    const visited = await context.newPage();
    await visited.goto(lab.url);
    await accept(visited);
    await visited.locator('#go').click();
    for (const [word, key] of [['red', 'r'], ['blue', 'b']] as const) {
      await visited.getByText(word, { exact: true }).waitFor();
      await visited.waitForTimeout(150);
      await visited.keyboard.press(key);
    }
    await eventually('the end', async () => await visited.evaluate('recorder.state.phase') === 'finished', 30_000);
    const data = await visited.evaluate('study.options.datastore.data') as Record<string, unknown>[];
    const id = await visited.evaluate('recorder.state.session') as string;
    assert.ok(data.some((row) => row['affectograph_session'] === id), JSON.stringify(data));
    const [session, ...others] = program.recorded().filter((s) => !earlier.has(s));
    assert.deepEqual(others, []);
    const marks = query<{ data: string }>(session!, "SELECT data FROM event WHERE stream = 'page' AND kind = 'mark' ORDER BY seq")
      .map(({ data: json }) => JSON.parse(json) as { name: string; data: { title: string } });
    assert.deepEqual(marks.map((m) => [m.name, m.data.title]), ['welcome', 'word', 'word'].flatMap((title) => [['screen_start', title], ['screen_end', title]]));
    assert.deepEqual(errors, []);
  } finally {
    await context.close();
    lab.close();
  }
});
