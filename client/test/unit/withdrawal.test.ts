// Withdrawals: a store that fails, a server that is away or hidden behind a proxy, closed tabs, and data that come late.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { type Settings, settle } from '../../src/options';
import { type Api, Refused } from '../../src/transport/http';
import { sendLeftovers } from '../../src/transport/leftovers';
import { MemoryStore } from '../../src/transport/memory-store';
import { Outbox } from '../../src/transport/outbox';
import { Sender } from '../../src/transport/sender';
import { finish } from '../../src/transport/session';
import { rememberWithdrawal } from '../../src/transport/visitor';
import { withdraw, withdrawLeft, withdrawVisitor } from '../../src/transport/withdrawal';
import { begun, indexedDb, kinds } from './stores';

Object.assign(globalThis, { addEventListener: () => undefined, removeEventListener: () => undefined }); // as in a window
const shelf = new Map<string, string>();
Object.defineProperty(globalThis, 'localStorage', { value: {
  getItem: (k: string) => shelf.get(k) ?? null, setItem: (k: string, v: string) => { shelf.set(k, v); }, removeItem: (k: string) => { shelf.delete(k); },
} });

/** A server of the deletion. `refuse`: the status and body of an answer, by the session. */
const serve = async (refuse: (id: string) => [number, object] | null, work: (url: string, asked: string[]) => Promise<void>) => {
  const asked: string[] = [];
  const http = createServer((request, response) => {
    const id = request.url!.split('/').at(-1)!;
    asked.push(`${request.method} ${id}`);
    const [status, body] = refuse(id) ?? [200, { erased: true }];
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => { http.listen(0, '127.0.0.1', resolve); });
  try {
    await work(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, asked);
  } finally {
    http.closeAllConnections();
    http.close();
  }
};
const settings = (server: string, study: string): Settings => settle({ server, study, key: 'k' });
const page = (status: number, body: object = {}) => new Refused(status, `the server answered ${status}`, null, body);

for (const [name, make] of kinds) {
  test(`${name}: what comes after a withdrawal or a deletion is not stored`, async () => {
    const store = await make();
    for (const end of ['withdraw', 'forget'] as const) {
      const { id } = await begun(store);
      const batch = { session: id, document: 1, k: 0, records: ['{}'] };
      const chunk = { n: 0, bytes: new Blob(['x']) };
      const info = { document: 1, time_origin_utc_ms: 0, clock: null };
      assert.deepEqual([await store.keepBatch(batch, { page: 1 }), await store.keepChunk(id, chunk), await store.keepDocument(id, info), await store.replaceBatch(batch)], [true, true, true, true]);
      await store[end](id);
      assert.deepEqual([await store.keepBatch({ ...batch, k: 1 }, { page: 2 }), await store.keepChunk(id, { ...chunk, n: 1 }), await store.keepDocument(id, info), await store.replaceBatch(batch)], [false, false, false, false]);
      assert.deepEqual([await store.countBatches(id), await store.countChunks(id), (await store.documents(id)).length], [0, 0, 0], end);
    }
  });

  test(`${name}: a store that fails or does not answer does not prevent the server's deletion`, async () => {
    const store = await make();
    for (const fails of [() => Promise.reject(new Error('disk full')), () => new Promise<never>(() => undefined)]) {
      const session = await begun(store);
      const broken = new Proxy(store, { get: (all, key) => {
        if (key === 'withdraw' || key === 'forget') return fails;
        const value = Reflect.get(all, key, all) as unknown;
        return typeof value === 'function' ? value.bind(all) as unknown : value;
      } });
      const asked: string[] = [];
      const api = { withdraw: async (id: string) => { asked.push(id); } } as unknown as Api;
      await assert.rejects(withdraw(api, broken, session), /the server has deleted everything, but this browser has not deleted its copy yet: (disk full|its database does not answer)/);
      assert.deepEqual(asked, [session.id]);
      const away = { withdraw: async () => { throw new TypeError('network'); } } as unknown as Api;
      await assert.rejects(withdraw(away, broken, session), /the server has not confirmed yet that everything is deleted: network/);
      await store.forget(session.id);
    }
  });
}

test('a proxy\'s answer is no deletion, and no end of a session', async () => {
  const store = new MemoryStore();
  for (const status of [404, 410]) {
    const session = await begun(store);
    const api = (body: object) => ({ withdraw: async () => { throw page(status, body); }, finish: async () => { throw page(status, body); } }) as unknown as Api;
    await assert.rejects(withdraw(api({}), store, session), /has not confirmed yet/);
    await assert.rejects(withdraw(api({ type: 'about:blank' }), store, session), /has not confirmed yet/);
    assert.ok(await store.session(session.id));
    await withdraw(api({ type: status === 404 ? 'urn:affectograph:not-found' : 'urn:affectograph:gone' }), store, session);
    assert.equal(await store.session(session.id), undefined);
    const other = await begun(store);
    await assert.rejects(finish(api({}), store, other.id));
    assert.ok(await store.session(other.id), 'it is finished later');
  }
});

test('records wait while a proxy answers for the server', async () => {
  const store = new MemoryStore();
  const session = await begun(store);
  const outbox = new Outbox(store);
  outbox.open(session.id, 1, {});
  outbox.add({ stream: 'page', page_ms: 1, rest: '"kind":"k","data":{}' });
  await outbox.flush();
  outbox.close();
  const answers = [page(404), page(403), page(410)];
  const api = { records: async () => { const refused = answers.shift(); if (refused) throw refused; return {}; } } as unknown as Api;
  const outcomes: string[] = [];
  await new Sender(api, store, session).empty((outcome) => outcomes.push(outcome.kind));
  assert.deepEqual(outcomes, ['waiting', 'waiting', 'waiting', 'acknowledged']);
});

test('a withdrawal is confirmed when the server has deleted the sessions of closed tabs too', async () => {
  let isBusy = true;
  await serve((id) => (isBusy && id === 'w-closed' ? [503, { detail: 'The server is busy.' }] : null), async (url, asked) => {
    const store = new MemoryStore();
    const own = await begun(store, { server: url });
    await begun(store, { server: url, id: 'w-closed' });
    await begun(store, { server: url, id: 'w-other-study', study: 'z' });
    const reports: string[] = [];
    await withdrawVisitor(store, settings(url, 'y'), own, (problem) => {
      reports.push(problem);
      isBusy = false;
    });
    assert.deepEqual(reports, ['the server has not confirmed yet that everything is deleted: The server is busy.']);
    assert.deepEqual(asked, [`DELETE ${own.id}`, 'DELETE w-closed', 'DELETE w-closed']);
    assert.deepEqual((await store.sessions()).map((s) => s.id), ['w-other-study']);
  });
});

test('a list of sessions that cannot be read is reported, and the page\'s own session is deleted', async () => {
  await serve(() => null, async (url, asked) => {
    const store = new MemoryStore();
    const own = await begun(store, { server: url });
    const { sessions: read } = store;
    let failures = 1;
    store.sessions = () => (failures-- > 0 ? Promise.reject(new Error('disk full')) : read.call(store));
    const reports: string[] = [];
    await withdrawVisitor(store, settings(url, 'y'), own, (problem) => {
      reports.push(problem);
      assert.deepEqual(asked, [`DELETE ${own.id}`]);
    });
    assert.deepEqual(reports, ['this browser does not show whether it has further records: disk full']);
  });
});

test('a page that records nothing repeats a withdrawal, also one that the browser could not note', async () => {
  await serve(() => null, async (url, asked) => {
    const store = await indexedDb();
    const study = 'left';
    const noted = await begun(store, { server: url, study });
    await store.withdraw(noted.id);
    const unnoted = await begun(store, { server: url, study, touched_utc_ms: Date.now() - 5 });
    rememberWithdrawal(url, study);
    const later = await begun(store, { server: url, study, touched_utc_ms: Date.now() + 1000 });
    const reports: (string | null)[] = [];
    await withdrawLeft(settings(url, study), (problem) => reports.push(problem));
    assert.deepEqual(reports, [null]);
    assert.deepEqual(asked.sort(), [`DELETE ${noted.id}`, `DELETE ${unnoted.id}`].sort());
    assert.ok(await store.session(later.id), 'a session after the withdrawal stays');
    await store.forget(later.id);
  });
});

test('a withdrawal that the server refuses does not hold up other sessions', async () => {
  await serve((id) => (id === 'w-first' ? [503, {}] : null), async (url, asked) => {
    const store = new MemoryStore();
    for (const id of ['w-first', 'w-second']) {
      await begun(store, { server: url, id });
      await store.withdraw(id);
    }
    await assert.rejects(sendLeftovers(store, null), /has not confirmed yet/);
    assert.deepEqual(asked, ['DELETE w-first', 'DELETE w-second']);
    assert.deepEqual((await store.sessions()).map((s) => s.id), ['w-first']);
  });
});
