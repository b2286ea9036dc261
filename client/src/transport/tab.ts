// Notes in this tab that a session continues. They are readable before anything is loaded.

import { json } from '../natives/plain';
import type { Camera, Settings } from '../options';

/** What a reloaded page needs before its first event, without waiting for IndexedDB. */
interface TabNote {
  session: string;
  mask: string[];
  content: string[];
  /** What the session records, as the study and the page decided. */
  camera?: Camera;
  replay?: boolean;
  /** The visitor paused the recording in this tab. */
  isPaused?: boolean;
}

const tabKey = ({ server, study }: Settings) => `affectograph.tab.${server}.${study}`;

/** What this tab has stored as JSON. */
export const tabItem = <T>(key: string): T | null => {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? 'null') as T | null;
  } catch {
    return null;
  }
};

export const tabNote = (settings: Settings) => tabItem<TabNote>(tabKey(settings));

export const noteTab = (settings: Settings, note: TabNote | null): void => {
  try {
    if (note) sessionStorage.setItem(tabKey(settings), json(note));
    else sessionStorage.removeItem(tabKey(settings));
  } catch {
    // Without it a reload begins a new session.
  }
};
