// Whether the browser has a network.

import { browser, here, isOnline } from '../natives/dom';
import type { Source } from '../capture/capture';

export const network: Source = ({ emit, on }) => {
  const tell = (_: Event, t: number) => {
    emit.now('p', 'network', t, { __proto__: null, is_online: isOnline(browser) });
  };
  on(here, 'online', tell);
  on(here, 'offline', tell);
  return undefined;
};
