// Sends the stored records and chunks of one session to the server, oldest first, until all are acknowledged.

import { append, found, part } from '../natives/lists';
import { sentence } from '../natives/promise';
import { Bell } from './bell';
import { onOnline, rest } from './listen';
import { Refused, type Api, batchBody } from './http';
import { refusedAsGap } from './record';
import type { Batch, Chunk, DocumentInfo, Store, StoredSession } from './store';

const LEAST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** While `stop()` waits for the server. */
export const HURRIED_WAIT_MS = 1_000;
/** The store is checked at this interval, in addition to notifications. */
const POLL_INTERVAL_MS = 5_000;

export type Outcome =
  /** The records are on the server's disk. */
  | { kind: 'acknowledged'; batch: Batch }
  | { kind: 'seen'; chunk: Chunk }
  /** The server cannot be reached, or is busy. The request is repeated automatically. */
  | { kind: 'waiting'; why: string }
  /** The server did not understand some records, and they were replaced with gaps. Or it takes no more video. */
  | { kind: 'refused'; why: string }
  /** The session accepts no further records. Unsent records stay in the store. */
  | { kind: 'ended'; why: string };

/** Half of each wait is random, so that many pages do not reconnect to a server at the same time. */
export const waitMs = (attempt: number, error: unknown, random = Math.random): number => {
  if (error instanceof Refused && error.retry_after_ms !== null) return error.retry_after_ms;
  const most = Math.min(LONGEST_WAIT_MS, LEAST_WAIT_MS * 2 ** Math.min(attempt - 1, 10));
  return most * (0.5 + 0.5 * random());
};

export class Sender {
  readonly #woken = new Bell();
  readonly #hurried = new Bell();
  #isEnded = false;
  #isHurried = false;
  /** Consecutive failures. */
  #failures = 0;

  readonly #api: Api;
  readonly #store: Store;
  readonly #session: Pick<StoredSession, 'id' | 'token' | 'max_batch_bytes'>;
  readonly #mustWait: (info: DocumentInfo) => boolean;

  constructor(
    api: Api,
    store: Store,
    session: Pick<StoredSession, 'id' | 'token' | 'max_batch_bytes'>,
    /** Documents whose clock is not measured yet. Their records wait. */
    mustWait: (info: DocumentInfo) => boolean = () => false,
  ) {
    this.#api = api;
    this.#store = store;
    this.#session = session;
    this.#mustWait = mustWait;
  }

  /** Ends a wait and shortens the later ones, because `stop()` waits for the server. */
  hurry(): void {
    this.#isHurried = true;
    this.#hurried.ring();
    this.wake();
  }

  wake(): void {
    this.#woken.ring();
  }

  /** Sends new records until the returned function is called or the session ends. */
  run(report: (outcome: Outcome) => void): () => void {
    let isOver = false;
    let isSending = false;
    let isAskedAgain = false;
    const send = async (): Promise<void> => {
      isAskedAgain = true;
      if (isSending) return;
      isSending = true;
      while (isAskedAgain && !isOver) {
        isAskedAgain = false;
        await this.empty(report, () => isOver);
      }
      isSending = false;
    };
    const wake = () => { void send(); };
    const timer = setInterval(wake, POLL_INTERVAL_MS);
    const asleep = this.#woken.listen(wake);
    const offline = onOnline(wake);
    wake();
    return () => {
      isOver = true;
      clearInterval(timer);
      asleep();
      offline();
      this.#hurried.ring();
    };
  }

  /** Sends everything that is stored now. It never rejects. */
  async empty(report: (outcome: Outcome) => void, isOver = () => false): Promise<void> {
    const tell = (outcome: Outcome) => { if (!isOver()) report(outcome); };
    while (!isOver()) {
      try {
        return await this.#sendAll(tell, isOver);
      } catch (error) {
        this.#failures += 1;
        if (error instanceof Refused && error.isFinal) {
          this.#isEnded = true;
          return tell({ kind: 'ended', why: sentence(error) });
        }
        tell({ kind: 'waiting', why: sentence(error) });
        await this.#rest(error);
      }
    }
  }

  /** Waits after a failure. `hurry` ends the wait once, and later waits are short then, unless the server chose them. */
  async #rest(error: unknown): Promise<void> {
    const ms = waitMs(this.#failures, error);
    const isChosen = error instanceof Refused && error.retry_after_ms !== null;
    await rest(this.#isHurried && !isChosen ? Math.min(ms, HURRIED_WAIT_MS) : ms, (end) => this.#hurried.listen(end));
  }

  async #sendAll(report: (outcome: Outcome) => void, isOver: () => boolean): Promise<void> {
    for (;;) {
      if (this.#isEnded || isOver()) return;
      const batch = await this.#store.oldestBatch(this.#session.id);
      if (batch) {
        const sent = await this.#sendBatch(batch, report);
        if (sent) continue;
      }
      const chunk = await this.#store.oldestChunk(this.#session.id);
      if (!chunk) return;
      await this.#sendChunk(chunk, report);
    }
  }

  /** A chunk that is too large or over a quota is never accepted. The server records a quota, and counts a missing chunk. */
  async #sendChunk(chunk: Chunk, report: (outcome: Outcome) => void): Promise<void> {
    let refusal: string | null = null;
    try {
      await this.#api.video(this.#session.id, this.#session.token, chunk);
    } catch (error) {
      if (!(error instanceof Refused && error.isTooLarge)) throw error;
      refusal = error.message;
    }
    this.#failures = 0;
    await this.#store.dropChunk(this.#session.id, chunk);
    report(refusal === null ? { kind: 'seen', chunk } : { kind: 'refused', why: refusal });
  }

  /** False if the batch has to wait for a clock. */
  async #sendBatch(batch: Batch, report: (outcome: Outcome) => void): Promise<boolean> {
    const documents = await this.#store.documents(this.#session.id);
    if (found(documents, (d) => d.document === batch.document && this.#mustWait(d))) return false;
    let sent = 0;
    for (const records of portions(batch.records, this.#session.max_batch_bytes)) {
      await this.#sendRecords(documents, records, report);
      sent += records.length;
      // Parts that were sent are not sent again when a later part fails.
      if (sent < batch.records.length) await this.#store.replaceBatch({ ...batch, records: part(batch.records, sent) });
    }
    await this.#store.dropBatch(batch);
    report({ kind: 'acknowledged', batch });
    return true;
  }

  async #sendRecords(documents: DocumentInfo[], records: string[], report: (outcome: Outcome) => void): Promise<void> {
    const send = (some: string[]) => this.#api.records(this.#session.id, this.#session.token, batchBody(documents, some));
    try {
      await send(records);
      this.#failures = 0;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.isPartly) {
        report({ kind: 'refused', why: error.body.refused?.[0]?.why ?? error.message });
      } else if ((error.isTooLarge || error.isNotUnderstood) && records.length > 1) {
        const half = records.length >> 1;
        await this.#sendRecords(documents, part(records, 0, half), report);
        await this.#sendRecords(documents, part(records, half), report);
      } else if (error.isTooLarge || error.isNotUnderstood) {
        await send([refusedAsGap(records[0]!, error.message)]);
        report({ kind: 'refused', why: error.message });
      } else {
        throw error;
      }
    }
  }
}

/** Divides records into parts of at most `most_bytes`. A larger record becomes a part of its own. */
export const portions = (records: readonly string[], most_bytes: number): string[][] => {
  const all: string[][] = [];
  let some: string[] = [];
  let bytes = 0;
  for (const record of records) {
    // A UTF-16 unit has at most three bytes in UTF-8. The envelope is small.
    const size = record.length * 3 + 1;
    if (some.length > 0 && bytes + size > most_bytes - 1000) {
      append(all, some);
      some = [];
      bytes = 0;
    }
    append(some, record);
    bytes += size;
  }
  if (some.length > 0) append(all, some);
  return all;
};
