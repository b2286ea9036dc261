// Trials that begin and end the recording.

import type { Recorder, State } from 'affectograph';
import type { JsPsych, JsPsychPlugin } from 'jspsych';
import { VERSION } from './version';

/** `ParameterType` of jsPsych, without loading jsPsych a second time. */
export const STRING = 1;

export interface WaitingOptions {
  /** HTML that the participant sees during the wait. */
  message?: string;
}

/** A trial for the timeline. */
export interface RecordingTrial {
  type: new (jsPsych: JsPsych) => JsPsychPlugin<never>;
}

/** The data of the trial. A problem is a sentence for the people who run the study. */
const dataOf = ({ phase, problem }: State) => ({ affectograph_phase: phase, affectograph_problem: problem });

// The recorder is in the class, because jsPsych copies the parameters of trials.
const trial = (
  name: string, recorder: Recorder, { message = '' }: WaitingOptions, wait: (jsPsych: JsPsych) => Promise<State>,
): RecordingTrial => {
  class Waiting {
    static readonly info = {
      name, version: VERSION, parameters: {},
      data: { affectograph_phase: { type: STRING }, affectograph_problem: { type: STRING } },
    };

    constructor(private readonly jsPsych: JsPsych) {}

    async trial(display: HTMLElement, _: unknown, loaded: () => void) {
      display.innerHTML = message;
      loaded();
      return dataOf(await wait(this.jsPsych));
    }

    /** A simulated participant is not recorded. */
    simulate(_trial: unknown, _mode: unknown, _options: unknown, loaded: () => void): void {
      loaded();
      this.jsPsych.finishTrial(dataOf(recorder.state));
    }
  }
  return { type: Waiting as unknown as RecordingTrial['type'] };
};

/** A trial that asks for consent and waits until the page is recorded or cannot be recorded, at the latest 10 s after consent. */
export const startRecording = (recorder: Recorder, options: WaitingOptions = {}): RecordingTrial =>
  trial('affectograph-start', recorder, options, async (jsPsych) => {
    const state = await recorder.start();
    recorder.mark('experiment_start', { jspsych: jsPsych.version() });
    return state;
  });

/** A trial that ends the recording and waits until the server has all records, at the latest 10 s. */
export const stopRecording = (recorder: Recorder, options: WaitingOptions = {}): RecordingTrial =>
  trial('affectograph-stop', recorder, options, (jsPsych) => {
    recorder.mark('experiment_end', { trials: jsPsych.data.get().count() });
    return recorder.stop();
  });
