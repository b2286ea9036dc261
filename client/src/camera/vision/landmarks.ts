// 68 points, the head's pose, and whether the crop shows a face at all: the program's `landmarks.rs` in TypeScript.

import { chainTable } from './card';
import type { Detection } from './detector';
import {
  type Crop, LANDMARKS, type Point, type Rect, angleDeg, around, centre, contains, cropToPicture, distance, eyeCentres,
  longestSide, pointFromFraction, wrapDeg,
} from './geometry';
import type { Network } from './network';
import { type Picture, fill } from './resample';

export interface Shape {
  points: readonly Point[];
  rect: Rect;
  yaw_deg: number;
  pitch_deg: number;
  roll_deg: number;
  face_probability: number;
}

export const locate = async (network: Network, picture: Picture, crop: Crop): Promise<Shape> => {
  const size = network.format.width;
  fill(picture, cropToPicture(crop, size), network.format, [size, size], network.input);
  await network.run();
  const [raw, pose] = [network.output('points'), network.output('pose')];
  const points = Array.from({ length: LANDMARKS }, (_, k) => pointFromFraction(crop, raw[2 * k]!, raw[2 * k + 1]!));
  return {
    points, rect: around(points), yaw_deg: pose[0]!, pitch_deg: pose[1]!, roll_deg: wrapDeg(pose[2]! + crop.roll_deg),
    face_probability: network.output('face')[0]!,
  };
};

/** Whether this is a face at a place and of a size that can be followed. NaN never is. */
export const accepts = (network: Network, { rect, points, face_probability }: Shape, { width, height }: Picture): boolean => {
  const side = longestSide(rect);
  const { min_probability, min_side_px } = chainTable(network.card, 'face');
  return face_probability >= min_probability
    && points.every(([x, y]) => Number.isFinite(x) && Number.isFinite(y))
    && side >= min_side_px && side <= 2 * Math.max(width, height)
    && contains({ left: 0, top: 0, width, height }, centre(rect));
};

/** The square crop around a detection, level with the eyes. */
const cropOf = (network: Network, { rect, points }: Detection): Crop => ({
  centre: centre(rect), side_px: chainTable(network.card, 'crop').detection_sides * longestSide(rect),
  roll_deg: angleDeg(points[0]!, points[1]!),
});

/** The crop in which the same face is expected in the next picture. */
export const nextCrop = (network: Network, { rect, points }: Shape): Crop => {
  const [left, right] = eyeCentres(points);
  const side_px = chainTable(network.card, 'crop').tracking_sides * longestSide(rect);
  return { centre: centre(rect), side_px, roll_deg: angleDeg(left, right) };
};

/** Whether a detection is this face: both networks find eyes, nose tip and corners of the mouth in the same places. */
export const agree = (network: Network, { points }: Shape, detection: Detection): boolean => {
  const own = [...eyeCentres(points), points[30]!, points[48]!, points[54]!];
  const apart = own.reduce((sum, p, k) => sum + distance(p, detection.points[k]!), 0);
  return apart / 5 <= chainTable(network.card, 'face').max_disagreement_sides * longestSide(detection.rect);
};

/** The face of a detection, or null. Runs twice, the second time on the crop that tracking would use. */
export const find = async (network: Network, picture: Picture, detection: Detection): Promise<Shape | null> => {
  const rough = await locate(network, picture, cropOf(network, detection));
  if (!accepts(network, rough, picture)) return null;
  const fine = await locate(network, picture, nextCrop(network, rough));
  const isNewFace = fine.face_probability >= chainTable(network.card, 'face').min_new_probability;
  return isNewFace && accepts(network, fine, picture) && agree(network, fine, detection) ? fine : null;
};

/** The last crop, as grey levels 0 … 255. */
export const lastCropGrey = ({ input, format }: Network): Float32Array => input.map((v) => v * format.std + format.mean);
