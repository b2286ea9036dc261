// The public state of a recorder, and the records that it publishes.

export type Phase =
  /** Nothing is recorded and nothing was sent. */
  | 'idle'
  /** The consent dialog is open. */
  | 'asking'
  | 'declined'
  /** The visitor agreed. A session is requested from the server, and the recording begins as soon as it permits one. */
  | 'connecting'
  | 'recording'
  /** Stopped. The last records are being sent. */
  | 'finishing'
  | 'finished'
  /** Nothing is recorded. `problem` contains the reason. */
  | 'failed'
  /** The visitor withdrew. Nothing is recorded, and what was recorded is being deleted. `problem`: why that is not confirmed
   * yet. */
  | 'withdrawing'
  /** The server has confirmed that everything is deleted. */
  | 'withdrawn';

export type CameraState = 'off' | 'starting' | 'on' | 'refused' | 'absent' | 'taken' | 'lost';

export interface State {
  phase: Phase;
  session: string | null;
  participant: string | null;
  /** The condition that the server assigned the participant to. Null if the study has none, or before a session. */
  condition: string | null;
  camera: CameraState;
  /** The visitor paused the recording. Nothing is captured. */
  isPaused: boolean;
  /** The study lets visitors read what is stored of them (`ownData()`). */
  offersOwnData: boolean;
  /** Numbers of records of this document that the server has acknowledged, and that are not sent yet. */
  acknowledged: number;
  waiting: number;
  isOnline: boolean;
  /** The largest possible error of the page-to-server clock; null before it was measured. */
  clock_uncertainty_ms: number | null;
  /** A sentence for the people who run the study. */
  problem: string | null;
  /** What the study gives at the end; null before the session is finished. */
  completion: Completion | null;
}

/** What a participant gets at the end of a study. */
export interface Completion {
  /** For the recruiting service. */
  code?: string;
  /** The `https` address to go to. */
  redirect?: string;
}

export const IDLE: State = {
  phase: 'idle', session: null, participant: null, condition: null, camera: 'off', isPaused: false, offersOwnData: false,
  acknowledged: 0, waiting: 0, isOnline: true, clock_uncertainty_ms: null, problem: null, completion: null,
};

/** An event of the visitor, as it was recorded. */
export interface RecordedEvent {
  kind: string;
  /** `performance.now()` of this document. */
  page_ms: number;
  data: Record<string, unknown>;
}

/** The scores of one frame of the camera. */
export interface RecordedAffect {
  page_ms: number;
  frame: number;
  valence: number;
  arousal: number;
  valence_sd: number;
  arousal_sd: number;
  /** Probabilities, by the expression's name. */
  expression: Record<string, number>;
}
