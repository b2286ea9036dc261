// A third party's page, a jsPsych experiment, and a participant. The camera is Chromium's fake camera, which plays a clip.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { need } from '../need';
import { CLIENT, accept, launch, skip as noBrowser } from './browser';
import { PASSWORD, temporaryFolder, withServer } from './served';

const SHARED = process.env['AFFECTOGRAPH_SHARED'] ?? join(CLIENT, '../../shared');
export const CLIP = join(SHARED, 'media/single_face.mp4');
/** The reason why the experiment cannot run, or false. */
export const skip = noBrowser || need(existsSync(CLIP) ? false : `there is no ${CLIP}`);

/** `options`: further options of the recorder, as source text. */
export const experimentPage = (server: string, key: string, camera: string, options = '') => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Experiment</title>
<link rel="stylesheet" href="/node_modules/jspsych/css/jspsych.css">
<script src="/node_modules/jspsych/dist/index.browser.min.js"></script>
<script src="/node_modules/@jspsych/plugin-html-button-response/dist/index.browser.min.js"></script>
<script src="/node_modules/@jspsych/plugin-survey-text/dist/index.browser.min.js"></script>
<script src="/dist/affectograph.min.js"></script>
<body><script>
  const recorder = affectograph.createRecorder({ server: '${server}', study: 'smile', key: '${key}', camera: '${camera}', replay: true, ${options} });
  const affect = [];
  recorder.affect$.subscribe((a) => affect.push(a));
  const jsPsych = initJsPsych({ on_trial_start: (trial) => recorder.mark('trial', { type: trial.type.info.name }) });
  recorder.start().then(async (state) => {
    window.begun = state;
    await jsPsych.run([
      { type: jsPsychHtmlButtonResponse, stimulus: 'How do you feel?', choices: ['Good', 'Bad'] },
      { type: jsPsychSurveyText, questions: [{ prompt: 'Tell us why', name: 'why', rows: 3 }] },
      { type: jsPsychHtmlButtonResponse, stimulus: 'Thank you', choices: ['Done'] },
    ]);
    window.ended = await recorder.stop();
  });
</script></body></html>`;

/** The clip is written to `folder` in the fake camera's format. */
export const launchWithFace = (folder: string): Promise<Browser> => {
  const film = join(folder, 'face.y4m');
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', CLIP, '-pix_fmt', 'yuv420p', film]);
  return launch([
    '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', `--use-file-for-fake-video-capture=${film}`,
  ]);
};

/** For all tests of a file: a browser with the face in front of its camera, and the server with its owner. */
export const withOwnerAndFace = (skip: string | false): void => {
  const folder = temporaryFolder();
  withServer(skip, () => launchWithFace(folder), (server) => {
    server.own(PASSWORD);
    return [];
  });
};

/** Agrees to the consent dialog. Recording begins then. */
export const agree = async (page: Page) => {
  await accept(page);
  await page.waitForFunction('window.begun', null, { timeout: 60_000 });
};

/** Agrees, watches for a while, clicks, types, deletes and answers, with pauses of `rest_ms`. */
export const takePart = async (page: Page, watch_ms: number, rest_ms = 0) => {
  await agree(page);
  await page.waitForTimeout(watch_ms);
  await page.waitForFunction('recorder.state.clock_uncertainty_ms <= 5', null, { timeout: 40_000 });
  await page.getByRole('button', { name: 'Good' }).click();
  await page.waitForTimeout(rest_ms);
  await page.locator('textarea').pressSequentially('It was awful');
  for (let k = 0; k < 5; k++) await page.keyboard.press('Backspace');
  await page.keyboard.type('fine');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForTimeout(rest_ms);
  await page.getByRole('button', { name: 'Done' }).click();
  await page.waitForFunction('window.ended', null, { timeout: 60_000 });
};
