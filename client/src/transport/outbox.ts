// Collects records until they are stored. At most BATCH_MS of records wait in this document.
//
// Records get their numbers when a batch is made, so that they can wait until the first number is known.

import { keys, startsWith } from '../natives/js';
import { append, kept, part } from '../natives/lists';
import { json } from '../natives/plain';
import { Bell } from './bell';
import { KEEPALIVE_BYTES } from './http';
import { type Draft, gapRest, number } from './record';
import { shelf } from './shelf';
import { type Batch, type Numbers, type Store, atLeast } from './store';

/** The interval of batches. A crash loses at most half a second, including the time of writing. */
export const BATCH_MS = 400;
/** A batch is also made after this many records. */
export const BATCH_RECORDS = 500;
/** If nothing can be stored, at most this many records wait. Further records are counted, and the count is recorded. */
export const MOST_WAITING = 20_000;
const MOST_BATCHES = 8;

/** Batches that a document could perhaps not store before it was left. The next document can read them at once. */
interface Left {
  batches: Batch[];
  next: Numbers;
}

const leftKey = (session: string, document: number) => `affectograph.left.${session}.${document}`;

/** In UTF-16. */
const bytesOf = (batches: readonly Batch[]): number => {
  let bytes = 0;
  for (const { records } of batches) for (const record of records) bytes += record.length * 2;
  return bytes;
};

const leftKeys = (all: Storage, session: string) => kept(keys(all), (k) => startsWith(k, `affectograph.left.${session}.`));

/** Stores the batches that documents of this session left. They are deleted if the session is deleted or withdrawn. */
export const adoptLeft = async (store: Store, session: string): Promise<void> => {
  const all = shelf();
  if (!all) return;
  for (const key of leftKeys(all, session)) {
    const left = JSON.parse(all.getItem(key) ?? 'null') as Left | null;
    for (const batch of left?.batches ?? []) await store.keepBatch(batch, left!.next);
    all.removeItem(key);
  }
};

/** Deletes the batches that documents of this session left. */
export const dropLeft = (session: string): void => {
  const all = shelf();
  if (!all) return;
  for (const key of leftKeys(all, session)) all.removeItem(key);
};

interface Place {
  session: string;
  document: number;
  next: Numbers;
}

export class Outbox {
  /** Rings when a batch was stored and can be sent. */
  readonly stored = new Bell();
  /** Rings with the error when storing failed. The records wait. */
  readonly failed = new Bell<unknown>();
  #drafts: Draft[] = [];
  #lost = 0;
  /** Batches that are perhaps not stored yet, oldest first. */
  #unstored: Batch[] = [];
  #place: Place | null = null;
  /** Stored batches that the server has perhaps not received. They are sent once more when the page is left, if they fit. */
  #unacknowledged: Batch[] = [];
  #k = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #storing: Promise<void> | null = null;

  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Sets the next numbers. Records that were added before wait for this. */
  open(session: string, document: number, next: Numbers): void {
    this.#place = { session, document, next: { ...next } };
    this.#schedule();
  }

  get waiting(): number {
    let count = this.#drafts.length;
    for (const { records } of this.#unstored) count += records.length;
    return count;
  }

  /** The count of numbered records of each stream. */
  get numbers(): Numbers {
    return { ...this.#place?.next };
  }

  add(draft: Draft): void {
    if (this.#drafts.length >= MOST_WAITING) {
      this.#lost += 1;
    } else {
      append(this.#drafts, draft);
      if (this.#drafts.length % BATCH_RECORDS === 0) void this.flush();
    }
    this.#schedule();
  }

  #schedule(): void {
    if (!this.#place || this.#timer !== null) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.flush();
    }, BATCH_MS);
  }

  #gap(from_ms: number): Draft {
    const lost = this.#lost;
    this.#lost = 0;
    const gap = { until_ms: performance.now(), reason: 'queue_full', lost, note: 'could not be stored' };
    return { stream: 'page', page_ms: from_ms, rest: gapRest(gap) };
  }

  /** Makes a batch of the waiting records, unless many batches wait already. */
  #seal(): void {
    if (!this.#place || this.#drafts.length === 0 || this.#unstored.length > MOST_BATCHES) return;
    if (this.#lost > 0) append(this.#drafts, this.#gap(this.#drafts[this.#drafts.length - 1]!.page_ms));
    const { session, document, next } = this.#place;
    append(this.#unstored, { session, document, k: this.#k++, records: number(this.#drafts, document, next) });
    this.#drafts = [];
  }

  /** Stores everything that was added before. It never fails: a batch that could not be stored is tried again with the next one. */
  async flush(): Promise<void> {
    this.#seal();
    while (this.#storing) await this.#storing;
    if (this.#unstored.length === 0) return;
    this.#storing = this.#keepAll();
    await this.#storing;
    this.#storing = null;
  }

  async #keepAll(): Promise<void> {
    try {
      for (let batch = this.#unstored[0]; batch; batch = this.#unstored[0]) {
        if (!await this.#store.keepBatch(batch, this.numbers)) throw new Error('this browser has deleted the session');
        this.#unstored = kept(this.#unstored, (b) => b !== batch);
        append(this.#unacknowledged, batch);
        while (bytesOf(this.#unacknowledged) > KEEPALIVE_BYTES) this.#unacknowledged = part(this.#unacknowledged, 1);
        this.stored.ring();
      }
    } catch (error) {
      this.failed.ring(error);
      this.#schedule();
    }
  }

  /** The server has stored the batch. */
  acknowledged(batch: Batch): void {
    this.#unacknowledged = kept(this.#unacknowledged, (b) => b.k !== batch.k || b.document !== batch.document);
  }

  /**
   * Called when the page may be left. Batches that are not stored are kept where the next page finds them. Returns batches
   * that the server has not received, oldest first, as many as a browser sends while a page is left. If the page stays,
   * the kept batches are stored as usual and removed. `isKept`: the document is kept for the way back, and stores nothing until
   * then.
   */
  leave(isKept: boolean): string[] {
    this.#seal();
    const place = this.#place;
    if (!place) return [];
    if (this.#unstored.length > 0) {
      const left: Left = { batches: this.#unstored, next: atLeast({}, place.next) };
      try {
        shelf()?.setItem(leftKey(place.session, place.document), json(left));
      } catch {
        // Full or not allowed. The request below can still succeed. The rest stays in this document: it is stored if the document
        // stays or returns, and lost if the browser drops a document that it kept for the way back.
      }
    }
    const records: string[] = [];
    let bytes = 0;
    if (!isKept) void this.#stay();
    for (const batch of [...this.#unacknowledged, ...this.#unstored]) {
      for (const record of batch.records) {
        bytes += record.length * 2;
        if (bytes > KEEPALIVE_BYTES) return records;
        append(records, record);
      }
    }
    return records;
  }

  async #stay(): Promise<void> {
    await this.flush();
    if (this.#place && this.#unstored.length === 0) {
      shelf()?.removeItem(leftKey(this.#place.session, this.#place.document));
    }
  }

  /** Forgets what is not stored. Nothing is written to the store after this resolves. */
  async discard(): Promise<void> {
    this.close();
    this.#drafts = [];
    this.#unstored = [];
    this.#unacknowledged = [];
    while (this.#storing) await this.#storing;
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#place = null;
  }
}
