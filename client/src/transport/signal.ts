// An Observable of RxJS that emits to its current subscribers. It is much smaller than RxJS's `Subject`.

import { Observable, type Subscriber } from 'rxjs';

export class Signal<T> extends Observable<T> {
  readonly #listening: Set<Subscriber<T>>;

  /** `first`: the first value for a new subscriber. */
  constructor(first?: () => T) {
    const listening = new Set<Subscriber<T>>();
    super((out) => {
      listening.add(out);
      if (first) out.next(first());
      return () => listening.delete(out);
    });
    this.#listening = listening;
  }

  get isHeard(): boolean {
    return this.#listening.size > 0;
  }

  next(value: T): void {
    for (const out of this.#listening) out.next(value);
  }

  complete(): void {
    for (const out of this.#listening) out.complete();
  }
}
