// Puts a face into a network's input, turned and scaled so that the eyes are at the places in the network's card: the program's
// `aligned_face.rs` in TypeScript.

import { type Affine, type Point, eyeCentres, fromEyes } from './geometry';
import type { Network } from './network';
import { type Picture, fill } from './resample';

/** Runs the network on the face with these landmarks. The transform from the input to the picture. Null where both eyes are in one place. */
export const runAligned = async (network: Network, picture: Picture, points: readonly Point[]): Promise<Affine | null> => {
  const { input: { left_eye, right_eye } } = network.card;
  if (!left_eye || !right_eye) throw new Error(`the card of the network ${network.card.name} contains no positions of the eyes`);
  const { format } = network;
  const places: [Point, Point] = [[left_eye[0]!, left_eye[1]!], [right_eye[0]!, right_eye[1]!]];
  const toPicture = fromEyes(eyeCentres(points), places, [format.width, format.height]);
  if (!toPicture) return null;
  fill(picture, toPicture, format, [format.width, format.height], network.input);
  await network.run();
  return toPicture;
};
