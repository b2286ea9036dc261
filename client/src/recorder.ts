// `createRecorder` connects consent, capture and the part that stores and sends. Its errors do not reach the page, except those
// of `createRecorder` itself about wrong options.

import type { Observable } from 'rxjs';
import { load } from './assets';
import { type Capture, capture, pageTick } from './capture/capture';
import type { Agreed } from './consent/ask';
import { append, kept } from './natives/lists';
import { parse } from './natives/js';
import { json } from './natives/plain';
import { background, promise, sentence, within } from './natives/promise';
import { type RecorderOptions, type Settings, obey, settle } from './options';
import { sources } from './sources';
import { IDLE, type Phase, type RecordedAffect, type RecordedEvent, type State } from './state';
import { type Draft, eventRest, gapRest } from './transport/record';
import type { Host, Run } from './transport/run';
import { linkOf } from './transport/link';
import { Signal } from './transport/signal';
import { noteTab, tabNote } from './transport/tab';

export interface Recorder {
  /** The visitor's events, as they are recorded. */
  readonly events$: Observable<RecordedEvent>;
  /** The scores of the face; with `camera: "scores"` only. */
  readonly affect$: Observable<RecordedAffect>;
  readonly state$: Observable<State>;
  readonly state: State;
  /** The condition of the participant, from the moment that the session begins. Null if the study has no conditions. */
  readonly condition: string | null;
  /** Asks for consent if it is still needed, then records. Resolves with the state when it records or cannot record, at the
   * latest 10 s after consent. The phase is `connecting` then, and the recording begins as soon as the server permits it. */
  start(): Promise<State>;
  /** Records a mark of the page, with data that can be written as JSON. */
  mark(name: string, data?: unknown): void;
  /** Ends the recording. Resolves when the server has all records, at the latest after 10 s. A later page of the site sends
   * the rest. */
  stop(): Promise<State>;
  /** Nothing is captured until `resume()`: no event, no mark, no picture, no replay. The session contains both times. */
  pause(): void;
  resume(): void;
  /** Ends the recording and deletes what was recorded, in this browser and on the server. Resolves with the phase `withdrawn`
   * when the server has confirmed it, and after 10 s with `withdrawing` if it has not. The visitor is not asked again. */
  withdraw(): Promise<State>;
  /** What the server has stored of this session, as JSON. Rejects with a sentence unless the study allows it
   * (`state.offersOwnData`). */
  ownData(): Promise<Blob>;
}

type Transport = typeof import('./transport/transport');
/** `start()` resolves at the latest this long after consent. */
const START_PATIENCE_MS = 10_000;
/** `stop()` resolves at the latest after this time. */
const STOP_PATIENCE_MS = 10_000;
/** `stop()` waits this long for a session that is being requested. */
const STOP_CONNECTING_MS = 3_000;
const FILE_PATIENCE_MS = 10_000;
/** So many records wait in the page for a session. If there are more, the older half is counted as lost. */
const MOST_EARLY = 20_000;

const isOver = (phase: Phase): boolean => phase === 'declined' || phase === 'finished' || phase === 'failed' || phase[0] === 'w'; // withdrawing, withdrawn

class PageRecorder implements Recorder {
  readonly events$ = new Signal<RecordedEvent>();
  readonly affect$ = new Signal<RecordedAffect>();
  readonly state$ = new Signal<State>(() => this.state);
  state = IDLE;
  readonly #settings: Settings;
  readonly #ended = new AbortController();
  #transport: Transport | null = null;
  #run: Run | null = null;
  #work: Promise<void> | null = null;
  #starting: Promise<State> | null = null;
  #stopping: Promise<State> | null = null;
  /** `stop()` has resolved. The last records may still have to be sent, by a later page or recorder. */
  #isStopped = false;
  #capture: Capture | null = null;
  /** The selectors by which it captures. */
  #rules = '';
  /** Records that came before there was a session, and how many more are lost. */
  #early: Draft[] = [];
  #lost = 0;
  #marksLeftOut = 0;
  /** The last beginning or end of a pause. */
  #turned_ms = 0;
  #withdrawing: Promise<State> | null = null;
  #sign: Promise<void> | null = null;
  #sink: ((draft: Draft) => void) | null = null;
  #limit: ReturnType<typeof setTimeout> | undefined;
  #release: () => void = () => undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get condition(): string | null {
    return this.state.condition;
  }

  start(): Promise<State> {
    this.#starting ??= this.#begin();
    return this.#starting;
  }

  mark(name: string, data?: unknown): void {
    if (this.state.isPaused) this.#marksLeftOut += 1;
    else this.#capture?.mark(name, data);
  }

  pause(): void { this.#setPaused(true); }
  resume(): void { this.#setPaused(false); }

  withdraw(): Promise<State> {
    return this.#withdrawing ??= this.#erase();
  }

  async ownData(): Promise<Blob> {
    return (await this.#loadRun()).ownData();
  }

  stop(): Promise<State> {
    if (this.#starting) this.#stopping ??= this.#end();
    return this.#stopping ?? promise((resolve) => resolve(this.state));
  }

  #change(some: Partial<State>): void {
    this.state = { ...this.state, ...some };
    this.state$.next(this.state);
  }

  #fail(problem: string): void {
    if (isOver(this.state.phase)) return;
    this.#ended.abort();
    this.#capture?.stop();
    this.#run?.release();
    this.#change({ phase: 'failed', problem });
    console.warn(`affectograph: nothing is recorded: ${problem}`);
  }

  // ---- start -------------------------------------------------------------------------------------------------

  #begin(): Promise<State> {
    return promise((resolve) => {
      this.#release = () => resolve(this.state);
      this.#work = this.#tryToRecord();
    });
  }

  /** From now on the server has a limited time until `start()` resolves. The work goes on. */
  #limitStart(): void {
    clearTimeout(this.#limit);
    this.#limit = setTimeout(() => {
      const { phase, problem } = this.state;
      if (phase === 'connecting' && !problem) this.#change({ problem: 'the server has not answered yet' });
      this.#release();
    }, START_PATIENCE_MS);
  }

  async #tryToRecord(): Promise<void> {
    try {
      // A reloaded page records at once, because the visitor has already agreed to this session.
      // A link of another participant begins another session.
      const note = linkOf(this.#settings).isNew ? null : tabNote(this.#settings);
      if (note) {
        obey(this.#settings, note);
        if (note.isPaused) this.#change({ isPaused: true });
        this.#record(note.mask, note.content);
        this.#change({ phase: 'connecting' });
        this.#limitStart();
        if (await (await this.#loadRun()).resume(note.session, note.isPaused === true) || this.#ended.signal.aborted) return;
        this.#forget();
        clearTimeout(this.#limit);
        // The pause of the visitor holds for the next session too. Until that begins, the note keeps it.
        if (!this.state.isPaused) noteTab(this.#settings, null);
      }
      const consent = await this.#consent();
      if (!consent || this.#ended.signal.aborted) return;
      this.#change({ phase: 'connecting' });
      this.#limitStart();
      const { rules } = consent;
      if (rules) this.#record([...rules.mask, ...this.#settings.mask], rules.content);
      await (await this.#loadRun()).begin(consent);
    } catch (error) {
      this.#fail(sentence(error));
    } finally {
      this.#release();
    }
  }

  async #consent(): Promise<Agreed | null> {
    const settings = this.#settings;
    const given = settings.consentGiven;
    if (given) return { given_utc_ms: Date.now(), text: '', ...(given === true ? {} : given) };
    const file = await within(load(settings.assets, 'consent.js', () => import('./consent/ask')), FILE_PATIENCE_MS);
    if (!file) throw new Error('consent.js does not load');
    const answer = await file.ask(settings, (some) => this.#change(some), this.#ended.signal);
    return typeof answer === 'string' ? null : answer;
  }

  async #loadRun(): Promise<Run> {
    this.#transport ??= await load<Transport>(this.#settings.assets, 'transport.js', () => import('./transport/transport'));
    return this.#run ??= new this.#transport.Run(this.#host());
  }

  #host(): Host {
    const own = this;
    return {
      settings: this.#settings,
      ended: this.#ended.signal,
      tick_ms: pageTick(),
      get state() { return own.state; },
      get masks() { return own.#capture!.masks; },
      change: (some) => { if (!isOver(this.state.phase) || some.camera) this.#change(some); },
      fail: (problem) => this.#fail(problem),
      record: (mask, content, sink) => {
        this.#record(mask, content);
        const waiting = { early: this.#early, lost: this.#lost };
        this.#sink = sink;
        this.#early = [];
        return waiting;
      },
      release: () => this.#capture?.emit.release(),
      attach: () => this.#capture?.attach(),
      stopCapture: () => this.#capture?.stop(),
      withdraw: () => { void this.withdraw(); },
      affect: (affect) => this.affect$.next(affect),
    };
  }

  /** Begins to capture, unless it captures by these rules already. It is called only after consent. Records of other rules are
   * dropped and counted, except the first, which is made again. */
  #record(mask: readonly string[], content: readonly string[]): void {
    const rules = json([mask, content]);
    if (this.#capture && this.#rules === rules) return;
    const dropped = this.#lost + Math.max(0, this.#early.length - 1);
    this.#forget();
    this.#lost = dropped;
    this.#rules = rules;
    this.#capture = capture({ mask, content, attached: () => this.#transport?.listenAgain() }, sources, (_, kind, page_ms, data) => {
      // What was typed is remembered in this page, so that its repetitions stay masked. A browser may tell of a block of the
      // main thread after the pause in which it began.
      if (this.state.isPaused || page_ms < this.#turned_ms) return;
      this.#add({ stream: 'page', page_ms, rest: eventRest(kind, data) });
      if (this.events$.isHeard) this.events$.next({ kind, page_ms, data: parse(data) as RecordedEvent['data'] });
    }, (page_ms) => {
      if (this.state.isPaused) return;
      const gap = { until_ms: page_ms, reason: 'corrupt', lost: 1, note: 'the recording script failed' };
      this.#add({ stream: 'page', page_ms, rest: gapRest(gap) });
    });
    if (this.#settings.sign !== false) this.#sign ??= this.#showSign();
  }

  async #showSign(): Promise<void> {
    try {
      const { showSign } = await load(this.#settings.assets, 'sign.js', () => import('./sign/sign'));
      showSign(this, this.#settings);
    } catch (error) {
      console.warn(`affectograph: the sign is not shown: ${sentence(error)}`);
    }
  }

  // ---- what the visitor decides -------------------------------------------------------------------------------

  #setPaused(isPaused: boolean): void {
    const capture = this.#capture;
    if (this.#ended.signal.aborted || this.state.isPaused === isPaused) return;
    const page_ms = (this.#turned_ms = performance.now());
    if (capture) {
      // An event that waits belongs to the time before.
      capture.emit.release();
      const data = isPaused ? '{}' : `{"marks_left_out":${this.#marksLeftOut}}`;
      this.#add({ stream: 'health', page_ms, rest: eventRest(isPaused ? 'paused' : 'resumed', data) });
    } // else the session begins with the pause
    this.#marksLeftOut = 0;
    this.#change({ isPaused });
    if (!isPaused) capture?.describe(); // the page may show something else now
    this.#run?.pauseChanged();
  }

  async #erase(): Promise<State> {
    if (!this.#run && !this.#has('connecting')) return this.stop();
    this.#ended.abort();
    this.#forget();
    this.#change({ phase: 'withdrawing', problem: null });
    const report = (problem: string | null) => this.#change({ phase: problem ? 'withdrawing' : 'withdrawn', problem });
    await within(background(async () => (await this.#loadRun()).withdraw(report), (error) => report(sentence(error))), STOP_PATIENCE_MS);
    this.#release();
    return this.state;
  }

  #add(draft: Draft): void {
    if (this.#sink) return this.#sink(draft);
    append(this.#early, draft);
    if (this.#early.length < MOST_EARLY) return;
    // The first record describes the document.
    this.#early = kept(this.#early, (_, k) => k === 0 || k > MOST_EARLY / 2);
    this.#lost += MOST_EARLY / 2;
  }

  #forget(): void {
    this.#capture?.stop();
    this.#capture = null;
    this.#early = [];
    this.#lost = 0;
  }

  /** It records nothing more, and another recorder may take its place. */
  get isEnded(): boolean {
    return this.#isStopped || isOver(this.state.phase);
  }

  // ---- stop --------------------------------------------------------------------------------------------------

  async #end(): Promise<State> {
    const begun_ms = performance.now();
    const { phase } = this.state;
    try {
      // A page that stops at once may still get its session.
      if (phase === 'connecting' && !this.state.problem || phase === 'recording') await within(this.#work!, STOP_CONNECTING_MS);
      this.#ended.abort();
      if (this.#has('recording')) {
        await this.#run!.stop(STOP_PATIENCE_MS - (performance.now() - begun_ms));
        this.events$.complete();
        this.affect$.complete();
      } else {
        const { problem } = this.state;
        this.#fail(!this.#has('connecting') ? 'stopped before the visitor answered'
          : `stopped before the server began a session${problem ? ` (${problem})` : ''}`);
      }
    } catch (error) {
      this.#fail(sentence(error));
    }
    this.#release();
    this.#isStopped = true;
    return this.state;
  }

  #has(phase: Phase): boolean {
    return this.state.phase === phase;
  }
}

/** Shared by all copies of this library in one window. */
const SHARED = Symbol.for('affectograph');
type Shared = Record<string, PageRecorder | undefined>;

/** A recorder for this page. It does nothing before `start()`. If this page already has a recorder for the same study, that
 * one is returned, so that nothing is recorded twice. */
export const createRecorder = (options: RecorderOptions): Recorder => {
  const settings = settle(options);
  const all = ((window as unknown as Record<symbol, Shared | undefined>)[SHARED] ??= Object.create(null) as Shared);
  const name = settings.server + ' ' + settings.study;
  const there = all[name];
  return there && !there.isEnded ? there : (all[name] = new PageRecorder(settings));
};
