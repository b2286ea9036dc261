// The text of the consent dialog: the site's own, else the study's, else a list of what is recorded.

import { found } from '../natives/lists';
import type { Settings } from '../options';
import type { Invitation } from '../transport/http';

export interface ConsentText {
  /** The language of the text, for screen readers: `en`, `de`. */
  language: string;
  title: string;
  /** Paragraphs, divided by empty lines. */
  text: string;
  accept: string;
  decline: string;
}

const CAMERA = {
  off: 'Your camera is not used.',
  video: 'Your camera is used: its pictures are sent to the people who run this study, and the feelings and movements '
    + 'in your face, your blinks and where your eyes turn are estimated from them. Your browser will ask for the camera. You can take part without it.',
  scores: 'Your camera is used: the feelings and movements in your face and where your eyes turn are estimated inside your '
    + 'browser. No picture is stored or sent. Your browser will ask for the camera. You can take part without it.',
};

// What `src/sources/` and the start of a session record. A test compares its words with the kinds of events.
const ACTIONS = 'This page is part of a study. If you agree, it records what you do here, and when:\n'
  + '• where you point, click, touch, drag and scroll, and which buttons and links you use\n'
  + '• what you choose in lists and boxes and on sliders, and when you send a form\n'
  + '• when you press a key, and which one where nothing is typed; when you type, delete, select, copy, cut or paste text, and how much\n'
  + '• when you open, leave, hide, resize, turn or print the page, play a video or sound, go offline or see an error, '
  + 'and the addresses of its pages\n'
  + '• which browser and language you use, and the size of its window and the screen';

/** `content`: the fields whose words are kept; undefined if that is not known. */
const words = (content: readonly string[] | undefined): string => {
  const where = content === undefined ? 'In the fields that the study has chosen, the'
    : content.length === 0 ? ''
      : found(content, (selector) => selector === '*') ? 'The' : 'In some fields, the';
  return where === '' ? 'The words that you type or delete are not recorded.'
    : `${where} words that you type, and words that you delete, are recorded too.`;
};

const REPLAY = 'The page is recorded as you see it, so that it can be shown again. ';

/** What this recorder will record, in English. */
export const described = ({ camera, replay }: Pick<Settings, 'camera' | 'replay'>, content: readonly string[] | undefined): string =>
  `${ACTIONS}\n\n${words(content)} ${replay ? REPLAY : ''}Passwords and payment details are never recorded.\n\n`
  + `${CAMERA[camera]}\n\nTaking part is voluntary. Nothing is recorded before you agree.`;

/** `invitation`: null if the server does not answer. */
export const consentText = (settings: Settings, invitation: Invitation | null): ConsentText => {
  const study = invitation?.consent.text ?? '';
  return {
    title: 'May this page record what you do?',
    text: study || described(settings, invitation?.content),
    accept: 'I agree',
    decline: 'No, thank you',
    // The server does not know the language of a study's text.
    language: study && settings.consent?.text === undefined ? '' : 'en',
    ...settings.consent,
  };
};
