// The recording sign, a separate file (`dist/sign.js`): whether something is recorded, with or without the camera, and what the
// visitor can decide: pause, delete what was recorded, read the own data.
//
// Like the consent dialog it is in a closed shadow root with adopted styles. The replay does not contain it.

import { closedRoot, make } from '../closed-root';
import { background, sentence } from '../natives/promise';
import type { Settings } from '../options';
import type { Recorder } from '../recorder';
import type { State } from '../state';
import { SIGN_TEXT, type SignText } from './text';

const STYLE = `
  :host { all: initial }
  .sign {
    position: fixed; z-index: 2147483647; bottom: 12px; left: 12px; max-width: min(22rem, calc(100vw - 24px)); box-sizing: border-box;
    padding: 6px 10px; border: 1px solid #0003; border-radius: 10px; color: #1b1b1f; background: #fff;
    font: 13px/1.45 system-ui, sans-serif; box-shadow: 0 3px 12px #0003;
  }
  summary { display: flex; align-items: center; gap: 8px; min-height: 24px; cursor: pointer; list-style: none; border-radius: 6px }
  summary::-webkit-details-marker { display: none }
  .dot { flex: none; width: 10px; height: 10px; border-radius: 50%; background: #c62828 }
  .paused .dot { border-radius: 1px; background: #767676 }
  .over .dot { display: none }
  p { margin: 8px 0 0 }
  p:empty { display: none }
  .buttons { display: flex; flex-wrap: wrap; gap: 8px; margin: 8px 0 4px }
  button {
    min-height: 28px; padding: 2px 10px; border: 1px solid #0072b2; border-radius: 6px; font: inherit; color: #005a8e;
    background: #fff; cursor: pointer;
  }
  button[hidden] { display: none }
  button:hover { background: #e8f3fa }
  :focus { outline: none }
  :focus-visible { outline: 3px solid #0072b2; outline-offset: 2px }
  @media (prefers-color-scheme: dark) {
    .sign { color: #ececf1; background: #1d1f24; border-color: #fff3 }
    .dot { background: #ef5350 }
    .paused .dot { background: #9e9e9e }
    button { color: #9bd3f5; background: #1d1f24; border-color: #56b4e9 }
    button:hover { background: #26323b }
    :focus-visible { outline-color: #56b4e9 }
  }
  @media print { .sign { display: none } }
`;

const isRecorded = ({ phase }: State): boolean => phase === 'connecting' || phase === 'recording';
const isWithdrawn = ({ phase }: State): boolean => phase === 'withdrawing' || phase === 'withdrawn';

/** The sign's elements, in a closed shadow root. */
const frame = (language: string) => {
  const { host, root } = closedRoot('sign', STYLE);
  const sign = make('details');
  sign.lang = language;
  const heading = make('summary');
  const dot = make('span');
  dot.className = 'dot';
  const title = make('span');
  const about = make('p');
  // A screen reader announces what changes in them.
  for (const element of [title, about]) element.setAttribute('role', 'status');
  heading.append(dot, title);
  const buttons = make('div');
  buttons.className = 'buttons';
  sign.append(heading, about, buttons);
  root.append(sign);
  return { host, sign, title, about, buttons };
};

const save = (file: Blob) => {
  const link = make('a');
  link.href = URL.createObjectURL(file);
  link.download = 'my-data.json';
  link.click(); // it is not in the document, so that the page's listeners do not see it
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
};

/** Words that stay the same are not announced again. */
const say = (element: HTMLElement, words: string) => { if (element.textContent !== words) element.textContent = words; };

/** What the sign says now. */
const headline = (state: State, text: SignText): string => {
  if (state.phase === 'withdrawn') return text.deleted;
  if (state.phase === 'withdrawing') return state.problem === null ? text.deleting : text.notDeletedYet;
  if (state.isPaused) return text.paused;
  return state.camera === 'on' || state.camera === 'starting' ? text.recordingCamera : text.recording;
};

/** Shows the sign while something is recorded, and the confirmation after a withdrawal until it is closed. */
export const showSign = (recorder: Recorder, settings: Settings): void => {
  const text = { ...SIGN_TEXT, ...(settings.sign === false ? {} : settings.sign) };
  const { host, sign, title, about, buttons } = frame(text.language);
  /** A script of the page cannot press it. */
  const button = (words: string, press: () => void): HTMLButtonElement => {
    const made = make('button', words);
    made.type = 'button';
    made.addEventListener('click', (event) => { if (event.isTrusted) press(); });
    buttons.append(made);
    return made;
  };
  let isAsking = false;
  let isClosed = false;
  let said = '';
  const ask = (is: boolean) => {
    isAsking = is;
    said = '';
    show();
    (is ? no : withdraw).focus();
  };
  const pause = button('', () => (recorder.state.isPaused ? recorder.resume() : recorder.pause()));
  const data = button(text.ownData, () => {
    said = '';
    void background(async () => save(await recorder.ownData()), (error) => {
      said = `${text.noData} ${sentence(error)}`;
      show();
    });
  });
  const withdraw = button(text.withdraw, () => ask(true));
  const no = button(text.no, () => ask(false));
  const yes = button(text.yes, () => {
    isAsking = false;
    void recorder.withdraw();
    close.focus();
  });
  const close = button(text.close, () => {
    isClosed = true;
    show();
  });

  const show = () => {
    const { state } = recorder;
    const isOver = isWithdrawn(state);
    if (isClosed || !isRecorded(state) && !isOver) return host.remove();
    sign.className = `sign${isOver ? ' over' : state.isPaused ? ' paused' : ''}`;
    if (isOver) sign.open = true;
    say(title, headline(state, text));
    say(about, isAsking ? text.question : said);
    say(pause, state.isPaused ? text.resume : text.pause);
    pause.hidden = withdraw.hidden = isOver || isAsking;
    data.hidden = isOver || isAsking || !state.offersOwnData;
    yes.hidden = no.hidden = isOver || !isAsking;
    close.hidden = !isOver;
    if (!host.isConnected) document.documentElement.append(host);
  };
  recorder.state$.subscribe(show);
  show();
};
