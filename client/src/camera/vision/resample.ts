// From a picture to a network's input in one pass: crop, turn, resize, normalise: the program's `resample.rs` in TypeScript.
//
// A transform takes points of the output to points of the source; samples are bilinear, and outside the source its edge
// goes on for ever. Where the source is finer than the output, each output pixel averages k × k samples spread evenly
// over it, k = ceil(source px per output px), at most 4.

import type { Affine } from './geometry';

const MAX_SUBSAMPLES = 4;

/** Grey levels 0 … 255, row by row. Pixel `(i, j)` covers `[i, i+1) × [j, j+1)`. */
export interface Picture { width: number; height: number; grey: Float32Array }

/** The normalisation of a network's input: `(v − mean) / std` of grey levels. */
export interface InputFormat { width: number; height: number; mean: number; std: number }

/** Grey levels as in the networks' training. */
export const greyOf = (rgba: Uint8ClampedArray | Uint8Array, width: number, height: number): Picture => {
  const grey = new Float32Array(width * height);
  for (let i = 0, k = 0; i < grey.length; i++, k += 4) grey[i] = 0.299 * rgba[k]! + 0.587 * rgba[k + 1]! + 0.114 * rgba[k + 2]!;
  return { width, height, grey };
};

/** Samples along one axis and output pixel at `scale` source pixels per output pixel. */
const subsamples = (scale: number): number => Math.min(Math.max(Math.ceil(scale - 1e-6), 1), MAX_SUBSAMPLES);

interface Tap { index: number; weight: number }

/** For every output pixel of one axis, which source pixels it averages and how much. */
const plan = (scale: number, offset: number, outputs: number, sources: number): Tap[][] => {
  const count = subsamples(Math.abs(scale));
  return Array.from({ length: outputs }, (_, output) => {
    const weights = new Map<number, number>();
    const add = (index: number, weight: number) => { if (weight !== 0) weights.set(index, (weights.get(index) ?? 0) + weight); };
    for (let sub = 0; sub < count; sub++) {
      const raw = scale * (output + (sub + 0.5) / count) + offset - 0.5;
      const at = Math.min(Math.max(raw, 0), sources - 1);
      const index = Math.floor(at);
      add(index, (1 - (at - index)) / count);
      add(Math.min(index + 1, sources - 1), (at - index) / count);
    }
    return [...weights].map(([index, weight]) => ({ index, weight }));
  });
};

/** Fills the first `covered` (width, height) of `out`; where a part is left over, it becomes grey level 127.5. */
export const fill = (
  picture: Picture, toSource: Affine, format: InputFormat, covered: readonly [number, number], out: Float32Array,
): void => {
  const [width, height] = [Math.min(covered[0], format.width), Math.min(covered[1], format.height)];
  if (width !== format.width || height !== format.height) out.fill((127.5 - format.mean) / format.std);
  if (toSource.xy === 0 && toSource.yx === 0) fillUnturned(picture, toSource, format, width, height, out);
  else fillTurned(picture, toSource, format, width, height, out);
};

/** Rows and columns weigh independently here, so each source row is summed up once. */
const fillUnturned = (
  { grey, width: sourceWidth, height: sourceHeight }: Picture, t: Affine, format: InputFormat, width: number, height: number,
  out: Float32Array,
): void => {
  const columns = plan(t.xx, t.x0, width, sourceWidth);
  const rows = plan(t.yy, t.y0, height, sourceHeight);
  const sums = new Float32Array(sourceWidth);
  for (let y = 0; y < height; y++) {
    sums.fill(0);
    for (const { index, weight } of rows[y]!) {
      const line = index * sourceWidth;
      for (let x = 0; x < sourceWidth; x++) sums[x]! += weight * grey[line + x]!;
    }
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (const { index, weight } of columns[x]!) sum += weight * sums[index]!;
      out[y * format.width + x] = (sum - format.mean) / format.std;
    }
  }
};

const fillTurned = (
  { grey, width: sourceWidth, height: sourceHeight }: Picture, t: Affine, format: InputFormat, width: number, height: number,
  out: Float32Array,
): void => {
  const [across, down] = [subsamples(Math.hypot(t.xx, t.yx)), subsamples(Math.hypot(t.xy, t.yy))];
  const samples = across * down;
  const offsets: [number, number][] = Array.from({ length: samples }, (_, k) => {
    const [x, y] = [((k % across) + 0.5) / across, (Math.floor(k / across) + 0.5) / down];
    return [t.xx * x + t.xy * y, t.yx * x + t.yy * y];
  });
  const [lastX, lastY] = [sourceWidth - 1, sourceHeight - 1];
  for (let y = 0; y < height; y++) {
    // Counted from the first pixel's centre.
    const [startX, startY] = [t.xy * y + t.x0 - 0.5, t.yy * y + t.y0 - 0.5];
    for (let x = 0; x < width; x++) {
      const [cornerX, cornerY] = [startX + t.xx * x, startY + t.yx * x];
      let sum = 0;
      for (const [dx, dy] of offsets) {
        const atX = Math.min(Math.max(cornerX + dx, 0), lastX);
        const atY = Math.min(Math.max(cornerY + dy, 0), lastY);
        const [left, top] = [Math.floor(atX), Math.floor(atY)];
        const [fx, fy] = [atX - left, atY - top];
        const i = top * sourceWidth + left;
        const right = left < lastX ? 1 : 0;
        const below = top < lastY ? sourceWidth : 0;
        const upper = grey[i]! + (grey[i + right]! - grey[i]!) * fx;
        const lower = grey[i + below]! + (grey[i + below + right]! - grey[i + below]!) * fx;
        sum += upper + (lower - upper) * fy;
      }
      out[y * format.width + x] = (sum / samples - format.mean) / format.std;
    }
  }
};
