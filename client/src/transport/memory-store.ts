// The store for a browser that stores nothing. Unsent records are lost with this document. A separate file
// (`dist/memory-store.js`), loaded only in such browsers.

import {
  type Batch, type Chunk, type DocumentInfo, type Numbers, type Store, type StoredSession, atLeast, countChunk,
} from './store';

/** The store in memory. */
export class MemoryStore implements Store {
  readonly isPersistent = false;
  readonly #all = new Map<string, StoredSession>();
  readonly #infos = new Map<string, DocumentInfo[]>();
  #batches: Batch[] = [];
  #chunks: (Chunk & { session: string })[] = [];

  async sessions() { return [...this.#all.values()].map((s) => structuredClone(s)); }
  async session(id: string) { return structuredClone(this.#all.get(id)); }
  async keep(session: StoredSession) { this.#all.set(session.id, structuredClone(session)); }

  async change(id: string, how: (session: StoredSession) => void) {
    const session = this.#all.get(id);
    if (session) how(session);
    return structuredClone(session);
  }

  async keepDocument(session: string, info: DocumentInfo) {
    const others = (this.#infos.get(session) ?? []).filter((d) => d.document !== info.document);
    this.#infos.set(session, [...others, { ...info }]);
  }

  async documents(session: string) { return [...(this.#infos.get(session) ?? [])]; }

  async keepBatch(batch: Batch, next: Numbers) {
    await this.replaceBatch(batch);
    await this.change(batch.session, (session) => { session.next = atLeast(session.next, next); });
  }

  async oldestBatch(session: string) { return this.#batches.find((b) => b.session === session); }

  async replaceBatch(batch: Batch) {
    await this.dropBatch(batch);
    this.#batches.push(batch);
    this.#batches.sort((a, b) => a.document - b.document || a.k - b.k);
  }

  async dropBatch(batch: Batch) {
    this.#batches = this.#batches.filter((b) => b.session !== batch.session || b.document !== batch.document || b.k !== batch.k);
  }

  async countBatches(session: string) { return this.#batches.filter((b) => b.session === session).length; }

  async keepChunk(session: string, chunk: Chunk) {
    await this.dropChunk(session, chunk);
    this.#chunks.push({ session, ...chunk });
    await this.change(session, (s) => countChunk(s, chunk));
  }

  async oldestChunk(session: string) {
    return this.#chunks.filter((c) => c.session === session).sort((a, b) => a.n - b.n)[0];
  }

  async dropChunk(session: string, { n }: Chunk) {
    this.#chunks = this.#chunks.filter((c) => c.session !== session || c.n !== n);
  }

  async countChunks(session: string) { return this.#chunks.filter((c) => c.session === session).length; }

  async forget(session: string) {
    this.#all.delete(session);
    this.#infos.delete(session);
    this.#batches = this.#batches.filter((b) => b.session !== session);
    this.#chunks = this.#chunks.filter((c) => c.session !== session);
  }
}
