// A closed shadow root with adopted styles: the site's styles and its content-security-policy do not change what it shows.

/** An element with words. */
export const make = <K extends keyof HTMLElementTagNameMap>(name: K, words = ''): HTMLElementTagNameMap[K] => {
  const element = document.createElement(name);
  element.textContent = words;
  return element;
};

/** The root, and its element, which is not in the page yet. `kind`: what it is, for the replay, which leaves it out. */
export const closedRoot = (kind: string, css: string): { host: HTMLElement; root: ShadowRoot } => {
  const host = make('div');
  host.setAttribute('data-affectograph', kind);
  const root = host.attachShadow({ mode: 'closed' });
  if ('adoptedStyleSheets' in root) {
    const style = new CSSStyleSheet();
    style.replaceSync(css);
    root.adoptedStyleSheets = [style];
  } else {
    (root as ShadowRoot).append(make('style', css)); // Safari before 16.4
  }
  return { host, root };
};
