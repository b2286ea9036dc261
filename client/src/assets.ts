// Where this library's other files lie: what only some sites need is loaded only there.

/** The folder this file came from, as a script or as a module. A site's own bundler moves files: it sets `assets`. */
const own = ((): string => {
  const script = document.currentScript;
  const from = script instanceof HTMLScriptElement && script.src ? script.src : import.meta.url;
  return from ? new URL('.', from).href : document.baseURI;
})();

export const asset = (folder: string | undefined, name: string): string =>
  new URL(name, folder === undefined ? own : new URL(folder.replace(/\/?$/, '/'), document.baseURI)).href;

/** One of this library's other files, as a module. */
export const load = async <Module>(folder: string | undefined, name: string): Promise<Module> =>
  await import(/* @vite-ignore */ /* webpackIgnore: true */ asset(folder, name)) as Module;
