// The default text of the consent dialog.

export interface ConsentText {
  /** The language of the text, `en` or `de`: for screen readers. */
  language: string;
  title: string;
  /** Paragraphs, divided by empty lines. */
  text: string;
  accept: string;
  decline: string;
}

const CAMERA = {
  off: 'Your camera is not used.',
  video: 'Your camera is used: its pictures are sent to the people who run this study, and the feelings in your face '
    + 'are estimated from them. Your browser will ask for the camera. You can take part without it.',
  scores: 'Your camera is used: the feelings in your face are estimated inside your browser. No picture is stored or '
    + 'sent. Your browser will ask for the camera. You can take part without it.',
};

const DEFAULT: ConsentText = {
  language: 'en',
  title: 'May this page record what you do?',
  text: 'This page is part of a study. If you agree, it records what you do here and when: where you click and scroll, '
    + 'which keys you press, and that you type or delete text. Passwords and payment details are never recorded.\n\n',
  accept: 'I agree',
  decline: 'No, thank you',
};

export const consentText = (camera: 'video' | 'scores' | 'off', own: Partial<ConsentText> | undefined): ConsentText => ({
  ...DEFAULT,
  text: DEFAULT.text + CAMERA[camera] + '\n\nTaking part is voluntary. Nothing is recorded before you agree.',
  ...own,
});
