// One page's part of a session, from the server's permission to the end: storing, sending, the clock, leaving and coming back.
// The recorder of the page (`recorder.ts`) captures, and gives its records to this.

import { load } from '../assets';
import type { Masking } from '../capture/privacy';
import { append, kept } from '../natives/lists';
import { json } from '../natives/plain';
import { background, pause, promise, sentence, within } from '../natives/promise';
import type { Settings } from '../options';
import type { Agreed } from '../consent/ask';
import type { RecordedAffect, State } from '../state';
import { better } from './clock';
import { recordable } from './early';
import { Api, Refused, batchBody } from './http';
import { linkOf } from './link';
import { keepLink, rememberLinkAnswer } from './link-answer';
import { on } from './listen';
import { Media } from './media';
import { STORE_PATIENCE_MS, openStoreOf } from './opening';
import { Outbox } from './outbox';
import { alone } from './ownership';
import { clock$ } from './pings';
import { type Draft, eventRest } from './record';
import { type Opened, begin, completed, finish, open } from './session';
import { HURRIED_WAIT_MS, type Outcome, Sender } from './sender';
import { askForSession, keepSession } from './start';
import type { ClockReading, DocumentInfo, Store, StoredSession } from './store';
import { noteTab } from './tab';
import { forgetParticipant, onWithdrawal, rememberWithdrawal } from './visitor';
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

export class Run {
  readonly #host: Host;
  readonly #api: Api;
  #ends: (() => void)[] = [];
  #store: Store | null = null;
  #outbox!: Outbox;
  #sender!: Sender;
  #media!: Media;
  #opened: Opened | null = null;
  #info!: DocumentInfo;
  /** This document's clock was read since it was opened or came back. */
  #isMeasured = false;
  /** A reading that is not recorded yet. */
  #reading: ClockReading | null = null;
  #endClock: () => void = () => undefined;
  #isWithdrawn = false;
  /** The session that the server gave this document. */
  #own: { id: string; token: string } | null = null;
  /** The attempts to continue or begin a session. */
  #entering: Promise<unknown> = promise((resolve) => resolve(undefined));
  /** Withdrawals in other tabs, since this object was made. */
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
      const started = await askForSession(this.#api, store, settings, consent, () => this.#isWithdrawn);
      // A failure here is not the server's: the request is not repeated.
      await background(() => keepSession(store, settings, started, this.#isWithdrawn), (error) => { unkept = error; });
      return started;
    });
    const started = await begin(ask, waiting, ended);
    if (!started) return;
    this.#own = { id: started.session, token: started.token };
    if (this.#isWithdrawn) return; // `withdraw` deletes it
    if (unkept) {
      void background(() => this.#api.finish(started.session, started.token, {}, 0));
      throw unkept;
    }
    // The page has stopped the recorder before the server answered.
    if (ended.aborted) return background(() => finish(this.#api, store, started.session));
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

  /** This document records for the session. */
  async #enter(opened: Opened, isPauseKnown: boolean): Promise<void> {
    const { ended } = this.#host;
    const { session, document } = opened;
    this.#own = session;
    this.#elsewhere.look(); // a tab may not hear at once of another one's withdrawal
    if (ended.aborted) return opened.release();
    this.#opened = opened;
    this.#outbox = new Outbox(this.#store!);
    this.#info = { document, time_origin_utc_ms: performance.timeOrigin, clock: null };
    this.#media = new Media(this.#host, session, this.#store!, (draft) => this.#outbox.add(draft), () => this.#sender.wake());
    this.#noteTab();
    this.#capture(session, this.#host.state.isPaused && !isPauseKnown);
    this.#outbox.open(session.id, document, opened.next);
    this.#send(session);
    this.#listen();
    this.#host.change({
      phase: 'recording', session: session.id, participant: session.participant, condition: session.condition ?? null,
      isOnline: navigator.onLine, problem: this.#lasting, offersOwnData: session.own_data === true,
    });
    await this.#media.start();
    void background(() => this.#sendLeftovers(session.id), (error) => {
      console.warn(`affectograph: records of earlier pages are not sent yet: ${sentence(error)}`);
    });
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

  /** Reads the clock of this document, now and again. Records wait until the first reading is good, or for
   * three seconds: a coarse first reading would be the uncertainty of the whole session. */
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
        noteTab(settings, null);
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
    this.#media.flush();
    this.#recordReading();
    const records = this.#outbox.leave(isKept);
    if (records.length > 0) {
      this.#api.recordsOnLeaving(opened.session.id, opened.session.token, batchBody([this.#info], records));
    }
    if (isKept) {
      // The browser may show this document again later. Meanwhile the next document continues the numbers.
      this.#outbox.close();
      opened.release();
      this.#store!.interrupt();
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

  /** `state.isPaused` has changed. */
  pauseChanged(): void {
    if (!this.#opened) return;
    this.#noteTab();
    void background(() => (this.#host.state.isPaused ? this.#media.stop(true) : this.#media.start()));
  }

  #noteTab(): void {
    const { settings, state } = this.#host;
    const { id, mask, content } = this.#opened!.session;
    noteTab(settings, {
      session: id, mask, content, camera: settings.camera, replay: settings.replay === true, ...(state.isPaused ? { isPaused: true } : {}),
    });
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
    noteTab(settings, null);
    rememberWithdrawal(server, study);
    rememberLinkAnswer(settings, { answer: 'no' });
    forgetParticipant(server, study);
    this.release();
    if (this.#opened) {
      // Neither a camera nor a replay that fails prevents the deletion.
      await background(() => within(this.#media.stop(), CAMERA_STOP_MS));
      await within(this.#outbox.discard(), STORE_PATIENCE_MS);
    } else {
      // The server may be beginning a session at this moment. Its answer has the token to delete it.
      await background(() => this.#entering);
    }
    const store = await this.#opening();
    await withdrawVisitor(store, settings, this.#own, report);
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
    if (!this.#opened) return;
    void this.#media.stop();
    this.#outbox.close();
    this.#opened.release();
  }

  async #finish(until_ms: number): Promise<void> {
    const store = this.#store!;
    const { id } = this.#opened!.session;
    this.#host.stopCapture();
    await within(this.#media.stop(), CAMERA_STOP_MS);
    noteTab(this.#host.settings, null);
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
