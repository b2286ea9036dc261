// The browser's own functions about fields and their input, captured when this file runs: see `js.ts`.

import { isDocument, shadowHost } from './dom';
import { getOwnPropertyDescriptor, method } from './js';

/** Null in browsers without this property. */
const maybe = <T extends object, R>(type: { prototype: T } | undefined, name: keyof T & string): ((of: T) => R | null) => {
  const get = type && getOwnPropertyDescriptor(type.prototype, name)?.get;
  return get ? method(get as (this: T) => R) : () => null;
};

export const inputFiles = maybe<HTMLInputElement, FileList>(HTMLInputElement, 'files');
export const nameOfFile = maybe<File, string>(globalThis.File, 'name');
export const clipboardOf = maybe<ClipboardEvent, DataTransfer>(globalThis.ClipboardEvent, 'clipboardData');
export const draggedOf = maybe<DragEvent, DataTransfer>(globalThis.DragEvent, 'dataTransfer');
export const filesOf = maybe<DataTransfer, FileList>(globalThis.DataTransfer, 'files');
export const dataIn = method(DataTransfer.prototype.getData);
/** Elements of the page, without frames and shadow roots. */
export const allOf = method(Document.prototype.querySelectorAll as (this: Document, selector: string) => NodeListOf<Element>);
export const anyIn = method(Element.prototype.querySelector as (this: Element, selector: string) => Element | null);
export const byId = method(Document.prototype.getElementById);
const rootOf = method(Node.prototype.getRootNode as (this: Node) => Node);
const allOfFragment = method(DocumentFragment.prototype.querySelectorAll as (this: DocumentFragment, selector: string) => NodeListOf<Element>);
/** Elements of the document or the shadow root that contains the node. */
export const allBeside = (node: Node, selector: string): ArrayLike<Element> => {
  const root = rootOf(node);
  if (isDocument(root)) return allOf(root, selector);
  return shadowHost(root) ? allOfFragment(root as ShadowRoot, selector) : [];
};
