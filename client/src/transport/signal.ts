// What is told to whoever listens at that moment, as an Observable of RxJS: its `Subject` would weigh as much as all that
// is recorded of a pointer.

import { Observable, type Subscriber } from 'rxjs';

export class Signal<T> extends Observable<T> {
  readonly #listening: Set<Subscriber<T>>;

  /** What is told to one who begins to listen. */
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
