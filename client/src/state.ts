// What can be known of a recorder from outside.

export type Phase =
  /** Nothing is recorded and nothing was sent. */
  | 'idle'
  /** The consent dialog is open. */
  | 'asking'
  | 'declined'
  /** Agreed; the server is being asked for a session. */
  | 'connecting'
  | 'recording'
  /** Stopped; what is left is being sent. */
  | 'finishing'
  | 'finished'
  /** Nothing is recorded: `problem` says why. */
  | 'failed';

export type CameraState = 'off' | 'starting' | 'on' | 'refused' | 'absent' | 'taken' | 'lost';

export interface State {
  phase: Phase;
  session: string | null;
  participant: string | null;
  camera: CameraState;
  /** Records that the server has acknowledged, and what waits for it, in this document. */
  acknowledged: number;
  waiting: number;
  isOnline: boolean;
  /** The error of the page-to-server clock is not larger; null before it was measured. */
  clock_uncertainty_ms: number | null;
  /** A sentence for whoever runs the study. */
  problem: string | null;
}

export const IDLE: State = {
  phase: 'idle', session: null, participant: null, camera: 'off', acknowledged: 0, waiting: 0, isOnline: true,
  clock_uncertainty_ms: null, problem: null,
};

/** Something the visitor did, as it was recorded. */
export interface RecordedEvent {
  kind: string;
  /** `performance.now()` of this document. */
  page_ms: number;
  data: Record<string, unknown>;
}

/** One look at one frame of the camera. */
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
