// Everything that stores and sends records, in a separate file (`dist/transport.js`). It is loaded after consent. Until then
// records wait in the page.

export { listenAgain } from './listen';
export { Run } from './run';
export { withdrawLeft } from './withdrawal';
