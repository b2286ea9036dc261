// Runs the browser's vision chain in Node over raw grey frames: `node test/score.mjs FILE WIDTH HEIGHT RATE_HZ` prints
// one line of JSON a frame, null where there is no face. For the test that compares it with the program's own.

import { open, readFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { mkdtemp, rm } from 'node:fs/promises';
import { build } from 'esbuild';
import { EXPRESSIONS } from '../scripts/expressions.mjs';
import { InferenceSession, Tensor, env } from 'onnxruntime-web/wasm';

const root = fileURLToPath(new URL('..', import.meta.url));
const [file, width, height, rate_hz] = process.argv.slice(2).map((a, k) => (k === 0 ? a : Number(a)));
env.wasm.numThreads = 1;

const out = await mkdtemp(`${root}test/node_modules/.score-`);
try {
  const outfile = `${out}/vision.mjs`;
  await build({ absWorkingDir: root, entryPoints: ['src/camera/vision/vision.ts'], outfile, bundle: true, format: 'esm', define: EXPRESSIONS });
  const { Vision } = await import(pathToFileURL(outfile).href);
  const runtime = {
    create: (onnx) => InferenceSession.create(onnx, { executionProviders: ['wasm'], graphOptimizationLevel: 'all' }),
    tensor: (data, shape) => new Tensor('float32', data, shape),
  };
  const vision = await Vision.load(runtime, (path) => readFile(`${root}../models/${path}`));
  const frames = await open(file);
  const bytes = Buffer.alloc(width * height);
  for (let k = 0; (await frames.read(bytes, 0, bytes.length, k * bytes.length)).bytesRead === bytes.length; k++) {
    const reading = await vision.step({ width, height, grey: Float32Array.from(bytes) }, (k * 1000) / rate_hz);
    console.log(JSON.stringify(reading));
  }
  await frames.close();
} finally {
  await rm(out, { recursive: true });
}
