// One network: its card, its input, and what it answers, by name.

import { type Card, type OutputCard, parseCard } from './card';
import type { InputFormat } from './resample';
import { sha256 } from '../../checksum';
import type { NetworkIdentity } from '../messages';

/** The part of ONNX Runtime that is needed, so that a worker and Node can each bring their own. */
export interface Runtime {
  create(onnx: Uint8Array): Promise<{
    run(feeds: Record<string, unknown>): Promise<Record<string, { data: unknown }>>;
  }>;
  tensor(data: Float32Array, shape: number[]): unknown;
}

/** Gives the bytes of a file below the folder with the networks. */
export type ReadFile = (path: string) => Promise<Uint8Array<ArrayBuffer>>;

export class Network {
  readonly input: Float32Array;
  private answers: Record<string, { data: unknown }> = {};

  private constructor(
    readonly card: Card,
    readonly format: InputFormat,
    private readonly runtime: Runtime,
    private readonly session: Awaited<ReturnType<Runtime['create']>>,
    /** For the record: which network this is. */
    readonly identity: NetworkIdentity,
  ) {
    this.input = new Float32Array(format.width * format.height);
  }

  static async load(runtime: Runtime, read: ReadFile, folder: string): Promise<Network> {
    const card = parseCard(new TextDecoder().decode(await read(`${folder}/model.toml`)), `${folder}/model.toml`);
    const [batch, channels, height = 0, width = 0] = card.input.shape;
    if (batch !== 1 || channels !== 1 || card.input.colour !== 'grey') {
      throw new Error(`the network ${card.name} wants colours: in a browser only grey networks run`);
    }
    const format = { width, height, mean: card.input.mean[0]!, std: card.input.std[0]! };
    const onnx = await read(`${folder}/model.onnx`);
    // Of the very bytes that run, and before anybody else has them: a card may be another file's, from a cache or by mistake.
    const sum = await sha256(onnx);
    const { name, version, sha256: card_sha256 } = card;
    const identity = { name, version: version ?? '', sha256: sum, card_sha256 };
    return new Network(card, format, runtime, await runtime.create(onnx), identity);
  }

  async run(): Promise<void> {
    this.answers = await this.session.run({ [this.card.input.name]: this.runtime.tensor(this.input, this.card.input.shape) });
  }

  output(name: string): Float32Array {
    const { data } = this.answers[name] ?? {};
    if (!(data instanceof Float32Array)) throw new Error(`the network ${this.card.name} gives no \`${name}\``);
    return data;
  }

  outputCard(name: string): OutputCard | undefined {
    return this.card.output.find((o) => o.name === name);
  }
}
