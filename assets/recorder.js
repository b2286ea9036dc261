// Runs at the start of every document of the participant's page, main frame only (frames inside it stay unseen),
// and reports what the participant does: one message an event, each with its document, its number and the time at
// which its handler began.
//
// The page shares this world and may be careless or hostile. So everything used later is captured now, before the
// page's first script; messages start with a token that the page cannot see; every object that is written as JSON
// has no prototype, so that no `toJSON` or setter of the page's is ever called on it.
((config) => {
  'use strict';

  // ---- what we need of the world, captured -------------------------------------------------------------------
  const {
    Element, Error, ErrorEvent, HTMLElement, HTMLInputElement, HTMLSelectElement, HTMLTextAreaElement, RangeError,
    ShadowRoot,
  } = window;
  const { apply } = Reflect;
  const { defineProperty, freeze, getOwnPropertyDescriptor } = Object;
  const { stringify } = JSON;
  const method = (f) => (self, ...args) => apply(f, self, args);
  const getter = (prototype, name) => {
    const { get } = getOwnPropertyDescriptor(prototype, name);
    return (self) => apply(get, self, []);
  };
  const slice = method(String.prototype.slice);
  const charCodeAt = method(String.prototype.charCodeAt);
  const indexOf = method(String.prototype.indexOf);
  const trim = method(String.prototype.trim);
  const lowerCase = method(String.prototype.toLowerCase);
  const codeToString = String.fromCharCode;
  const toText = String;
  const listen = method(EventTarget.prototype.addEventListener);
  const setTimer = setTimeout.bind(window);
  const now = performance.now.bind(performance);
  const cssEscape = CSS.escape.bind(CSS);
  const styleOf = getComputedStyle.bind(window);
  const styleValue = method(CSSStyleDeclaration.prototype.getPropertyValue);
  const targetOf = getter(Event.prototype, 'target');
  const pathOf = method(Event.prototype.composedPath);
  const keyOf = getter(KeyboardEvent.prototype, 'key');
  const codeOf = getter(KeyboardEvent.prototype, 'code');
  const parentOf = getter(Node.prototype, 'parentNode');
  const contentOf = getter(Node.prototype, 'textContent');
  const hostOf = getter(ShadowRoot.prototype, 'host');
  const openRootOf = getter(Element.prototype, 'shadowRoot');
  const idOf = getter(Element.prototype, 'id');
  const nameOf = getter(Element.prototype, 'localName');
  const previousOf = getter(Element.prototype, 'previousElementSibling');
  const attribute = method(Element.prototype.getAttribute);
  const matches = method(Element.prototype.matches);
  const isEditable = getter(HTMLElement.prototype, 'isContentEditable');
  const inputType = getter(HTMLInputElement.prototype, 'type');
  const inputValue = getter(HTMLInputElement.prototype, 'value');
  const inputCaret = getter(HTMLInputElement.prototype, 'selectionStart');
  const inputChecked = getter(HTMLInputElement.prototype, 'checked');
  const areaValue = getter(HTMLTextAreaElement.prototype, 'value');
  const areaCaret = getter(HTMLTextAreaElement.prototype, 'selectionStart');
  const selectValue = getter(HTMLSelectElement.prototype, 'value');
  const selectIndex = getter(HTMLSelectElement.prototype, 'selectedIndex');
  const selection = getSelection.bind(window);
  const memory = () => {
    const map = new WeakMap();
    return { __proto__: null, get: map.get.bind(map), set: map.set.bind(map), has: map.has.bind(map) };
  };
  const here = window;
  const page = document;
  const place = location;
  const bridge = here.webkit?.messageHandlers?.ipc ?? here.chrome?.webview ?? here.ipc;
  const post = bridge.postMessage.bind(bridge);

  // ---- one emit ----------------------------------------------------------------------------------------------
  const THROTTLE_MS = 33;
  const SELECTION_MS = 250;
  const SELECTOR = 256;
  const LABEL = 40;
  const TYPED = 4000;
  const URL_LENGTH = 1000;
  const MARK_JSON = 32000;

  // A string as the parser takes it: at most `limit` UTF-16 units, and no half of a surrogate pair.
  const text = (value, limit) => {
    const s = slice(toText(value), 0, limit);
    let clean = '';
    let from = 0;
    for (let i = 0; i < s.length; i++) {
      const c = charCodeAt(s, i);
      if (c < 0xd800 || c > 0xdfff) continue;
      const next = c < 0xdc00 && i + 1 < s.length ? charCodeAt(s, i + 1) : 0;
      if (next >= 0xdc00 && next <= 0xdfff) {
        i++;
      } else {
        clean += slice(s, from, i) + codeToString(0xfffd);
        from = i + 1;
      }
    }
    return clean + slice(s, from);
  };

  const newId = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(8));
    let id = '';
    for (let i = 0; i < 8; i++) id += (bytes[i] < 16 ? '0' : '') + bytes[i].toString(16);
    return id;
  };
  const documentId = newId();
  let number = 0;

  // Lanes are limited one by one, so that a page that floods cannot drown what the participant does:
  // `u` the participant, `p` whatever the page can cause, `c` the clock and the document's first word.
  const sendJson = (lane, kind, t, json) => {
    post(config.token + lane + '{"d":"' + documentId + '","n":' + number++ + ',"t":' + t + ',"k":"' + kind
      + '","x":' + json + '}');
  };

  // Throttled events wait here for the end of their interval, or for the next other event: numbers follow time.
  const slots = {
    __proto__: null,
    move: { __proto__: null, last: -1e9, every: THROTTLE_MS, wait: null, timed: false },
    scroll: { __proto__: null, last: -1e9, every: THROTTLE_MS, wait: null, timed: false },
    slide: { __proto__: null, last: -1e9, every: THROTTLE_MS, wait: null, timed: false },
    select: { __proto__: null, last: -1e9, every: SELECTION_MS, wait: null, timed: false },
  };
  const release = () => {
    for (;;) {
      let oldest = null;
      for (const name in slots) {
        const slot = slots[name];
        if (slot.wait && (!oldest || slot.wait.t < oldest.wait.t)) oldest = slot;
      }
      if (!oldest) return;
      const { lane, kind, t, build } = oldest.wait;
      oldest.wait = null;
      oldest.last = t;
      sendJson(lane, kind, t, stringify(build()));
    }
  };
  const emit = (lane, kind, t, body) => {
    const json = stringify(body);
    release();
    sendJson(lane, kind, t, json);
  };
  const emitThrottled = (name, lane, kind, t, target, build) => {
    const slot = slots[name];
    if (slot.wait && slot.wait.target !== target) release();
    slot.wait = { __proto__: null, lane, kind, t, target, build };
    if (t - slot.last >= slot.every) {
      release();
    } else if (!slot.timed) {
      slot.timed = true;
      setTimer(() => {
        slot.timed = false;
        if (slot.wait) release();
      }, slot.every - (t - slot.last));
    }
  };

  // ---- where it happened -------------------------------------------------------------------------------------
  const isElement = (node) => node instanceof Element;
  // The innermost node: open shadow roots are looked into.
  const deep = (event) => {
    const path = pathOf(event);
    return path.length > 0 ? path[0] : targetOf(event);
  };
  const up = (node) => {
    const parent = parentOf(node);
    return parent instanceof ShadowRoot ? hostOf(parent) : parent;
  };
  const step = (element) => {
    const name = nameOf(element);
    const id = idOf(element);
    if (id) return name + '#' + cssEscape(id);
    const testId = attribute(element, 'data-testid');
    if (testId) return name + '[data-testid=' + stringify(text(testId, 80)) + ']';
    let k = 1;
    for (let e = previousOf(element); e; e = previousOf(e)) if (nameOf(e) === name) k++;
    return name === 'body' || name === 'html' ? name : name + ':nth-of-type(' + k + ')';
  };
  const selector = (node) => {
    if (node === here) return 'window';
    if (!isElement(node)) return 'document';
    let path = '';
    for (let e = node; isElement(e); e = up(e)) {
      const s = step(e);
      path = path ? s + ' > ' + path : s;
      if (idOf(e) || attribute(e, 'data-testid') || nameOf(e) === 'body') break;
    }
    // The end of a long path says more than its beginning.
    return text(path.length > SELECTOR ? slice(path, path.length - SELECTOR) : path, SELECTOR);
  };

  // ---- what must not be known --------------------------------------------------------------------------------
  let masks = '';
  let masksAll = false;
  let maskProblem = '';
  for (let i = 0; i < config.mask.length; i++) {
    try {
      page.createDocumentFragment().querySelector(config.mask[i]);
      masks += (masks ? ',' : '') + config.mask[i];
    } catch {
      // A mask that cannot be read hides everything rather than nothing.
      masksAll = true;
      maskProblem = 'mask selector ' + stringify(config.mask[i]) + ' is not valid CSS, so everything is masked';
    }
  }
  const secrets = memory();
  const isSecret = (element) => {
    if (secrets.has(element)) return true;
    let secret = false;
    if (element instanceof HTMLInputElement && inputType(element) === 'password') secret = true;
    const hint = lowerCase(attribute(element, 'autocomplete') ?? '');
    if (indexOf(hint, 'cc-') >= 0 || indexOf(hint, 'one-time-code') >= 0 || indexOf(hint, 'password') >= 0) secret = true;
    if (secret) secrets.set(element, true); // "show password" turns it into plain text later
    return secret;
  };
  // Turned into plain text before anything happened in it: still a password.
  const watch = new MutationObserver((changes) => {
    for (let i = 0; i < changes.length; i++) {
      if (lowerCase(changes[i].oldValue ?? '') === 'password') secrets.set(changes[i].target, true);
    }
  });
  watch.observe(page, {
    __proto__: null, subtree: true, attributeFilter: ['type'], attributeOldValue: true,
  });
  const isDotted = (element) => {
    const security = styleValue(styleOf(element), '-webkit-text-security');
    return security !== '' && security !== 'none';
  };
  // Elements that can have the keyboard focus of their own. Keys that go to any other element go to something
  // inside a closed shadow root, of which nothing can be known.
  const FOCUSABLE = 'html,body,a,area,button,input,select,textarea,summary,video,audio,iframe,embed,object,dialog,'
    + '[tabindex],[contenteditable]';
  const isOpaque = (element) =>
    !matches(element, FOCUSABLE) && !(element instanceof HTMLElement && isEditable(element))
    || indexOf(nameOf(element), '-') > 0 && !openRootOf(element) && !(element instanceof HTMLElement && isEditable(element));
  const isMasked = (node) => {
    if (!isElement(node)) return masksAll;
    if (masksAll || isSecret(node)) return true;
    if (masks) for (let e = node; isElement(e); e = up(e)) if (matches(e, masks)) return true;
    return false;
  };
  const isTypingMasked = (node) => isMasked(node) || isElement(node) && (isOpaque(node) || isDotted(node));

  // Buttons and links are named by their text, everything else by its selector alone.
  const CLICKABLE = 'a[href],button,summary,[role=button],[role=link],input[type=button],input[type=submit],input[type=reset]';
  const label = (node) => {
    for (let e = node, k = 0; isElement(e) && k < 4; e = up(e), k++) {
      if (!matches(e, CLICKABLE)) continue;
      if (isMasked(node) || isMasked(e)) return undefined;
      const words = trim(e instanceof HTMLInputElement ? inputValue(e) : contentOf(e));
      return words ? text(words, LABEL) : undefined;
    }
    return undefined;
  };
  // A form sent by GET puts what was typed, a password too, into the query; some services put keys into the hash.
  const address = (url) => {
    let s = toText(url);
    if (slice(s, 0, 5) === 'data:') return 'data:';
    const hash = indexOf(s, '#');
    const tail = hash >= 0 && indexOf(slice(s, hash), '=') < 0 ? slice(s, hash) : '';
    if (hash >= 0) s = slice(s, 0, hash);
    const query = indexOf(s, '?');
    if (query >= 0) s = slice(s, 0, query);
    return text(s + tail, URL_LENGTH);
  };

  // ---- listeners ---------------------------------------------------------------------------------------------
  const failed = (kind, t, error) => {
    try {
      const message = error instanceof Error ? error.message : error;
      emit('p', 'recorder_failed', t, { __proto__: null, during: kind, message: text(message, 200) });
    } catch {
      number++; // leaves a hole, which is counted
    }
  };
  // Without a prototype, so that a page cannot change how the list is read; filled once below.
  const listeners = { __proto__: null };
  let listenerCount = 0;
  const on = (target, type, handle) => {
    listeners[listenerCount++] = {
      __proto__: null,
      target,
      type,
      run: (event) => {
        const t = now();
        try {
          handle(event, t);
        } catch (error) {
          failed(type, t, error);
        }
      },
    };
  };
  // The same listener is added only once, so this can be repeated: `document.open()` takes all listeners away.
  const attach = () => {
    for (let i = 0; i < listenerCount; i++) {
      const { target, type, run } = listeners[i];
      listen(target, type, run, { __proto__: null, capture: true, passive: true });
    }
  };
  const synthetic = (event) => (event.isTrusted ? undefined : true);
  const laneOf = (event) => (event.isTrusted ? 'u' : 'p');

  const pointer = (event, node) => ({
    __proto__: null,
    target: selector(node),
    label: label(node),
    x_px: event.clientX,
    y_px: event.clientY,
    button: event.button,
    buttons: event.buttons,
    count: event.detail || undefined,
    device: event.pointerType ? text(event.pointerType, 16) : undefined,
    synthetic: synthetic(event),
  });
  const POINTER = ['pointerdown', 'pointerup', 'pointercancel', 'click', 'dblclick', 'contextmenu'];
  for (let i = 0; i < POINTER.length; i++) {
    const kind = POINTER[i];
    on(here, kind, (event, t) => emit(laneOf(event), kind, t, pointer(event, deep(event))));
  }
  on(here, 'pointermove', (event, t) => {
    const node = deep(event);
    const { clientX: x_px, clientY: y_px, buttons, isTrusted } = event;
    emitThrottled('move', isTrusted ? 'u' : 'p', 'pointermove', t, null, () => ({
      __proto__: null, target: selector(node), x_px, y_px, buttons, synthetic: isTrusted ? undefined : true,
    }));
  });

  // A key pressed in a masked field and let go elsewhere is still that key.
  const heldMasked = { __proto__: null };
  const key = (kind) => (event, t) => {
    const node = deep(event);
    const code = toText(codeOf(event));
    let masked = isTypingMasked(node);
    if (kind === 'keydown') {
      if (masked) heldMasked[code] = true;
    } else if (heldMasked[code]) {
      masked = true;
      delete heldMasked[code];
    }
    emit(laneOf(event), kind, t, {
      __proto__: null,
      target: selector(node),
      key: masked ? undefined : text(keyOf(event), 32),
      code: masked ? undefined : text(code, 32),
      alt: !masked && event.altKey || undefined,
      ctrl: !masked && event.ctrlKey || undefined,
      meta: !masked && event.metaKey || undefined,
      shift: !masked && event.shiftKey || undefined,
      is_repeat: event.repeat || undefined,
      is_composing: event.isComposing || undefined,
      is_masked: masked || undefined,
      synthetic: synthetic(event),
    });
  };
  on(here, 'keydown', key('keydown'));
  on(here, 'keyup', key('keyup'));

  // ---- what was typed and what was deleted -------------------------------------------------------------------
  const TEXT_TYPES = ',text,search,url,tel,email,number,password,';
  const isTextField = (node) =>
    node instanceof HTMLTextAreaElement
    || node instanceof HTMLInputElement && indexOf(TEXT_TYPES, ',' + inputType(node) + ',') >= 0
    || node instanceof HTMLElement && isEditable(node);
  const contents = (node) =>
    node instanceof HTMLInputElement ? inputValue(node)
      : node instanceof HTMLTextAreaElement ? areaValue(node)
        : contentOf(node) ?? '';
  const caretOf = (node) => {
    const caret = node instanceof HTMLInputElement ? inputCaret(node)
      : node instanceof HTMLTextAreaElement ? areaCaret(node) : null;
    return typeof caret === 'number' ? caret : undefined;
  };
  const known = memory();
  const remember = (event) => {
    const node = deep(event);
    if (isElement(node) && isTextField(node)) {
      isSecret(node);
      known.set(node, contents(node));
    }
  };
  on(here, 'beforeinput', remember);

  // The one change that turns `old` into `fresh`, placed where the caret says it was.
  const difference = (old, fresh, caret) => {
    const shorter = old.length < fresh.length ? old.length : fresh.length;
    const mostAfter = caret === undefined ? shorter : fresh.length - caret < shorter ? fresh.length - caret : shorter;
    let after = 0;
    let before = 0;
    if (caret !== undefined) {
      while (after < mostAfter
        && charCodeAt(old, old.length - 1 - after) === charCodeAt(fresh, fresh.length - 1 - after)) after++;
    }
    while (before < shorter - after && charCodeAt(old, before) === charCodeAt(fresh, before)) before++;
    while (after < shorter - before
      && charCodeAt(old, old.length - 1 - after) === charCodeAt(fresh, fresh.length - 1 - after)) after++;
    return {
      __proto__: null,
      at: before,
      deleted: slice(old, before, old.length - after),
      inserted: slice(fresh, before, fresh.length - after),
    };
  };
  on(here, 'input', (event, t) => {
    const node = deep(event);
    if (node instanceof HTMLInputElement && inputType(node) === 'range') {
      emitThrottled('slide', laneOf(event), 'change', t, node, () => control(event, node, false));
      return;
    }
    if (!isElement(node) || !isTextField(node)) return;
    const fresh = contents(node);
    const old = known.get(node) ?? '';
    known.set(node, fresh);
    const masked = isTypingMasked(node);
    const body = {
      __proto__: null,
      target: selector(node),
      how: event.inputType ? text(event.inputType, 40) : undefined,
      length_before: old.length,
      length_after: fresh.length,
      is_composing: event.isComposing || undefined,
      is_masked: masked || undefined,
      synthetic: synthetic(event),
    };
    if (!masked) {
      const caret = caretOf(node);
      const change = difference(old, fresh, caret);
      body.caret = caret;
      body.position = change.at;
      body.inserted = text(change.inserted, TYPED);
      body.deleted = text(change.deleted, TYPED);
      body.inserted_length = change.inserted.length;
      body.deleted_length = change.deleted.length;
    }
    emit(laneOf(event), 'input', t, body);
  });
  const spot = (event) => {
    const node = deep(event);
    return {
      __proto__: null,
      target: selector(node),
      is_masked: isMasked(node) || undefined,
      synthetic: synthetic(event),
    };
  };
  on(here, 'compositionstart', (event, t) => emit(laneOf(event), 'composition_start', t, spot(event)));
  on(here, 'compositionend', (event, t) => emit(laneOf(event), 'composition_end', t, spot(event)));

  // ---- controls ----------------------------------------------------------------------------------------------
  const control = (event, node, isFinal) => {
    const type = node instanceof HTMLInputElement ? inputType(node) : nameOf(node);
    const masked = isMasked(node);
    const body = {
      __proto__: null,
      target: selector(node),
      control: text(type, 16),
      is_final: isFinal,
      is_masked: masked || undefined,
      synthetic: synthetic(event),
    };
    if (masked || isTextField(node)) return body; // what was typed is in the input events
    if (node instanceof HTMLSelectElement) {
      body.value = text(selectValue(node), 200);
      body.index = selectIndex(node);
    } else if (type === 'checkbox' || type === 'radio') {
      body.is_checked = inputChecked(node);
      body.value = text(inputValue(node), 200);
    } else if (type !== 'file' && node instanceof HTMLInputElement) {
      body.value = text(inputValue(node), 200);
    }
    return body;
  };
  on(here, 'change', (event, t) => {
    const node = deep(event);
    if (isElement(node)) emit(laneOf(event), 'change', t, control(event, node, true));
  });
  on(here, 'submit', (event, t) => emit('p', 'submit', t, spot(event)));

  // ---- view and focus ----------------------------------------------------------------------------------------
  on(here, 'scroll', (event, t) => {
    const node = targetOf(event);
    const isView = !isElement(node);
    emitThrottled('scroll', 'u', 'scroll', t, node, () => ({
      __proto__: null,
      target: selector(node),
      x_px: isView ? here.scrollX : node.scrollLeft,
      y_px: isView ? here.scrollY : node.scrollTop,
    }));
  });
  on(here, 'focus', (event, t) => {
    remember(event);
    emit('p', 'focus', t, spot(event));
  });
  on(here, 'blur', (event, t) => emit('p', 'blur', t, spot(event)));
  on(page, 'visibilitychange', (event, t) => {
    emit('p', 'visibility', t, { __proto__: null, state: text(page.visibilityState, 16) });
  });
  const size = () => ({
    __proto__: null, width_px: here.innerWidth, height_px: here.innerHeight, pixel_ratio: here.devicePixelRatio,
  });
  on(here, 'resize', (event, t) => emit('p', 'resize', t, size()));
  on(page, 'selectionchange', (event, t) => {
    const chosen = selection();
    if (!chosen || chosen.isCollapsed) return;
    const node = chosen.anchorNode;
    const element = isElement(node) ? node : node && up(node);
    emitThrottled('select', 'p', 'selection', t, null, () => ({
      __proto__: null, target: selector(element), is_masked: isMasked(element) || undefined,
    }));
  });
  const CLIPBOARD = ['copy', 'cut', 'paste'];
  for (let i = 0; i < CLIPBOARD.length; i++) {
    const kind = CLIPBOARD[i];
    on(here, kind, (event, t) => emit(laneOf(event), kind, t, spot(event)));
  }

  // ---- navigation and trouble --------------------------------------------------------------------------------
  on(here, 'load', (event, t) => {
    if (targetOf(event) === page) emit('p', 'load', t, { __proto__: null, url: address(place.href) });
  });
  on(here, 'pageshow', (event, t) => emit('p', 'pageshow', t, { __proto__: null, is_restored: event.persisted }));
  on(here, 'pagehide', (event, t) => emit('p', 'pagehide', t, { __proto__: null, is_kept: event.persisted }));
  const navigated = (how, t) => emit('p', 'navigate', t, { __proto__: null, how, url: address(place.href) });
  on(here, 'hashchange', (event, t) => navigated('hash', t));
  on(here, 'popstate', (event, t) => navigated('pop', t));
  const HISTORY = { __proto__: null, pushState: 'push', replaceState: 'replace' };
  for (const name in HISTORY) {
    const original = History.prototype[name];
    defineProperty(History.prototype, name, {
      __proto__: null,
      configurable: true,
      enumerable: true,
      writable: true,
      value: { [name](...args) {
        const t = now();
        const result = apply(original, this, args);
        try {
          navigated(HISTORY[name], t);
        } catch (error) {
          failed('navigate', t, error);
        }
        return result;
      } }[name],
    });
  }
  on(here, 'error', (event, t) => {
    const node = targetOf(event);
    if (isElement(node)) {
      const source = attribute(node, 'src') ?? attribute(node, 'href');
      emit('p', 'error', t, {
        __proto__: null,
        message: 'could not be loaded: ' + selector(node),
        source: source ? address(source) : undefined,
      });
    } else if (event instanceof ErrorEvent) {
      emit('p', 'error', t, {
        __proto__: null,
        message: text(event.message, 300),
        source: event.filename ? address(event.filename) : undefined,
        line: event.lineno,
        column: event.colno,
      });
    }
  });
  on(here, 'unhandledrejection', (event, t) => {
    const { reason } = event;
    const message = reason instanceof Error ? reason.message : typeof reason === 'string' ? reason : typeof reason;
    emit('p', 'rejection', t, { __proto__: null, message: text(message, 300) });
  });
  on(page, 'securitypolicyviolation', (event, t) => {
    emit('p', 'error', t, {
      __proto__: null,
      message: text('blocked: local pages may load nothing from elsewhere (' + event.effectiveDirective + ')', 300),
      source: address(event.blockedURI),
    });
  });

  // ---- what the page may say, and what the program asks ------------------------------------------------------
  const mark = (name, data) => {
    const t = now();
    try {
      let json;
      let isRefused = false;
      try {
        json = stringify(data, (_, value) => (typeof value === 'string' ? text(value, TYPED) : value));
        if (json !== undefined && json.length > MARK_JSON) throw new RangeError('too long');
      } catch {
        json = undefined; // circular, too long, or its own code threw
        isRefused = true;
      }
      release();
      sendJson('p', 'mark', t, '{"name":' + stringify(text(name, 100)) + (isRefused ? ',"data_is_refused":true' : '')
        + (json === undefined ? '' : ',"data":' + json) + '}');
    } catch (error) {
      failed('mark', t, error);
    }
  };
  defineProperty(here, 'affectograph', {
    __proto__: null, value: freeze({ __proto__: null, mark: freeze(mark) }), enumerable: true,
  });
  const ping = (key, id) => {
    const t = now();
    if (key !== config.key) return;
    sendJson('c', 'pong', t, '{"id":' + id + '}');
    attach();
  };
  defineProperty(here, '__affectographPing', { __proto__: null, value: freeze(ping) });

  // How coarse this clock is: the least of three of its steps, since a busy machine makes some look larger. At most 4 ms,
  // or the first step.
  const tick = () => {
    const start = now();
    let last = start;
    let least = Infinity;
    for (let steps = 0; steps < 3 && (steps === 0 || last - start < 4);) {
      const time = now();
      if (time === last) continue;
      if (time - last < least) least = time - last;
      last = time;
      steps++;
    }
    return least;
  };
  const t = now();
  const first = size();
  first.url = address(place.href);
  first.tick_ms = tick();
  sendJson('c', 'document', t, stringify(first));
  attach();
  if (maskProblem) failed('mask', t, maskProblem);
})(__CONFIG__);
