// The selection of events by their sources.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { only } from '../../src/observables';
import type { RecordedEvent } from '../../src/state';
import { Signal } from '../../src/transport/signal';

test('only the events of the sources are selected, until the end and until nobody listens', () => {
  const events$ = new Signal<RecordedEvent>();
  const seen: string[] = [];
  const first = events$.pipe(only('pointer', 'key')).subscribe({ next: ({ kind }) => seen.push(kind), complete: () => seen.push('end') });
  for (const kind of ['click', 'input', 'keydown']) events$.next({ kind, page_ms: 0, data: {} });
  assert.deepEqual(seen, ['click', 'keydown']);
  events$.complete();
  assert.deepEqual(seen, ['click', 'keydown', 'end']);
  assert.equal(first.closed, true);
  const second = events$.pipe(only('edits')).subscribe();
  assert.equal(events$.isHeard, true);
  second.unsubscribe();
  assert.equal(events$.isHeard, false);
});
