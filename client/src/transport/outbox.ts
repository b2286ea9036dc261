// Collects records until they are stored. At most BATCH_MS of records wait in this document.
//
// Records get their numbers when a batch is made, so that they can wait until the first number is known.

import { KEEPALIVE_BYTES } from './http';
import { type Draft, gapRest, number } from './record';
import { Signal } from './signal';
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

const bytesOf = (batches: readonly Batch[]) =>
  batches.reduce((sum, batch) => sum + batch.records.reduce((length, record) => length + record.length * 2, 0), 0);

/** `localStorage`, if the page may use it. */
const shelf = (): Storage | null => {
  try {
    return localStorage;
  } catch {
    return null;
  }
};

/** Stores the batches that documents of this session left. */
export const adoptLeft = async (store: Store, session: string): Promise<void> => {
  const kept = shelf();
  if (!kept) return;
  for (const key of Object.keys(kept).filter((k) => k.startsWith(`affectograph.left.${session}.`))) {
    const left = JSON.parse(kept.getItem(key) ?? 'null') as Left | null;
    for (const batch of left?.batches ?? []) await store.keepBatch(batch, left!.next);
    kept.removeItem(key);
  }
};

interface Place {
  session: string;
  document: number;
  next: Numbers;
}

export class Outbox {
  /** Emits when a batch was stored and can be sent. */
  readonly stored$ = new Signal<void>();
  /** Emits the error when storing failed. The records wait. */
  readonly failed$ = new Signal<unknown>();
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
    return this.#drafts.length + this.#unstored.reduce((sum, batch) => sum + batch.records.length, 0);
  }

  /** The count of numbered records of each stream. */
  get numbers(): Numbers {
    return { ...this.#place?.next };
  }

  add(draft: Draft): void {
    if (this.#drafts.length >= MOST_WAITING) {
      this.#lost += 1;
    } else if (this.#drafts.push(draft) % BATCH_RECORDS === 0) {
      void this.flush();
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
    if (this.#lost > 0) this.#drafts.push(this.#gap(this.#drafts[this.#drafts.length - 1]!.page_ms));
    const { session, document, next } = this.#place;
    this.#unstored.push({ session, document, k: this.#k++, records: number(this.#drafts, document, next) });
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
        await this.#store.keepBatch(batch, this.numbers);
        this.#unstored = this.#unstored.filter((b) => b !== batch);
        this.#unacknowledged.push(batch);
        while (bytesOf(this.#unacknowledged) > KEEPALIVE_BYTES) this.#unacknowledged.shift();
        this.stored$.next();
      }
    } catch (error) {
      this.failed$.next(error);
      this.#schedule();
    }
  }

  /** The server has stored the batch. */
  acknowledged(batch: Batch): void {
    this.#unacknowledged = this.#unacknowledged.filter((b) => b.k !== batch.k || b.document !== batch.document);
  }

  /**
   * Called when the page may be left. Batches that are not stored are kept where the next page finds them. Returns batches
   * that the server has not received, oldest first, as many as a browser sends while a page is left. If the page stays,
   * the kept batches are stored as usual and removed.
   */
  leave(): string[] {
    this.#seal();
    const place = this.#place;
    if (!place) return [];
    if (this.#unstored.length > 0) {
      const left: Left = { batches: this.#unstored, next: atLeast({}, place.next) };
      try {
        shelf()?.setItem(leftKey(place.session, place.document), JSON.stringify(left));
      } catch {
        // Full or not allowed. IndexedDB and the request below can still succeed.
      }
    }
    const records: string[] = [];
    let bytes = 0;
    for (const record of [...this.#unacknowledged, ...this.#unstored].flatMap((b) => b.records)) {
      bytes += record.length * 2;
      if (bytes > KEEPALIVE_BYTES) break;
      records.push(record);
    }
    void this.#stay();
    return records;
  }

  async #stay(): Promise<void> {
    await this.flush();
    if (this.#place && this.#unstored.length === 0) {
      shelf()?.removeItem(leftKey(this.#place.session, this.#place.document));
    }
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#place = null;
  }
}
