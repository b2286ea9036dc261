// The pages of the manual's integrations, with the real server. Each page is read from the manual.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CLIENT, accept, dialog, eventually, launch, site, skip as noBrowser, watch } from './browser';
import { forTests, manualBlocks, manualCell, manualPage } from './manual';
import { noProgram, query } from './program';
import { browser, program, temporaryFolder, withServer } from './served';

const skip = noBrowser || noProgram();
const folder = temporaryFolder();
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

const OTREE_SETTINGS = `SESSION_CONFIGS = [dict(name='survey', app_sequence=['survey'], num_demo_participants=1)]
SESSION_CONFIG_DEFAULTS = dict(real_world_currency_per_point=1.0, participation_fee=0.0)
PARTICIPANT_FIELDS = []
SESSION_FIELDS = []
LANGUAGE_CODE = 'en'
REAL_WORLD_CURRENCY_CODE = 'USD'
USE_POINTS = False
ADMIN_USERNAME = 'admin'
ADMIN_PASSWORD = None
SECRET_KEY = 'test'
INSTALLED_APPS = ['otree']
`;
const OTREE_APP = `from otree.api import *

class C(BaseConstants):
    NAME_IN_URL = 'survey'
    PLAYERS_PER_GROUP = None
    NUM_ROUNDS = 1

class Subsession(BaseSubsession):
    pass

class Group(BaseGroup):
    pass

class Player(BasePlayer):
    answer = models.StringField()
    affectograph_session = models.StringField(blank=True)

class Question(Page):
    form_model = 'player'
    form_fields = ['answer', 'affectograph_session']

class End(Page):
    pass

page_sequence = [Question, End]
`;

/** An oTree project with the templates of the manual. */
const otreeProject = (root: string, key: string): void => {
  const [page, begin, field, end] = manualBlocks('../docs/integrations/otree.md') as [string, string, string, string];
  const block = (title: string, content: string) => `${begin}{{ block title }}${title}{{ endblock }}\n{{ block content }}\n${content}\n{{ endblock }}\n`;
  const files: Record<string, string> = {
    'settings.py': OTREE_SETTINGS, 'survey/__init__.py': OTREE_APP, '_templates/global/Page.html': forTests(page, program.url, key, []),
    'survey/Question.html': block('Question', `{{ formfield 'answer' }}\n${field}\n{{ next_button }}`), 'survey/End.html': block('End', `<p>Thank you.</p>\n${end}`),
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(root, name, '..'), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  cpSync(join(CLIENT, 'dist'), join(root, '_static/affectograph'), { recursive: true });
};

if (process.env['AFFECTOGRAPH_NEED_OTREE'] === '1') test('oTree: pages become marks, and oTree\'s data name the session', { skip, timeout: 280_000 }, async () => {
  const earlier = new Set(program.recorded());
  const free = await site({});
  free.close();
  const { port } = new URL(free.url);
  const [venv, root] = [join(folder, 'venv'), join(folder, 'otree')];
  execFileSync('python3', ['-m', 'venv', venv]);
  execFileSync(join(venv, 'bin/pip'), ['install', '--quiet', 'otree==6.0.15'], { stdio: ['ignore', 'ignore', 'inherit'] });
  otreeProject(root, program.key(free.url));
  const otree = spawn(join(venv, 'bin/otree'), ['prodserver1of2', port], { cwd: root, stdio: 'ignore', env: { ...process.env, PATH: `${join(venv, 'bin')}:${process.env['PATH']}` } });
  const context = await browser.newContext();
  const errors = watch(context);
  try {
    await eventually('oTree answers', () => fetch(`${free.url}/demo`).then((answer) => answer.ok, () => false), 60_000);
    const visited = await context.newPage();
    await visited.goto(`${free.url}/demo/survey`);
    const link = visited.locator('a[href*="/InitializeParticipant/"], a[href*="/join/"]').first();
    await link.waitFor();
    await visited.goto((await link.getAttribute('href'))!);
    await accept(visited);
    await visited.waitForFunction('recorder.state.phase === "recording"');
    const id = await visited.evaluate('recorder.state.session') as string;
    await eventually('the hidden field', async () => await visited.locator('[name=affectograph_session]').inputValue() === id);
    await visited.locator('[name=answer]').fill('blue');
    await visited.getByRole('button', { name: 'Next' }).click();
    await visited.getByText('Thank you.').waitFor();
    await eventually('the end', async () => await visited.evaluate('recorder.state.phase') === 'finished', 30_000);
    assert.equal(await visited.evaluate('recorder.state.session'), id, 'one session over both pages');
    const [session, ...others] = program.recorded().filter((s) => !earlier.has(s));
    assert.deepEqual(others, []);
    const marks = query<{ data: string }>(session!, "SELECT data FROM event WHERE stream = 'page' AND kind = 'mark' ORDER BY seq")
      .map(({ data }) => (JSON.parse(data) as { data: { path: string } }).data.path);
    assert.deepEqual(marks, ['Question/1', 'End/2']);
    const data = execFileSync('sqlite3', [join(root, 'db.sqlite3'), 'SELECT answer, affectograph_session FROM survey_player']).toString().trim();
    assert.equal(data, `blue|${id}`);
    assert.deepEqual(errors, []);
  } finally {
    await context.close();
    otree.kill();
  }
});

const PSYCHOJS = process.env['AFFECTOGRAPH_PSYCHOJS'];
const PSYCHOJS_MANUAL = '../docs/integrations/psychojs.md';
/** An experiment with one routine, in the form of PsychoPy Builder's export, with the code of the manual in its code component. */
const psychojsExperiment = (): string => {
  const code = (tab: string) => manualCell(PSYCHOJS_MANUAL, tab);
  return `import { core, util, visual } from './psychojs.js';
const { Scheduler } = util;
const psychoJS = window.psychoJS = new core.PsychoJS({ debug: false });
psychoJS.openWindow({ fullscr: false, color: new util.Color([0, 0, 0]), units: 'height', waitBlanking: true });
const flowScheduler = new Scheduler(psychoJS);
psychoJS.schedule(flowScheduler);
flowScheduler.add(experimentInit);
flowScheduler.add(welcomeRoutineBegin());
flowScheduler.add(welcomeRoutineEachFrame());
flowScheduler.add(welcomeRoutineEnd());
flowScheduler.add(quitPsychoJS, 'Thank you.', true);
psychoJS.start({ expName: 'welcome', expInfo: { participant: '1' }, resources: [] });
let text, key_resp;
async function experimentInit() {
  text = new visual.TextStim({ win: psychoJS.window, name: 'text', text: 'Press space', height: 0.1 });
  key_resp = new core.Keyboard({ psychoJS, clock: new util.Clock(), waitForStart: true });
  ${code('Begin Experiment')}
  return Scheduler.Event.NEXT;
}
function welcomeRoutineBegin() {
  return async function () {
    key_resp.start();
    key_resp.clearEvents();
    text.setAutoDraw(true);
    ${code('Begin Routine')}
    return Scheduler.Event.NEXT;
  };
}
function welcomeRoutineEachFrame() {
  return async function () {
    window.frames_shown = (window.frames_shown ?? 0) + 1;
    const isPressed = key_resp.getKeys({ keyList: ['space'], waitRelease: false }).length > 0;
    return isPressed ? Scheduler.Event.NEXT : Scheduler.Event.FLIP_REPEAT;
  };
}
function welcomeRoutineEnd() {
  return async function () {
    text.setAutoDraw(false);
    key_resp.stop();
    ${code('End Routine')}
    return Scheduler.Event.NEXT;
  };
}
async function quitPsychoJS(message, isCompleted) {
  ${code('End Experiment')}
  psychoJS.window.close();
  psychoJS.quit({ message, isCompleted });
  return Scheduler.Event.QUIT;
}
`;
};

if (PSYCHOJS) test('PsychoJS: routines become marks, and the experiment waits for consent and for the end', { skip, timeout: 90_000 }, async () => {
  const earlier = new Set(program.recorded());
  const pages: Record<string, string | Buffer> = {
    '/psychojs.js': readFileSync(PSYCHOJS), '/experiment.js': Buffer.from(psychojsExperiment()),
  };
  const lab = await site(pages);
  const [head] = manualBlocks(PSYCHOJS_MANUAL);
  pages['/'] = `<!doctype html><html lang="en"><meta charset="utf-8"><title>welcome</title>
${forTests(head!, program.url, program.key(lab.url), [['"affectograph/', '"/dist/']])}
<script type="module" src="/experiment.js"></script><body><div id="root"></div></body></html>`;
  const context = await browser.newContext();
  const errors = watch(context);
  try {
    const visited = await context.newPage();
    const said: string[] = [];
    visited.on('console', (message) => said.push(message.text()));
    await visited.goto(lab.url);
    await dialog(visited).catch((cause: unknown) => { throw new Error([...errors, ...said].join('\n'), { cause }); });
    assert.equal(await visited.evaluate('window.frames_shown'), undefined, 'the experiment waits for the answer');
    await accept(visited);
    await visited.waitForFunction('window.frames_shown > 5', null, { timeout: 30_000 });
    await visited.keyboard.press('Space');
    await visited.waitForFunction('recorder.state.phase === "finished"', null, { timeout: 30_000 });
    const [session, ...others] = program.recorded().filter((s) => !earlier.has(s));
    assert.deepEqual(others, []);
    const marks = query<{ data: string }>(session!, "SELECT data FROM event WHERE stream = 'page' AND kind = 'mark' ORDER BY seq")
      .map(({ data: json }) => JSON.parse(json) as { name: string; data: { name: string } });
    assert.deepEqual(marks.map((m) => [m.name, m.data.name]), [['routine_start', 'welcome'], ['routine_end', 'welcome']]);
    const keys = query<{ data: string }>(session!, "SELECT data FROM event WHERE stream = 'page' AND kind = 'keydown'");
    assert.equal(keys.length, 1);
    await eventually('the end', () => program.isClosed(session!));
    assert.match(program.run('verify', session!), /^intact$/m);
    assert.deepEqual(errors, []);
  } finally {
    await context.close();
    lab.close();
  }
});
