// Parses the parts of a network's card, `model.toml`, that a browser needs. Supports the kinds of values in our cards.

export interface OutputCard { name: string; shape: number[]; labels?: string[] }

/** How the detections of one frame are used. */
export interface DetectionCard { max_overlap: number; max_candidates: number }

/** How one face is followed from frame to frame. */
export interface TrackingCard {
  recount_interval_ms: number;
  max_unconfirmed: number;
  remembered_ms: number;
  near_sides: number;
  same_face_share_inside: number;
  same_face_overlap: number;
  corner_penalty: number;
}

/** Side of the square crop around a face, in longest sides of the face's box. */
export interface CropCard { detection_sides: number; tracking_sides: number }

/** When a crop is accepted as a face. */
export interface FaceCard { min_probability: number; min_new_probability: number; min_side_px: number; max_disagreement_sides: number }

/** The tables with the constants of the vision chain. The cards in `models/` describe the values. */
export interface ChainTables { detection: DetectionCard; tracking: TrackingCard; crop: CropCard; face: FaceCard }

export interface Card extends Partial<ChainTables> {
  name: string;
  version: string;
  sha256: string;
  input: { name: string; shape: number[]; colour: string; mean: number[]; std: number[]; left_eye?: number[]; right_eye?: number[] };
  output: OutputCard[];
  figure: { name: string; value: number }[];
}

type Table = Record<string, unknown>;

/** Throws if it does not understand a line, so that a card is never read in part. */
export const parseCard = (toml: string, where: string): Card => {
  const root: Table = {};
  let table = root;
  for (const raw of toml.split('\n')) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const list = /^\[\[(\w+)\]\]$/.exec(line)?.[1];
    const single = /^\[(\w+)\]$/.exec(line)?.[1];
    const pair = /^(\w+)\s*=\s*(.+)$/.exec(line);
    if (list) {
      table = {};
      ((root[list] ??= []) as Table[]).push(table);
    } else if (single) {
      root[single] = table = {};
    } else if (pair) {
      table[pair[1]!] = JSON.parse(pair[2]!) as unknown; // strings, numbers and lists are written as in JSON
    } else {
      throw new Error(`${where} is not a model card: \`${line}\``);
    }
  }
  const card = root as unknown as Card;
  if (!card.name || !card.sha256 || !card.input?.shape || !card.output?.length) throw new Error(`${where} lacks what a model card needs`);
  card.figure ??= [];
  return card;
};

const CHAIN_KEYS: { [K in keyof ChainTables]: readonly (keyof ChainTables[K])[] } = {
  detection: ['max_overlap', 'max_candidates'],
  tracking: [
    'recount_interval_ms', 'max_unconfirmed', 'remembered_ms', 'near_sides', 'same_face_share_inside', 'same_face_overlap',
    'corner_penalty',
  ],
  crop: ['detection_sides', 'tracking_sides'],
  face: ['min_probability', 'min_new_probability', 'min_side_px', 'max_disagreement_sides'],
};

/** Throws if the card lacks a value of the table. Without it, no face would ever be found. */
export const requireChainTable = <K extends keyof ChainTables>(card: Card, name: K): void => {
  const table = chainTable(card, name);
  const missing = CHAIN_KEYS[name].find((key) => !Number.isFinite(table[key]));
  if (missing !== undefined) throw new Error(`the card of the network ${card.name} has no number \`${name}.${String(missing)}\``);
};

/** A table that the network must have for its part in the chain. */
export const chainTable = <K extends keyof ChainTables>(card: Card, name: K): ChainTables[K] => {
  const table = card[name] as ChainTables[K] | undefined;
  if (!table) throw new Error(`the card of the network ${card.name} has no table \`${name}\``);
  return table;
};

export const figure = (card: Card, name: string): number | undefined => card.figure.find((f) => f.name === name)?.value;
