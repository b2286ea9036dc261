// 68 points, the head's pose, and whether the crop shows a face at all: the program's `landmarks.rs` in TypeScript.

import { figure } from './card';
import { type Detection, cropOf } from './detector';
import {
  type Crop, LANDMARKS, type Point, type Rect, angleDeg, around, centre, contains, cropToPicture, distance, eyeCentres,
  longestSide, pointFromFraction, wrapDeg,
} from './geometry';
import type { Network } from './network';
import { type Picture, fill } from './resample';

const TRACKING_SIDES = 1.45;
const MAX_DISAGREEMENT = 0.2;
const MIN_NEW_FACE_PROBABILITY = 0.99;
const MIN_FACE_PX = 12;

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
  return face_probability >= (figure(network.card, 'face_threshold') ?? 0.5)
    && points.every(([x, y]) => Number.isFinite(x) && Number.isFinite(y))
    && side >= MIN_FACE_PX && side <= 2 * Math.max(width, height)
    && contains({ left: 0, top: 0, width, height }, centre(rect));
};

/** The crop in which the same face is expected in the next picture. */
export const nextCrop = ({ rect, points }: Shape): Crop => {
  const [left, right] = eyeCentres(points);
  return { centre: centre(rect), side_px: TRACKING_SIDES * longestSide(rect), roll_deg: angleDeg(left, right) };
};

/** Whether a detection means this face: both networks put eyes, nose tip and corners of the mouth in the same places. */
export const agree = ({ points }: Shape, detection: Detection): boolean => {
  const own = [...eyeCentres(points), points[30]!, points[48]!, points[54]!];
  const apart = own.reduce((sum, p, k) => sum + distance(p, detection.points[k]!), 0);
  return apart / 5 <= MAX_DISAGREEMENT * longestSide(detection.rect);
};

/** The face of a detection, or null. Runs twice, the second time on the crop that tracking would use. */
export const find = async (network: Network, picture: Picture, detection: Detection): Promise<Shape | null> => {
  const rough = await locate(network, picture, cropOf(detection));
  if (!accepts(network, rough, picture)) return null;
  const fine = await locate(network, picture, nextCrop(rough));
  const isFace = accepts(network, fine, picture) && fine.face_probability >= MIN_NEW_FACE_PROBABILITY && agree(fine, detection);
  return isFace ? fine : null;
};

/** The last crop, as grey levels 0 … 255. */
export const lastCropGrey = ({ input, format }: Network): Float32Array => input.map((v) => v * format.std + format.mean);
