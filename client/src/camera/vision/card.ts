// Parses the parts of a network's card, `model.toml`, that a browser needs. Supports the kinds of values in our cards.

export interface OutputCard { name: string; shape: number[]; labels?: string[] }

export interface Card {
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

export const figure = (card: Card, name: string): number | undefined => card.figure.find((f) => f.name === name)?.value;
