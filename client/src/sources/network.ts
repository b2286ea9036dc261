// Whether the browser has a network.

import { browser, isOnline } from '../natives/dom';
import type { Source } from '../capture/capture';
import type { Moment } from '../capture/moment';

export const network: Source = ({ emit, onPage }) => {
  const tell = (_: Event, at: Moment) => {
    emit.now('p', 'network', at, { __proto__: null, is_online: isOnline(browser) });
  };
  onPage('window', 'online', tell);
  onPage('window', 'offline', tell);
  return undefined;
};
