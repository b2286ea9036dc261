// Facial actions, and closure and gaze of the eyes: the program's `actions.rs` in TypeScript.

import { runAligned } from './aligned';
import type { Affine, Point } from './geometry';
import type { Network } from './network';
import type { Picture } from './resample';

/** The fields of the stream `action`. */
const ACTIONS = [
  'au01', 'au02', 'au04', 'au05', 'au06', 'au07', 'au09', 'au10', 'au12', 'au14',
  'au15', 'au16', 'au17', 'au18', 'au20', 'au22', 'au24', 'au26', 'au28', 'au43',
];
/** From this closure on an eye shows no gaze. */
const CLOSED = 0.6;

/** In degrees. */
interface Direction { yaw: number; pitch: number }
interface Pose extends Direction { roll: number }

/** In the fields of the streams `action` and `eyes`. A value that the network does not compute is NaN. */
export interface ActionsReading { action: number[]; eyes: number[] }

export const readActions = async (network: Network, picture: Picture, points: readonly Point[]): Promise<ActionsReading | null> => {
  const toPicture = await runAligned(network, picture, points);
  return toPicture && { action: actionsOf(network), eyes: eyesOf(network, toPicture) };
};

const actionsOf = (network: Network): number[] => {
  const labels = network.outputCard('actions')?.labels ?? [];
  const values = network.output('actions');
  return ACTIONS.map((name) => {
    const place = labels.indexOf(name);
    return place < 0 ? Number.NaN : values[place]!;
  });
};

const eyesOf = (network: Network, toPicture: Affine): number[] => {
  const value = (name: string, k: number) => (network.outputCard(name) ? network.output(name)[k]! : Number.NaN);
  const closure = [value('closure', 0), value('closure', 1)];
  const seen = [0, 1].map((eye): Direction | null =>
    (closure[eye]! >= CLOSED ? null : { yaw: value('gaze', 2 * eye), pitch: value('gaze', 2 * eye + 1) }));
  const open = seen.filter((gaze) => gaze !== null);
  // The input is turned so that the eyes are level.
  const roll = value('pose', 2) + degrees(Math.atan2(toPicture.yx, toPicture.xx));
  const gaze = { yaw: mean(open.map(({ yaw }) => yaw)), pitch: mean(open.map(({ pitch }) => pitch)) };
  const camera = relativeToCamera(gaze, { yaw: value('pose', 0), pitch: value('pose', 1), roll });
  return [...closure, ...[...seen, gaze, camera].flatMap((d) => (d ? [d.yaw, d.pitch] : [Number.NaN, Number.NaN]))];
};

const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;
const degrees = (radians: number): number => (radians * 180) / Math.PI;
const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** The direction relative to the camera's axis: Rz(roll)·Ry(−yaw)·Rx(pitch) of the head applied to the direction in the head. */
export const relativeToCamera = (gaze: Direction, head: Pose): Direction => {
  const [yaw, pitch] = [radians(gaze.yaw), radians(gaze.pitch)];
  const rotate = (angle: number, a: number, b: number): [number, number] => {
    const [sin, cos] = [Math.sin(radians(angle)), Math.cos(radians(angle))];
    return [cos * a - sin * b, sin * a + cos * b];
  };
  let [x, y, z] = [Math.sin(yaw) * Math.cos(pitch), Math.sin(pitch), -Math.cos(yaw) * Math.cos(pitch)];
  [y, z] = rotate(head.pitch, y, z);
  [z, x] = rotate(-head.yaw, z, x);
  [x, y] = rotate(head.roll, x, y);
  return { yaw: degrees(Math.atan2(x, -z)), pitch: degrees(Math.asin(Math.min(Math.max(y, -1), 1))) };
};
