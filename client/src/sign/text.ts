// The words of the recording sign.

export interface SignText {
  /** The language of the words, for screen readers: `en`, `de`. */
  language: string;
  recording: string;
  /** In place of `recording` while the camera is used. */
  recordingCamera: string;
  paused: string;
  pause: string;
  resume: string;
  /** Opens the question. */
  withdraw: string;
  question: string;
  yes: string;
  no: string;
  deleting: string;
  /** The server has confirmed it. */
  deleted: string;
  /** The server has not confirmed it yet. */
  notDeletedYet: string;
  ownData: string;
  /** The server did not give it. The reason follows. */
  noData: string;
  close: string;
}

export const SIGN_TEXT: SignText = {
  language: 'en',
  recording: 'Recording, without camera',
  recordingCamera: 'Recording, with camera',
  paused: 'Recording paused',
  pause: 'Pause',
  resume: 'Go on',
  withdraw: 'Delete what was recorded…',
  question: 'Delete everything that was recorded in this visit, and end the recording? This cannot be undone.',
  yes: 'Delete',
  no: 'Keep',
  deleting: 'Deleting what was recorded…',
  deleted: 'Deleted. Nothing of this visit is stored, and nothing more is recorded.',
  notDeletedYet: 'Nothing more is recorded. The server has not confirmed yet that everything is deleted. It is asked again.',
  ownData: 'Download my data',
  noData: 'Your data cannot be read:',
  close: 'Close',
};
