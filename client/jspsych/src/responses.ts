// Which part of a response becomes data of a mark. Text that the participant typed is not sent, unless the site asks for it.

/** `true`: the complete response. `false`: nothing of it. `"choices"`: what the trial offered, and numbers. */
export type Responses = boolean | 'choices';

/** Parameters of a trial, as its plugin received them. */
export type Parameters = Record<string, unknown>;

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value as unknown[] : []);

interface Offer {
  /** Texts that the experiment's author wrote as answers. */
  texts: Set<string>;
  /** The number of labels of a rating scale. */
  labels: number;
}

const offerOf = (trial: Parameters): Offer => {
  const parts = [trial, ...list(trial['questions']).filter(isRecord)];
  const answers = parts.flatMap((part) => [...list(part['choices']), ...list(part['options'])]);
  return {
    texts: new Set(answers.filter((answer) => typeof answer === 'string')),
    labels: Math.max(0, ...parts.map((part) => list(part['labels']).length)),
  };
};

/** Answers to questions by their names. A number there can be typed, such as an age. */
const answer = (value: unknown, offer: Offer): unknown => {
  if (typeof value === 'number' && !(Number.isInteger(value) && value >= 0 && value < offer.labels)) return { is_hidden: true };
  return offered(value, offer);
};

const offered = (value: unknown, offer: Offer): unknown => {
  if (typeof value === 'string') return offer.texts.has(value) ? value : { length: value.length };
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => offered(one, offer));
  if (!isRecord(value)) return null;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, answer(one, offer)]));
};

/** The response for the mark; undefined if nothing of it is sent. */
export const responseOf = (response: unknown, trial: Parameters, responses: Responses): unknown => {
  if (response === undefined || responses === false) return undefined;
  return responses === true ? response : offered(response, offerOf(trial));
};
