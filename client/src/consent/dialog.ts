// The consent dialog, with the study's own text. It can be used with keyboard, screen reader and touch.
//
// It is in a closed shadow root with adopted styles, so that the site's styles and its content-security-policy do not change
// it. Both answers have the same size and contrast, and neither is selected in advance.

import { closedRoot, make } from '../closed-root';
import { promise } from '../natives/promise';
import type { ConsentText } from './text';

const STYLE = `
  :host { all: initial }
  dialog {
    box-sizing: border-box; width: min(34rem, calc(100vw - 2rem)); max-height: calc(100vh - 2rem); overflow: auto;
    margin: auto; padding: 1.75rem; border: 1px solid #0003; border-radius: 12px; color: #1b1b1f; background: #fff;
    font: 1rem/1.55 system-ui, sans-serif; box-shadow: 0 12px 40px #0003;
  }
  dialog::backdrop { background: #0f172a99 }
  h2 { margin: 0 0 .75rem; font-size: 1.25rem; line-height: 1.3 }
  p { margin: 0 0 .9rem; white-space: pre-line; overflow-wrap: anywhere }
  .answers { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.5rem }
  button {
    flex: 1 1 10rem; min-height: 2.75rem; padding: .5rem 1rem; border: 1.5px solid #0072b2; border-radius: 8px;
    font: inherit; font-weight: 600; color: #005a8e; background: #fff; cursor: pointer;
  }
  button:hover { background: #e8f3fa }
  :focus { outline: none }
  button:focus-visible { outline: 3px solid #0072b2; outline-offset: 2px }
  @media (prefers-color-scheme: dark) {
    dialog { color: #ececf1; background: #1d1f24; border-color: #fff3 }
    button { color: #9bd3f5; background: #1d1f24; border-color: #56b4e9 }
    button:hover { background: #26323b }
    button:focus-visible { outline-color: #56b4e9 }
  }
`;

/** Resolves with whether the visitor agreed. Escape means no. `closed` closes the dialog: null. */
export const askConsent = (text: ConsentText, closed: AbortSignal): Promise<boolean | null> => promise((resolve) => {
  const { host, root } = closedRoot('consent', STYLE);
  const dialog = make('dialog');
  dialog.lang = text.language;
  dialog.setAttribute('aria-labelledby', 'title');
  dialog.setAttribute('aria-describedby', 'text');
  const title = make('h2', text.title);
  title.id = 'title';
  title.tabIndex = -1;
  const body = make('div');
  body.id = 'text';
  for (const paragraph of text.text.trim().split(/\n\s*\n/)) body.append(make('p', paragraph));
  const answers = make('div');
  answers.className = 'answers';
  const decline = make('button', text.decline);
  const accept = make('button', text.accept);
  for (const button of [decline, accept]) button.type = 'button';
  answers.append(decline, accept);
  dialog.append(title, body, answers);
  root.append(dialog);

  const before = document.activeElement;
  const end = (answer: boolean | null) => {
    dialog.close();
    host.remove();
    if (before instanceof HTMLElement) before.focus();
    resolve(answer);
  };
  accept.addEventListener('click', (event) => { if (event.isTrusted) end(true); }); // a script of the page cannot agree for the visitor
  decline.addEventListener('click', () => end(false));
  dialog.addEventListener('cancel', (event) => {
    event.preventDefault();
    end(false);
  });
  closed.addEventListener('abort', () => end(null), { once: true });

  document.documentElement.append(host);
  dialog.showModal();
  title.focus(); // a screen reader begins with the title, and Tab reaches both answers
});
