// Where the participant goes within the page, and when documents come and go.

import { call, defineProperty } from '../natives/js';
import { here, historyOf, now, page, place, targetOf } from '../natives/dom';
import type { Source } from '../capture/capture';
import { address } from '../capture/text';

type Write = History['pushState'];

export const navigation: Source = ({ emit, on, guarded }) => {
  on(here, 'load', (event, t) => {
    if (targetOf(event) === page) emit.now('p', 'load', t, { __proto__: null, url: address(place.href) });
  });
  on<PageTransitionEvent>(here, 'pageshow', (event, t) => {
    emit.now('p', 'pageshow', t, { __proto__: null, is_restored: event.persisted });
  });
  on<PageTransitionEvent>(here, 'pagehide', (event, t) => {
    emit.now('p', 'pagehide', t, { __proto__: null, is_kept: event.persisted });
  });
  const navigated = (how: string, t: number) => {
    emit.now('p', 'navigate', t, { __proto__: null, how, url: address(place.href) });
  };
  on(here, 'hashchange', (_, t) => navigated('hash', t));
  on(here, 'popstate', (_, t) => navigated('pop', t));

  /** Puts ours in the place of a method of `History`; gives back what takes it out again. */
  const wrap = (name: 'pushState' | 'replaceState', how: string) => {
    const original = historyOf[name];
    const ours = { [name](this: History, ...args: Parameters<Write>) {
      const t = now();
      const result = call(original, this, args);
      guarded('navigate', t, () => navigated(how, t));
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
