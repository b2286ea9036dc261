// Errors of the page. They can explain a participant's reaction.

import { isError } from '../natives/js';
import { attribute, isElement, targetOf } from '../natives/dom';
import type { Source } from '../capture/capture';
import { selector } from '../capture/selector';
import { address, text } from '../capture/text';

const MESSAGE = 300;

export const errors: Source = ({ emit, on }) => {
  on<ErrorEvent>('window', 'error', (event, at) => {
    const node = targetOf(event);
    if (isElement(node)) {
      const source = attribute(node, 'src') ?? attribute(node, 'href');
      emit.now('p', 'error', at, {
        __proto__: null,
        message: text('could not be loaded: ' + selector(node), MESSAGE),
        source: source ? address(source) : undefined,
      });
    } else if (typeof event.message === 'string') {
      emit.now('p', 'error', at, {
        __proto__: null,
        message: text(event.message, MESSAGE),
        source: event.filename ? address(event.filename) : undefined,
        line: event.lineno,
        column: event.colno,
      });
    }
  });
  on<PromiseRejectionEvent>('window', 'unhandledrejection', (event, at) => {
    const reason: unknown = event.reason;
    const message = isError(reason) ? reason.message : typeof reason === 'string' ? reason : typeof reason;
    emit.now('p', 'rejection', at, { __proto__: null, message: text(message, MESSAGE) });
  });
  on<SecurityPolicyViolationEvent>('document', 'securitypolicyviolation', (event, at) => {
    emit.now('p', 'error', at, {
      __proto__: null,
      message: text('blocked: local pages may load nothing from elsewhere (' + event.effectiveDirective + ')', MESSAGE),
      source: address(event.blockedURI),
    });
  });
  return undefined;
};
