// Reports each key press that no script of the page listens for. The program may then use the key as a marker. It runs
// after the recording script, which has taken the browser's own functions before, so its listeners do not count.
(() => {
  const bridge = window.webkit?.messageHandlers?.ipc ?? window.ipc;
  if (!bridge) return;
  const post = bridge.postMessage.bind(bridge);
  const isKey = (type) => type === 'keydown' || type === 'keypress' || type === 'keyup';
  const HANDLERS = ['onkeydown', 'onkeypress', 'onkeyup'];
  let isListening = false;
  const add = EventTarget.prototype.addEventListener;
  const apply = Reflect.apply;
  EventTarget.prototype.addEventListener = function addEventListener(...args) {
    if (isKey(args[0])) isListening = true;
    return apply(add, this, args);
  };
  const hasHandler = (node) => node !== null && node !== undefined && HANDLERS.some((name) => typeof node[name] === 'function');
  const isHandled = (event) => event.composedPath().some(hasHandler);
  apply(add, window, ['keydown', (event) => {
    if (event.isTrusted && !isListening && !isHandled(event)) post('__TOKEN__k');
  }, true]);
  // The back and the forward button of a mouse do nothing. The web view asks whether the page prevented its default.
  apply(add, window, ['mouseup', (event) => {
    if (event.button > 2) event.preventDefault();
  }, true]);
})();
