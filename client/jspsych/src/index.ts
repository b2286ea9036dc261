// A jsPsych extension. Trials become marks of an affectograph recording, and jsPsych's data name the session.

import type { Recorder } from 'affectograph';
import type { JsPsych, JsPsychExtension } from 'jspsych';
import { STRING, startRecording, stopRecording } from './recording';
import { type Parameters, type Responses, responseOf } from './responses';
import { VERSION } from './version';

export type { RecordingTrial, WaitingOptions } from './recording';
export type { Responses } from './responses';

/** The parameters of the extension in `initJsPsych`. */
export interface ExtensionParameters {
  recorder: Recorder;
  /** What of a response is sent: `"choices"` (the default), `true` (all of it, also typed text), or `false` (nothing). */
  responses?: Responses;
}

/** The parameters of the extension in one trial or timeline. */
export interface TrialParameters {
  responses?: Responses;
}

/** What the extension reads of jsPsych's running trial. jsPsych gives extensions only their own parameters. */
interface RunningTrial {
  index?: number;
  pluginInfo?: { name: string };
  trialObject?: Parameters;
  getResult?(): Record<string, unknown> | undefined;
}

const FLOAT = 3;

export default class AffectographExtension implements JsPsychExtension {
  static readonly info = {
    name: 'affectograph',
    version: VERSION,
    data: {
      affectograph_phase: { type: STRING },
      affectograph_start_ms: { type: FLOAT },
      affectograph_load_ms: { type: FLOAT },
      affectograph_end_ms: { type: FLOAT },
    },
  };

  static readonly startRecording = startRecording;
  static readonly stopRecording = stopRecording;

  #recorder: Recorder | null = null;
  #responses: Responses = 'choices';
  #start_ms: number | null = null;
  #load_ms: number | null = null;

  constructor(private readonly jsPsych: JsPsych) {}

  // Not `async`: jsPsych does not await it, and the error of a wrong parameter would not reach the experiment's author.
  initialize({ recorder, responses = 'choices' }: Partial<ExtensionParameters> = {}): Promise<void> {
    if (!recorder) throw new TypeError('@affectograph/jspsych: the extension needs the parameter `recorder`');
    this.#recorder = recorder;
    this.#responses = responses;
    let known: string | null = null;
    recorder.state$.subscribe(({ session, participant }) => {
      if (session === null || session === known) return;
      known = session;
      this.jsPsych.data.addProperties({ affectograph_session: session, affectograph_participant: participant });
    });
    return Promise.resolve();
  }

  on_start(): void {
    this.#load_ms = null;
    this.#start_ms = this.#mark('trial_start');
  }

  on_load(): void {
    this.#load_ms = this.#mark('trial_load');
  }

  on_finish({ responses = this.#responses }: TrialParameters = {}): Record<string, unknown> {
    const trial = this.#trial();
    const result = trial.getResult?.() ?? {};
    const response = responseOf(result['response'], trial.trialObject ?? {}, responses);
    const end_ms = this.#mark('trial_end', {
      ...(typeof result['rt'] === 'number' ? { rt_ms: result['rt'] } : {}),
      ...(response === undefined ? {} : { response }),
    });
    return {
      affectograph_phase: this.#recorder?.state.phase ?? null,
      affectograph_start_ms: this.#start_ms, affectograph_load_ms: this.#load_ms, affectograph_end_ms: end_ms,
    };
  }

  /** The time on the page's clock. */
  #mark(name: string, more: Record<string, unknown> = {}): number {
    const page_ms = performance.now();
    const { index, pluginInfo } = this.#trial();
    this.#recorder?.mark(name, { trial_index: index ?? null, plugin: pluginInfo?.name ?? null, ...more });
    return page_ms;
  }

  // A plugin or parameters of a parent timeline are in jsPsych's node only, not in `getCurrentTrial()`.
  #trial(): RunningTrial {
    const { timeline } = this.jsPsych as unknown as { timeline?: { getLatestNode?(): RunningTrial } };
    return timeline?.getLatestNode?.() ?? { index: this.jsPsych.getProgress().current_trial_global as number };
  }
}
