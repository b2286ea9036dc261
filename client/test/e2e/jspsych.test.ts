// The jsPsych extension with jsPsych 8 and the real server. The page is the one of its README.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { accept, answer, dialog, eventually, launch, site, skip as noBrowser, watch } from './browser';
import { manualPage } from './manual';
import { noProgram, query } from './program';
import { browser, program, withServer } from './served';

const skip = noBrowser || noProgram();
withServer(skip, () => launch());

/** The page of the README with the test's addresses. `params`: further parameters of the extension. */
const page = (server: string, key: string, params = '', trial = ''): string => manualPage('jspsych/README.md', server, key, [
  ['"/@jspsych/', '"/node_modules/@jspsych/'], ['"/affectograph/', '"/dist/'], ['"/affectograph-jspsych/', '"/jspsych/dist/'],
  ['"/jspsych/css', '"/node_modules/jspsych/css'], ['"/jspsych/dist/index', '"/node_modules/jspsych/dist/index'],
  ['params: { recorder }', `params: { recorder, ${params} }`], ['[{ type: Affectograph }]', `[{ type: Affectograph, ${trial} }]`],
]);

type Row = Record<string, unknown>;
interface Visit { page: Page; session(): string; data(): Promise<Row[]> }
const visit = async (work: (visit: Visit) => Promise<void>, params = '', trial = '') => {
  const earlier = new Set(program.recorded());
  const pages: Record<string, string> = {};
  const lab = await site(pages);
  pages['/'] = page(program.url, program.key(lab.url), params, trial);
  const context = await browser.newContext();
  const errors = watch(context);
  try {
    const visited = await context.newPage();
    await visited.goto(lab.url);
    await work({
      page: visited,
      session: () => {
        const added = program.recorded().filter((s) => !earlier.has(s));
        assert.equal(added.length, 1);
        return added[0]!;
      },
      data: () => visited.evaluate('jsPsych.data.get().values()') as Promise<Row[]>,
    });
    assert.deepEqual(errors, []);
  } finally {
    await context.close();
    lab.close();
  }
};

/** Answers both trials, and waits for the end. */
const takePart = async (visited: Page, trials: number) => {
  await visited.getByRole('button', { name: 'Bad' }).click();
  await visited.locator('textarea').fill('Zq7 secret');
  await visited.getByRole('button', { name: 'Continue' }).click();
  await eventually('the end', async () => await visited.evaluate('jsPsych.data.get().count()') === trials);
};

interface Mark { name: string; page_ms: number; data: Row }
const marks = (session: string): Mark[] =>
  query<{ data: string }>(session, "SELECT data FROM event WHERE stream = 'page' AND kind = 'mark' ORDER BY seq")
    .map(({ data }) => JSON.parse(data) as Mark);
const BUTTON = { trial_index: 1, plugin: 'html-button-response' };
const TEXT = { trial_index: 2, plugin: 'survey-text' };

test('trials become marks, and jsPsych\'s data name the session', { skip, timeout: 120_000 }, () => visit(async ({ page: visited, session, data }) => {
  await accept(visited);
  await takePart(visited, 4);
  const rows = await data();
  assert.deepEqual(rows.map((row) => row['trial_type']), ['affectograph-start', 'html-button-response', 'survey-text', 'affectograph-stop']);
  assert.deepEqual(rows.map((row) => row['affectograph_phase']), ['recording', 'recording', 'recording', 'finished']);
  const recorded = session();
  const [header] = query<{ id: string }>(recorded, 'SELECT * FROM session').map((row) => ({ id: JSON.stringify(row) }));
  const { session: id, participant } = await visited.evaluate('recorder.state') as { session: string; participant: string };
  assert.ok(id && participant && header!.id.includes(participant), 'the session file names the participant');
  for (const row of rows) assert.deepEqual([row['affectograph_session'], row['affectograph_participant']], [id, participant]);

  const all = marks(recorded);
  const ends = all.filter((mark) => mark.name === 'trial_end');
  assert.deepEqual(all.map((mark) => [mark.name, mark.data['trial_index'] ?? null]), [
    ['experiment_start', null], ['trial_start', 1], ['trial_load', 1], ['trial_end', 1],
    ['trial_start', 2], ['trial_load', 2], ['trial_end', 2], ['experiment_end', null],
  ]);
  assert.deepEqual(ends.map((mark) => mark.data), [
    { ...BUTTON, rt_ms: rows[1]!['rt'], response: 1 }, { ...TEXT, rt_ms: rows[2]!['rt'], response: { why: { length: 10 } } },
  ]);
  for (const [k, row] of [rows[1]!, rows[2]!].entries()) {
    for (const [column, name] of [['start', 'trial_start'], ['load', 'trial_load'], ['end', 'trial_end']]) {
      const own = row[`affectograph_${column}_ms`] as number;
      const mark = all.filter((m) => m.name === name)[k]!.page_ms;
      assert.ok(Math.abs(own - mark) < 5, `${column} is ${own} ms in jsPsych's data and ${mark} ms in the session`);
    }
  }
  // The study keeps the text of `textarea`, so that it is in events. The marks do not have it.
  assert.ok(!JSON.stringify(all).includes('Zq7'));
  assert.match(program.run('verify', recorded), /intact/);
}));

test('complete responses are sent if the site asks for them', { skip, timeout: 120_000 }, () => visit(async ({ page: visited, session }) => {
  await accept(visited);
  await takePart(visited, 4);
  const ends = marks(session()).filter((mark) => mark.name === 'trial_end');
  assert.deepEqual(ends.map((mark) => mark.data['response']), [1, { why: 'Zq7 secret' }]);
}, 'responses: true'));

test('a trial\'s own parameter is stronger', { skip, timeout: 120_000 }, () => visit(async ({ page: visited, session }) => {
  await accept(visited);
  await takePart(visited, 4);
  const ends = marks(session()).filter((mark) => mark.name === 'trial_end');
  assert.deepEqual(ends.map((mark) => 'response' in mark.data), [false, false]);
}, 'responses: true', 'params: { responses: false }'));

test('the plugin of a parent timeline, and a trial that is not kept', { skip, timeout: 120_000 }, () => visit(async ({ page: visited, session }) => {
  await visited.evaluate(`trials.timeline[0] = {
    type: jsPsychHtmlButtonResponse, choices: ['Good', 'Bad'], record_data: false, timeline: [{ stimulus: 'How do you feel?' }] }`);
  await accept(visited);
  await takePart(visited, 3);
  const [end] = marks(session()).filter((mark) => mark.name === 'trial_end');
  assert.deepEqual(end!.data, BUTTON, 'the plugin is known, and no result is sent');
}));

test('the server is away: the experiment goes on, and its trials are recorded later', { skip, timeout: 120_000 }, () => visit(async ({ page: visited, session, data }) => {
  await dialog(visited);
  await program.kill9();
  await accept(visited);
  await visited.getByRole('button', { name: 'Bad' }).click({ timeout: 30_000 });
  const [first, second] = await data() as [Row, Row];
  assert.equal(first['affectograph_phase'], 'connecting');
  assert.match(String(first['affectograph_problem']), /server/);
  assert.deepEqual([second['affectograph_phase'], second['affectograph_session']], ['connecting', undefined]);
  await program.start();
  await eventually('the recording', async () => await visited.evaluate('recorder.state.phase') === 'recording', 40_000);
  await visited.locator('textarea').fill('later');
  await visited.getByRole('button', { name: 'Continue' }).click();
  await eventually('the end', async () => await visited.evaluate('jsPsych.data.get().count()') === 4);
  const rows = await data();
  const id = await visited.evaluate('recorder.state.session');
  assert.deepEqual(rows.map((row) => row['affectograph_session']), [id, id, id, id], 'earlier trials name the session, too');
  assert.deepEqual(marks(session()).filter((mark) => mark.name === 'trial_end').map((mark) => mark.data['trial_index']), [1, 2]);
}));

test('a participant who declines takes part without a recording', { skip, timeout: 120_000 }, () => visit(async ({ page: visited, data }) => {
  const earlier = program.recorded().length;
  await answer(visited, 'Escape');
  await takePart(visited, 4);
  const rows = await data();
  assert.equal(rows[0]!['affectograph_phase'], 'declined');
  assert.equal('affectograph_session' in rows[0]!, false);
  assert.equal(program.recorded().length, earlier);
}));

test('a simulated participant is not asked and not recorded', { skip, timeout: 120_000 }, () => visit(async ({ page: visited }) => {
  const earlier = program.recorded().length;
  const rows = await visited.evaluate(`(async () => {
    const created = affectograph.createRecorder({ server: '${program.url}', study: 'open', key: 'none' });
    const lab = initJsPsych({ display_element: document.body.appendChild(document.createElement('div')),
      extensions: [{ type: Affectograph, params: { recorder: created } }] });
    await lab.simulate([Affectograph.startRecording(created), trials, Affectograph.stopRecording(created)]);
    return lab.data.get().values();
  })()`) as Row[];
  assert.deepEqual(rows.map((row) => row['affectograph_phase']), ['idle', 'idle', 'idle', 'idle']);
  assert.equal(program.recorded().length, earlier);
}));

test('the extension without a recorder says so', { skip }, () => visit(async ({ page: visited }) => {
  const said = await visited.evaluate(`initJsPsych({ extensions: [{ type: Affectograph }] }).run([trials]).catch((e) => e.message)`);
  assert.match(String(said), /needs the parameter `recorder`/);
}));
