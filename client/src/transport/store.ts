// Stores everything until the server has it: in IndexedDB, or in this document's memory if the browser denies IndexedDB.
//
// A batch is written before it is sent, in one transaction with the numbers of its records. Therefore everything on the
// server was stored here before, and no number is used twice, even after a crash.

import { keys } from '../natives/js';
import { append, kept } from '../natives/lists';
import { background, promise, within } from '../natives/promise';

/** The count of numbered records of each stream. */
export type Numbers = Record<string, number>;

export interface StoredSession {
  id: string;
  server: string;
  study: string;
  token: string;
  participant: string;
  /** Absent in sessions of earlier versions of this library. */
  condition?: string | null;
  /** The server gave the pseudonym, not the site. */
  is_numbered?: boolean;
  /** From the server's answer at the start of the session. */
  mask: string[];
  content: string[];
  max_batch_bytes: number;
  next: Numbers;
  documents: number;
  video_chunks: number;
  /** Frames of the camera, in all documents. */
  frames: number;
  /** `stop()` was called. The last records are sent, then the session is finished. */
  is_stopped: boolean;
  /** The visitor withdrew. Nothing of it is sent, and the server is asked to delete it. */
  is_withdrawn?: boolean;
  own_data?: boolean;
  touched_utc_ms: number;
}

/** Server time minus `performance.now()` of one document. */
export interface ClockReading {
  at_ms: number;
  offset_ms: number;
  uncertainty_ms: number;
}

export interface DocumentInfo {
  document: number;
  time_origin_utc_ms: number;
  clock: ClockReading | null;
}

export interface Batch {
  session: string;
  document: number;
  /** Counts the batches of the document. */
  k: number;
  /** Records as JSON texts. */
  records: string[];
}

/** About a second of video, counted over the whole session. */
export interface Chunk {
  n: number;
  bytes: Blob;
}

export interface Store {
  /** False if everything is lost with this document. */
  readonly isPersistent: boolean;
  sessions(): Promise<StoredSession[]>;
  session(id: string): Promise<StoredSession | undefined>;
  /** Creates or replaces. */
  keep(session: StoredSession): Promise<void>;
  /** Changes the stored session in one transaction. Does nothing if it does not exist. */
  change(id: string, how: (session: StoredSession) => void): Promise<StoredSession | undefined>;
  // `keepDocument`, `keepBatch`, `replaceBatch` and `keepChunk` are false, and store nothing, if the session is deleted or
  // withdrawn: what comes late from a camera or a request may not stay behind.
  keepDocument(session: string, info: DocumentInfo): Promise<boolean>;
  documents(session: string): Promise<DocumentInfo[]>;
  /** Adds a batch, and stores the next numbers. */
  keepBatch(batch: Batch, next: Numbers): Promise<boolean>;
  oldestBatch(session: string): Promise<Batch | undefined>;
  replaceBatch(batch: Batch): Promise<boolean>;
  dropBatch(batch: Batch): Promise<void>;
  countBatches(session: string): Promise<number>;
  /** Adds a chunk and counts it in its session. */
  keepChunk(session: string, chunk: Chunk): Promise<boolean>;
  oldestChunk(session: string): Promise<Chunk | undefined>;
  dropChunk(session: string, chunk: Chunk): Promise<void>;
  countChunks(session: string): Promise<number>;
  /** Deletes everything of a session except its token, and notes that the visitor withdrew. */
  withdraw(session: string): Promise<void>;
  /** Deletes everything of a session. */
  forget(session: string): Promise<void>;
  /** Ends what is being read or written now, without effect: its promises reject. WebKit stops a document that it keeps for
   * the way back in the middle of a transaction, and every later document would wait for its end. */
  interrupt(): void;
}

/** The larger of both for each stream. */
export const atLeast = (a: Numbers, b: Numbers): Numbers => {
  const all: Numbers = { ...a };
  for (const stream of keys(b)) all[stream] = Math.max(all[stream] ?? 0, b[stream]!);
  return all;
};

const NAME = 'affectograph';
const VERSION = 1;
/** A browser whose database does not open in this time is used as if it stored nothing. */
const OPEN_PATIENCE_MS = 3_000;
const SESSIONS = 'sessions';
const DOCUMENTS = 'documents';
const BATCHES = 'batches';
const CHUNKS = 'chunks';
const ALL = [SESSIONS, DOCUMENTS, BATCHES, CHUNKS];

const done = <T>(request: IDBRequest<T>): Promise<T> => promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error ?? new Error('IndexedDB refused a request'));
});

const ended = (transaction: IDBTransaction): Promise<void> => {
  const end = promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error('IndexedDB ended a transaction'));
  });
  void background(() => end); // a request that fails before it is reported first
  return end;
};

/** All keys that begin with the session. */
const of = (session: string) => IDBKeyRange.bound([session], [session, []]);

class IndexedDbStore implements Store {
  readonly isPersistent = true;

  readonly #db: IDBDatabase;
  /** Transactions that have not ended. */
  #open: IDBTransaction[] = [];

  constructor(db: IDBDatabase) {
    this.#db = db;
  }

  #begin(names: string | string[], mode: IDBTransactionMode): IDBTransaction {
    const transaction = this.#db.transaction(names, mode);
    append(this.#open, transaction);
    const end = () => { this.#open = kept(this.#open, (other) => other !== transaction); };
    for (const type of ['complete', 'abort']) transaction.addEventListener(type, end);
    return transaction;
  }

  interrupt(): void {
    for (const transaction of this.#open) {
      try {
        transaction.abort();
      } catch {
        // It is being committed.
      }
    }
  }

  #read<T>(name: string, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    return done(ask(this.#begin(name, 'readonly').objectStore(name)));
  }

  #write(name: string, ask: (store: IDBObjectStore) => unknown): Promise<void> {
    const transaction = this.#begin(name, 'readwrite');
    ask(transaction.objectStore(name));
    return ended(transaction);
  }

  sessions() { return this.#read<StoredSession[]>(SESSIONS, (s) => s.getAll()); }
  session(id: string) { return this.#read<StoredSession | undefined>(SESSIONS, (s) => s.get(id)); }
  keep(session: StoredSession) { return this.#write(SESSIONS, (s) => s.put(session)); }

  async change(id: string, how: (session: StoredSession) => void) {
    const transaction = this.#begin(SESSIONS, 'readwrite');
    const end = ended(transaction);
    const session = await changeIn(transaction, id, how);
    await end;
    return session;
  }

  /** Adds to a session in one transaction with its row. */
  async #add(name: string, id: string, key: IDBValidKey, value: unknown, how: (session: StoredSession) => void = () => undefined) {
    const transaction = this.#begin([SESSIONS, name], 'readwrite');
    const end = ended(transaction);
    const session = await changeIn(transaction, id, (s) => {
      if (s.is_withdrawn) return;
      transaction.objectStore(name).put(value, key);
      how(s);
    });
    await end;
    return session !== undefined && !session.is_withdrawn;
  }

  keepDocument(session: string, info: DocumentInfo) {
    return this.#add(DOCUMENTS, session, [session, info.document], info);
  }

  documents(session: string) { return this.#read<DocumentInfo[]>(DOCUMENTS, (s) => s.getAll(of(session))); }

  keepBatch(batch: Batch, next: Numbers) {
    return this.#add(BATCHES, batch.session, keyOf(batch), batch, (session) => {
      session.next = atLeast(session.next, next);
      session.touched_utc_ms = Date.now();
    });
  }

  async oldestBatch(session: string) {
    const [batch] = await this.#read<Batch[]>(BATCHES, (s) => s.getAll(of(session), 1));
    return batch;
  }

  replaceBatch(batch: Batch) { return this.#add(BATCHES, batch.session, keyOf(batch), batch); }
  dropBatch(batch: Batch) { return this.#write(BATCHES, (s) => s.delete(keyOf(batch))); }
  countBatches(session: string) { return this.#read(BATCHES, (s) => s.count(of(session))); }

  keepChunk(session: string, chunk: Chunk) {
    return this.#add(CHUNKS, session, [session, chunk.n], chunk, (s) => countChunk(s, chunk));
  }

  async oldestChunk(session: string) {
    const [chunk] = await this.#read<Chunk[]>(CHUNKS, (s) => s.getAll(of(session), 1));
    return chunk;
  }

  dropChunk(session: string, { n }: Chunk) { return this.#write(CHUNKS, (s) => s.delete([session, n])); }
  countChunks(session: string) { return this.#read(CHUNKS, (s) => s.count(of(session))); }

  async withdraw(session: string) {
    const transaction = this.#begin(ALL, 'readwrite');
    const end = ended(transaction);
    for (const name of [DOCUMENTS, BATCHES, CHUNKS]) transaction.objectStore(name).delete(of(session));
    await changeIn(transaction, session, noteWithdrawn);
    await end;
  }

  forget(session: string) {
    const transaction = this.#begin(ALL, 'readwrite');
    transaction.objectStore(SESSIONS).delete(session);
    for (const name of [DOCUMENTS, BATCHES, CHUNKS]) transaction.objectStore(name).delete(of(session));
    return ended(transaction);
  }
}

export const countChunk = (session: StoredSession, { n }: Chunk) => {
  session.video_chunks = Math.max(session.video_chunks, n + 1);
};

export const noteWithdrawn = (session: StoredSession) => {
  session.is_withdrawn = true;
  session.is_stopped = true;
};

const keyOf = (batch: Batch) => [batch.session, batch.document, batch.k];

const changeIn = async (transaction: IDBTransaction, id: string, how: (session: StoredSession) => void) => {
  const sessions = transaction.objectStore(SESSIONS);
  const session = await done<StoredSession | undefined>(sessions.get(id));
  if (!session) return undefined;
  how(session);
  sessions.put(session);
  return session;
};

/** `memoryStore` is called if the browser stores nothing (private windows, a full disk, a database that does not open). */
export const openStore = async (memoryStore: () => Promise<Store>): Promise<Store> => {
  try {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(SESSIONS, { keyPath: 'id' });
      for (const name of [DOCUMENTS, BATCHES, CHUNKS]) request.result.createObjectStore(name);
    };
    const db = await within(done(request), OPEN_PATIENCE_MS);
    if (!db) {
      request.onsuccess = () => request.result.close();
      return memoryStore();
    }
    db.onversionchange = () => db.close();
    return new IndexedDbStore(db);
  } catch {
    return memoryStore();
  }
};
