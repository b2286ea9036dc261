// From the moment something happened to the moment it is stored: at most BATCH_MS of records wait in this document.
//
// Numbers are given when a batch is made, not before, so that records can wait until it is known where counting goes on.

import { KEEPALIVE_BYTES } from './http';
import { type Draft, gapRest, number } from './record';
import { Signal } from './signal';
import { type Batch, type Numbers, type Store, atLeast } from './store';

/** A batch is made at least so often: half a second is what a crash may cost, with room to write it. */
export const BATCH_MS = 400;
/** And at least after so many records. */
export const BATCH_RECORDS = 500;
/** Where nothing can be stored, so many wait; what comes then is counted, and the count is told. */
export const MOST_WAITING = 20_000;
const MOST_BATCHES = 8;

/** What a document that went away could perhaps not store any more, readable by the next one at once. */
interface Left {
  batches: Batch[];
  next: Numbers;
}

const leftKey = (session: string, document: number) => `affectograph.left.${session}.${document}`;

const bytesOf = (batches: readonly Batch[]) =>
  batches.reduce((sum, batch) => sum + batch.records.reduce((length, record) => length + record.length * 2, 0), 0);

/** `localStorage`, where the page may use it. */
const shelf = (): Storage | null => {
  try {
    return localStorage;
  } catch {
    return null;
  }
};

/** Stores what documents of this session left behind when they went away. */
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
  /** A batch was stored: there is something to send. */
  readonly stored$ = new Signal<void>();
  /** Storing failed, and why: the records wait on. */
  readonly failed$ = new Signal<unknown>();
  #drafts: Draft[] = [];
  #lost = 0;
  /** Numbered and not known to be stored, oldest first. */
  #unstored: Batch[] = [];
  #place: Place | null = null;
  /** Stored and not known to be on the server: what leaving sends once more, as far as it fits. */
  #unacknowledged: Batch[] = [];
  #k = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #storing: Promise<void> | null = null;

  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Where counting goes on. What was added before waits for this. */
  open(session: string, document: number, next: Numbers): void {
    this.#place = { session, document, next: { ...next } };
    this.#schedule();
  }

  get waiting(): number {
    return this.#drafts.length + this.#unstored.reduce((sum, batch) => sum + batch.records.length, 0);
  }

  /** How many records of each stream have a number. */
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

  /** Makes a batch of what waits, unless many batches wait already. */
  #seal(): void {
    if (!this.#place || this.#drafts.length === 0 || this.#unstored.length > MOST_BATCHES) return;
    if (this.#lost > 0) this.#drafts.push(this.#gap(this.#drafts[this.#drafts.length - 1]!.page_ms));
    const { session, document, next } = this.#place;
    this.#unstored.push({ session, document, k: this.#k++, records: number(this.#drafts, document, next) });
    this.#drafts = [];
  }

  /** Stores everything that was added before. Never fails: what could not be stored is tried again with the next batch. */
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

  /** The server has it. */
  acknowledged(batch: Batch): void {
    this.#unacknowledged = this.#unacknowledged.filter((b) => b.k !== batch.k || b.document !== batch.document);
  }

  /**
   * The page goes away, perhaps now. What is not stored is left where the next page finds it; what the server has not
   * got is given back, oldest first, as far as a browser sends it while a page goes away. Should the page stay, what
   * was left is stored in the usual way and taken back.
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
        // Full or forbidden: IndexedDB and the sending below may still come through.
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
