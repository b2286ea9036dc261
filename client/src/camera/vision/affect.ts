// Valence, arousal, their uncertainty and the expression probabilities of one face: the program's `affect.rs` in TypeScript.

import { EXPRESSIONS } from '../expressions';
import { type Point, eyeCentres, fromEyes } from './geometry';
import type { Network } from './network';
import { type Picture, fill } from './resample';

/** The fields of the stream `affect`. What a network does not tell is NaN. Null where both eyes are in one place. */
export const readAffect = async (network: Network, picture: Picture, points: readonly Point[]): Promise<number[] | null> => {
  const { input: { left_eye, right_eye } } = network.card;
  if (!left_eye || !right_eye) throw new Error('the card of the affect network contains no positions of the eyes');
  const { format } = network;
  const places: [Point, Point] = [[left_eye[0]!, left_eye[1]!], [right_eye[0]!, right_eye[1]!]];
  const toPicture = fromEyes(eyeCentres(points), places, [format.width, format.height]);
  if (!toPicture) return null;
  fill(picture, toPicture, format, [format.width, format.height], network.input);
  await network.run();
  const pair = (name: string): [number, number] => {
    if (!network.outputCard(name)) return [Number.NaN, Number.NaN];
    const values = network.output(name);
    return [values[0]!, values[1]!];
  };
  const sd = pair('log_variance').map((v) => Math.exp(0.5 * v));
  const expression = EXPRESSIONS.map(() => Number.NaN);
  network.outputCard('expression')?.labels?.forEach((label, k) => {
    const place = EXPRESSIONS.indexOf(label);
    if (place >= 0) expression[place] = network.output('expression')[k]!;
  });
  return [...pair('valence_arousal'), ...sd, ...expression];
};
