// Runs the networks in a worker. The page's main thread only sends pictures and receives numbers.

import { InferenceSession, Tensor, env } from 'onnxruntime-web/wasm';
import type { FromWorker, ToWorker } from './messages';
import type { Runtime } from './vision/network';
import { greyOf } from './vision/resample';
import { Vision } from './vision/vision';

/** Larger pictures are reduced. The networks' inputs have a few hundred pixels. */
const MOST_PX = 640;

const runtime: Runtime = {
  create: async (onnx) => await InferenceSession.create(onnx, { executionProviders: ['wasm'], graphOptimizationLevel: 'all' }) as never,
  tensor: (data, shape) => new Tensor('float32', data, shape),
};

const post = (message: FromWorker) => postMessage(message);
const sentence = (error: unknown) => (error instanceof Error ? error.message : String(error));

let vision: Vision | null = null;
let canvas: OffscreenCanvas | null = null;

const pixels = (picture: ImageBitmap) => {
  const scale = Math.min(1, MOST_PX / Math.max(picture.width, picture.height));
  const [width, height] = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
  if (canvas?.width !== width || canvas.height !== height) canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('this browser draws nothing in a worker');
  context.drawImage(picture, 0, 0, width, height);
  picture.close();
  return { grey: greyOf(context.getImageData(0, 0, width, height).data, width, height), scale };
};

const handle = async (message: ToWorker): Promise<void> => {
  if (message.kind === 'load') {
    env.wasm.numThreads = 1; // more threads need HTTP headers that few sites send
    env.wasm.wasmPaths = { wasm: message.runtime };
    vision = await Vision.load(runtime, async (path) => {
      const response = await fetch(new URL(path, message.models), { credentials: 'omit' });
      if (!response.ok) throw new Error(`${response.url} answers ${response.status}`);
      return new Uint8Array(await response.arrayBuffer());
    });
    return post({ kind: 'ready', networks: vision.networks });
  }
  const { frame, page_ms, picture } = message;
  const { grey, scale } = pixels(picture);
  const reading = await vision!.step(grey, page_ms);
  if (!reading) return post({ kind: 'scored', page_ms, reading: null });
  if (scale < 1) {
    // In the camera's pixels.
    reading.landmarks = reading.landmarks.map((v) => v / scale);
    for (const k of [0, 1, 2, 3, 11]) reading.face[k]! /= scale;
  }
  post({ kind: 'scored', page_ms, reading: { frame, page_ms, samples: Object.entries(reading) } });
};

onmessage = ({ data }: MessageEvent<ToWorker>) => {
  handle(data).catch((error: unknown) => post({ kind: 'failed', why: sentence(error) }));
};
