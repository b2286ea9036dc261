// `createRecorder` connects consent, capture, store, server and camera. Its errors do not reach the page, except those of
// `createRecorder` itself about wrong options.

import { Subscription, type Observable } from 'rxjs';
import { load } from './assets';
import type { Camera } from './camera/camera';
import { type Capture, capture, tick } from './capture/capture';
import type { Content } from './capture/privacy';
import { sha256 } from './consent/checksum';
import { type RecorderOptions, type Settings, settle } from './options';
import { startReplay } from './replay';
import { sources } from './sources';
import { IDLE, type Phase, type RecordedAffect, type RecordedEvent, type State } from './state';
import type { Api } from './transport/http';
import { listenAgain, on } from './transport/listen';
import type { Outbox } from './transport/outbox';
import { eventRest, gapRest } from './transport/record';
import type { Opened } from './transport/session';
import type { Outcome, Sender } from './transport/sender';
import { Signal } from './transport/signal';
import type { ClockReading, DocumentInfo, Store } from './transport/store';
import { noteTab, tabNote } from './transport/tab';
import { VERSION } from './version';

export interface Recorder {
  /** The visitor's events, as they are recorded. */
  readonly events$: Observable<RecordedEvent>;
  /** The scores of the face; with `camera: "scores"` only. */
  readonly affect$: Observable<RecordedAffect>;
  readonly state$: Observable<State>;
  readonly state: State;
  /** Asks for consent if it is still needed, then records. Resolves with the state when it records or cannot record. */
  start(): Promise<State>;
  /** Records a mark of the page, with data that can be written as JSON. */
  mark(name: string, data?: unknown): void;
  /** Ends the recording. Resolves when the server has all records, or after some seconds without an answer. */
  stop(): Promise<State>;
}

const STOP_PATIENCE_MS = 10_000;
type Transport = typeof import('./transport/transport');
/** The interval of requests while `stop()` waits for the server. */
const FINISH_EVERY_MS = 1_000;

const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const pause = (ms: number) => new Promise<void>((resolve) => { setTimeout(resolve, ms); });

class PageRecorder implements Recorder {
  readonly events$ = new Signal<RecordedEvent>();
  readonly affect$ = new Signal<RecordedAffect>();
  readonly state$ = new Signal<State>(() => this.state);
  state = IDLE;
  #transport!: Transport;
  #api!: Api;
  readonly #running = new Subscription();
  #clock = new Subscription();
  readonly #asked = new AbortController();
  #starting: Promise<State> | null = null;
  #stopping: Promise<State> | null = null;
  #capture: Capture | null = null;
  #store: Store | null = null;
  #outbox: Outbox | null = null;
  #sender: Sender | null = null;
  #opened: Opened | null = null;
  #info: DocumentInfo | null = null;
  /** This document's clock was read since it was opened or came back. */
  #isMeasured = false;
  /** A reading that is not recorded yet. */
  #reading: ClockReading | null = null;
  #camera: Camera | null = null;

  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  start(): Promise<State> {
    this.#starting ??= this.#guarded(() => this.#begin());
    return this.#starting;
  }

  mark(name: string, data?: unknown): void {
    this.#capture?.mark(name, data);
  }

  stop(): Promise<State> {
    this.#stopping ??= this.#guarded(() => this.#end());
    return this.#stopping;
  }

  async #guarded(work: () => Promise<void>): Promise<State> {
    try {
      await work();
    } catch (error) {
      this.#fail(sentence(error));
    }
    return this.state;
  }

  #change(some: Partial<State>): void {
    this.state = { ...this.state, ...some };
    this.state$.next(this.state);
  }

  #has(phase: State['phase']): boolean {
    return this.state.phase === phase;
  }

  #fail(problem: string): void {
    this.#capture?.stop();
    this.#camera?.stop();
    this.#running.unsubscribe();
    this.#opened?.release();
    this.#change({ phase: 'failed', problem });
    console.warn(`affectograph: nothing is recorded: ${problem}`);
  }

  // ---- start -------------------------------------------------------------------------------------------------

  async #begin(): Promise<void> {
    const { server, study } = this.#settings;
    // A reloaded page records at once, because the visitor has already agreed to this session.
    const note = tabNote(server, study);
    if (note) this.#record(note.mask, note.content);
    this.#transport = await load<Transport>(this.#settings.assets, 'transport.js');
    const { Api, Outbox, open, openStore } = this.#transport;
    this.#api = new Api(server);
    this.#store = await openStore(() => this.#memoryStore());
    this.#outbox = this.#early(new Outbox(this.#store));
    let opened = note && await open(this.#store, note.session);
    if (!opened) {
      this.#forgetEarly();
      noteTab(server, study, null);
      opened = await this.#beginAnew();
      if (!opened) return;
    }
    this.#enter(opened);
    if (!this.#store.isPersistent) this.#change({ problem: 'this browser stores nothing: unsent records are lost when the page is left' });
    await this.#startCamera();
    if (this.#settings.replay) await this.#startReplay();
    this.#sendLeftovers(this.#store, opened.session.id).catch((error: unknown) => {
      console.warn(`affectograph: records of earlier pages are not sent yet: ${sentence(error)}`);
    });
  }

  async #sendLeftovers(store: Store, id: string): Promise<void> {
    if ((await store.sessions()).every((session) => session.id === id)) return;
    const { sendLeftovers } = await load<typeof import('./transport/leftovers')>(this.#settings.assets, 'leftovers.js');
    await sendLeftovers(store, id);
  }

  async #memoryStore(): Promise<Store> {
    const { MemoryStore } = await load<typeof import('./transport/memory-store')>(this.#settings.assets, 'memory-store.js');
    return new MemoryStore();
  }

  /** Records that came before there was an outbox. */
  #drafts: Parameters<Outbox['add']>[0][] = [];

  #early(outbox: Outbox): Outbox {
    for (const draft of this.#drafts) outbox.add(draft);
    this.#drafts = [];
    return outbox;
  }

  #forgetEarly(): void {
    this.#capture?.stop();
    this.#capture = null;
    if (this.#store) this.#outbox = new this.#transport.Outbox(this.#store);
  }

  /** Asks the visitor, then the server. Null if one of them refused. */
  async #beginAnew(): Promise<Opened | null> {
    const settings = this.#settings;
    const store = this.#store;
    const consent = await this.#consent();
    if (!consent) {
      this.#change({ phase: 'declined' });
      return null;
    }
    this.#change({ phase: 'connecting' });
    const started = await this.#transport.begin(this.#api, settings.key, {
      study: settings.study,
      ...(settings.participant === undefined ? {} : { participant: settings.participant }),
      consent,
      camera: settings.camera,
      client: {
        version: VERSION, user_agent: navigator.userAgent, language: navigator.language,
        screen: `${screen.width}x${screen.height}@${devicePixelRatio}`,
      },
    }, (why) => this.#change({ problem: `the server does not answer: ${why}` }));
    this.#change({ problem: null });
    await store!.keep({
      id: started.session, server: settings.server, study: settings.study, token: started.token,
      participant: started.participant, mask: [...started.mask, ...settings.mask], content: started.content,
      max_batch_bytes: started.max_batch_bytes, next: {}, documents: 0, video_chunks: 0, frames: 0, is_stopped: false,
      touched_utc_ms: Date.now(),
    });
    return this.#transport.open(store!, started.session);
  }

  async #consent() {
    const given = this.#settings.consentGiven;
    if (given) {
      const { given_utc_ms = Date.now(), text = '' } = given === true ? {} : given;
      return { given_utc_ms, text_sha256: await sha256(text) };
    }
    this.#change({ phase: 'asking' });
    const { ask } = await load<typeof import('./consent/dialog')>(this.#settings.assets, 'consent.js');
    const agreed = await ask(this.#settings, this.#asked.signal);
    return agreed === null ? null : { given_utc_ms: Date.now(), text_sha256: await sha256(agreed) };
  }

  /** Begins to capture. It is called only after consent, and nothing is captured before. */
  #record(mask: readonly string[], content: Content): void {
    const add: Outbox['add'] = (draft) => { if (this.#outbox) this.#outbox.add(draft); else this.#drafts.push(draft); };
    this.#capture = capture({ mask, content, attached: () => this.#attached() }, sources, (_, kind, page_ms, json) => {
      add({ stream: 'page', page_ms, rest: eventRest(kind, json) });
      if (this.events$.isHeard) this.events$.next({ kind, page_ms, data: JSON.parse(json) as RecordedEvent['data'] });
    }, (page_ms) => {
      const gap = { until_ms: page_ms, reason: 'corrupt', lost: 1, note: 'the recording script failed' };
      add({ stream: 'page', page_ms, rest: gapRest(gap) });
    });
  }

  /** `document.open()` removes the listeners of all files of this library. */
  #attached(): void {
    listenAgain();
    this.#transport?.listenAgain();
  }

  /** This document records for the session. */
  #enter(opened: Opened): void {
    const settings = this.#settings;
    const store = this.#store;
    const outbox = this.#outbox;
    const { session, document } = opened;
    this.#opened = opened;
    this.#info = { document, time_origin_utc_ms: performance.timeOrigin, clock: null };
    noteTab(settings.server, settings.study, { session: session.id, mask: session.mask, content: session.content });
    if (!this.#capture) this.#record(session.mask, session.content);
    outbox!.open(session.id, document, opened.next);
    this.#sender = new this.#transport.Sender(this.#api, store!, session, (info) => info.document === this.#opened?.document && !this.#isMeasured);
    this.#running.add(this.#sender.run$().subscribe((outcome) => this.#handleOutcome(outcome)));
    this.#running.add(outbox!.stored$.subscribe(() => this.#sender?.wake()));
    this.#running.add(outbox!.failed$.subscribe((error) => this.#change({ problem: `not stored yet: ${sentence(error)}` })));
    this.#measure();
    this.#running.add(on<PageTransitionEvent>(window, 'pagehide', (event) => this.#leave(event.persisted)));
    this.#running.add(on<PageTransitionEvent>(window, 'pageshow', (event) => {
      if (event.persisted) void this.#guarded(() => this.#comeBack());
    }));
    this.#running.add(on(window.document, 'visibilitychange', () => {
      // A phone may send no further event. Without a clock the records wait here, because the server would assume one.
      if (window.document.visibilityState === 'hidden' && this.#info?.clock) this.#leave(false);
    }));
    for (const type of ['online', 'offline']) {
      this.#running.add(on(window, type, () => this.#change({ isOnline: navigator.onLine })));
    }
    this.#change({ phase: 'recording', session: session.id, participant: session.participant, isOnline: navigator.onLine });
  }

  /** Reads the clock of this document, now and again. Records wait until the first reading is good, or for a second. */
  #measure(): void {
    this.#isMeasured = false;
    this.#clock.unsubscribe();
    this.#clock = this.#transport.clock$(this.#api, tick()).subscribe(({ clock: fresh, isSettled }) => {
      const clock = this.#transport.better(this.#info!.clock, fresh);
      this.#info = { ...this.#info!, clock };
      this.#reading = this.#transport.better(this.#reading, fresh);
      if (isSettled) this.#recordReading();
      this.#change({ clock_uncertainty_ms: clock.uncertainty_ms });
      this.#store!.keepDocument(this.#opened!.session.id, this.#info).then(() => {
        this.#isMeasured ||= isSettled;
        this.#sender?.wake();
      }, () => undefined);
      this.#capture?.attach();
    });
    this.#running.add(this.#clock);
  }

  #recordReading(): void {
    const reading = this.#reading;
    if (!reading) return;
    this.#reading = null;
    const { at_ms, offset_ms, uncertainty_ms } = reading;
    const measured = { offset_ms, uncertainty_ms, document: this.#info!.document };
    this.#outbox!.add({ stream: 'page_clock', page_ms: at_ms, rest: eventRest('measured', JSON.stringify(measured)) });
  }

  #handleOutcome(outcome: Outcome): void {
    const waiting = this.#outbox?.waiting ?? 0;
    switch (outcome.kind) {
      case 'acknowledged':
        this.#outbox?.acknowledged(outcome.batch);
        this.#change({ acknowledged: this.state.acknowledged + outcome.batch.records.length, waiting, problem: null });
        break;
      case 'seen':
        this.#change({ waiting });
        break;
      case 'waiting':
        this.#change({ waiting, problem: `the server does not answer, records are kept here: ${outcome.why}` });
        break;
      case 'refused':
        console.warn(`affectograph: the server refused a record: ${outcome.why}`);
        break;
      case 'ended':
        noteTab(this.#settings.server, this.#settings.study, null);
        if (this.#opened) this.#store?.forget(this.#opened.session.id).catch(() => undefined);
        this.#fail(outcome.why);
        break;
    }
  }

  // ---- going and coming --------------------------------------------------------------------------------------

  #leave(isKept: boolean): void {
    const opened = this.#opened;
    const outbox = this.#outbox;
    const info = this.#info;
    if (!opened || !outbox) return;
    this.#capture?.emit.release();
    this.#recordReading();
    const records = outbox.leave();
    if (records.length > 0 && info) {
      this.#api.recordsOnLeaving(opened.session.id, opened.session.token, this.#transport.batchBody([info], records));
    }
    if (isKept) {
      // The browser may show this document again later. Meanwhile the next document continues the numbers.
      outbox.close();
      opened.release();
    }
  }

  async #comeBack(): Promise<void> {
    const store = this.#store;
    const outbox = this.#outbox;
    const opened = this.#opened && await this.#transport.open(store!, this.#opened.session.id);
    if (!opened) throw new Error('another page has ended this session');
    this.#opened = opened;
    this.#info = { document: opened.document, time_origin_utc_ms: performance.timeOrigin, clock: this.#info?.clock ?? null };
    await store!.keepDocument(opened.session.id, this.#info);
    outbox!.open(opened.session.id, opened.document, opened.next);
    this.#measure(); // the computer may have slept
  }

  // ---- camera and replay -------------------------------------------------------------------------------------

  async #startCamera(): Promise<void> {
    const settings = this.#settings;
    const store = this.#store;
    const outbox = this.#outbox;
    const opened = this.#opened;
    if (settings.camera === 'off') return;
    try {
      const module = await load<typeof import('./camera/camera')>(settings.assets, 'camera.js');
      this.#camera = new module.Camera(settings, opened!.session, store!, (draft) => outbox!.add(draft), {
        state: (camera) => this.#change({ camera }),
        affect: (affect) => this.affect$.next(affect),
        stored: () => this.#sender?.wake(),
      });
      await this.#camera.start();
    } catch (error) {
      const detail = JSON.stringify({ detail: `camera.js cannot be loaded: ${sentence(error)}` });
      outbox!.add({ stream: 'health', page_ms: performance.now(), rest: eventRest('camera_absent', detail) });
      this.#change({ camera: 'absent' });
    }
  }

  async #startReplay(): Promise<void> {
    try {
      this.#running.add(await startReplay(this.#settings, this.#capture!.masks, (page_ms, json) => {
        this.#outbox?.add({ stream: 'replay', page_ms, rest: eventRest('rrweb', json) });
      }));
    } catch (error) {
      console.warn(`affectograph: the page is not recorded for replay: ${sentence(error)}`);
    }
  }

  // ---- stop --------------------------------------------------------------------------------------------------

  async #end(): Promise<void> {
    this.#asked.abort();
    if (this.#starting) await this.#starting;
    const opened = this.#opened;
    const store = this.#store;
    const outbox = this.#outbox;
    if (this.state.phase !== 'recording' || !opened || !store || !outbox) return;
    this.#change({ phase: 'finishing' });
    this.#capture?.stop();
    await this.#camera?.stop();
    const { id } = opened.session;
    noteTab(this.#settings.server, this.#settings.study, null);
    await outbox.flush();
    await store.change(id, (session) => { session.is_stopped = true; });
    this.#sender?.hurry();
    const until = performance.now() + STOP_PATIENCE_MS;
    while (performance.now() < until && !this.#has('failed')) {
      if (await this.#tryToFinish(store, id)) break;
      this.#sender?.hurry();
      await pause(FINISH_EVERY_MS / 4);
    }
    this.#running.unsubscribe();
    outbox.close();
    opened.release();
    this.events$.complete();
    this.affect$.complete();
  }

  /** False if records are not sent yet. The next page of this site sends them. */
  async #tryToFinish(store: Store, id: string): Promise<boolean> {
    if (this.#outbox!.waiting > 0) await this.#outbox!.flush();
    if (await store.countBatches(id) + await store.countChunks(id) > 0) return false;
    try {
      const isWhole = await this.#transport.finish(this.#api, store, id);
      this.#change({ phase: 'finished', waiting: 0, problem: isWhole ? null : 'records are missing on the server' });
      return true;
    } catch (error) {
      if (error instanceof this.#transport.Refused && error.isFinal) throw error;
      this.#handleOutcome({ kind: 'waiting', why: sentence(error) });
      await pause(FINISH_EVERY_MS);
      return false;
    }
  }
}

/** Shared by all copies of this library in one window. */
const SHARED = Symbol.for('affectograph');
type Shared = Record<string, Recorder | undefined>;
const OVER: Phase[] = ['declined', 'finished', 'failed'];

/** A recorder for this page. It does nothing before `start()`. If this page already has a recorder for the same study, that
 * one is returned, so that nothing is recorded twice. */
export const createRecorder = (options: RecorderOptions): Recorder => {
  const settings = settle(options);
  const all = ((window as unknown as Record<symbol, Shared | undefined>)[SHARED] ??= Object.create(null) as Shared);
  const name = settings.server + ' ' + settings.study;
  const there = all[name];
  return there && !OVER.includes(there.state.phase) ? there : (all[name] = new PageRecorder(settings));
};
