// The recording script that the lab app injects into the participant's page. It runs at the start of every document of the
// main frame, and records frames from there. It sends one message per event over the web view's ipc. Each message contains
// its document and its number.
//
// The page may be careless or hostile. Therefore all functions that are used later are captured before the page's first
// script, and messages begin with a token that the page cannot read. RxJS is not used, because a page could change it.

import { defineProperty, freeze, getOwnPropertyDescriptor } from './natives/js';
import { here, now, randomBytes } from './natives/dom';
import { type CaptureSettings, capture } from './capture/capture';
import type { Lane } from './capture/emit';
import { sources } from './sources';

interface Bridge { postMessage(message: string): void }
interface LabConfig { token: string; key: string; mask: string[]; condition: string | null }
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
/** The key with which the program, and a second copy of this script, call this script. */
const PING = '__affectographPing';
/** Instead of the answer to a ping: add the listeners again. */
const ATTACH = -1;
const documentId = newId();
let number = 0;
const send = (lane: Lane, kind: string, t: number, json: string) => {
  post(config.token + lane + '{"d":"' + documentId + '","n":' + number++ + ',"t":' + t + ',"k":"' + kind
    + '","x":' + json + '}');
};

const begin = (): void => {
  const settings = { __proto__: null, mask: config.mask, content: 'everywhere' } as unknown as CaptureSettings;
  const running = capture(settings, sources, send, () => { number++; }); // the program counts a missing number as lost
  defineProperty(here, 'affectograph', {
    __proto__: null,
    value: freeze({
      __proto__: null,
      mark: freeze((name: unknown, data: unknown) => running.mark(name, data)),
      /** The participant's condition, by its name in the study file; `null` in a study without conditions. */
      condition: config.condition ?? null,
    }),
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

// After `document.open()` a page keeps its window, and this script is injected again.
const earlier = getOwnPropertyDescriptor(here, PING);
if (!earlier) begin();
else if (!earlier.configurable && !earlier.writable) (earlier.value as (key: string, id: number) => void)(config.key, ATTACH);
