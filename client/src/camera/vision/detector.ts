// Every face in a picture, with five points: the program's `detector.rs` in TypeScript.

import { chainTable, figure } from './card';
import { type Point, type Rect, overlap } from './geometry';
import type { Network } from './network';
import { type Picture, fill } from './resample';

export interface Detection {
  rect: Rect;
  score: number;
  /** Image-left eye, image-right eye, nose tip, image-left and image-right corner of the mouth. */
  points: readonly Point[];
}

/** All faces, the likeliest first. */
export const detect = async (network: Network, picture: Picture): Promise<Detection[]> => {
  const { format } = network;
  const scale = Math.max(picture.width / format.width, picture.height / format.height);
  const covered = [picture.width, picture.height].map((side) => Math.max(Math.round(side / scale), 1)) as [number, number];
  fill(picture, { xx: scale, xy: 0, x0: 0, yx: 0, yy: scale, y0: 0 }, format, covered, network.input);
  await network.run();
  const [, , rows = 0, columns = 0] = network.outputCard('score')?.shape ?? [];
  const threshold = figure(network.card, 'score_threshold');
  if (threshold === undefined) throw new Error('the card of the detector has no `score_threshold`');
  const stride = format.width / columns;
  const cells = rows * columns;
  const [scores, boxes, points] = [network.output('score'), network.output('box'), network.output('points')];
  const found: Detection[] = [];
  for (let cell = 0; cell < cells; cell++) {
    const score = scores[cell]!;
    if (!(score >= threshold)) continue;
    const [x, y] = [((cell % columns) + 0.5) * stride, (Math.floor(cell / columns) + 0.5) * stride];
    const edge = (k: number) => boxes[k * cells + cell]!;
    const [left, top] = [x - edge(0), y - edge(1)];
    const [width, height] = [edge(0) + edge(2), edge(1) + edge(3)];
    if (!(width > 0 && height > 0)) continue; // NaN compares false: a broken box is none
    found.push({
      rect: { left: left * scale, top: top * scale, width: width * scale, height: height * scale },
      score,
      points: Array.from({ length: 5 }, (_, k): Point =>
        [(x + points[2 * k * cells + cell]!) * scale, (y + points[(2 * k + 1) * cells + cell]!) * scale]),
    });
  }
  return suppress(found, chainTable(network.card, 'detection').max_overlap);
};

/** Sorts by score and drops what overlaps with a likelier one. */
const suppress = (found: Detection[], maxOverlap: number): Detection[] => {
  const kept: Detection[] = [];
  for (const one of found.sort((a, b) => b.score - a.score)) {
    if (kept.every((better) => overlap(better.rect, one.rect) <= maxOverlap)) kept.push(one);
  }
  return kept;
};
