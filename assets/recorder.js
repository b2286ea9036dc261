// Built from client/src/lab.ts by `npm run build` in client/: change that, not this.
"use strict";
(() => {
  // src/natives/js.ts
  var { apply } = Reflect;
  var method = (f) => (self, ...args) => apply(f, self, args);
  var call = apply;
  var { defineProperty, freeze, getOwnPropertyDescriptor } = Object;
  var { stringify } = JSON;
  var slice = method(String.prototype.slice);
  var charCodeAt = method(String.prototype.charCodeAt);
  var indexOf = method(String.prototype.indexOf);
  var trim = method(String.prototype.trim);
  var lowerCase = method(String.prototype.toLowerCase);
  var codeToString = String.fromCharCode;
  var toText = String;
  var isError = /* @__PURE__ */ ((E) => (value) => value instanceof E)(Error);
  var TooLong = RangeError;
  var memory = () => {
    const map = /* @__PURE__ */ new WeakMap();
    const { get, set, has } = map;
    return {
      __proto__: null,
      get: (key2) => apply(get, map, [key2]),
      set: (key2, value) => {
        apply(set, map, [key2, value]);
      },
      has: (key2) => apply(has, map, [key2])
    };
  };

  // src/natives/dom.ts
  var getter = (prototype, name) => {
    const get = getOwnPropertyDescriptor(prototype, name)?.get;
    if (!get) throw new Error(`this browser has no ${name}`);
    return method(get);
  };
  var here = window;
  var page = document;
  var place = location;
  var {
    Element,
    ErrorEvent,
    HTMLElement,
    HTMLInputElement,
    HTMLSelectElement,
    HTMLTextAreaElement,
    MutationObserver,
    ShadowRoot
  } = window;
  var { addEventListener, removeEventListener } = EventTarget.prototype;
  var listen = method(addEventListener);
  var unlisten = method(removeEventListener);
  var setTimer = setTimeout.bind(window);
  var now = performance.now.bind(performance);
  var cssEscape = CSS.escape.bind(CSS);
  var styleOf = getComputedStyle.bind(window);
  var styleValue = method(CSSStyleDeclaration.prototype.getPropertyValue);
  var targetOf = getter(Event.prototype, "target");
  var pathOf = method(Event.prototype.composedPath);
  var keyOf = getter(KeyboardEvent.prototype, "key");
  var codeOf = getter(KeyboardEvent.prototype, "code");
  var parentOf = getter(Node.prototype, "parentNode");
  var contentOf = getter(Node.prototype, "textContent");
  var hostOf = getter(ShadowRoot.prototype, "host");
  var openRootOf = getter(Element.prototype, "shadowRoot");
  var idOf = getter(Element.prototype, "id");
  var nameOf = getter(Element.prototype, "localName");
  var previousOf = getter(Element.prototype, "previousElementSibling");
  var attribute = method(Element.prototype.getAttribute);
  var matches = method(Element.prototype.matches);
  var isEditable = getter(HTMLElement.prototype, "isContentEditable");
  var inputType = getter(HTMLInputElement.prototype, "type");
  var inputValue = getter(HTMLInputElement.prototype, "value");
  var inputCaret = getter(HTMLInputElement.prototype, "selectionStart");
  var inputChecked = getter(HTMLInputElement.prototype, "checked");
  var areaValue = getter(HTMLTextAreaElement.prototype, "value");
  var areaCaret = getter(HTMLTextAreaElement.prototype, "selectionStart");
  var selectValue = getter(HTMLSelectElement.prototype, "value");
  var selectIndex = getter(HTMLSelectElement.prototype, "selectedIndex");
  var selection = getSelection.bind(window);
  var isOnline = getter(Navigator.prototype, "onLine");
  var browser = navigator;
  var historyOf = History.prototype;
  var cryptography = crypto;
  var randomValues = method(crypto.getRandomValues);
  var randomBytes = (count) => randomValues(cryptography, new Uint8Array(count));
  var trySelector = (selector2) => {
    page.createDocumentFragment().querySelector(selector2);
  };
  var isElement = (node) => node instanceof Element;

  // src/capture/emit.ts
  var THROTTLE_MS = 33;
  var SELECTION_MS = 250;
  var SLOWS = ["move", "scroll", "slide", "select"];
  var emitter = (deliver) => {
    const slot = (every) => ({ __proto__: null, last: -1e9, every, wait: null, timed: false });
    const slots = {
      __proto__: null,
      move: slot(THROTTLE_MS),
      scroll: slot(THROTTLE_MS),
      slide: slot(THROTTLE_MS),
      select: slot(SELECTION_MS)
    };
    const release = () => {
      for (; ; ) {
        let oldest = null;
        for (let i = 0; i < SLOWS.length; i++) {
          const slot2 = slots[SLOWS[i]];
          if (slot2.wait && (!oldest?.wait || slot2.wait.t < oldest.wait.t)) oldest = slot2;
        }
        if (!oldest?.wait) return;
        const { lane, kind, t, build } = oldest.wait;
        oldest.wait = null;
        oldest.last = t;
        deliver(lane, kind, t, stringify(build()));
      }
    };
    return {
      __proto__: null,
      now: (lane, kind, t, body) => {
        const json = stringify(body);
        release();
        deliver(lane, kind, t, json);
      },
      written: (lane, kind, t, json) => {
        release();
        deliver(lane, kind, t, json);
      },
      throttled: (slow, lane, kind, t, target, build) => {
        const slot2 = slots[slow];
        if (slot2.wait && slot2.wait.target !== target) release();
        slot2.wait = { __proto__: null, lane, kind, t, target, build };
        if (t - slot2.last >= slot2.every) {
          release();
        } else if (!slot2.timed) {
          slot2.timed = true;
          setTimer(() => {
            slot2.timed = false;
            if (slot2.wait) release();
          }, slot2.every - (t - slot2.last));
        }
      },
      release
    };
  };

  // src/capture/text.ts
  var URL_LENGTH = 1e3;
  var text = (value, limit) => {
    const s = slice(toText(value), 0, limit);
    let clean = "";
    let from = 0;
    for (let i = 0; i < s.length; i++) {
      const c = charCodeAt(s, i);
      if (c < 55296 || c > 57343) continue;
      const next = c < 56320 && i + 1 < s.length ? charCodeAt(s, i + 1) : 0;
      if (next >= 56320 && next <= 57343) {
        i++;
      } else {
        clean += slice(s, from, i) + codeToString(65533);
        from = i + 1;
      }
    }
    return clean + slice(s, from);
  };
  var address = (url) => {
    let s = toText(url);
    if (slice(s, 0, 5) === "data:") return "data:";
    const hash = indexOf(s, "#");
    const tail = hash >= 0 && indexOf(slice(s, hash), "=") < 0 ? slice(s, hash) : "";
    if (hash >= 0) s = slice(s, 0, hash);
    const query = indexOf(s, "?");
    if (query >= 0) s = slice(s, 0, query);
    return text(s + tail, URL_LENGTH);
  };
  var difference = (old, fresh, caret) => {
    const shorter = old.length < fresh.length ? old.length : fresh.length;
    const mostAfter = caret === void 0 || fresh.length - caret > shorter ? shorter : fresh.length - caret;
    let after = 0;
    let before = 0;
    const isSameFromEnd = () => charCodeAt(old, old.length - 1 - after) === charCodeAt(fresh, fresh.length - 1 - after);
    if (caret !== void 0) while (after < mostAfter && isSameFromEnd()) after++;
    while (before < shorter - after && charCodeAt(old, before) === charCodeAt(fresh, before)) before++;
    while (after < shorter - before && isSameFromEnd()) after++;
    return {
      __proto__: null,
      at: before,
      deleted: slice(old, before, old.length - after),
      inserted: slice(fresh, before, fresh.length - after)
    };
  };

  // src/capture/selector.ts
  var SELECTOR = 256;
  var deep = (event) => {
    const path = pathOf(event);
    return path.length > 0 ? path[0] : targetOf(event);
  };
  var up = (node) => {
    const parent = parentOf(node);
    return parent instanceof ShadowRoot ? hostOf(parent) : parent;
  };
  var step = (element) => {
    const name = nameOf(element);
    const id = idOf(element);
    if (id) return name + "#" + cssEscape(id);
    const testId = attribute(element, "data-testid");
    if (testId) return name + "[data-testid=" + stringify(text(testId, 80)) + "]";
    let k = 1;
    for (let e = previousOf(element); e; e = previousOf(e)) if (nameOf(e) === name) k++;
    return name === "body" || name === "html" ? name : name + ":nth-of-type(" + k + ")";
  };
  var selector = (node) => {
    if (node === here) return "window";
    if (!isElement(node)) return "document";
    let path = "";
    for (let e = node; isElement(e); e = up(e)) {
      const s = step(e);
      path = path ? s + " > " + path : s;
      if (idOf(e) || attribute(e, "data-testid") || nameOf(e) === "body") break;
    }
    return text(path.length > SELECTOR ? slice(path, path.length - SELECTOR) : path, SELECTOR);
  };

  // src/capture/privacy.ts
  var LABEL = 40;
  var TEXT_TYPES = ",text,search,url,tel,email,number,password,";
  var CHOICE_TYPES = ",checkbox,radio,range,button,submit,reset,image,";
  var SECRET_HINTS = ["cc-", "one-time-code", "password", "transaction-"];
  var PAYMENT_WORDS = [
    "cardnumber",
    "cardno",
    "cardnum",
    "ccnumber",
    "ccnum",
    "creditcard",
    "debitcard",
    "kreditkarte",
    "kartennummer",
    "cvc",
    "cvv",
    "securitycode",
    "cardexp",
    "ccexp",
    "expirydate",
    "expirationdate",
    "iban",
    "accountnumber",
    "kontonummer",
    "sortcode",
    "routingnumber",
    "password",
    "passwort",
    "passcode"
  ];
  var FOCUSABLE = "html,body,a,area,button,input,select,textarea,summary,video,audio,iframe,embed,object,dialog,[tabindex],[contenteditable]";
  var CLICKABLE = "a[href],button,summary,[role=button],[role=link],input[type=button],input[type=submit],input[type=reset]";
  var contains = (hay, needles) => {
    for (let i = 0; i < needles.length; i++) if (indexOf(hay, needles[i]) >= 0) return true;
    return false;
  };
  var squeeze = (s) => {
    const lower = lowerCase(s);
    let out = "";
    for (let i = 0; i < lower.length && i < 200; i++) {
      const c = lower[i];
      if (c !== "-" && c !== "_" && c !== " " && c !== "." && c !== "[" && c !== "]") out += c;
    }
    return out;
  };
  var isEditableElement = (node) => node instanceof HTMLElement && isEditable(node);
  var isTextField = (node) => node instanceof HTMLTextAreaElement || node instanceof HTMLInputElement && indexOf(TEXT_TYPES, "," + inputType(node) + ",") >= 0 || isEditableElement(node);
  var join = (selectors) => {
    let all = "";
    let invalid = "";
    for (let i = 0; i < selectors.length; i++) {
      try {
        trySelector(selectors[i]);
        all += (all ? "," : "") + selectors[i];
      } catch {
        invalid += (invalid ? ", " : "") + stringify(selectors[i]);
      }
    }
    return { __proto__: null, all, invalid };
  };
  var masking = (mask, content) => {
    const masks = join(mask);
    const masksAll = masks.invalid !== "";
    const allowed = content === "everywhere" ? null : join(content);
    let problem = "";
    if (masksAll) problem = "mask selector " + masks.invalid + " is not valid CSS, so everything is masked";
    else if (allowed?.invalid) problem = "content selector " + allowed.invalid + " is not valid CSS and allows nothing";
    const secrets = memory();
    const isSecret = (element) => {
      if (secrets.has(element)) return true;
      let secret = false;
      if (element instanceof HTMLInputElement && inputType(element) === "password") secret = true;
      if (contains(lowerCase(attribute(element, "autocomplete") ?? ""), SECRET_HINTS)) secret = true;
      if (isTextField(element)) {
        const names = (attribute(element, "name") ?? "") + "\n" + (attribute(element, "id") ?? "") + "\n" + (attribute(element, "aria-label") ?? "");
        if (contains(squeeze(names), PAYMENT_WORDS)) secret = true;
      }
      if (secret) secrets.set(element, true);
      return secret;
    };
    const watch = new MutationObserver((changes) => {
      for (let i = 0; i < changes.length; i++) {
        if (lowerCase(changes[i].oldValue ?? "") === "password") secrets.set(changes[i].target, true);
      }
    });
    const disconnect = watch.disconnect.bind(watch);
    watch.observe(page, {
      __proto__: null,
      subtree: true,
      attributeFilter: ["type"],
      attributeOldValue: true
    });
    const isDotted = (element) => {
      const security = styleValue(styleOf(element), "-webkit-text-security");
      return security !== "" && security !== "none";
    };
    const isOpaque = (element) => !matches(element, FOCUSABLE) && !isEditableElement(element) || indexOf(nameOf(element), "-") > 0 && !openRootOf(element) && !isEditableElement(element);
    const isWithin = (node, selectors) => {
      for (let e = node; isElement(e); e = up(e)) if (matches(e, selectors)) return true;
      return false;
    };
    const isMasked = (node) => {
      if (!isElement(node)) return masksAll;
      if (masksAll || isSecret(node)) return true;
      return masks.all !== "" && isWithin(node, masks.all);
    };
    return {
      __proto__: null,
      isMasked,
      isTypingMasked: (node) => isMasked(node) || isElement(node) && (isOpaque(node) || isDotted(node)),
      isContentAllowed: (node) => !allowed || isElement(node) && allowed.all !== "" && isWithin(node, allowed.all),
      isChoice: (node) => isElement(node) && (!(node instanceof HTMLInputElement) || indexOf(CHOICE_TYPES, "," + inputType(node) + ",") >= 0),
      look: (element) => {
        isSecret(element);
      },
      label: (node) => {
        let e = node;
        for (let k = 0; isElement(e) && k < 4; e = up(e), k++) {
          if (!matches(e, CLICKABLE)) continue;
          if (isMasked(node) || isMasked(e)) return void 0;
          const words = trim((e instanceof HTMLInputElement ? inputValue(e) : contentOf(e)) ?? "");
          return words ? text(words, LABEL) : void 0;
        }
        return void 0;
      },
      problem,
      stop: disconnect
    };
  };

  // src/capture/capture.ts
  var TYPED = 4e3;
  var MARK_JSON = 32e3;
  var OPTIONS = { __proto__: null, capture: true, passive: true };
  var laneOf = (event) => event.isTrusted ? "u" : "p";
  var synthetic = (event) => event.isTrusted ? void 0 : true;
  var size = () => ({
    __proto__: null,
    width_px: here.innerWidth,
    height_px: here.innerHeight,
    pixel_ratio: here.devicePixelRatio
  });
  var spot = (masks, event, node) => ({
    __proto__: null,
    target: selector(node),
    is_masked: masks.isMasked(node) || void 0,
    synthetic: synthetic(event)
  });
  var tick = () => {
    const start = now();
    let last = start;
    let least = Infinity;
    for (let steps = 0; steps < 3 && (steps === 0 || last - start < 4); ) {
      const time = now();
      if (time === last) continue;
      if (time - last < least) least = time - last;
      last = time;
      steps++;
    }
    return least;
  };
  var markJson = (data) => {
    try {
      const json = stringify(data, (_, value) => typeof value === "string" ? text(value, TYPED) : value);
      if (json !== void 0 && json.length > MARK_JSON) throw new TooLong("too long");
      return { __proto__: null, json, isRefused: false };
    } catch {
      return { __proto__: null, json: void 0, isRefused: true };
    }
  };
  var capture = (settings2, sources2, deliver, lose) => {
    const emit = emitter(deliver);
    const masks = masking(settings2.mask, settings2.content);
    let isStopped = false;
    const failed = (kind, t2, error) => {
      const message = isError(error) ? error.message : error;
      emit.now("p", "recorder_failed", t2, { __proto__: null, during: text(kind, 32), message: text(message, 200) });
    };
    const guarded = (kind, t2, run) => {
      try {
        if (!isStopped) run();
      } catch (error) {
        try {
          failed(kind, t2, error);
        } catch {
          lose(t2);
        }
      }
    };
    const listeners = { __proto__: null };
    let count = 0;
    const on = (target, type, handle) => {
      const run = (event) => {
        const t2 = now();
        guarded(type, t2, () => handle(event, t2));
      };
      listeners[count++] = { __proto__: null, target, type, run };
    };
    const attach = () => {
      for (let i = 0; i < count && !isStopped; i++) listen(listeners[i].target, listeners[i].type, listeners[i].run, OPTIONS);
    };
    const t = now();
    const first = size();
    first.url = address(place.href);
    first.tick_ms = tick();
    emit.now("c", "document", t, first);
    const desk = { __proto__: null, emit, masks, on, guarded };
    const stops = { __proto__: null };
    for (let i = 0; i < sources2.length; i++) stops[i] = sources2[i](desk);
    attach();
    if (masks.problem) failed("mask", t, masks.problem);
    return {
      __proto__: null,
      attach,
      emit,
      mark: (name, data) => {
        const t2 = now();
        guarded("mark", t2, () => {
          const { json, isRefused } = markJson(data);
          emit.written("p", "mark", t2, '{"name":' + stringify(text(name, 100)) + (isRefused ? ',"data_is_refused":true' : "") + (json === void 0 ? "" : ',"data":' + json) + "}");
        });
      },
      stop: () => {
        if (isStopped) return;
        emit.release();
        isStopped = true;
        for (let i = 0; i < count; i++) unlisten(listeners[i].target, listeners[i].type, listeners[i].run, OPTIONS);
        for (let i = 0; i < sources2.length; i++) {
          const stop = stops[i];
          if (stop) call(stop, void 0, []);
        }
        masks.stop();
      }
    };
  };

  // src/sources/controls.ts
  var VALUE = 200;
  var control = (masks, event, node, isFinal) => {
    const type = node instanceof HTMLInputElement ? inputType(node) : nameOf(node);
    const masked = masks.isMasked(node);
    const body = {
      __proto__: null,
      target: selector(node),
      control: text(type, 16),
      is_final: isFinal,
      is_masked: masked || void 0,
      synthetic: synthetic(event)
    };
    if (masked || isTextField(node)) return body;
    if (node instanceof HTMLSelectElement) {
      body.value = text(selectValue(node), VALUE);
      body.index = selectIndex(node);
    } else if (type === "checkbox" || type === "radio") {
      body.is_checked = inputChecked(node);
      body.value = text(inputValue(node), VALUE);
    } else if (type !== "file" && node instanceof HTMLInputElement && (masks.isChoice(node) || masks.isContentAllowed(node))) {
      body.value = text(inputValue(node), VALUE);
    }
    return body;
  };
  var controls = ({ emit, masks, on }) => {
    on(here, "input", (event, t) => {
      const node = deep(event);
      if (node instanceof HTMLInputElement && inputType(node) === "range") {
        emit.throttled("slide", laneOf(event), "change", t, node, () => control(masks, event, node, false));
      }
    });
    on(here, "change", (event, t) => {
      const node = deep(event);
      if (isElement(node)) emit.now(laneOf(event), "change", t, control(masks, event, node, true));
    });
    on(here, "submit", (event, t) => emit.now("p", "submit", t, spot(masks, event, deep(event))));
    return void 0;
  };

  // src/sources/edits.ts
  var TYPED2 = 4e3;
  var contents = (node) => node instanceof HTMLInputElement ? inputValue(node) : node instanceof HTMLTextAreaElement ? areaValue(node) : contentOf(node) ?? "";
  var caretOf = (node) => {
    const caret = node instanceof HTMLInputElement ? inputCaret(node) : node instanceof HTMLTextAreaElement ? areaCaret(node) : null;
    return typeof caret === "number" ? caret : void 0;
  };
  var edits = ({ emit, masks, on }) => {
    const known = memory();
    const remember = (event) => {
      const node = deep(event);
      if (isElement(node) && isTextField(node)) {
        masks.look(node);
        known.set(node, contents(node));
      }
    };
    on(here, "beforeinput", remember);
    on(here, "focus", remember);
    on(here, "input", (event, t) => {
      const node = deep(event);
      if (!isElement(node) || !isTextField(node)) return;
      const fresh = contents(node);
      const old = known.get(node) ?? "";
      known.set(node, fresh);
      const masked = masks.isTypingMasked(node);
      const body = {
        __proto__: null,
        target: selector(node),
        how: event.inputType ? text(event.inputType, 40) : void 0,
        length_before: old.length,
        length_after: fresh.length,
        is_composing: event.isComposing || void 0,
        is_masked: masked || void 0,
        synthetic: synthetic(event)
      };
      if (!masked) {
        const caret = caretOf(node);
        const change = difference(old, fresh, caret);
        body.caret = caret;
        body.position = change.at;
        if (masks.isContentAllowed(node)) {
          body.inserted = text(change.inserted, TYPED2);
          body.deleted = text(change.deleted, TYPED2);
        }
        body.inserted_length = change.inserted.length;
        body.deleted_length = change.deleted.length;
      }
      emit.now(laneOf(event), "input", t, body);
    });
    on(here, "compositionstart", (event, t) => {
      emit.now(laneOf(event), "composition_start", t, spot(masks, event, deep(event)));
    });
    on(here, "compositionend", (event, t) => {
      emit.now(laneOf(event), "composition_end", t, spot(masks, event, deep(event)));
    });
    return void 0;
  };

  // src/sources/focus.ts
  var CLIPBOARD = ["copy", "cut", "paste"];
  var focus = ({ emit, masks, on }) => {
    on(here, "focus", (event, t) => emit.now("p", "focus", t, spot(masks, event, deep(event))));
    on(here, "blur", (event, t) => emit.now("p", "blur", t, spot(masks, event, deep(event))));
    on(page, "selectionchange", (_, t) => {
      const chosen = selection();
      if (!chosen || chosen.isCollapsed) return;
      const node = chosen.anchorNode;
      const element = isElement(node) ? node : node && up(node);
      emit.throttled("select", "p", "selection", t, null, () => ({
        __proto__: null,
        target: selector(element),
        is_masked: masks.isMasked(element) || void 0
      }));
    });
    for (let i = 0; i < CLIPBOARD.length; i++) {
      const kind = CLIPBOARD[i];
      on(here, kind, (event, t) => emit.now(laneOf(event), kind, t, spot(masks, event, deep(event))));
    }
    return void 0;
  };

  // src/sources/key.ts
  var key = ({ emit, masks, on }) => {
    const heldMasked = { __proto__: null };
    const handle = (kind) => (event, t) => {
      const node = deep(event);
      const code = toText(codeOf(event));
      const name = text(keyOf(event), 32);
      let masked = masks.isTypingMasked(node);
      if (!masked && name.length < 3 && isTextField(node) && !masks.isContentAllowed(node)) masked = true;
      if (kind === "keydown") {
        if (masked) heldMasked[code] = true;
      } else if (heldMasked[code]) {
        masked = true;
        delete heldMasked[code];
      }
      emit.now(laneOf(event), kind, t, {
        __proto__: null,
        target: selector(node),
        key: masked ? void 0 : name,
        code: masked ? void 0 : text(code, 32),
        alt: !masked && event.altKey || void 0,
        ctrl: !masked && event.ctrlKey || void 0,
        meta: !masked && event.metaKey || void 0,
        shift: !masked && event.shiftKey || void 0,
        is_repeat: event.repeat || void 0,
        is_composing: event.isComposing || void 0,
        is_masked: masked || void 0,
        synthetic: synthetic(event)
      });
    };
    on(here, "keydown", handle("keydown"));
    on(here, "keyup", handle("keyup"));
    return void 0;
  };

  // src/sources/navigation.ts
  var navigation = ({ emit, on, guarded }) => {
    on(here, "load", (event, t) => {
      if (targetOf(event) === page) emit.now("p", "load", t, { __proto__: null, url: address(place.href) });
    });
    on(here, "pageshow", (event, t) => {
      emit.now("p", "pageshow", t, { __proto__: null, is_restored: event.persisted });
    });
    on(here, "pagehide", (event, t) => {
      emit.now("p", "pagehide", t, { __proto__: null, is_kept: event.persisted });
    });
    const navigated = (how, t) => {
      emit.now("p", "navigate", t, { __proto__: null, how, url: address(place.href) });
    };
    on(here, "hashchange", (_, t) => navigated("hash", t));
    on(here, "popstate", (_, t) => navigated("pop", t));
    const wrap = (name, how) => {
      const original = historyOf[name];
      const ours = { [name](...args) {
        const t = now();
        const result = call(original, this, args);
        guarded("navigate", t, () => navigated(how, t));
        return result;
      } }[name];
      const put = (value) => defineProperty(historyOf, name, {
        __proto__: null,
        configurable: true,
        enumerable: true,
        writable: true,
        value
      });
      put(ours);
      return () => {
        if (historyOf[name] === ours) put(original);
      };
    };
    const unwrapPush = wrap("pushState", "push");
    const unwrapReplace = wrap("replaceState", "replace");
    return () => {
      unwrapPush();
      unwrapReplace();
    };
  };

  // src/sources/network.ts
  var network = ({ emit, on }) => {
    const tell = (_, t) => {
      emit.now("p", "network", t, { __proto__: null, is_online: isOnline(browser) });
    };
    on(here, "online", tell);
    on(here, "offline", tell);
    return void 0;
  };

  // src/sources/pointer.ts
  var KINDS = ["pointerdown", "pointerup", "pointercancel", "click", "dblclick", "contextmenu"];
  var pointer = ({ emit, masks, on }) => {
    for (let i = 0; i < KINDS.length; i++) {
      const kind = KINDS[i];
      on(here, kind, (event, t) => {
        const node = deep(event);
        emit.now(laneOf(event), kind, t, {
          __proto__: null,
          target: selector(node),
          label: masks.label(node),
          x_px: event.clientX,
          y_px: event.clientY,
          button: event.button,
          buttons: event.buttons,
          count: event.detail || void 0,
          device: event.pointerType ? text(event.pointerType, 16) : void 0,
          synthetic: synthetic(event)
        });
      });
    }
    on(here, "pointermove", (event, t) => {
      const node = deep(event);
      const { clientX: x_px, clientY: y_px, buttons } = event;
      const bySynthesis = synthetic(event);
      emit.throttled("move", laneOf(event), "pointermove", t, null, () => ({
        __proto__: null,
        target: selector(node),
        x_px,
        y_px,
        buttons,
        synthetic: bySynthesis
      }));
    });
    return void 0;
  };

  // src/sources/scroll.ts
  var scroll = ({ emit, on }) => {
    on(here, "scroll", (event, t) => {
      const node = targetOf(event);
      emit.throttled("scroll", "u", "scroll", t, node, () => ({
        __proto__: null,
        target: selector(node),
        x_px: isElement(node) ? node.scrollLeft : here.scrollX,
        y_px: isElement(node) ? node.scrollTop : here.scrollY
      }));
    });
    on(here, "resize", (_, t) => emit.now("p", "resize", t, size()));
    return void 0;
  };

  // src/sources/trouble.ts
  var MESSAGE = 300;
  var trouble = ({ emit, on }) => {
    on(here, "error", (event, t) => {
      const node = targetOf(event);
      if (isElement(node)) {
        const source = attribute(node, "src") ?? attribute(node, "href");
        emit.now("p", "error", t, {
          __proto__: null,
          message: text("could not be loaded: " + selector(node), MESSAGE),
          source: source ? address(source) : void 0
        });
      } else if (event instanceof ErrorEvent) {
        emit.now("p", "error", t, {
          __proto__: null,
          message: text(event.message, MESSAGE),
          source: event.filename ? address(event.filename) : void 0,
          line: event.lineno,
          column: event.colno
        });
      }
    });
    on(here, "unhandledrejection", (event, t) => {
      const reason = event.reason;
      const message = isError(reason) ? reason.message : typeof reason === "string" ? reason : typeof reason;
      emit.now("p", "rejection", t, { __proto__: null, message: text(message, MESSAGE) });
    });
    on(page, "securitypolicyviolation", (event, t) => {
      emit.now("p", "error", t, {
        __proto__: null,
        message: text("blocked: local pages may load nothing from elsewhere (" + event.effectiveDirective + ")", MESSAGE),
        source: address(event.blockedURI)
      });
    });
    return void 0;
  };

  // src/sources/visibility.ts
  var visibility = ({ emit, on }) => {
    on(page, "visibilitychange", (_, t) => {
      emit.now("p", "visibility", t, { __proto__: null, state: text(page.visibilityState, 16) });
    });
    return void 0;
  };

  // src/sources/index.ts
  var sources = [
    pointer,
    key,
    edits,
    controls,
    scroll,
    focus,
    visibility,
    navigation,
    network,
    trouble
  ];

  // src/lab.ts
  var config = __CONFIG__;
  var bridges = here;
  var bridge = bridges.webkit?.messageHandlers?.ipc ?? bridges.chrome?.webview ?? bridges.ipc;
  if (!bridge) throw new Error("the recording script runs in the lab app only");
  var post = bridge.postMessage.bind(bridge);
  var newId = () => {
    const bytes = randomBytes(8);
    let id = "";
    for (let i = 0; i < 8; i++) id += (bytes[i] < 16 ? "0" : "") + bytes[i].toString(16);
    return id;
  };
  var documentId = newId();
  var number = 0;
  var send = (lane, kind, t, json) => {
    post(config.token + lane + '{"d":"' + documentId + '","n":' + number++ + ',"t":' + t + ',"k":"' + kind + '","x":' + json + "}");
  };
  var settings = { __proto__: null, mask: config.mask, content: "everywhere" };
  var running = capture(settings, sources, send, () => {
    number++;
  });
  defineProperty(here, "affectograph", {
    __proto__: null,
    value: freeze({ __proto__: null, mark: freeze((name, data) => running.mark(name, data)) }),
    enumerable: true
  });
  var ping = (key2, id) => {
    const t = now();
    if (key2 !== config.key) return;
    send("c", "pong", t, '{"id":' + id + "}");
    running.attach();
  };
  defineProperty(here, "__affectographPing", { __proto__: null, value: freeze(ping) });
})();
