// Calls its listeners. Inside the library it takes the place of RxJS, whose work depends on functions that a page can replace.

export class Bell<T = void> {
  readonly #listening = new Set<(value: T) => void>();

  /** The returned function ends it. */
  listen(run: (value: T) => void): () => void {
    this.#listening.add(run);
    return () => { this.#listening.delete(run); };
  }

  ring(value: T): void {
    for (const run of this.#listening) run(value);
  }
}
