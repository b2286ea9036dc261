// The store for a browser that stores nothing. Unsent records are lost with this document. A separate file
// (`dist/memory-store.js`), loaded only in such browsers.

import { append, found, kept } from '../natives/lists';
import {
  type Batch, type Chunk, type DocumentInfo, type Numbers, type Store, type StoredSession, atLeast, countChunk, noteWithdrawn,
} from './store';

/** The store in memory. */
export class MemoryStore implements Store {
  readonly isPersistent = false;
  readonly #all = new Map<string, StoredSession>();
  readonly #infos = new Map<string, DocumentInfo[]>();
  #batches: Batch[] = [];
  #chunks: (Chunk & { session: string })[] = [];

  async sessions() {
    const all: StoredSession[] = [];
    for (const [, session] of this.#all) append(all, structuredClone(session));
    return all;
  }

  async session(id: string) { return structuredClone(this.#all.get(id)); }
  async keep(session: StoredSession) { this.#all.set(session.id, structuredClone(session)); }

  async change(id: string, how: (session: StoredSession) => void) {
    const session = this.#all.get(id);
    if (session) how(session);
    return structuredClone(session);
  }

  /** Another document has another store. */
  interrupt(): void {}

  /** Whether something may be added to the session. */
  #takes(session: string) {
    const row = this.#all.get(session);
    return row !== undefined && !row.is_withdrawn;
  }

  async keepDocument(session: string, info: DocumentInfo) {
    if (!this.#takes(session)) return false;
    const others = kept(this.#infos.get(session) ?? [], (d) => d.document !== info.document);
    this.#infos.set(session, [...others, { ...info }]);
    return true;
  }

  async documents(session: string) { return [...(this.#infos.get(session) ?? [])]; }

  async keepBatch(batch: Batch, next: Numbers) {
    if (!await this.replaceBatch(batch)) return false;
    await this.change(batch.session, (session) => {
      session.next = atLeast(session.next, next);
      session.touched_utc_ms = Date.now();
    });
    return true;
  }

  async oldestBatch(session: string) { return found(this.#batches, (b) => b.session === session); }

  async replaceBatch(batch: Batch) {
    if (!this.#takes(batch.session)) return false;
    const isAfter = (b: Batch) => b.document > batch.document || b.document === batch.document && b.k > batch.k;
    await this.dropBatch(batch);
    this.#batches = [...kept(this.#batches, (b) => !isAfter(b)), batch, ...kept(this.#batches, isAfter)];
    return true;
  }

  async dropBatch(batch: Batch) {
    this.#batches = kept(this.#batches, (b) => b.session !== batch.session || b.document !== batch.document || b.k !== batch.k);
  }

  async countBatches(session: string) { return kept(this.#batches, (b) => b.session === session).length; }

  async keepChunk(session: string, chunk: Chunk) {
    if (!this.#takes(session)) return false;
    await this.dropChunk(session, chunk);
    append(this.#chunks, { session, ...chunk });
    await this.change(session, (s) => countChunk(s, chunk));
    return true;
  }

  async oldestChunk(session: string) {
    let oldest: Chunk | undefined;
    for (const chunk of this.#chunks) if (chunk.session === session && (!oldest || chunk.n < oldest.n)) oldest = chunk;
    return oldest;
  }

  async dropChunk(session: string, { n }: Chunk) {
    this.#chunks = kept(this.#chunks, (c) => c.session !== session || c.n !== n);
  }

  async countChunks(session: string) { return kept(this.#chunks, (c) => c.session === session).length; }

  async withdraw(session: string) {
    this.#empty(session);
    await this.change(session, noteWithdrawn);
  }

  async forget(session: string) {
    this.#all.delete(session);
    this.#empty(session);
  }

  #empty(session: string) {
    this.#infos.delete(session);
    this.#batches = kept(this.#batches, (b) => b.session !== session);
    this.#chunks = kept(this.#chunks, (c) => c.session !== session);
  }
}
