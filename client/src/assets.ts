// The addresses of this library's other files. They are loaded only where they are used.

/** The folder of this script or module. A site whose bundler moves files sets the option `assets`. */
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
