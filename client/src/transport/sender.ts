// Sends the stored records and chunks of one session to the server, oldest first, until all are acknowledged.

import { Observable, Subscription } from 'rxjs';
import { online$ } from './listen';
import { Refused, type Api, batchBody } from './http';
import { refusedAsGap } from './record';
import { Signal } from './signal';
import type { Batch, Chunk, DocumentInfo, Store, StoredSession } from './store';

const LEAST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** The store is checked at this interval, in addition to notifications. */
const POLL_INTERVAL_MS = 5_000;

export type Outcome =
  /** The records are on the server's disk. */
  | { kind: 'acknowledged'; batch: Batch }
  | { kind: 'seen'; chunk: Chunk }
  /** The server cannot be reached, or is busy. The request is repeated automatically. */
  | { kind: 'waiting'; why: string }
  /** The server did not understand some records. They were replaced with gaps. */
  | { kind: 'refused'; why: string }
  /** The session accepts no further records. Unsent records stay in the store. */
  | { kind: 'ended'; why: string };

/** Half of each wait is random, so that many pages do not reconnect to a server at the same time. */
export const waitMs = (attempt: number, error: unknown, random = Math.random): number => {
  if (error instanceof Refused && error.retry_after_ms !== null) return error.retry_after_ms;
  const most = Math.min(LONGEST_WAIT_MS, LEAST_WAIT_MS * 2 ** Math.min(attempt - 1, 10));
  return most * (0.5 + 0.5 * random());
};

const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export class Sender {
  readonly #woken$ = new Signal<void>();
  readonly #hurried$ = new Signal<void>();
  #isEnded = false;
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

  /** Ends a wait, for example because `stop()` waits for the server. */
  hurry(): void {
    this.#hurried$.next();
    this.wake();
  }

  wake(): void {
    this.#woken$.next();
  }

  /** Sends new records until it is unsubscribed or the session ends. */
  run$(): Observable<Outcome> {
    return new Observable<Outcome>((out) => {
      let sending: Subscription | null = null;
      const send = () => {
        if (!sending || sending.closed) sending = this.empty$().subscribe((outcome) => out.next(outcome));
      };
      const timer = setInterval(send, POLL_INTERVAL_MS);
      const awake = this.#woken$.subscribe(send);
      awake.add(online$.subscribe(send));
      send();
      return () => {
        clearInterval(timer);
        awake.unsubscribe();
        sending?.unsubscribe();
      };
    });
  }

  /** Sends everything that is stored now. */
  empty$(): Observable<Outcome> {
    return new Observable<Outcome>((out) => {
      let rest = new Subscription();
      const send = async (): Promise<void> => {
        while (!out.closed) {
          try {
            await this.#sendAll((outcome) => out.next(outcome));
            break;
          } catch (error) {
            this.#failures += 1;
            if (error instanceof Refused && error.isFinal) {
              this.#isEnded = true;
              out.next({ kind: 'ended', why: sentence(error) });
              break;
            }
            out.next({ kind: 'waiting', why: sentence(error) });
            await new Promise<void>((resolve) => {
              const timer = setTimeout(resolve, waitMs(this.#failures, error));
              rest = new Subscription(() => clearTimeout(timer));
              rest.add(online$.subscribe(() => resolve()));
              rest.add(this.#hurried$.subscribe(() => resolve()));
              if (out.closed) rest.unsubscribe();
            });
            rest.unsubscribe();
          }
        }
        out.complete();
      };
      void send();
      return () => rest.unsubscribe();
    });
  }

  async #sendAll(report: (outcome: Outcome) => void): Promise<void> {
    for (;;) {
      if (this.#isEnded) return;
      const batch = await this.#store.oldestBatch(this.#session.id);
      if (batch) {
        const sent = await this.#sendBatch(batch, report);
        if (sent) continue;
      }
      const chunk = await this.#store.oldestChunk(this.#session.id);
      if (!chunk) return;
      await this.#api.video(this.#session.id, this.#session.token, chunk);
      this.#failures = 0;
      await this.#store.dropChunk(this.#session.id, chunk);
      report({ kind: 'seen', chunk });
    }
  }

  /** False if the batch has to wait for a clock. */
  async #sendBatch(batch: Batch, report: (outcome: Outcome) => void): Promise<boolean> {
    const documents = await this.#store.documents(this.#session.id);
    if (documents.some((d) => d.document === batch.document && this.#mustWait(d))) return false;
    const parts = portions(batch.records, this.#session.max_batch_bytes);
    for (let records = parts.shift(); records; records = parts.shift()) {
      await this.#sendRecords(documents, records, report);
      // Parts that were sent are not sent again when a later part fails.
      if (parts.length > 0) await this.#store.replaceBatch({ ...batch, records: parts.flat() });
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
        await this.#sendRecords(documents, records.slice(0, half), report);
        await this.#sendRecords(documents, records.slice(half), report);
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
  let part: string[] = [];
  let bytes = 0;
  for (const record of records) {
    // A UTF-16 unit has at most three bytes in UTF-8. The envelope is small.
    const size = record.length * 3 + 1;
    if (part.length > 0 && bytes + size > most_bytes - 1000) {
      all.push(part);
      part = [];
      bytes = 0;
    }
    part.push(record);
    bytes += size;
  }
  if (part.length > 0) all.push(part);
  return all;
};
