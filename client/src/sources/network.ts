// Whether the browser is online.

import { browser, isOnline } from '../natives/dom';
import type { Source } from '../capture/capture';
import type { EventTime } from '../capture/event-time';

export const network: Source = ({ emit, onPage }) => {
  const record = (_: Event, at: EventTime) => {
    emit.now('p', 'network', at, { __proto__: null, is_online: isOnline(browser) });
  };
  onPage('window', 'online', record);
  onPage('window', 'offline', record);
  return undefined;
};
