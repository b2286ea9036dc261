// Text that the participant types, pastes, drops or chooses as a file. This source records nothing. It gives the text to the
// privacy policy before any other source and any listener of the page, so that the policy can find it again.

import { slice } from '../natives/js';
import { lastIndexOf } from '../natives/strings';
import { areaCaret, areaValue, contentOf, inputType, inputValue, isArea, isInput, keyOf } from '../natives/dom';
import { clipboardOf, dataIn, draggedOf, filesOf, inputFiles, nameOfFile } from '../natives/fields';
import type { Source } from '../capture/capture';
import { isEditableElement, isTextField } from '../capture/privacy';
import { deep } from '../capture/selector';

/** Of a longer text, this many characters before and after the caret are read. */
const CONTEXT_CHARS = 1000;
const MAX_FILES = 100;

export const participantInput: Source = ({ masks, on, onPage }) => {
  const learnFiles = (files: FileList | null | undefined) => {
    // Names of files are never recorded, in no study.
    for (let i = 0; files && i < MAX_FILES && files[i]; i++) {
      const name = nameOfFile(files[i]!) ?? '';
      const dot = lastIndexOf(name, '.');
      masks.privateWords.learn(dot > 0 ? slice(name, 0, dot) : name, false);
      masks.privateWords.learnWhole(name);
    }
  };
  const valueOf = (node: unknown): string => {
    if (isInput(node)) return inputType(node) === 'file' ? '' : inputValue(node);
    if (isArea(node)) {
      const value = areaValue(node);
      const caret = areaCaret(node);
      return value.length <= 2 * CONTEXT_CHARS ? value : slice(value, caret > CONTEXT_CHARS ? caret - CONTEXT_CHARS : 0, caret + CONTEXT_CHARS);
    }
    return isTextField(node) ? contentOf(node as Element) ?? '' : '';
  };
  const learnValue = (event: Event) => {
    const node = deep(event);
    if (isInput(node) && inputType(node) === 'file') learnFiles(inputFiles(node));
    else if (!masks.isChoice(node) || isTextField(node)) masks.learn(node, valueOf(node));
  };
  const learnTransfer = (node: unknown, data: DataTransfer | null | undefined) => {
    if (!data) return;
    masks.learn(node, slice(dataIn(data, 'text/plain'), 0, 2 * CONTEXT_CHARS));
    learnFiles(filesOf(data));
  };
  on('window', 'focus', (event) => {
    const node = deep(event);
    if (isTextField(node)) masks.learnFromPage(node);
  });
  on('window', 'input', learnValue);
  on('window', 'change', learnValue);
  on<KeyboardEvent>('window', 'keydown', (event) => {
    // The values of fields are read. For a page's own kinds of fields only the keys are known.
    const node = deep(event);
    if ((!isTextField(node) || isEditableElement(node)) && !event.ctrlKey && !event.metaKey) masks.learnKey(node, keyOf(event));
  });
  on<ClipboardEvent>('window', 'paste', (event) => learnTransfer(deep(event), clipboardOf(event)));
  on<DragEvent>('window', 'drop', (event) => learnTransfer(deep(event), draggedOf(event)));
  onPage('document', 'DOMContentLoaded', () => masks.learnFromPage(null));
  masks.learnFromPage(null);
  return undefined;
};
