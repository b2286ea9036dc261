// One page's part of a session, from the server's permission to the end: storing, sending, the clock, the camera and the
// page's replay. The recorder of the page (`recorder.ts`) captures, and gives its records to this.

import { load } from '../assets';
import type { Camera } from '../camera/camera';
import type { Masking } from '../capture/privacy';
import { append, found, kept } from '../natives/lists';
import { json } from '../natives/plain';
import { background, pause, promise, sentence, within } from '../natives/promise';
import type { Settings } from '../options';
import { startReplay } from '../replay';
import type { Agreed } from '../consent/ask';
import { sha256 } from '../consent/checksum';
import type { Completion, RecordedAffect, State } from '../state';
import { VERSION } from '../version';
import { better } from './clock';
import { recordable } from './early';
import { Api, Refused, type Started, batchBody } from './http';
import { linkOf } from './link';
import { keepLink, rememberLinkAnswer } from './link-answer';
import { on } from './listen';
import { openStoreOf } from './opening';
import { Outbox } from './outbox';
import { alone } from './ownership';
import { clock$ } from './pings';
import { type Draft, eventRest } from './record';
import { type Opened, begin, finish, open } from './session';
import { HURRIED_WAIT_MS, type Outcome, Sender } from './sender';
import { type ClockReading, type DocumentInfo, type Store, type StoredSession } from './store';
import { noteTab } from './tab';
import { forgetParticipant, onWithdrawal, participantOf, rememberParticipant, rememberWithdrawal } from './visitor';
import { withdrawVisitor } from './withdrawal';

/** What the recorder of the page does for this. */
export interface Host {
  readonly settings: Settings;
  readonly state: State;
  /** The resolution of the page's clock. */
  readonly tick_ms: number;
  /** Aborted when nothing more may begin: the page has stopped the recorder, or it has failed. */
  readonly ended: AbortSignal;
  change(some: Partial<State>): void;
  fail(problem: string): void;
  /** Begins to capture, unless it captures by these rules already. All records so far, and how many more are lost. */
  record(mask: readonly string[], content: readonly string[], sink: (draft: Draft) => void): { early: Draft[]; lost: number };
  readonly masks: Masking;
  /** Ends the intervals of events that are recorded at a limited rate. */
  release(): void;
  /** Adds the listeners again. */
  attach(): void;
  stopCapture(): void;
  /** The visitor has withdrawn in another tab. */
  withdraw(): void;
  affect(affect: RecordedAffect): void;
}

/** While `stop()` waits for the server, the store is looked at this often. No request is made for it. */
const STORE_POLL_MS = 250;
const CAMERA_STOP_MS = 3_000;
const STORE_PATIENCE_MS = 3_000;

/** The end of the study, with the participant's own identifier in the address. */
const completed = ({ code, redirect }: Completion, link: string | null): Completion => {
  const address = redirect?.startsWith('https://') ? redirect.replaceAll('{participant}', () => encodeURIComponent(link ?? '')) : undefined;
  return { ...(code !== undefined && { code }), ...(address !== undefined && { redirect: address }) };
};

const failed = (what: string) => (error: unknown) => console.warn(`affectograph: ${what}: ${sentence(error)}`);

export class Run {
  readonly #host: Host;
  readonly #api: Api;
  #ends: (() => void)[] = [];
  #store: Store | null = null;
  #outbox!: Outbox;
  #sender!: Sender;
  #opened: Opened | null = null;
  #info!: DocumentInfo;
  /** This document's clock was read since it was opened or came back. */
  #isMeasured = false;
  /** A reading that is not recorded yet. */
  #reading: ClockReading | null = null;
  #endClock: () => void = () => undefined;
  #camera: Camera | null = null;
  /** The end of the last camera. It stores the numbers from which the next one continues. */
  #cameraEnd: Promise<void> | null = null;
  #endReplay: () => void = () => undefined;
  /** Counts the changes between recording and pause. What a former one began is not completed. */
  #turn = 0;
  #isWithdrawn = false;
  /** A session that the server began, and that this document does not record for. */
  #unentered: { id: string; token: string } | null = null;
  /** The attempts to continue or begin a session. */
  #entering: Promise<unknown> = promise((resolve) => resolve(undefined));
  /** Withdrawals in other tabs, from the beginning of this. */
  readonly #elsewhere: { look: () => void; end: () => void };

  constructor(host: Host) {
    this.#host = host;
    const { server, study } = host.settings;
    this.#api = new Api(server);
    this.#elsewhere = onWithdrawal(server, study, () => host.withdraw());
  }

  /** Continues a session of this tab. False if it cannot be continued. `isPauseKnown`: if the recording is paused, the session
   * contains it. */
  resume(session: string, isPauseKnown: boolean): Promise<boolean> {
    const work = async () => {
      const opened = await open(await this.#opening(), session);
      if (!opened) return false;
      await this.#enter(opened, isPauseKnown);
      return true;
    };
    const resuming = work();
    this.#entering = resuming;
    return resuming;
  }

  /** Begins a session as soon as the server permits it. */
  begin(consent: Agreed): Promise<void> {
    const beginning = this.#begin(consent);
    this.#entering = beginning;
    return beginning;
  }

  async #begin(consent: Agreed): Promise<void> {
    const { settings, ended } = this.#host;
    if (ended.aborted) return;
    keepLink(settings);
    const store = await this.#opening();
    const waiting = (problem: string) => this.#host.change({ problem });
    const { server, study } = settings;
    // One tab asks at a time, so that all get the pseudonym that the server gave the first.
    let unkept: unknown;
    const ask = () => alone(`begin.${server}.${study}`, async () => {
      // It waited for another tab.
      if (ended.aborted) throw new Error('the recording has ended');
      const started = await this.#ask(store, consent);
      // A failure here is not the server's: the request is not repeated.
      await background(() => this.#keep(store, started), (error) => { unkept = error; });
      return started;
    });
    const started = await begin(ask, waiting, ended);
    if (!started) return;
    this.#unentered = { id: started.session, token: started.token };
    if (this.#isWithdrawn) return; // `withdraw` deletes it
    if (unkept) {
      void background(() => this.#api.finish(started.session, started.token, {}, 0));
      throw unkept;
    }
    // The page has stopped the recorder before the server answered.
    if (ended.aborted) return background(async () => { await finish(this.#api, store, started.session); });
    this.#host.change({ problem: null });
    const opened = await open(store, started.session);
    if (!opened) throw new Error('another page has ended this session');
    await this.#enter(opened, false);
  }

  /** A problem that lasts as long as the page. */
  get #lasting(): string | null {
    return this.#store!.isPersistent ? null : 'this browser stores nothing: unsent records are lost when the page is left';
  }

  async #opening(): Promise<Store> {
    return this.#store ??= await openStoreOf(this.#host.settings);
  }

  /** One request for a session. */
  async #ask(store: Store, { given_utc_ms, text }: Agreed): Promise<Started> {
    const { settings } = this.#host;
    const { server, study, camera } = settings;
    const { link } = linkOf(settings);
    const participant = link !== null ? undefined
      : settings.participant ?? participantOf(server, study) ?? await this.#participantOfTab(store);
    const started = await this.#api.start(settings.key, {
      study,
      ...(participant === undefined ? {} : { participant }),
      ...(link === null ? {} : { link }),
      consent: { given_utc_ms, text_sha256: await sha256(text) },
      camera,
      client: {
        version: VERSION, user_agent: navigator.userAgent, language: navigator.language,
        screen: `${screen.width}x${screen.height}@${devicePixelRatio}`,
      },
    });
    if (settings.participant === undefined && !this.#isWithdrawn) rememberParticipant(server, study, started.participant);
    return started;
  }

  async #keep(store: Store, started: Started & { condition?: string | null }): Promise<void> {
    const { session: id, token, participant, condition = null, mask, content, max_batch_bytes, own_data = false } = started;
    const { server, study, mask: own, participant: given } = this.#host.settings;
    const session = {
      id, server, study, token, participant, condition, is_numbered: given === undefined, mask: [...mask, ...own], content, max_batch_bytes, own_data,
      next: {}, documents: 0, video_chunks: 0, frames: 0, is_stopped: false, touched_utc_ms: Date.now(),
      ...(this.#isWithdrawn && { is_stopped: true, is_withdrawn: true }),
    };
    const keep = async () => {
      await store.keep(session);
      return true;
    };
    if (!await within(keep(), STORE_PATIENCE_MS)) throw new Error('this browser does not store the session');
  }

  /** The pseudonym of another tab. A tab may not see at once what another one has written to `localStorage`. */
  async #participantOfTab(store: Store): Promise<string | undefined> {
    const { server, study } = this.#host.settings;
    let sessions: StoredSession[] = [];
    await background(async () => { sessions = await within(store.sessions(), STORE_PATIENCE_MS) ?? []; });
    return found(sessions, (s) => s.server === server && s.study === study && s.is_numbered === true)?.participant;
  }

  /** This document records for the session. */
  async #enter(opened: Opened, isPauseKnown: boolean): Promise<void> {
    const { ended } = this.#host;
    const { session, document } = opened;
    this.#unentered = session;
    this.#elsewhere.look(); // a tab may not hear at once of another one's withdrawal
    if (ended.aborted) return opened.release();
    this.#opened = opened;
    this.#outbox = new Outbox(this.#store!);
    this.#info = { document, time_origin_utc_ms: performance.timeOrigin, clock: null };
    this.#noteTab();
    this.#capture(session, this.#host.state.isPaused && !isPauseKnown);
    this.#outbox.open(session.id, document, opened.next);
    this.#send(session);
    this.#listen();
    this.#host.change({
      phase: 'recording', session: session.id, participant: session.participant, condition: session.condition ?? null,
      isOnline: navigator.onLine, problem: this.#lasting, offersOwnData: session.own_data === true,
    });
    await this.#startMedia();
    void background(() => this.#sendLeftovers(session.id), failed('records of earlier pages are not sent yet'));
  }

  /** Captures, and adds what was captured before there was a session. */
  #capture({ mask, content }: StoredSession, isPaused: boolean): void {
    const { early, lost } = this.#host.record(mask, content, (draft) => this.#outbox.add(draft));
    for (const draft of recordable(early, lost, performance.now(), isPaused)) this.#outbox.add(draft);
  }

  #send(session: StoredSession): void {
    const isClockAwaited = (info: DocumentInfo) => info.document === this.#opened?.document && !this.#isMeasured;
    this.#sender = new Sender(this.#api, this.#store!, session, isClockAwaited);
    this.#until(this.#sender.run((outcome) => this.#handleOutcome(outcome)));
    this.#until(this.#outbox.stored.listen(() => this.#sender.wake()));
    this.#until(this.#outbox.failed.listen((error) => this.#host.change({ problem: `not stored yet: ${sentence(error)}` })));
    this.#measure();
    this.#until(() => this.#endClock());
  }

  /** Reads the clock of this document, now and again. Records wait until the first reading is good, or for a second. */
  #measure(): void {
    this.#isMeasured = false;
    this.#endClock();
    const readings = clock$(this.#api, this.#host.tick_ms).subscribe(({ clock: fresh, isSettled }) => {
      const clock = better(this.#info.clock, fresh);
      this.#info = { ...this.#info, clock };
      this.#reading = better(this.#reading, fresh);
      if (isSettled) this.#recordReading();
      this.#host.change({ clock_uncertainty_ms: clock.uncertainty_ms });
      void background(async () => {
        await this.#store!.keepDocument(this.#opened!.session.id, this.#info);
        this.#isMeasured ||= isSettled;
        this.#sender.wake();
      });
      this.#host.attach();
    });
    this.#endClock = () => readings.unsubscribe();
  }

  #recordReading(): void {
    if (!this.#reading) return;
    const { at_ms, offset_ms, uncertainty_ms } = this.#reading;
    this.#reading = null;
    const measured = { offset_ms, uncertainty_ms, document: this.#info.document };
    this.#outbox.add({ stream: 'page_clock', page_ms: at_ms, rest: eventRest('measured', json(measured)) });
  }

  /** Remembers what ends something at the end of the recording. */
  #until(end: () => void): void {
    append(this.#ends, end);
  }

  #listen(): void {
    this.#until(on<PageTransitionEvent>(window, 'pagehide', (event) => this.#leave(event.persisted)));
    this.#until(on<PageTransitionEvent>(window, 'pageshow', (event) => {
      if (event.persisted) void background(() => this.#comeBack(), (error) => this.#host.fail(sentence(error)));
    }));
    this.#until(on(window.document, 'visibilitychange', () => {
      // A phone may send no further event. Without a clock the records wait here, because the server would assume one.
      if (window.document.visibilityState === 'hidden' && this.#info.clock) this.#leave(false);
    }));
    for (const type of ['online', 'offline']) {
      this.#until(on(window, type, () => this.#host.change({ isOnline: navigator.onLine })));
    }
  }

  #handleOutcome(outcome: Outcome): void {
    const { settings, state } = this.#host;
    const { waiting } = this.#outbox;
    switch (outcome.kind) {
      case 'acknowledged':
        this.#outbox.acknowledged(outcome.batch);
        this.#host.change({ acknowledged: state.acknowledged + outcome.batch.records.length, waiting, problem: this.#lasting });
        break;
      case 'seen':
        this.#host.change({ waiting });
        break;
      case 'waiting':
        this.#host.change({ waiting, problem: `the server does not answer, records are kept here: ${outcome.why}` });
        break;
      case 'refused':
        console.warn(`affectograph: the server refused data: ${outcome.why}`);
        break;
      case 'ended':
        noteTab(settings.server, settings.study, null);
        void background(() => this.#store!.forget(this.#opened!.session.id));
        this.#host.fail(outcome.why);
        break;
    }
  }

  async #sendLeftovers(id: string | null): Promise<void> {
    const others = kept(await this.#store!.sessions(), (session) => session.id !== id);
    if (others.length === 0) return;
    const { sendLeftovers } = await load(this.#host.settings.assets, 'leftovers.js', () => import('./leftovers'));
    await sendLeftovers(this.#store!, id);
  }

  // ---- going and coming --------------------------------------------------------------------------------------

  #leave(isKept: boolean): void {
    const opened = this.#opened!;
    this.#host.release();
    this.#camera?.flush();
    this.#recordReading();
    const records = this.#outbox.leave();
    if (records.length > 0) {
      this.#api.recordsOnLeaving(opened.session.id, opened.session.token, batchBody([this.#info], records));
    }
    if (isKept) {
      // The browser may show this document again later. Meanwhile the next document continues the numbers.
      this.#outbox.close();
      opened.release();
    }
  }

  async #comeBack(): Promise<void> {
    const store = this.#store!;
    const opened = await open(store, this.#opened!.session.id);
    if (!opened) throw new Error('another page has ended this session');
    this.#opened = opened;
    this.#info = { document: opened.document, time_origin_utc_ms: performance.timeOrigin, clock: this.#info.clock };
    await store.keepDocument(opened.session.id, this.#info);
    this.#outbox.open(opened.session.id, opened.document, opened.next);
    this.#measure(); // the computer may have slept
  }

  // ---- camera and replay -------------------------------------------------------------------------------------

  /** `state.isPaused` has changed. */
  pauseChanged(): void {
    if (!this.#opened) return;
    this.#noteTab();
    void background(() => (this.#host.state.isPaused ? this.#stopMedia(true) : this.#startMedia()));
  }

  #noteTab(): void {
    const { settings, state } = this.#host;
    const { id, mask, content } = this.#opened!.session;
    noteTab(settings.server, settings.study, {
      session: id, mask, content, camera: settings.camera, replay: settings.replay === true, ...(state.isPaused ? { isPaused: true } : {}),
    });
  }

  /** Begins what is recorded besides events. */
  async #startMedia(): Promise<void> {
    const turn = ++this.#turn;
    const isOver = () => turn !== this.#turn || this.#host.ended.aborted || this.#host.state.isPaused;
    await this.#cameraEnd;
    if (!isOver()) await this.#startCamera(isOver);
    if (this.#host.settings.replay && !isOver()) await this.#startReplay(isOver);
  }

  /** Ends it at once. Resolves when everything is stored. */
  async #stopMedia(isAtOnce = false): Promise<void> {
    this.#turn++;
    const endReplay = this.#endReplay;
    this.#endReplay = () => undefined;
    void background(async () => endReplay()); // at once; its failure leaves the camera to be ended
    const camera = this.#camera;
    this.#camera = null;
    if (camera) this.#cameraEnd = background(() => camera.stop(isAtOnce));
    await this.#cameraEnd;
  }

  async #startCamera(isOver: () => boolean): Promise<void> {
    const { settings } = this.#host;
    if (settings.camera === 'off') return;
    try {
      const module = await load(settings.assets, 'camera.js', () => import('../camera/camera'));
      if (isOver()) return;
      this.#camera = new module.Camera(settings, this.#opened!.session, this.#store!, (draft) => this.#outbox.add(draft), {
        state: (camera) => this.#host.change({ camera }),
        affect: (affect) => this.#host.affect(affect),
        stored: () => this.#sender.wake(),
      });
      await this.#camera.start();
    } catch (error) {
      const detail = json({ detail: `camera.js cannot be loaded: ${sentence(error)}` });
      this.#outbox.add({ stream: 'health', page_ms: performance.now(), rest: eventRest('camera_absent', detail) });
      this.#host.change({ camera: 'absent' });
    }
  }

  async #startReplay(isOver: () => boolean): Promise<void> {
    let isOn = true;
    const add = (page_ms: number, event: string) => {
      if (isOn) this.#outbox.add({ stream: 'replay', page_ms, rest: eventRest('rrweb', event) });
    };
    const start = async () => {
      const stop = await startReplay(this.#host.settings, this.#host.masks, add);
      if (isOver()) stop();
      else {
        this.#endReplay = () => {
          stop();
          isOn = false; // rrweb's timers may still emit
        };
      }
    };
    await background(start, failed('the page is not recorded for replay'));
  }

  // ---- stop --------------------------------------------------------------------------------------------------

  /** Ends the recording. Resolves when the server has all records, or after `patience_ms`. */
  async stop(patience_ms: number): Promise<void> {
    const until_ms = performance.now() + patience_ms;
    this.#host.change({ phase: 'finishing' });
    await within(this.#finish(until_ms), patience_ms);
    if (this.#host.state.phase === 'finishing') {
      const { problem } = this.#host.state;
      this.#host.change({ problem: problem ?? 'the server does not have all records yet: a later page of this site sends them' });
    }
    this.release();
  }

  /** Ends everything, and deletes the sessions of the visitor here and on the server. The answer of this visitor is a no from now
   * on. Resolves when the server has confirmed it: `report(null)`. Until then it reports why not, and asks again while the page
   * is open. */
  async withdraw(report: (problem: string | null) => void): Promise<void> {
    this.#isWithdrawn = true;
    const { settings } = this.#host;
    const { server, study } = settings;
    noteTab(server, study, null);
    rememberWithdrawal(server, study);
    rememberLinkAnswer(settings, { answer: 'no' });
    forgetParticipant(server, study);
    this.release();
    if (this.#opened) {
      // Neither a camera nor a replay that fails prevents the deletion.
      await background(() => within(this.#stopMedia(), CAMERA_STOP_MS));
      await within(this.#outbox.discard(), STORE_PATIENCE_MS);
    } else {
      // The server may be beginning a session at this moment. Its answer has the token to delete it.
      await background(() => this.#entering);
    }
    const store = await this.#opening();
    await withdrawVisitor(store, settings, this.#opened?.session ?? this.#unentered, report);
    report(null);
    await background(() => this.#sendLeftovers(null));
  }

  /** What the server has stored of the session. */
  async ownData(): Promise<Blob> {
    if (!this.#opened) throw new Error('nothing is recorded yet');
    await within(this.#outbox.flush(), STORE_PATIENCE_MS);
    return this.#api.ownData(this.#opened.session.id, this.#opened.session.token);
  }

  /** Ends everything that runs. */
  release(): void {
    const ends = this.#ends;
    this.#ends = [];
    this.#elsewhere.end();
    for (const end of ends) end();
    void this.#stopMedia();
    if (!this.#opened) return;
    this.#outbox.close();
    this.#opened.release();
  }

  async #finish(until_ms: number): Promise<void> {
    const store = this.#store!;
    const { id } = this.#opened!.session;
    const { server, study } = this.#host.settings;
    this.#host.stopCapture();
    await within(this.#stopMedia(), CAMERA_STOP_MS);
    noteTab(server, study, null);
    this.#recordReading();
    await this.#outbox.flush();
    await store.change(id, (session) => { session.is_stopped = true; });
    this.#sender.hurry();
    while (performance.now() < until_ms && this.#host.state.phase === 'finishing') {
      if (await this.#tryToFinish(store, id)) return;
      await pause(STORE_POLL_MS);
    }
  }

  /** False if records are not sent yet. A later page of this site sends them. */
  async #tryToFinish(store: Store, id: string): Promise<boolean> {
    if (this.#outbox.waiting > 0) await this.#outbox.flush();
    if (await store.countBatches(id) + await store.countChunks(id) > 0) return false;
    try {
      const { isWhole, completion } = await finish(this.#api, store, id);
      const problem = isWhole ? null : 'records are missing on the server';
      this.#host.change({ phase: 'finished', waiting: 0, problem, completion: completion && completed(completion, linkOf(this.#host.settings).link) });
      return true;
    } catch (error) {
      this.#handleOutcome({ kind: 'waiting', why: sentence(error) });
      await pause(error instanceof Refused && error.retry_after_ms !== null ? error.retry_after_ms : HURRIED_WAIT_MS);
      return false;
    }
  }
}
