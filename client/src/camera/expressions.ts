// The expressions in the order of the stream `affect`: the labels in `models/affect/model.toml`. `scripts/expressions.mjs`
// reads them at build time.

declare const AFFECTOGRAPH_EXPRESSIONS: readonly string[];

export const EXPRESSIONS = AFFECTOGRAPH_EXPRESSIONS;
