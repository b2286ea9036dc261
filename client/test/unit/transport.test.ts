// Numbering, storing and sending, with a server that fails in all possible ways.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Api, Refused } from '../../src/transport/http';
import { MOST_WAITING, Outbox, adoptLeft } from '../../src/transport/outbox';
import { eventRest } from '../../src/transport/record';
import { type Outcome, Sender, portions, waitMs } from '../../src/transport/sender';
import { on, rest } from '../../src/transport/listen';
import { MemoryStore } from '../../src/transport/memory-store';
import type { Store } from '../../src/transport/store';
import { withdraw } from '../../src/transport/withdrawal';
import { begun, indexedDb, kinds } from './stores';

Object.assign(globalThis, { addEventListener: () => undefined, removeEventListener: () => undefined }); // as in a window
const shelf = new Map<string, string>();
Object.defineProperty(globalThis, 'localStorage', { value: new Proxy({
  getItem: (k: string) => shelf.get(k) ?? null,
  setItem: (k: string, v: string) => { shelf.set(k, v); },
  removeItem: (k: string) => { shelf.delete(k); },
}, { ownKeys: () => [...shelf.keys()], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }) }) });

const event = (k: number) => ({ stream: k % 3 ? 'page' : 'health', page_ms: k, rest: eventRest('mark', `{"k":${k}}`) });
interface Sent { stream: string; seq: number; data?: { k: number }; gap?: unknown }

/** Stores each record once, as the server does. `refuse` may throw before. */
const server = (refuse: (records: Sent[]) => void = () => undefined) => {
  const rows = new Map<string, Sent>();
  let calls = 0;
  const api = {
    records: async (_s: string, _t: string, body: string) => {
      calls += 1;
      const { records } = JSON.parse(body) as { records: Sent[] };
      refuse(records);
      for (const r of records) if (!rows.has(`${r.stream} ${r.seq}`)) rows.set(`${r.stream} ${r.seq}`, r);
      return {};
    },
    video: async () => undefined,
  } as unknown as Api;
  return { api, rows, calls: () => calls };
};

const drained = async (sender: Sender): Promise<Outcome[]> => {
  const outcomes: Outcome[] = [];
  await sender.empty((outcome) => outcomes.push(outcome));
  return outcomes;
};

for (const [name, make] of kinds) {
  test(`${name}: numbers have no hole over reloads and nothing comes twice`, async () => {
    const store = await make();
    const { id } = await begun(store);
    const { api, rows } = server();
    let k = 0;
    for (let document = 1; document <= 5; document++) {
      const session = (await store.session(id))!;
      const outbox = new Outbox(store);
      outbox.add(event(k++)); // before the next number is known
      outbox.open(id, document, session.next);
      for (let i = 0; i < 700; i++) outbox.add(event(k++));
      await outbox.flush();
      await drained(new Sender(api, store, session));
      outbox.add(event(k++));
      outbox.leave(false);
      await adoptLeft(store, id); // the next document starts immediately
      outbox.close();
    }
    await drained(new Sender(api, store, (await store.session(id))!));
    assert.equal(rows.size, k);
    assert.deepEqual([...rows.values()].map((r) => r.data!.k).sort((a, b) => a - b), Array.from({ length: k }, (_, i) => i));
    for (const stream of ['page', 'health']) {
      const seqs = [...rows.values()].filter((r) => r.stream === stream).map((r) => r.seq).sort((a, b) => a - b);
      assert.deepEqual(seqs, seqs.map((_, i) => i));
    }
    assert.equal(await store.countBatches(id), 0);
    await store.forget(id);
    assert.equal(await store.session(id), undefined);
  });

  test(`${name}: what a page left when it died is found, though IndexedDB never had it`, async () => {
    const store = await make();
    const { id } = await begun(store);
    const dying = new Outbox({ ...store, keepBatch: () => new Promise(() => undefined) } as Store);
    dying.open(id, 1, {});
    for (let k = 0; k < 10; k++) dying.add(event(k));
    assert.equal(dying.leave(false).length, 10);
    assert.equal(await store.countBatches(id), 0);
    await adoptLeft(store, id);
    assert.equal(await store.countBatches(id), 1);
    assert.deepEqual((await store.session(id))!.next, { page: 6, health: 4 });
    assert.equal([...shelf.keys()].filter((key) => key.includes(`.${id}.`)).length, 0);
  });

  test(`${name}: chunks are counted and sent in order`, async () => {
    const store = await make();
    const { id } = await begun(store);
    for (const n of [1, 0, 10, 2]) await store.keepChunk(id, { n, bytes: new Blob(['x']) });
    assert.equal((await store.session(id))!.video_chunks, 11);
    const sent: number[] = [];
    const api = { video: async (_s: string, _t: string, c: { n: number }) => sent.push(c.n) };
    await drained(new Sender(api as unknown as Api, store, (await store.session(id))!));
    assert.deepEqual(sent, [0, 1, 2, 10]);
  });

  test(`${name}: video over the server's quota is given up, and records go on`, async () => {
    const store = await make();
    const { id } = await begun(store);
    for (const n of [0, 1]) await store.keepChunk(id, { n, bytes: new Blob(['x']) });
    const refused = new Refused(413, 'the video of this session has reached its quota', null, {});
    const api = { video: async () => { throw refused; } };
    const reported = await drained(new Sender(api as unknown as Api, store, (await store.session(id))!));
    assert.deepEqual(reported.map((o) => o.kind), ['refused', 'refused']);
    assert.equal(await store.countChunks(id), 0);
  });
}

test('a document that is put aside leaves no transaction behind, and what it wrote is found by the next one', async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => { unhandled.push(error); };
  process.on('unhandledRejection', note);
  const [store, next] = [await indexedDb(), await indexedDb()];
  const { id } = await begun(store);
  const outbox = new Outbox(store);
  outbox.open(id, 1, {});
  outbox.add(event(0));
  const writing = outbox.flush();
  const others = [store.change(id, (s) => { s.frames = 99; }), store.keepDocument(id, { document: 1, time_origin_utc_ms: 0, clock: null }), store.sessions()];
  assert.equal(outbox.leave(true).length, 1);
  outbox.close();
  store.interrupt();
  for (const other of others) await assert.rejects(other);
  await writing;
  assert.equal(await next.countBatches(id), 0);
  assert.equal((await next.session(id))!.frames, 0);
  await adoptLeft(next, id);
  assert.equal(await next.countBatches(id), 1);
  // It comes back.
  outbox.open(id, 2, (await store.session(id))!.next);
  outbox.add(event(1));
  await outbox.flush();
  assert.equal(await store.countBatches(id), 2);
  outbox.close();
  await new Promise((resolve) => { setTimeout(resolve, 20); });
  process.off('unhandledRejection', note);
  assert.deepEqual(unhandled, []);
});

test('a store that fails keeps nobody from recording on', async () => {
  const store = new MemoryStore();
  const { id } = await begun(store);
  let failures = 2;
  const keepBatch = store.keepBatch.bind(store);
  store.keepBatch = async (batch, next) => {
    if (failures-- > 0) throw new Error('disk full');
    return keepBatch(batch, next);
  };
  const outbox = new Outbox(store);
  const told: unknown[] = [];
  outbox.failed.listen((error) => told.push(error));
  outbox.open(id, 1, {});
  for (let k = 0; k < 4; k++) {
    outbox.add(event(k));
    await outbox.flush();
  }
  assert.equal(told.length, 2);
  assert.equal(outbox.waiting, 0);
  assert.equal((await store.oldestBatch(id))!.records.length, 1);
  assert.deepEqual((await store.session(id))!.next, { page: 2, health: 2 });
  outbox.close();
});

test('what cannot be stored at all is bounded, counted and told', async () => {
  const store = new MemoryStore();
  const { id } = await begun(store);
  const keepBatch = store.keepBatch.bind(store);
  let isFull = true;
  store.keepBatch = async (batch, next) => {
    if (isFull) throw new Error('disk full');
    return keepBatch(batch, next);
  };
  const outbox = new Outbox(store);
  outbox.open(id, 1, {});
  for (let k = 0; k < 30_000; k++) outbox.add(event(k));
  await outbox.flush();
  assert.ok(outbox.waiting <= MOST_WAITING + 5000);
  isFull = false;
  await outbox.flush();
  await outbox.flush();
  outbox.close();
  const { api, rows } = server();
  await drained(new Sender(api, store, (await store.session(id))!));
  const gaps = [...rows.values()].flatMap((r) => (r.gap ? [r.gap as { lost: number; reason: string }] : []));
  assert.equal(gaps[0]!.reason, 'queue_full');
  assert.equal(gaps.reduce((sum, gap) => sum + gap.lost, 0) + rows.size - gaps.length, 30_000);
});

const filled = async (count: number) => {
  const store = new MemoryStore();
  const session = await begun(store);
  const outbox = new Outbox(store);
  outbox.open(session.id, 1, {});
  for (let k = 0; k < count; k++) outbox.add(event(k));
  await outbox.flush();
  outbox.close();
  return { store, session };
};
/** As the server refuses. A proxy's page has no `type`. */
const refused = (status: number, body: object = { type: 'urn:affectograph:gone' }, after: number | null = null) => new Refused(status, `status ${status}`, after, body);

test('a server that fails now and then gets everything once', async () => {
  const { store, session } = await filled(2000);
  let n = 0;
  const { api, rows, calls } = server(() => {
    n += 1;
    if (n === 3) throw new TypeError('network');
    if (n % 4 === 2) throw refused(503, {}, 1);
  });
  await drained(new Sender(api, store, session));
  assert.equal(rows.size, 2000);
  assert.ok(calls() > 50);
});

test('one record that is not understood costs no other', async () => {
  const { store, session } = await filled(300);
  const { api, rows } = server((records) => {
    if (records.some((r) => r.data?.k === 123)) throw refused(400);
    if (records.length > 100) throw refused(413);
  });
  const outcomes = await drained(new Sender(api, store, session));
  assert.equal(rows.size, 300);
  assert.equal([...rows.values()].filter((r) => r.gap).length, 1);
  assert.equal(outcomes.filter((o) => o.kind === 'refused').length, 1);
});

test('a refusal that names what it took is an acknowledgement', async () => {
  const { store, session } = await filled(30);
  const { api } = server(() => {
    throw refused(422, { committed: { page: 20 }, refused: [{ stream: 'page', seq: 3, why: 'no' }] });
  });
  const outcomes = await drained(new Sender(api, store, session));
  assert.deepEqual(outcomes.map((o) => o.kind), ['refused', 'acknowledged']);
  assert.equal(await store.countBatches(session.id), 0);
});

test('a session that is over is not asked again', async () => {
  const { store, session } = await filled(30);
  const { api, calls } = server(() => { throw refused(410); });
  const sender = new Sender(api, store, session);
  assert.deepEqual((await drained(sender)).map((o) => o.kind), ['ended']);
  await drained(sender);
  assert.equal(calls(), 1);
});

test('records wait for their clock', async () => {
  const { store, session } = await filled(30);
  await store.keepDocument(session.id, { document: 1, time_origin_utc_ms: 0, clock: null });
  const { api, calls } = server();
  let isAlive = true;
  const sender = new Sender(api, store, session, (info) => isAlive && !info.clock);
  await drained(sender);
  assert.equal(calls(), 0);
  isAlive = false; // its document has ended, so its clock will never be measured
  await drained(sender);
  assert.equal(calls(), 1);
});

test('waits grow, and the server may choose', () => {
  assert.equal(waitMs(1, null, () => 1), 500);
  assert.equal(waitMs(4, null, () => 0), 2000);
  assert.equal(waitMs(99, null, () => 1), 30_000);
  assert.equal(waitMs(1, refused(429, {}, 7000)), 7000);
});

test('while stop() waits, a server that fails is asked once a second, and a full one when it says', async () => {
  for (const [after_ms, least, most] of [[null, 2, 4], [60_000, 2, 2]] as const) {
    const { store, session } = await filled(30);
    const { api, calls } = server(() => { throw refused(503, {}, after_ms); });
    const sender = new Sender(api, store, session);
    const end = sender.run(() => undefined);
    await new Promise((resolve) => { setTimeout(resolve, 100); });
    assert.equal(calls(), 1);
    sender.hurry();
    await new Promise((resolve) => { setTimeout(resolve, 2400); });
    end();
    assert.ok(calls() >= least && calls() <= most, `${calls()} requests in 2.5 s, retry after ${after_ms} ms`);
  }
});

test('a wait leaves no listener and no timer behind', async () => {
  const ended = new AbortController();
  const listening = new Map<string, number>();
  const count = (type: string, by: number) => listening.set(type, (listening.get(type) ?? 0) + by);
  const target = globalThis as unknown as { addEventListener: (type: string) => void; removeEventListener: (type: string) => void };
  const { addEventListener, removeEventListener } = target;
  target.addEventListener = (type) => { count(type, 1); };
  target.removeEventListener = (type) => { count(type, -1); };
  let aborts = 0;
  const signal = ended.signal as unknown as { addEventListener: (type: string) => void; removeEventListener: (type: string) => void };
  signal.addEventListener = () => { aborts += 1; };
  signal.removeEventListener = () => { aborts -= 1; };
  try {
    for (let k = 0; k < 5; k++) await rest(1, (end) => on(ended.signal, 'abort', end));
    let ring = () => undefined as void;
    const long = rest(60_000, (end) => {
      ring = end;
      return () => undefined;
    });
    ring();
    await long;
  } finally {
    Object.assign(target, { addEventListener, removeEventListener });
  }
  assert.deepEqual([aborts, listening.get('online')], [0, 0]);
});

for (const [name, make] of kinds) {
  test(`${name}: a withdrawn session keeps nothing but its token, until the server has confirmed it`, async () => {
    const store = await make();
    const session = await begun(store);
    const outbox = new Outbox(store);
    outbox.open(session.id, 1, {});
    for (let k = 0; k < 20; k++) outbox.add(event(k));
    await outbox.flush();
    await store.keepDocument(session.id, { document: 1, time_origin_utc_ms: 0, clock: null });
    await store.keepChunk(session.id, { n: 0, bytes: new Blob(['x']) });
    outbox.add(event(20));
    outbox.leave(false); // also in localStorage
    await outbox.discard();
    let isThere = false;
    const asked: string[] = [];
    const api = { withdraw: async (id: string) => { asked.push(id); if (!isThere) throw new TypeError('network'); } } as unknown as Api;
    await assert.rejects(withdraw(api, store, session));
    const kept = (await store.session(session.id))!;
    assert.deepEqual([kept.is_withdrawn, kept.is_stopped, kept.token], [true, true, 't']);
    assert.deepEqual([await store.countBatches(session.id), await store.countChunks(session.id), (await store.documents(session.id)).length], [0, 0, 0]);
    assert.equal([...shelf.keys()].filter((key) => key.includes(`.${session.id}.`)).length, 0);
    isThere = true;
    await withdraw(api, store, session);
    assert.equal(await store.session(session.id), undefined);
    assert.deepEqual(asked, [session.id, session.id]);
    // It was deleted before.
    await withdraw({ withdraw: async () => { throw refused(410); } } as unknown as Api, store, session);
    await assert.rejects(withdraw({ withdraw: async () => { throw refused(403, { type: 'urn:affectograph:wrong-token' }); } } as unknown as Api, store, session));
  });
}

test('portions keep the order and the limit', () => {
  const records = Array.from({ length: 100 }, (_, k) => String(k).repeat(1 + k * 7));
  const parts = portions(records, 5000);
  assert.deepEqual(parts.flat(), records);
  for (const part of parts) assert.ok(part.length === 1 || Buffer.byteLength(part.join(',')) < 5000);
});
