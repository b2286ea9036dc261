// Navigation within the page, and the beginning and end of documents.

import { call, defineProperty } from '../natives/js';
import { historyOf, now, page, targetOf } from '../natives/dom';
import type { Source } from '../capture/capture';
import { type EventTime, eventTime } from '../capture/event-time';

type Write = History['pushState'];

export const navigation: Source = ({ emit, masks, onPage, guarded }) => {
  onPage('window', 'load', (event, at) => {
    if (targetOf(event) === page) emit.now('p', 'load', at, { __proto__: null, url: masks.here() });
  });
  onPage<PageTransitionEvent>('window', 'pageshow', (event, at) => {
    emit.now('p', 'pageshow', at, { __proto__: null, is_restored: event.persisted });
  });
  onPage<PageTransitionEvent>('window', 'pagehide', (event, at) => {
    emit.now('p', 'pagehide', at, { __proto__: null, is_kept: event.persisted });
  });
  const navigated = (how: string, at: EventTime) => {
    emit.now('p', 'navigate', at, { __proto__: null, how, url: masks.here() });
  };
  onPage('window', 'hashchange', (_, at) => navigated('hash', at));
  onPage('window', 'popstate', (_, at) => navigated('pop', at));

  /** Wraps a method of `History`. The returned function restores it. */
  const wrap = (name: 'pushState' | 'replaceState', how: string) => {
    const original = historyOf[name];
    const ours = { [name](this: History, ...args: Parameters<Write>) {
      const t = now();
      const result = call(original, this, args);
      guarded('navigate', t, () => navigated(how, eventTime(t)));
      return result;
    } }[name] as Write;
    const put = (value: Write) => defineProperty(historyOf, name, {
      __proto__: null, configurable: true, enumerable: true, writable: true, value,
    } as PropertyDescriptor);
    put(ours);
    return () => { if (historyOf[name] === ours) put(original); };
  };
  const unwrapPush = wrap('pushState', 'push');
  const unwrapReplace = wrap('replaceState', 'replace');
  return () => {
    unwrapPush();
    unwrapReplace();
  };
};
