// This library's other files. They are loaded only where they are used.

/** The address of a file in the folder of the option `assets`. */
export const asset = (folder: string, name: string): string => new URL(name, new URL(folder.replace(/\/?$/, '/'), document.baseURI)).href;

/** One of this library's other files, as a module. Without a folder it is `beside` this file: an `import()` with a literal,
 * which bundlers follow. */
export const load = async <Module>(folder: string | undefined, name: string, beside: () => Promise<Module>): Promise<Module> =>
  folder === undefined ? await beside() : await import(/* @vite-ignore */ /* webpackIgnore: true */ asset(folder, name)) as Module;
