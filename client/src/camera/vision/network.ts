// One network: its card, its input, and its named outputs.

import { type Card, type OutputCard, parseCard } from './card';
import type { InputFormat } from './resample';
import { sha256 } from '../../checksum';
import type { NetworkIdentity } from '../messages';

/** The used part of ONNX Runtime. The worker and Node have different implementations. */
export interface Runtime {
  create(onnx: Uint8Array): Promise<{
    run(feeds: Record<string, unknown>): Promise<Record<string, { data: unknown }>>;
  }>;
  tensor(data: Float32Array, shape: number[]): unknown;
}

/** Reads a file in the folder of the networks. */
export type ReadFile = (path: string) => Promise<Uint8Array<ArrayBuffer>>;

export class Network {
  readonly input: Float32Array;
  private answers: Record<string, { data: unknown }> = {};

  private constructor(
    readonly card: Card,
    readonly format: InputFormat,
    private readonly runtime: Runtime,
    private readonly session: Awaited<ReturnType<Runtime['create']>>,
    /** For the session's header. */
    readonly identity: NetworkIdentity,
  ) {
    this.input = new Float32Array(format.width * format.height);
  }

  static async load(runtime: Runtime, read: ReadFile, folder: string): Promise<Network> {
    const card = parseCard(new TextDecoder().decode(await read(`${folder}/model.toml`)), `${folder}/model.toml`);
    const [batch, channels, height = 0, width = 0] = card.input.shape;
    if (batch !== 1 || channels !== 1 || card.input.colour !== 'grey') {
      throw new Error(`the network ${card.name} needs colours, but only grey networks run in a browser`);
    }
    const format = { width, height, mean: card.input.mean[0]!, std: card.input.std[0]! };
    const onnx = await read(`${folder}/model.onnx`);
    // The checksum of the bytes that run. The card can belong to another file, from a cache or by mistake.
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
