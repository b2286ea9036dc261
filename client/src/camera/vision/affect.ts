// Valence, arousal, their uncertainty and the expression probabilities of one face: the program's `affect.rs` in TypeScript.

import { EXPRESSIONS } from '../expressions';
import { runAligned } from './aligned';
import type { Point } from './geometry';
import type { Network } from './network';
import type { Picture } from './resample';

/** The fields of the stream `affect`. What a network does not tell is NaN. Null where both eyes are in one place. */
export const readAffect = async (network: Network, picture: Picture, points: readonly Point[]): Promise<number[] | null> => {
  if (!await runAligned(network, picture, points)) return null;
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
