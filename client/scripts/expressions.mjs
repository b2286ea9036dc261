// The labels of the affect network's output `expression`, for esbuild's `define`.

import { readFileSync } from 'node:fs';

const CARD = new URL('../../models/affect/model.toml', import.meta.url);

const labels = () => {
  const output = readFileSync(CARD, 'utf8').split('[[output]]').find((table) => table.includes('name = "expression"'));
  const list = /^labels = (\[.*\])$/m.exec(output ?? '')?.[1];
  if (!list) throw new Error(`${CARD.pathname} has no labels of the output \`expression\``);
  return JSON.parse(list);
};

export const EXPRESSIONS = { AFFECTOGRAPH_EXPRESSIONS: JSON.stringify(labels()) };
