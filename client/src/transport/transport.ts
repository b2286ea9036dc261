// From records that wait to the server that has them: what is needed once somebody has agreed, in a file of its own
// (`dist/transport.js`). Until it is there, records wait in the page.

export { better } from './clock';
export { Api, Refused, batchBody } from './http';
export { listenAgain } from './listen';
export { Outbox } from './outbox';
export { clock$ } from './pings';
export { Sender } from './sender';
export { begin, finish, open } from './session';
export { openStore } from './store';
