// Everything that stores and sends records, in a separate file (`dist/transport.js`). It is loaded after consent. Until then
// records wait in the page.

export { better } from './clock';
export { Api, Refused, batchBody } from './http';
export { listenAgain } from './listen';
export { Outbox } from './outbox';
export { clock$ } from './pings';
export { Sender } from './sender';
export { begin, finish, open } from './session';
export { openStore } from './store';
