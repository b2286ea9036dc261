// What a page records besides events: the camera, and the page itself for replay.

import { load } from '../assets';
import type { Camera } from '../camera/camera';
import { json } from '../natives/plain';
import { background, sentence } from '../natives/promise';
import { startReplay } from '../replay';
import { type Draft, eventRest } from './record';
import type { Host } from './run';
import type { Store, StoredSession } from './store';

export class Media {
  readonly #host: Host;
  readonly #session: StoredSession;
  readonly #store: Store;
  readonly #add: (draft: Draft) => void;
  /** A part of the film was stored. */
  readonly #stored: () => void;
  #camera: Camera | null = null;
  /** The end of the last camera. It stores the numbers from which the next one continues. */
  #cameraEnd: Promise<void> | null = null;
  #endReplay: () => void = () => undefined;
  /** Counts the changes between recording and pause. What a former one began is not completed. */
  #turn = 0;

  constructor(host: Host, session: StoredSession, store: Store, add: (draft: Draft) => void, stored: () => void) {
    this.#host = host;
    this.#session = session;
    this.#store = store;
    this.#add = add;
    this.#stored = stored;
  }

  /** Begins, unless the recording is paused or has ended. */
  async start(): Promise<void> {
    const turn = ++this.#turn;
    const isOver = () => turn !== this.#turn || this.#host.ended.aborted || this.#host.state.isPaused;
    await this.#cameraEnd;
    if (!isOver()) await this.#startCamera(isOver);
    if (this.#host.settings.replay && !isOver()) await this.#startReplay(isOver);
  }

  /** Ends both at once. Resolves when everything is stored. */
  async stop(isAtOnce = false): Promise<void> {
    this.#turn++;
    const endReplay = this.#endReplay;
    this.#endReplay = () => undefined;
    void background(async () => endReplay()); // at once; its failure leaves the camera to be ended
    const camera = this.#camera;
    this.#camera = null;
    if (camera) this.#cameraEnd = background(() => camera.stop(isAtOnce));
    await this.#cameraEnd;
  }

  /** The page is being left: what waits to be recorded is recorded now. */
  flush(): void {
    this.#camera?.flush();
  }

  async #startCamera(isOver: () => boolean): Promise<void> {
    const { settings } = this.#host;
    if (settings.camera === 'off') return;
    try {
      const module = await load(settings.assets, 'camera.js', () => import('../camera/camera'));
      if (isOver()) return;
      this.#camera = new module.Camera(settings, this.#session, this.#store, this.#add, {
        state: (camera) => this.#host.change({ camera }),
        affect: (affect) => this.#host.affect(affect),
        stored: this.#stored,
      });
      await this.#camera.start();
    } catch (error) {
      const detail = json({ detail: `camera.js cannot be loaded: ${sentence(error)}` });
      this.#add({ stream: 'health', page_ms: performance.now(), rest: eventRest('camera_absent', detail) });
      this.#host.change({ camera: 'absent' });
    }
  }

  async #startReplay(isOver: () => boolean): Promise<void> {
    let isOn = true;
    const add = (page_ms: number, event: string) => {
      if (isOn) this.#add({ stream: 'replay', page_ms, rest: eventRest('rrweb', event) });
    };
    const start = async () => {
      const stop = await startReplay(this.#host.settings, this.#host.masks, add);
      if (isOver()) stop();
      else {
        this.#endReplay = () => {
          stop();
          isOn = false; // rrweb's timers may still emit
        };
      }
    };
    await background(start, (error) => console.warn(`affectograph: the page is not recorded for replay: ${sentence(error)}`));
  }
}
