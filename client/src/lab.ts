// The library as the lab app puts it into the participant's page: runs at the start of every document of the main frame
// (from there it looks into frames), and reports over the web view's ipc, one message an event, each with its document and
// its number.
//
// The page may be careless or hostile: all that is used later is captured before its first script, and messages start
// with a token that the page cannot see. No RxJS here, whose inner workings such a page could reach.

import { defineProperty, freeze, getOwnPropertyDescriptor } from './natives/js';
import { here, now, randomBytes } from './natives/dom';
import { type CaptureSettings, capture } from './capture/capture';
import type { Lane } from './capture/emit';
import { sources } from './sources';

interface Bridge { postMessage(message: string): void }
interface LabConfig { token: string; key: string; mask: string[] }
declare const __CONFIG__: LabConfig;

const config = __CONFIG__;
const bridges = here as unknown as {
  webkit?: { messageHandlers?: { ipc?: Bridge } };
  chrome?: { webview?: Bridge };
  ipc?: Bridge;
};
const bridge = bridges.webkit?.messageHandlers?.ipc ?? bridges.chrome?.webview ?? bridges.ipc;
if (!bridge) throw new Error('the recording script runs in the lab app only');
const post = bridge.postMessage.bind(bridge);

const newId = (): string => {
  const bytes = randomBytes(8);
  let id = '';
  for (let i = 0; i < 8; i++) id += (bytes[i]! < 16 ? '0' : '') + bytes[i]!.toString(16);
  return id;
};
/** Opens the recording script to its program, and to a second copy of itself. */
const PING = '__affectographPing';
/** Not the answer to a ping: listeners are to be added again. */
const ATTACH = -1;
const documentId = newId();
let number = 0;
const send = (lane: Lane, kind: string, t: number, json: string) => {
  post(config.token + lane + '{"d":"' + documentId + '","n":' + number++ + ',"t":' + t + ',"k":"' + kind
    + '","x":' + json + '}');
};

const begin = (): void => {
  const settings = { __proto__: null, mask: config.mask, content: 'everywhere' } as unknown as CaptureSettings;
  const running = capture(settings, sources, send, () => { number++; }); // a number that never comes is counted as lost
  defineProperty(here, 'affectograph', {
    __proto__: null,
    value: freeze({ __proto__: null, mark: freeze((name: unknown, data: unknown) => running.mark(name, data)) }),
    enumerable: true,
  } as PropertyDescriptor);
  const ping = (key: unknown, id: number) => {
    const t = now();
    if (key !== config.key) return;
    if (id !== ATTACH) send('c', 'pong', t, '{"id":' + id + '}');
    running.attach();
  };
  defineProperty(here, PING, { __proto__: null, value: freeze(ping) } as PropertyDescriptor);
};

// A page that writes itself anew with `document.open()` keeps its window, and gets this script once more.
const earlier = getOwnPropertyDescriptor(here, PING);
if (!earlier) begin();
else if (!earlier.configurable && !earlier.writable) (earlier.value as (key: string, id: number) => void)(config.key, ATTACH);
