// Built from client/src/lab.ts by `npm run build` in client/: change that, not this.
"use strict";
(() => {
  // src/natives/js.ts
  var { apply } = Reflect;
  var method = (f) => (self, ...args) => apply(f, self, args);
  var call = apply;
  var { defineProperty, freeze, getOwnPropertyDescriptor, getPrototypeOf, keys } = Object;
  var { setPrototypeOf } = Object;
  var { isArray } = Array;
  var { stringify } = JSON;
  var slice = method(String.prototype.slice);
  var charCodeAt = method(String.prototype.charCodeAt);
  var indexOf = method(String.prototype.indexOf);
  var trim = method(String.prototype.trim);
  var lowerCase = method(String.prototype.toLowerCase);
  var codeToString = String.fromCharCode;
  var toText = String;
  var dateToText = method(Date.prototype.toISOString);
  var dateValue = method(Date.prototype.getTime);
  var kindOf = method(Object.prototype.toString);
  var boxed = {
    __proto__: null,
    "[object String]": method(String.prototype.valueOf),
    "[object Number]": method(Number.prototype.valueOf),
    "[object Boolean]": method(Boolean.prototype.valueOf)
  };
  var isError = /* @__PURE__ */ ((E) => (value) => value instanceof E || indexOf(",[object Error],[object DOMException],", "," + kindOf(value) + ",") >= 0)(Error);
  var TooLong = RangeError;
  var list = () => setPrototypeOf([], null);
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
  var maybe = (prototype, name) => {
    const get = prototype && getOwnPropertyDescriptor(prototype, name)?.get;
    return get && method(get);
  };
  var here = window;
  var page = document;
  var place = location;
  var { MutationObserver } = window;
  var { addEventListener, removeEventListener } = EventTarget.prototype;
  var listen = method(addEventListener);
  var unlisten = method(removeEventListener);
  var setTimer = setTimeout.bind(window);
  var now = performance.now.bind(performance);
  var cssEscape = CSS.escape.bind(CSS);
  var styleOf = getComputedStyle.bind(window);
  var styleValue = method(CSSStyleDeclaration.prototype.getPropertyValue);
  var targetOf = getter(Event.prototype, "target");
  var stampOf = getter(Event.prototype, "timeStamp");
  var pathOf = method(Event.prototype.composedPath);
  var keyOf = getter(KeyboardEvent.prototype, "key");
  var codeOf = getter(KeyboardEvent.prototype, "code");
  var { getCoalescedEvents } = PointerEvent.prototype;
  var coalesced = getCoalescedEvents && method(getCoalescedEvents);
  var { getTargetRanges } = InputEvent.prototype;
  var rangesOf = getTargetRanges && method(getTargetRanges);
  var nodeType = getter(Node.prototype, "nodeType");
  var parentOf = getter(Node.prototype, "parentNode");
  var contentOf = getter(Node.prototype, "textContent");
  var firstOf = getter(Node.prototype, "firstChild");
  var nextOf = getter(Node.prototype, "nextSibling");
  var documentOf = getter(Node.prototype, "ownerDocument");
  var dataOf = getter(CharacterData.prototype, "data");
  var hostOf = getter(ShadowRoot.prototype, "host");
  var openRootOf = getter(Element.prototype, "shadowRoot");
  var idOf = getter(Element.prototype, "id");
  var nameOf = getter(Element.prototype, "localName");
  var spaceOf = getter(Element.prototype, "namespaceURI");
  var previousOf = getter(Element.prototype, "previousElementSibling");
  var attribute = method(Element.prototype.getAttribute);
  var matches = method(Element.prototype.matches);
  var rectOf = method(Element.prototype.getBoundingClientRect);
  var isEditable = getter(HTMLElement.prototype, "isContentEditable");
  var inputType = getter(HTMLInputElement.prototype, "type");
  var inputValue = getter(HTMLInputElement.prototype, "value");
  var inputCaret = getter(HTMLInputElement.prototype, "selectionStart");
  var inputChecked = getter(HTMLInputElement.prototype, "checked");
  var areaValue = getter(HTMLTextAreaElement.prototype, "value");
  var areaCaret = getter(HTMLTextAreaElement.prototype, "selectionStart");
  var selectValue = getter(HTMLSelectElement.prototype, "value");
  var selectIndex = getter(HTMLSelectElement.prototype, "selectedIndex");
  var selectMany = getter(HTMLSelectElement.prototype, "multiple");
  var selectOptions = getter(HTMLSelectElement.prototype, "options");
  var countOf = getter(HTMLCollection.prototype, "length");
  var optionChosen = getter(HTMLOptionElement.prototype, "selected");
  var optionValue = getter(HTMLOptionElement.prototype, "value");
  var selectionOf = method(Document.prototype.getSelection);
  var fullScreen = (name, event) => {
    const of = maybe(Document.prototype, name);
    return of && { __proto__: null, of, event };
  };
  var fullScreenOf = fullScreen("fullscreenElement", "fullscreenchange") ?? fullScreen("webkitFullscreenElement", "webkitfullscreenchange");
  var orientation = screen.orientation;
  var mediaTime = maybe(globalThis.HTMLMediaElement?.prototype, "currentTime");
  var isOnline = getter(Navigator.prototype, "onLine");
  var browser = navigator;
  var historyOf = History.prototype;
  var cryptography = crypto;
  var randomValues = method(crypto.getRandomValues);
  var randomBytes = (count) => randomValues(cryptography, new Uint8Array(count));
  var trySelector = (selector2) => {
    page.createDocumentFragment().querySelector(selector2);
  };
  var framesIn = maybe(window, "length") ?? ((w) => w.length);
  var frameElementOf = maybe(window, "frameElement") ?? ((w) => w.frameElement);
  var performanceOf = maybe(window, "performance") ?? ((w) => w.performance);
  var nowOf = method(Performance.prototype.now);
  var originOf = maybe(Performance.prototype, "timeOrigin") ?? (() => NaN);
  var clockOffset = (other) => {
    const theirs = performanceOf(other);
    const before2 = now();
    const read2 = nowOf(theirs);
    const measured = (before2 + now()) / 2 - read2;
    const told = originOf(theirs) - originOf(performanceOf(here));
    return told - measured < 3 && measured - told < 3 ? told : measured;
  };
  var HTML = "http://www.w3.org/1999/xhtml";
  var kind = (node) => {
    if (typeof node !== "object" || node === null) return 0;
    try {
      return nodeType(node);
    } catch {
      return 0;
    }
  };
  var isElement = (node) => kind(node) === 1;
  var isText = (node) => kind(node) === 3;
  var isDocument = (node) => kind(node) === 9;
  var shadowHost = (node) => {
    if (kind(node) !== 11) return null;
    try {
      return hostOf(node);
    } catch {
      return null;
    }
  };
  var isHtml = (node) => isElement(node) && spaceOf(node) === HTML;
  var named = (name) => (node) => isHtml(node) && nameOf(node) === name;
  var isInput = named("input");
  var isArea = named("textarea");
  var isSelect = named("select");
  var watchLongTasks = /* @__PURE__ */ ((Observer, List, Entry) => (tell) => {
    try {
      if (!Observer.supportedEntryTypes.includes("longtask")) return void 0;
      const entriesOf = method(List.prototype.getEntries);
      const startOf = getter(Entry.prototype, "startTime");
      const lengthOf = getter(Entry.prototype, "duration");
      const observer = new Observer((entries) => {
        const all = entriesOf(entries);
        for (let i = 0; i < all.length; i++) {
          tell({ __proto__: null, start_ms: startOf(all[i]), length_ms: lengthOf(all[i]) });
        }
      });
      const disconnect = observer.disconnect.bind(observer);
      observer.observe({ type: "longtask" });
      return disconnect;
    } catch {
      return void 0;
    }
  })(globalThis.PerformanceObserver, globalThis.PerformanceObserverEntryList, globalThis.PerformanceEntry);

  // src/capture/moment.ts
  var AHEAD_MS = 50;
  var OLDEST_MS = 6e5;
  var NEAR_MS = 100;
  var DEVICE = ",keydown,keyup,pointerdown,pointerup,pointermove,pointercancel,click,dblclick,contextmenu,";
  var PROOF = ",keydown,keyup,pointerdown,pointerup,pointermove,";
  var moment = (t = now()) => ({ __proto__: null, t, handled: t, isByHandling: false });
  var stamps = (beat_ms) => {
    let isProven = false;
    let alive = now();
    const isExplained = (lag, handled) => handled - alive >= lag - 2 * beat_ms;
    return {
      __proto__: null,
      of: (event, type, offset, handled) => {
        const told = event.isTrusted ? stampOf(event) + offset : NaN;
        const lag = handled - told;
        let isSound = told >= 0 && lag >= -AHEAD_MS && lag <= OLDEST_MS;
        if (isSound && indexOf(DEVICE, "," + type + ",") >= 0) {
          if (lag <= NEAR_MS) isProven ||= indexOf(PROOF, "," + type + ",") >= 0;
          else isSound = isProven || isExplained(lag, handled);
        }
        const t = isSound && told < handled ? told : handled;
        return { __proto__: null, t, handled, isByHandling: event.isTrusted && !isSound };
      },
      beat: (t) => {
        alive = t;
      }
    };
  };

  // src/capture/busy.ts
  var LEAST_MS = 50;
  var MOST = 10;
  var ANOTHER_EVERY_MS = 1e3;
  var LONGEST_MS = 6e5;
  var busy = (emit, watch, beat_ms) => {
    let start2 = 0;
    let longest = 0;
    let sum = 0;
    let count = 0;
    let credit = MOST;
    let credited = now();
    let last = now();
    let wasHidden = true;
    const tell = () => {
      if (count === 0) return;
      const body = { __proto__: null, length_ms: longest, is_measured: ends !== void 0 || void 0 };
      if (count > 1) {
        body.count = count;
        body.total_ms = sum;
      }
      const at2 = moment();
      at2.t = start2;
      emit.now("c", "busy", at2, body);
      count = longest = sum = 0;
    };
    const block = (task) => {
      const { start_ms, length_ms } = task;
      if (length_ms < LEAST_MS || length_ms > LONGEST_MS) return;
      if (count === 0) start2 = start_ms;
      if (length_ms > longest) longest = length_ms;
      sum += length_ms;
      count++;
      spend();
    };
    const spend = () => {
      const t = now();
      credit += (t - credited) / ANOTHER_EVERY_MS;
      if (credit > MOST) credit = MOST;
      credited = t;
      if (count === 0 || credit < 1) return;
      credit--;
      tell();
    };
    const ends = watch(block);
    return {
      __proto__: null,
      isMeasured: ends !== void 0,
      beat: (t) => {
        const isHidden = page.visibilityState === "hidden";
        const late = t - last - beat_ms;
        if (!ends && !isHidden && !wasHidden) block({ __proto__: null, start_ms: last + beat_ms, length_ms: late });
        last = t;
        wasHidden = isHidden;
        spend();
      },
      paused: () => {
        wasHidden = true;
      },
      stop: () => {
        ends?.();
        tell();
      }
    };
  };

  // src/capture/emit.ts
  var THROTTLE_MS = 33;
  var SELECTION_MS = 250;
  var SOON_MS = 1;
  var SLOWS = ["move", "scroll", "slide", "select"];
  var emitter = (deliver, check) => {
    const slot = (every) => ({ __proto__: null, last: -1e9, every, wait: null, timed: false });
    const slots = {
      __proto__: null,
      move: slot(THROTTLE_MS),
      scroll: slot(THROTTLE_MS),
      slide: slot(THROTTLE_MS),
      select: slot(SELECTION_MS)
    };
    const write = (at2, body) => {
      if (at2.handled - at2.t >= SOON_MS) body.handled_ms = at2.handled;
      if (at2.isByHandling) body.is_timed_by_handling = true;
      check(body);
      return stringify(body);
    };
    const release = () => {
      for (; ; ) {
        let oldest = null;
        for (let i = 0; i < SLOWS.length; i++) {
          const slot2 = slots[SLOWS[i]];
          if (slot2.wait && (!oldest?.wait || slot2.wait.at.handled < oldest.wait.at.handled)) oldest = slot2;
        }
        if (!oldest?.wait) return;
        const { lane, kind: kind2, at: at2, build } = oldest.wait;
        oldest.wait = null;
        oldest.last = at2.t;
        deliver(lane, kind2, at2.t, write(at2, build()));
      }
    };
    return {
      __proto__: null,
      now: (lane, kind2, at2, body) => {
        const json = write(at2, body);
        release();
        deliver(lane, kind2, at2.t, json);
      },
      written: (lane, kind2, at2, json) => {
        release();
        deliver(lane, kind2, at2.t, json);
      },
      throttled: (slow, lane, kind2, at2, target, build) => {
        const slot2 = slots[slow];
        if (slot2.wait && slot2.wait.target !== target) release();
        slot2.wait = { __proto__: null, lane, kind: kind2, at: at2, target, build };
        const since = at2.t - slot2.last;
        if (since >= slot2.every) {
          release();
        } else if (!slot2.timed) {
          slot2.timed = true;
          setTimer(() => {
            slot2.timed = false;
            if (slot2.wait) release();
          }, since > 0 ? slot2.every - since : slot2.every);
        }
      },
      release
    };
  };

  // src/capture/frames.ts
  var MOST2 = 100;
  var DEEPEST = 8;
  var elements = memory();
  var frameOf = (inner) => elements.get(inner);
  var place2 = (window2, document2, element, parent) => ({
    __proto__: null,
    window: window2,
    document: document2,
    element,
    parent,
    offset: element ? clockOffset(window2) : 0
  });
  var thePage = place2(here, page, null, null);
  var inPage = (at2, x, y) => {
    for (let p = at2; p.element && p.parent; p = p.parent) {
      const frame = p.element;
      const rect = rectOf(frame);
      const scale = frame.offsetWidth > 0 ? rect.width / frame.offsetWidth : 1;
      x = rect.left + (frame.clientLeft + x) * scale;
      y = rect.top + (frame.clientTop + y) * scale;
    }
    return { __proto__: null, x, y };
  };
  var frames = (enter, leave) => {
    const known = memory();
    const foreign = memory();
    const seen = memory();
    const visit = (window2, parent) => {
      let document2 = null;
      let element = null;
      try {
        ({ document: document2 } = window2);
        element = frameElementOf(window2);
      } catch {
      }
      if (!seen.has(window2)) {
        seen.set(window2, true);
        all.count++;
      }
      if (!document2 || !element) {
        if (!foreign.has(window2)) {
          foreign.set(window2, true);
          all.unseen++;
        }
        return void 0;
      }
      const old = known.get(window2);
      if (old?.document === document2) return old;
      if (old) leave(old);
      const fresh = place2(window2, document2, element, parent);
      elements.set(document2, element);
      elements.set(window2, element);
      known.set(window2, fresh);
      enter(fresh);
      return fresh;
    };
    const walk = (parent, depth, run) => {
      const count = framesIn(parent.window);
      for (let i = 0; i < count && i < MOST2 && depth < DEEPEST; i++) {
        const inner = parent.window[i];
        const at2 = run ? known.get(inner) : visit(inner, parent);
        if (!at2) continue;
        if (run) run(at2);
        walk(at2, depth + 1, run);
      }
    };
    const all = {
      __proto__: null,
      look: () => walk(thePage, 0, void 0),
      each: (run) => {
        run(thePage);
        walk(thePage, 0, run);
      },
      count: 0,
      unseen: 0
    };
    return all;
  };

  // src/natives/strings.ts
  var normalize = method(String.prototype.normalize);
  var decodePart = decodeURIComponent;
  var lastIndexOf = method(String.prototype.lastIndexOf);
  var decoded = (part) => {
    try {
      return decodePart(part);
    } catch {
      return part;
    }
  };
  var pieces = (whole, dividers, put) => {
    let out = "";
    for (let from = 0, to = 0; to <= whole.length; to++) {
      if (to < whole.length && indexOf(dividers, whole[to]) < 0) continue;
      out += put(slice(whole, from, to)) + slice(whole, to, to + 1);
      from = to + 1;
    }
    return out;
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
  var SCHEMES = ",http,https,ws,wss,study,fixation,";
  var KEY_LENGTH = 20;
  var isDigit = (c) => c >= 48 && c <= 57;
  var isPersonal = (part) => {
    const plain = lowerCase(decoded(part));
    if (indexOf(plain, "=") >= 0 || indexOf(plain, "&") >= 0 || indexOf(plain, "@") > 0) return true;
    const dot = lastIndexOf(plain, ".");
    if (dot > 0 && plain.length - dot <= 6) return false;
    let run = 0;
    let digits = 0;
    let hex = 0;
    for (let i = 0; i < plain.length; i++) {
      const c = charCodeAt(plain, i);
      const isLetter = c >= 97 && c <= 122;
      run = isDigit(c) || isLetter ? run + 1 : 0;
      digits = isDigit(c) ? digits + 1 : run && digits;
      hex = isDigit(c) || isLetter && c <= 102 ? hex + 1 : c === 45 ? hex : 0;
      if (run >= KEY_LENGTH && digits || hex >= 32) return true;
    }
    return false;
  };
  var path = (s) => pieces(s, "/", (part) => {
    const more = indexOf(part, ";");
    return isPersonal(part) ? "***" : more < 0 ? part : slice(part, 0, more);
  });
  var before = (s, end2) => {
    const at2 = indexOf(s, end2);
    return at2 < 0 ? s : slice(s, 0, at2);
  };
  var address = (url) => {
    const whole = toText(url);
    let s = before(before(whole, "#"), "?");
    const hash = slice(whole, before(whole, "#").length);
    const tail = slice(hash, 1, 2) === "/" || slice(hash, 1, 3) === "!/" ? before(hash, "?") : "";
    const scheme = before(s, ":");
    const hasScheme = scheme.length < s.length && indexOf(scheme, "/") < 0;
    if (hasScheme && indexOf(SCHEMES, "," + lowerCase(scheme) + ",") < 0) {
      return s === "about:blank" || s === "about:srcdoc" ? s : text(lowerCase(scheme), 20) + ":";
    }
    let head = hasScheme ? scheme + ":" : "";
    s = slice(s, head.length);
    if (slice(s, 0, 2) === "//") {
      const host = before(slice(s, 2), "/");
      head += "//" + slice(host, lastIndexOf(host, "@") + 1);
      s = slice(s, 2 + host.length);
    }
    return text(head + path(s) + path(tail), URL_LENGTH);
  };
  var withAddresses = (message) => pieces(message, " 	\r\n\"'`()<>,", (word) => indexOf(word, "://") >= 0 || indexOf(word, "?") >= 0 && indexOf(word, "=") >= 0 || indexOf(word, "data:") === 0 ? address(word) : word);
  var common = (old, fresh, most, isFromEnd) => {
    let same = 0;
    for (let piece = most; piece > 0; ) {
      if (piece > most - same) piece = most - same;
      if (piece === 0) break;
      const until = same + piece;
      const isSame = isFromEnd ? slice(old, old.length - until, old.length - same) === slice(fresh, fresh.length - until, fresh.length - same) : slice(old, same, until) === slice(fresh, same, until);
      if (isSame) same = until;
      else piece >>= 1;
    }
    return same;
  };
  var isHalf = (s, k, first) => {
    const unit = charCodeAt(s, k);
    return unit >= first && unit < first + 1024;
  };
  var difference = (old, fresh, caret) => {
    const shorter = old.length < fresh.length ? old.length : fresh.length;
    const mostAfter = caret === void 0 || fresh.length - caret > shorter ? shorter : fresh.length - caret;
    let after = caret === void 0 ? 0 : common(old, fresh, mostAfter, true);
    let before2 = common(old, fresh, shorter - after, false);
    if (caret === void 0 || after === mostAfter) after = common(old, fresh, shorter - before2, true);
    if (before2 > 0 && isHalf(old, before2 - 1, 55296)) before2--;
    if (after > 0 && isHalf(old, old.length - after, 56320)) after--;
    return {
      __proto__: null,
      at: before2,
      deleted: slice(old, before2, old.length - after),
      inserted: slice(fresh, before2, fresh.length - after)
    };
  };

  // src/capture/json.ts
  var TEXT = 4e3;
  var LENGTH = 32e3;
  var DEEPEST2 = 20;
  var isNever = (value) => value === void 0 || typeof value === "function" || typeof value === "symbol";
  var unwrapped = (value) => {
    const kind2 = kindOf(value);
    try {
      if (kind2 === "[object Date]") return dateValue(value) === dateValue(value) ? dateToText(value) : null;
      const unbox = boxed[kind2];
      if (unbox) return unbox(value);
    } catch {
    }
    return value;
  };
  var ownToJson = (value) => {
    for (let o = value; o; o = getPrototypeOf(o)) {
      const above = getPrototypeOf(o);
      if (!above && o !== value) return void 0;
      const found = getOwnPropertyDescriptor(o, "toJSON");
      if (found) return found.get ? call(found.get, value, []) : found.value;
    }
    return void 0;
  };
  var markJson = (data) => {
    let length = 0;
    const spend = (json) => {
      length += json.length;
      if (length > LENGTH) throw new TooLong("too long");
      return json;
    };
    const write = (given, key2, depth) => {
      let value = given;
      if (depth > DEEPEST2) throw new TooLong("nested too deeply");
      if (typeof value === "object" && value !== null && !isArray(value)) {
        value = unwrapped(value);
        if (typeof value === "object" && value !== null) {
          const toJson = ownToJson(value);
          if (typeof toJson === "function") value = call(toJson, value, [key2]);
        }
      }
      if (isNever(value)) return "null";
      if (typeof value === "string") return spend(stringify(text(value, TEXT)));
      if (typeof value !== "object" || value === null) return spend(stringify(value));
      let json = "";
      if (isArray(value)) {
        for (let i = 0; i < value.length; i++) json += spend(i ? "," : "") + write(value[i], "" + i, depth + 1);
        return spend("[") + json + spend("]");
      }
      const names = keys(value);
      for (let i = 0; i < names.length; i++) {
        const name = names[i];
        const field = value[name];
        if (isNever(field)) continue;
        json += spend((json ? "," : "") + stringify(text(name, TEXT)) + ":") + write(field, name, depth + 1);
      }
      return spend("{") + json + spend("}");
    };
    return isNever(data) ? void 0 : write(data, "", 0);
  };

  // src/natives/fields.ts
  var maybe2 = (type, name) => {
    const get = type && getOwnPropertyDescriptor(type.prototype, name)?.get;
    return get ? method(get) : () => null;
  };
  var inputFiles = maybe2(HTMLInputElement, "files");
  var nameOfFile = maybe2(globalThis.File, "name");
  var clipboardOf = maybe2(globalThis.ClipboardEvent, "clipboardData");
  var draggedOf = maybe2(globalThis.DragEvent, "dataTransfer");
  var filesOf = maybe2(globalThis.DataTransfer, "files");
  var dataIn = method(DataTransfer.prototype.getData);
  var allOf = method(Document.prototype.querySelectorAll);
  var anyIn = method(Element.prototype.querySelector);
  var byId = method(Document.prototype.getElementById);

  // src/capture/words.ts
  var MOST_WORDS = 500;
  var MOST_READ = 1e3;
  var MOST_OWN = 4e3;
  var PHRASE = 40;
  var WORD = 4;
  var SPELLED = 6;
  var COMMON = " the and you are for not but was his her has had its our out who how all any can did i it is a an am to of in on my me we he no so do be at by or if as up us der die das und ist ein mit von den dem des sie wir ihr ich les est une que qui pas sur par son los las del con por non che gli that this with from have they what your about there their would which when will been were into then them than some could other after also because very just like more only over such make much dass nicht eine einen auch wenn sich oder aber mein dein sein haben noch nach pour dans avec mais plus cette vous nous tout para como pero esta este todo porque della sono come anche quello questo ";
  var fold = (value) => {
    const s = normalize(lowerCase(value), "NFKD");
    let out = "";
    let gap = "";
    for (let i = 0; i < s.length; i++) {
      const c = charCodeAt(s, i);
      if (c >= 768 && c < 880 || c === 173 || c >= 8203 && c < 8208 || c === 8288 || c === 65279) continue;
      if (c >= 48 && c < 58 || c >= 97 && c < 123 || c >= 192 && (c < 8192 || c >= 11264) && (c < 12288 || c >= 12352)) {
        out += gap + (c === 223 ? "ss" : s[i]);
        gap = "";
      } else if (out) {
        gap = " ";
      }
    }
    return out;
  };
  var squeezed = (folded) => {
    let out = "";
    pieces(folded, " ", (word) => out += word);
    return out;
  };
  var isNumber = (word) => {
    for (let i = 0; i < word.length; i++) if (word[i] > "9") return false;
    return true;
  };
  var isCommon = (word) => indexOf(COMMON, " " + word + (word.length < WORD ? " " : "")) >= 0;
  var isDense = (word) => word.length > 1 && charCodeAt(word, 0) >= 11904;
  var words = () => {
    const known = { __proto__: null };
    let first = 0;
    let end2 = 0;
    let joined = " ";
    const owned = { __proto__: null };
    let owns = 0;
    let keys2 = "";
    const add = (word) => {
      if (!word || indexOf(joined, " " + word + " ") >= 0) return;
      const last = known[end2 - 1];
      if (!last || indexOf(word, last) !== 0 || indexOf(word, " ") < 0 !== indexOf(last, " ") < 0) end2++;
      known[end2 - 1] = word;
      if (end2 - first > MOST_WORDS) delete known[first++];
      joined = " ";
      for (let i = first; i < end2; i++) joined += known[i] + " ";
    };
    const learn = (value, isSecret) => {
      const folded = fold(value.length <= 2 * MOST_READ ? value : slice(value, 0, MOST_READ) + " " + slice(value, value.length - MOST_READ));
      let says = isSecret;
      pieces(folded, " ", (word) => {
        says ||= !isCommon(word);
        if (word.length >= WORD ? isSecret || !isCommon(word) : isDense(word) || word.length > 2 && (isSecret || isNumber(word))) add(word);
        return "";
      });
      if (folded.length <= PHRASE && says) {
        add(folded);
        const whole = squeezed(folded);
        if (isSecret || isNumber(whole)) add(whole);
      }
    };
    const has = (text2) => {
      const folded = end2 > first ? fold(slice(text2, 0, 2e4)) : "";
      if (!folded) return false;
      const around2 = " " + folded + " ";
      const spelled = squeezed(folded);
      for (let i = first; i < end2; i++) {
        const word = known[i];
        if (word.length < 3 ? folded === word || isDense(word) && indexOf(around2, word) >= 0 : indexOf(around2, word.length < WORD ? " " + word + " " : word) >= 0 || word.length >= (isNumber(word) ? WORD : SPELLED) && indexOf(spelled, word) >= 0) return true;
      }
      let found = false;
      pieces(folded, " ", (word) => {
        found ||= word.length >= WORD && !isCommon(word) && indexOf(joined, isNumber(word) ? word : " " + word) >= 0;
        return "";
      });
      return found;
    };
    return {
      __proto__: null,
      learn,
      learnWhole: (value) => {
        const whole = squeezed(fold(slice(value, 0, 200)));
        if (whole.length >= SPELLED) add(whole);
      },
      learnKey: (key2, isElsewhere) => {
        if (isElsewhere || key2 === "Enter") keys2 = "";
        if (key2.length > 2 && key2 !== "Backspace") return;
        keys2 = key2.length > 2 ? slice(keys2, 0, keys2.length - 1) : slice(keys2, keys2.length - PHRASE + 1 > 0 ? 20 : 0) + key2;
        learn(keys2, false);
      },
      own: (text2) => {
        const plain = trim(text2);
        if (owns >= MOST_OWN || !plain || plain.length > 300 || owned[plain] || has(plain)) return;
        owned[plain] = true;
        owns++;
      },
      reveals: (text2) => has(text2) && !owned[trim(text2)],
      isPiece: (text2) => {
        const folded = fold(text2);
        return folded !== "" && folded.length <= WORD && indexOf(joined, folded) >= 0;
      }
    };
  };
  var shape = (text2) => pieces(text2, " 	\r\n\f ", (word) => {
    let stars = "";
    while (stars.length < word.length) stars += "*";
    return stars;
  });

  // src/capture/payment.ts
  var WITHIN = "cardn,cardhold,cardexp,cardver,cardcode,ccn,ccexp,cccsc,cccvc,nameoncard,creditcard,debitcard,cvc,cvv,securitycode,expir,expmonth,expyear,validthru,validuntil,iban,accountn,sortcode,routingn,swiftcode,passw,passphrase,passcode,pincode,onetimecode,kreditkart,kartenn,karteninh,kartenpr,prufn,prufz,sicherheitscode,ablaufd,gultigbis,kontonummer,bankleitzahl,kennwort,geheimzahl,numerodec,numerodelac,cartebancaire,cartedec,titulairedelac,codedesecu,cryptogram,motdepasse,codesecret,codeconfid,tarjeta,codigodeseg,caducidad,vencimiento,contrasena,clavesecreta,numerocarta,dicarta,dellacarta,cartadi,intestatario,disicurezza,scadenza,codicesegreto".split(",");
  var ALONE = "csc,pin,tan,bic,blz,mmyy,mm yy,mm yyyy,mm aa,mm aaaa,mm jj,mm jjjj".split(",");
  var isPayment = (names) => {
    const folded = " " + fold(names) + " ";
    const whole = squeezed(folded);
    for (let i = 0; i < WITHIN.length; i++) if (indexOf(whole, WITHIN[i]) >= 0) return true;
    for (let i = 0; i < ALONE.length; i++) if (indexOf(folded, " " + ALONE[i] + " ") >= 0) return true;
    return false;
  };

  // src/capture/selector.ts
  var SELECTOR = 256;
  var deep = (event) => {
    const path3 = pathOf(event);
    return path3.length > 0 ? path3[0] : targetOf(event);
  };
  var up = (node) => {
    const parent = parentOf(node);
    if (!parent) return null;
    return (isDocument(parent) ? frameOf(parent) : shadowHost(parent)) ?? parent;
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
  var within = (inner) => {
    const frame = typeof inner === "object" && inner !== null && inner !== page && inner !== here ? frameOf(inner) : void 0;
    return frame ? path2(frame) + " >> " : "";
  };
  var path2 = (node) => {
    if (isDocument(node)) return within(node) + "document";
    if (!isElement(node)) {
      const frame = within(node);
      return frame ? frame + "window" : node === here ? "window" : "document";
    }
    let path3 = "";
    for (let e = node; isElement(e); e = up(e)) {
      const s = step(e);
      path3 = path3 ? s + " > " + path3 : s;
      const name = nameOf(e);
      if (idOf(e) || attribute(e, "data-testid") || name === "body" || name === "html") break;
    }
    return within(documentOf(node)) + path3;
  };
  var selector = (node) => {
    const all = path2(node);
    return text(all.length > SELECTOR ? slice(all, all.length - SELECTOR) : all, SELECTOR);
  };

  // src/capture/privacy.ts
  var LABEL = 40;
  var TYPES = {
    __proto__: null,
    subtree: true,
    attributeFilter: ["type"],
    attributeOldValue: true
  };
  var TEXT_TYPES = ",text,search,url,tel,email,number,password,";
  var CHOICE_TYPES = ",checkbox,radio,range,button,submit,reset,image,";
  var SECRET_HINTS = ["cc-", "one-time-code", "password", "transaction-"];
  var FOCUSABLE = "html,body,a,area,button,input,select,textarea,summary,video,audio,iframe,embed,object,dialog,[tabindex],[contenteditable]";
  var CLICKABLE = "a[href],button,summary,[role=button],[role=link],input[type=button],input[type=submit],input[type=reset]";
  var SPOKEN = "textarea,output,meter,progress,datalist,[contenteditable]:not([contenteditable=false]),[role=textbox],[role=searchbox],[role=combobox]:not(select)";
  var HIDDEN = "input[type=hidden]";
  var FIELDS = "input,textarea,select,[contenteditable]";
  var NAMES = ["name", "id", "aria-label", "placeholder", "title"];
  var NAMED = "[id],[data-testid]";
  var LOOK_EVERY_MS = 1e3;
  var ADDRESSES = ["url", "source"];
  var contains = (hay, needles) => {
    for (let i = 0; i < needles.length; i++) if (indexOf(hay, needles[i]) >= 0) return true;
    return false;
  };
  var isEditableElement = (node) => isHtml(node) && isEditable(node);
  var isTextField = (node) => isArea(node) || isInput(node) && indexOf(TEXT_TYPES, "," + inputType(node) + ",") >= 0 || isEditableElement(node);
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
  var namesOf = (field) => {
    let names = "";
    const say = (element) => {
      names += "\n" + slice((element && contentOf(element)) ?? "", 0, 200);
    };
    for (let i = 0; i < NAMES.length; i++) names += "\n" + (attribute(field, NAMES[i]) ?? "");
    const whole = documentOf(field) ?? page;
    pieces(attribute(field, "aria-labelledby") ?? "", " ", (id2) => {
      if (id2) say(byId(whole, id2));
      return "";
    });
    const id = idOf(field);
    if (id) {
      const labels = allOf(whole, 'label[for="' + cssEscape(id) + '"]');
      for (let i = 0; i < 3 && labels[i]; i++) say(labels[i]);
    }
    for (let e = up(field), k = 0; isElement(e) && k < 4; e = up(e), k++) if (nameOf(e) === "label") say(e);
    return names;
  };
  var around = (node) => {
    const outer = up(node);
    if (!isDocument(outer)) return outer;
    try {
      return outer.defaultView?.frameElement ?? null;
    } catch {
      return null;
    }
  };
  var masking = (mask, content) => {
    const masks = join(mask);
    const masksAll = masks.invalid !== "";
    const allowed = content === "everywhere" ? null : join(content);
    let problem = "";
    if (masksAll) problem = "mask selector " + masks.invalid + " is not valid CSS, so everything is masked";
    else if (allowed?.invalid) problem = "content selector " + allowed.invalid + " is not valid CSS and allows nothing";
    const secrets = memory();
    const places = memory();
    const known = words();
    const isSecret = (element) => {
      if (secrets.has(element)) return true;
      let secret = false;
      const type = isInput(element) ? inputType(element) : "";
      if (type === "password") secret = true;
      else if (contains(lowerCase(attribute(element, "autocomplete") ?? ""), SECRET_HINTS)) secret = true;
      else if ((type ? indexOf(CHOICE_TYPES, "," + type + ",") < 0 : isSelect(element) || isTextField(element)) && isPayment(namesOf(element))) secret = true;
      if (secret) secrets.set(element, true);
      return secret;
    };
    const watch = new MutationObserver((changes) => {
      for (let i = 0; i < changes.length; i++) {
        if (lowerCase(changes[i].oldValue ?? "") === "password") secrets.set(changes[i].target, true);
      }
    });
    const disconnect = watch.disconnect.bind(watch);
    const observe = watch.observe.bind(watch);
    const watchToo = (document2) => observe(document2, TYPES);
    watchToo(page);
    const isDotted = (element) => {
      const security = styleValue(styleOf(element), "-webkit-text-security");
      return security !== "" && security !== "none";
    };
    const isOpaque = (element) => !matches(element, FOCUSABLE) && !isEditableElement(element) || indexOf(nameOf(element), "-") > 0 && !openRootOf(element) && !isEditableElement(element);
    const isWithin = (node, selectors) => {
      for (let e = node; isElement(e); e = around(e)) if (matches(e, selectors)) return true;
      return false;
    };
    const isMaskedHere = (element) => masks.all !== "" && matches(element, masks.all);
    const isMasked = (node) => {
      if (!isElement(node)) return masksAll;
      if (masksAll || isSecret(node)) return true;
      return masks.all !== "" && isWithin(node, masks.all);
    };
    const isTypingMasked = (node) => isMasked(node) || isElement(node) && (isOpaque(node) || isDotted(node));
    const isContentAllowed = (node) => !allowed || isElement(node) && allowed.all !== "" && isWithin(node, allowed.all);
    const isKept = (node) => !isTypingMasked(node) && isContentAllowed(node);
    const isPrivatePlace = (element) => {
      if (masksAll || places.has(element)) return true;
      const isOwn = isMaskedHere(element) || isSecret(element) || (isEditableElement(element) || matches(element, SPOKEN)) && !isContentAllowed(element);
      if (isOwn) places.set(element, true);
      return isOwn;
    };
    const told = (value) => known.reveals(value) ? shape(value) : value;
    const hide = (part) => part !== "" && known.reveals(part);
    const toldPath = (url) => pieces(url, "/", (part) => hide(decoded(part)) ? "***" : part);
    const learnField = (field) => {
      const isHidden = matches(field, HIDDEN);
      const value = isInput(field) ? inputValue(field) : isSelect(field) ? "" : contentOf(field) ?? "";
      if (isHidden && isKey(value)) known.learnWhole(value);
      else if (value && !isHidden && isMasked(field)) known.learn(value, true);
    };
    const ownName = (element) => {
      known.own(idOf(element));
      known.own(attribute(element, "data-testid") ?? "");
    };
    const each = (selectors, run) => {
      const all = allOf(page, selectors);
      for (let i = 0; i < 5e3; i++) {
        const element = all[i];
        if (!element) return;
        run(element);
      }
    };
    let keyed;
    let looked = -1e9;
    let lookedAround = -1e9;
    const lookAtFields = () => {
      const t = now();
      if (t - looked < LOOK_EVERY_MS) return;
      looked = t;
      each(FIELDS, learnField);
    };
    const labelOf = (e) => trim((isInput(e) ? inputValue(e) : contentOf(e)) ?? "");
    return {
      __proto__: null,
      isMasked,
      isTypingMasked,
      isContentAllowed,
      isChoice: (node) => isElement(node) && (!isInput(node) || indexOf(CHOICE_TYPES, "," + inputType(node) + ",") >= 0),
      look: (element) => {
        isSecret(element);
      },
      label: (node) => {
        let e = node;
        for (let k = 0; isElement(e) && k < 4; e = up(e), k++) {
          if (!matches(e, CLICKABLE)) continue;
          if (isMasked(node) || isMasked(e) || isEditableElement(e) && !isContentAllowed(e)) return void 0;
          if (anyIn(e, SPOKEN) || masks.all !== "" && anyIn(e, masks.all)) return void 0;
          const label = labelOf(e);
          return label ? text(told(text(label, LABEL)), LABEL) : void 0;
        }
        return void 0;
      },
      isPrivatePlace,
      isPrivate: (node) => {
        for (let e = isElement(node) ? node : null; isElement(e); e = around(e)) if (isPrivatePlace(e)) return true;
        return masksAll;
      },
      keepPrivate: (element) => {
        places.set(element, true);
      },
      learn: (node, value) => {
        if (value !== "" && !isKept(node)) known.learn(value, isElement(node) && isMasked(node));
      },
      learnKey: (node, key2) => {
        if (isKept(node)) return;
        known.learnKey(key2, node !== keyed);
        keyed = node;
      },
      lookAround: (node) => {
        const t = now();
        if (node && (t - lookedAround < LOOK_EVERY_MS || isKept(node))) return;
        lookedAround = t;
        lookAtFields();
        each(NAMED, ownName);
        each(CLICKABLE, (e) => known.own(text(labelOf(e), LABEL)));
      },
      words: known,
      told,
      toldAddress: (url) => toldPath(address(url)),
      check: (body) => {
        const { target, message } = body;
        if (typeof target === "string" && known.reveals(target)) {
          body.target = pieces(target, ">", (step2) => hide(nameIn(step2)) ? "***" : step2);
        }
        if (typeof message === "string") {
          lookAtFields();
          body.message = told(withAddresses(message));
        }
        for (let i = 0; i < ADDRESSES.length; i++) {
          const url = body[ADDRESSES[i]];
          if (typeof url === "string") body[ADDRESSES[i]] = toldPath(url);
        }
      },
      here: () => {
        const { href, hash } = place;
        const name = slice(hash, 1);
        return toldPath(address(href)) + (name && name.length <= 64 && byId(page, name) && !hide(name) ? hash : "");
      },
      masks: masks.all,
      problem,
      watch: watchToo,
      stop: disconnect
    };
  };
  var nameIn = (step2) => {
    const id = indexOf(step2, "#");
    if (id >= 0) return slice(step2, id + 1);
    const test = indexOf(step2, '="');
    return test >= 0 ? slice(step2, test + 2, step2.length - 2) : "";
  };
  var isKey = (value) => {
    if (value.length < 6) return false;
    let digits = 0;
    for (let i = 0; i < value.length && i < 200; i++) if (value[i] >= "0" && value[i] <= "9") digits++;
    return digits > 0 || value.length >= 24 || indexOf(value, "@") > 0;
  };

  // src/capture/capture.ts
  var QUICK_BEAT_MS = 50;
  var BEAT_MS = 250;
  var FRAMES_EVERY_MS = 250;
  var OPTIONS = { __proto__: null, capture: true, passive: true };
  var laneOf = (event) => event.isTrusted ? "u" : "p";
  var ROOT = { __proto__: null, childList: true };
  var synthetic = (event) => event.isTrusted ? void 0 : true;
  var size = () => ({
    __proto__: null,
    width_px: here.innerWidth,
    height_px: here.innerHeight,
    pixel_ratio: here.devicePixelRatio
  });
  var viewed = (body, place3, x, y) => {
    const at2 = inPage(place3, x, y);
    body.x_px = at2.x;
    body.y_px = at2.y;
    return body;
  };
  var spot = (masks, event, node) => ({
    __proto__: null,
    target: selector(node),
    is_masked: masks.isMasked(node) || void 0,
    synthetic: synthetic(event)
  });
  var tick = () => {
    const start2 = now();
    let last = start2;
    let least = Infinity;
    for (let steps = 0; steps < 3 && (steps === 0 || last - start2 < 4); ) {
      const time = now();
      if (time === last) continue;
      if (time - last < least) least = time - last;
      last = time;
      steps++;
    }
    return least;
  };
  var capture = (settings, sources2, deliver, lose) => {
    const masks = masking(settings.mask, settings.content);
    const emit = emitter(deliver, masks.check);
    let isStopped = false;
    const failed = (kind2, t, error) => {
      const message = isError(error) ? error.message : error;
      emit.now("p", "recorder_failed", moment(t), { __proto__: null, during: text(kind2, 32), message: text(message, 200) });
    };
    const guarded = (kind2, t, run) => {
      try {
        if (!isStopped) run();
      } catch (error) {
        try {
          failed(kind2, t, error);
        } catch {
          lose(t);
        }
      }
    };
    const listeners = { __proto__: null };
    let count = 0;
    const adder = (isInFrames) => (target, type, handle) => {
      listeners[count++] = { __proto__: null, target, type, isInFrames, handle };
    };
    const running = memory();
    const runnersOf = (at2) => {
      const runners = { __proto__: null };
      for (let i = 0; i < count; i++) {
        const { type, handle, isInFrames } = listeners[i];
        if (at2.element && !isInFrames) continue;
        runners[i] = (event) => {
          const handled = now();
          guarded(type, handled, () => handle(event, timed(event, type, handled, at2), at2));
        };
      }
      return runners;
    };
    const each = (at2, add) => {
      const runners = running.get(at2);
      for (let i = 0; runners && i < count; i++) {
        const { target, type } = listeners[i];
        const run = runners[i];
        if (run) add(target === "window" ? at2.window : target === "document" ? at2.document : target, type, run, OPTIONS);
      }
    };
    const attachTo = (at2) => each(at2, listen);
    const detachFrom = (at2) => each(at2, unlisten);
    const enter = (at2) => {
      if (at2.element) masks.watch(at2.document);
      running.set(at2, runnersOf(at2));
      attachTo(at2);
      observe(at2.document, ROOT);
    };
    const all = frames(enter, detachFrom);
    const attach = () => {
      if (isStopped) return;
      all.look();
      all.each(attachTo);
      settings.attached?.();
    };
    const rewritten = new MutationObserver(() => guarded("attach", now(), attach));
    const observe = rewritten.observe.bind(rewritten);
    const unobserve = rewritten.disconnect.bind(rewritten);
    const still = busy(emit, (tell) => watchLongTasks((task) => guarded("busy", now(), () => tell(task))), QUICK_BEAT_MS);
    const beat_ms = still.isMeasured ? BEAT_MS : QUICK_BEAT_MS;
    const stamp = stamps(beat_ms);
    let told = 0;
    let looked = 0;
    const look = (t) => {
      looked = t;
      all.look();
      if (told === all.count + all.unseen) return;
      told = all.count + all.unseen;
      emit.now("p", "frames", moment(t), { __proto__: null, count: all.count, unseen: all.unseen });
    };
    const beat = () => {
      if (isStopped) return;
      setTimer(beat, beat_ms);
      const t = now();
      guarded("beat", t, () => {
        stamp.beat(t);
        still.beat(t);
        if (t - looked >= FRAMES_EVERY_MS) look(t);
      });
    };
    const begun = moment();
    const first = size();
    first.url = masks.here();
    first.tick_ms = tick();
    first.tells_busy = true;
    emit.now("c", "document", begun, first);
    const on = adder(true);
    const timed = (event, type, handled, at2) => stamp.of(event, type, at2.offset, handled);
    const desk = { __proto__: null, emit, masks, on, onPage: adder(false), timed, guarded };
    const stops = { __proto__: null };
    for (let i = 0; i < sources2.length; i++) stops[i] = sources2[i](desk);
    const onPage = adder(false);
    onPage("document", "visibilitychange", still.paused);
    onPage("window", "pageshow", still.paused);
    on("document", "load", () => all.look());
    enter(thePage);
    beat();
    if (masks.problem) failed("mask", begun.t, masks.problem);
    return {
      __proto__: null,
      attach: () => guarded("attach", now(), attach),
      emit,
      masks,
      mark: (name, data) => {
        const t = now();
        guarded("mark", t, () => {
          let json;
          let isRefused = false;
          try {
            json = markJson(data);
          } catch {
            isRefused = true;
          }
          emit.written("p", "mark", moment(t), '{"name":' + stringify(text(name, 100)) + (isRefused ? ',"data_is_refused":true' : "") + (json === void 0 ? "" : ',"data":' + json) + "}");
        });
      },
      stop: () => {
        if (isStopped) return;
        still.stop();
        emit.release();
        isStopped = true;
        unobserve();
        all.each(detachFrom);
        for (let i = 0; i < sources2.length; i++) {
          const stop = stops[i];
          if (stop) call(stop, void 0, []);
        }
        masks.stop();
      }
    };
  };

  // src/sources/brought.ts
  var NEAR = 1e3;
  var MOST_FILES = 100;
  var brought = ({ masks, on, onPage }) => {
    const learnFiles = (files) => {
      for (let i = 0; files && i < MOST_FILES && files[i]; i++) {
        const name = nameOfFile(files[i]) ?? "";
        const dot = lastIndexOf(name, ".");
        masks.words.learn(dot > 0 ? slice(name, 0, dot) : name, false);
        masks.words.learnWhole(name);
      }
    };
    const valueOf = (node) => {
      if (isInput(node)) return inputType(node) === "file" ? "" : inputValue(node);
      if (isArea(node)) {
        const value = areaValue(node);
        const caret = areaCaret(node);
        return value.length <= 2 * NEAR ? value : slice(value, caret > NEAR ? caret - NEAR : 0, caret + NEAR);
      }
      return isTextField(node) ? contentOf(node) ?? "" : "";
    };
    const learnValue = (event) => {
      const node = deep(event);
      if (isInput(node) && inputType(node) === "file") learnFiles(inputFiles(node));
      else if (!masks.isChoice(node) || isTextField(node)) masks.learn(node, valueOf(node));
    };
    const learnTransfer = (node, data) => {
      if (!data) return;
      masks.learn(node, slice(dataIn(data, "text/plain"), 0, 2 * NEAR));
      learnFiles(filesOf(data));
    };
    on("window", "focus", (event) => {
      const node = deep(event);
      if (isTextField(node)) masks.lookAround(node);
    });
    on("window", "input", learnValue);
    on("window", "change", learnValue);
    on("window", "keydown", (event) => {
      const node = deep(event);
      if ((!isTextField(node) || isEditableElement(node)) && !event.ctrlKey && !event.metaKey) masks.learnKey(node, keyOf(event));
    });
    on("window", "paste", (event) => learnTransfer(deep(event), clipboardOf(event)));
    on("window", "drop", (event) => learnTransfer(deep(event), draggedOf(event)));
    onPage("document", "DOMContentLoaded", () => masks.lookAround(null));
    masks.lookAround(null);
    return void 0;
  };

  // src/sources/controls.ts
  var VALUE = 200;
  var MOST_NAMED = 50;
  var MOST_LOOKED_AT = 1e4;
  var chosen = (body, node) => {
    const options = selectOptions(node);
    const values = list();
    const indices = list();
    const length = countOf(options);
    let count = 0;
    for (let i = 0; i < length && i < MOST_LOOKED_AT; i++) {
      if (!optionChosen(options[i])) continue;
      if (count < MOST_NAMED) {
        values[count] = text(optionValue(options[i]), VALUE);
        indices[count] = i;
      }
      count++;
    }
    body.values = values;
    body.indices = indices;
    body.chosen = count;
  };
  var control = (masks, event, node, isFinal) => {
    const type = isInput(node) ? inputType(node) : nameOf(node);
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
    if (isSelect(node)) {
      if (selectMany(node)) chosen(body, node);
      body.value = text(selectValue(node), VALUE);
      body.index = selectIndex(node);
    } else if (type === "checkbox" || type === "radio") {
      body.is_checked = inputChecked(node);
      body.value = text(inputValue(node), VALUE);
    } else if (type !== "file" && isInput(node) && (masks.isChoice(node) || masks.isContentAllowed(node))) {
      body.value = text(inputValue(node), VALUE);
    }
    return body;
  };
  var controls = ({ emit, masks, on }) => {
    on("window", "input", (event, at2) => {
      const node = deep(event);
      if (isInput(node) && inputType(node) === "range") {
        emit.throttled("slide", laneOf(event), "change", at2, node, () => control(masks, event, node, false));
      }
    });
    on("window", "change", (event, at2) => {
      const node = deep(event);
      if (isElement(node)) emit.now(laneOf(event), "change", at2, control(masks, event, node, true));
    });
    on("window", "submit", (event, at2) => emit.now("p", "submit", at2, spot(masks, event, deep(event))));
    return void 0;
  };

  // src/capture/content.ts
  var point = (node, offset) => ({ __proto__: null, node, offset, at: -1 });
  var BLOCKS = ",address,article,aside,blockquote,center,dd,details,dialog,dir,div,dl,dt,fieldset,figcaption,figure,footer,form,h1,h2,h3,h4,h5,h6,header,hr,legend,li,listing,main,menu,nav,ol,p,pre,search,section,summary,table,tr,ul,xmp,";
  var swap = (s, what, by) => {
    let from = 0;
    let out = "";
    for (let k = indexOf(s, what); k >= 0; k = indexOf(s, what, from)) {
      out += slice(s, from, k) + by;
      from = k + 1;
    }
    return from ? out + slice(s, from) : s;
  };
  var editableText = (host, ...points) => {
    const space = styleValue(styleOf(host), "white-space");
    const keepsBreaks = slice(space, 0, 3) === "pre" || space === "break-spaces";
    let out = "";
    let isDue = false;
    const flush = () => {
      if (isDue) out += "\n";
      isDue = false;
    };
    const here2 = () => out.length + (isDue ? 1 : 0);
    const pass = (node, offset, at2) => {
      for (let k = 0; k < points.length; k++) {
        const p = points[k];
        if (p && p.node === node && p.offset === offset && p.at < 0) p.at = at2;
      }
    };
    const passText = (node, length) => {
      for (let k = 0; k < points.length; k++) {
        const p = points[k];
        if (p && p.node === node) p.at = here2() + (p.offset < length ? p.offset : length);
      }
    };
    const write = (node) => {
      const data = dataOf(node);
      passText(node, data.length);
      let from = 0;
      for (let k = keepsBreaks ? indexOf(data, "\n") : -1; k >= 0; k = indexOf(data, "\n", from)) {
        flush();
        out += slice(data, from, k);
        isDue = true;
        from = k + 1;
      }
      if (from === data.length) return;
      flush();
      out += keepsBreaks ? slice(data, from) : swap(slice(data, from), "\n", " ");
    };
    const walk = (element) => {
      const isBlock = element !== host && indexOf(BLOCKS, "," + nameOf(element) + ",") >= 0;
      if (isBlock && out !== "") isDue = true;
      let k = 0;
      for (let node = firstOf(element); node; node = nextOf(node)) {
        pass(element, k++, here2());
        if (isText(node)) {
          write(node);
        } else if (isElement(node) && nameOf(node) === "br") {
          pass(node, 0, here2());
          flush();
          isDue = true;
        } else if (isElement(node)) {
          walk(node);
        }
      }
      pass(element, k, here2());
      if (isBlock && out !== "") isDue = true;
    };
    walk(host);
    out = swap(out, " ", " ");
    for (let k = 0; k < points.length; k++) {
      const p = points[k];
      if (p && p.at > out.length) p.at = out.length;
    }
    return out;
  };

  // src/sources/edits.ts
  var TYPED = 4e3;
  var at = (p) => p && p.at >= 0 ? p.at : void 0;
  var start = (range) => point(range.startContainer, range.startOffset);
  var end = (range) => point(range.endContainer, range.endOffset);
  var read = (node, place3, event) => {
    const reading = { __proto__: null, text: "", caret: void 0, from: void 0, until: void 0 };
    if (isInput(node) || isArea(node)) {
      reading.text = isInput(node) ? inputValue(node) : areaValue(node);
      const caret = event ? null : isInput(node) ? inputCaret(node) : areaCaret(node);
      if (typeof caret === "number") reading.caret = caret;
      return reading;
    }
    const range = event && rangesOf ? rangesOf(event)[0] : void 0;
    const chosen2 = event ? null : selectionOf(place3.document);
    const focus2 = chosen2?.focusNode ? point(chosen2.focusNode, chosen2.focusOffset) : void 0;
    const from = range && start(range);
    const until = range && end(range);
    reading.text = editableText(node, focus2, from, until);
    reading.caret = at(focus2);
    reading.from = at(from);
    reading.until = at(until);
    return reading;
  };
  var endOf = (old, fresh) => {
    if (old.from === void 0 || old.until === void 0) return void 0;
    const inserted = fresh.text.length - old.text.length + old.until - old.from;
    return inserted >= 0 ? old.from + inserted : void 0;
  };
  var EMPTY = { __proto__: null, text: "", caret: void 0, from: void 0, until: void 0 };
  var edits = ({ emit, masks, on }) => {
    const known = memory();
    const remember = (event, place3, before2) => {
      const node = deep(event);
      if (isElement(node) && isTextField(node)) {
        masks.look(node);
        known.set(node, read(node, place3, before2));
      }
    };
    on("window", "beforeinput", (event, _, place3) => remember(event, place3, event));
    on("window", "focus", (event, _, place3) => remember(event, place3, null));
    on("window", "input", (event, moment2, place3) => {
      const node = deep(event);
      if (!isElement(node) || !isTextField(node)) return;
      const reading = read(node, place3, null);
      const before2 = known.get(node) ?? EMPTY;
      known.set(node, reading);
      const fresh = reading.text;
      const old = before2.text;
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
        const { caret } = reading;
        const change = difference(old, fresh, caret ?? endOf(before2, reading));
        body.caret = caret;
        body.position = change.at;
        if (masks.isContentAllowed(node)) {
          body.inserted = text(change.inserted, TYPED);
          body.deleted = text(change.deleted, TYPED);
        }
        body.inserted_length = change.inserted.length;
        body.deleted_length = change.deleted.length;
      }
      emit.now(laneOf(event), "input", moment2, body);
    });
    on("window", "compositionstart", (event, moment2) => {
      emit.now(laneOf(event), "composition_start", moment2, spot(masks, event, deep(event)));
    });
    on("window", "compositionend", (event, moment2) => {
      emit.now(laneOf(event), "composition_end", moment2, spot(masks, event, deep(event)));
    });
    return void 0;
  };

  // src/sources/focus.ts
  var CLIPBOARD = ["copy", "cut", "paste"];
  var focus = ({ emit, masks, on }) => {
    on("window", "focus", (event, at2) => emit.now("p", "focus", at2, spot(masks, event, deep(event))));
    on("window", "blur", (event, at2) => emit.now("p", "blur", at2, spot(masks, event, deep(event))));
    on("document", "selectionchange", (_, at2, place3) => {
      const chosen2 = selectionOf(place3.document);
      if (!chosen2 || chosen2.isCollapsed) return;
      const node = chosen2.anchorNode;
      const element = isElement(node) ? node : node && up(node);
      emit.throttled("select", "p", "selection", at2, null, () => ({
        __proto__: null,
        target: selector(element),
        is_masked: masks.isMasked(element) || void 0
      }));
    });
    for (let i = 0; i < CLIPBOARD.length; i++) {
      const kind2 = CLIPBOARD[i];
      on("window", kind2, (event, at2) => emit.now(laneOf(event), kind2, at2, spot(masks, event, deep(event))));
    }
    return void 0;
  };

  // src/sources/key.ts
  var key = ({ emit, masks, on }) => {
    const heldMasked = { __proto__: null };
    const handle = (kind2) => (event, at2) => {
      const node = deep(event);
      const code = toText(codeOf(event));
      const name = text(keyOf(event), 32);
      let masked = masks.isTypingMasked(node);
      if (!masked && name.length < 3 && isTextField(node) && !masks.isContentAllowed(node)) masked = true;
      if (kind2 === "keydown") {
        if (masked) heldMasked[code] = true;
      } else if (heldMasked[code]) {
        masked = true;
        delete heldMasked[code];
      }
      emit.now(laneOf(event), kind2, at2, {
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
    on("window", "keydown", handle("keydown"));
    on("window", "keyup", handle("keyup"));
    return void 0;
  };

  // src/sources/media.ts
  var KINDS = ["play", "pause", "seeked", "ended"];
  var media = ({ emit, masks, on }) => {
    for (let i = 0; i < KINDS.length; i++) {
      const kind2 = KINDS[i];
      on("window", kind2, (event, at2) => {
        const node = deep(event);
        if (!mediaTime || !isHtml(node)) return;
        emit.now("p", kind2, at2, {
          __proto__: null,
          target: selector(node),
          media_s: mediaTime(node),
          is_masked: masks.isMasked(node) || void 0,
          synthetic: synthetic(event)
        });
      });
    }
    return void 0;
  };

  // src/sources/navigation.ts
  var navigation = ({ emit, masks, onPage, guarded }) => {
    onPage("window", "load", (event, at2) => {
      if (targetOf(event) === page) emit.now("p", "load", at2, { __proto__: null, url: masks.here() });
    });
    onPage("window", "pageshow", (event, at2) => {
      emit.now("p", "pageshow", at2, { __proto__: null, is_restored: event.persisted });
    });
    onPage("window", "pagehide", (event, at2) => {
      emit.now("p", "pagehide", at2, { __proto__: null, is_kept: event.persisted });
    });
    const navigated = (how, at2) => {
      emit.now("p", "navigate", at2, { __proto__: null, how, url: masks.here() });
    };
    onPage("window", "hashchange", (_, at2) => navigated("hash", at2));
    onPage("window", "popstate", (_, at2) => navigated("pop", at2));
    const wrap = (name, how) => {
      const original = historyOf[name];
      const ours = { [name](...args) {
        const t = now();
        const result = call(original, this, args);
        guarded("navigate", t, () => navigated(how, moment(t)));
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
  var network = ({ emit, onPage }) => {
    const tell = (_, at2) => {
      emit.now("p", "network", at2, { __proto__: null, is_online: isOnline(browser) });
    };
    onPage("window", "online", tell);
    onPage("window", "offline", tell);
    return void 0;
  };

  // src/sources/pointer.ts
  var KINDS2 = ["pointerdown", "pointerup", "pointercancel", "click", "dblclick", "contextmenu"];
  var DRAGS = ["dragstart", "drop", "dragend"];
  var pressure = (event) => event.pointerType && event.pointerType !== "mouse" ? event.pressure : void 0;
  var pointer = ({ emit, masks, on, timed }) => {
    for (let i = 0; i < KINDS2.length; i++) {
      const kind2 = KINDS2[i];
      on("window", kind2, (event, at2, place3) => {
        const node = deep(event);
        emit.now(laneOf(event), kind2, at2, viewed({
          __proto__: null,
          target: selector(node),
          label: masks.label(node),
          button: event.button,
          buttons: event.buttons,
          count: event.detail || void 0,
          device: event.pointerType ? text(event.pointerType, 16) : void 0,
          pressure: pressure(event),
          synthetic: synthetic(event)
        }, place3, event.clientX, event.clientY));
      });
    }
    on("window", "pointermove", (event, at2, place3) => {
      const node = deep(event);
      const bySynthesis = synthetic(event);
      const move = (one, when) => {
        const { clientX, clientY, buttons } = one;
        emit.throttled("move", laneOf(event), "pointermove", when, null, () => viewed({
          __proto__: null,
          target: selector(node),
          buttons,
          device: one.pointerType && one.pointerType !== "mouse" ? text(one.pointerType, 16) : void 0,
          pressure: pressure(one),
          synthetic: bySynthesis
        }, place3, clientX, clientY));
      };
      const way = coalesced && !bySynthesis ? coalesced(event) : void 0;
      if (!way || way.length < 2) return move(event, at2);
      for (let i = 0; i < way.length; i++) move(way[i], timed(way[i], "pointermove", at2.handled, place3));
    });
    for (let i = 0; i < DRAGS.length; i++) {
      const kind2 = DRAGS[i];
      on("window", kind2, (event, at2, place3) => {
        const node = deep(event);
        emit.now(laneOf(event), kind2, at2, viewed({
          __proto__: null,
          target: selector(node),
          effect: kind2 === "dragend" && event.dataTransfer ? text(event.dataTransfer.dropEffect, 16) : void 0,
          is_masked: masks.isMasked(node) || void 0,
          synthetic: synthetic(event)
        }, place3, event.clientX, event.clientY));
      });
    }
    return void 0;
  };

  // src/sources/screen.ts
  var screen2 = ({ emit, on, onPage }) => {
    if (fullScreenOf) {
      on("document", fullScreenOf.event, (event, at2, place3) => {
        emit.now("p", "fullscreen", at2, {
          __proto__: null,
          target: selector(deep(event)),
          is_full: fullScreenOf.of(place3.document) !== null
        });
      });
    }
    on("window", "beforeprint", (_, at2) => emit.now("p", "print", at2, { __proto__: null, is_over: false }));
    on("window", "afterprint", (_, at2) => emit.now("p", "print", at2, { __proto__: null, is_over: true }));
    if (orientation) {
      onPage(orientation, "change", (_, at2) => emit.now("p", "orientation", at2, {
        __proto__: null,
        orientation: text(orientation.type, 32),
        angle_deg: orientation.angle
      }));
    }
    return void 0;
  };

  // src/sources/scroll.ts
  var scroll = ({ emit, on, onPage }) => {
    on("window", "scroll", (event, at2, place3) => {
      const node = targetOf(event);
      emit.throttled("scroll", "u", "scroll", at2, node, () => ({
        __proto__: null,
        target: selector(node),
        x_px: isElement(node) ? node.scrollLeft : place3.window.scrollX,
        y_px: isElement(node) ? node.scrollTop : place3.window.scrollY
      }));
    });
    onPage("window", "resize", (_, at2) => emit.now("p", "resize", at2, size()));
    return void 0;
  };

  // src/sources/trouble.ts
  var MESSAGE = 300;
  var trouble = ({ emit, on }) => {
    on("window", "error", (event, at2) => {
      const node = targetOf(event);
      if (isElement(node)) {
        const source = attribute(node, "src") ?? attribute(node, "href");
        emit.now("p", "error", at2, {
          __proto__: null,
          message: text("could not be loaded: " + selector(node), MESSAGE),
          source: source ? address(source) : void 0
        });
      } else if (typeof event.message === "string") {
        emit.now("p", "error", at2, {
          __proto__: null,
          message: text(event.message, MESSAGE),
          source: event.filename ? address(event.filename) : void 0,
          line: event.lineno,
          column: event.colno
        });
      }
    });
    on("window", "unhandledrejection", (event, at2) => {
      const reason = event.reason;
      const message = isError(reason) ? reason.message : typeof reason === "string" ? reason : typeof reason;
      emit.now("p", "rejection", at2, { __proto__: null, message: text(message, MESSAGE) });
    });
    on("document", "securitypolicyviolation", (event, at2) => {
      emit.now("p", "error", at2, {
        __proto__: null,
        message: text("blocked: local pages may load nothing from elsewhere (" + event.effectiveDirective + ")", MESSAGE),
        source: address(event.blockedURI)
      });
    });
    return void 0;
  };

  // src/sources/visibility.ts
  var visibility = ({ emit, onPage }) => {
    onPage("document", "visibilitychange", (_, at2) => {
      emit.now("p", "visibility", at2, { __proto__: null, state: text(page.visibilityState, 16) });
    });
    return void 0;
  };

  // src/sources/index.ts
  var sources = [
    brought,
    pointer,
    key,
    edits,
    controls,
    scroll,
    focus,
    visibility,
    navigation,
    network,
    trouble,
    media,
    screen2
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
  var PING = "__affectographPing";
  var ATTACH = -1;
  var documentId = newId();
  var number = 0;
  var send = (lane, kind2, t, json) => {
    post(config.token + lane + '{"d":"' + documentId + '","n":' + number++ + ',"t":' + t + ',"k":"' + kind2 + '","x":' + json + "}");
  };
  var begin = () => {
    const settings = { __proto__: null, mask: config.mask, content: "everywhere" };
    const running = capture(settings, sources, send, () => {
      number++;
    });
    defineProperty(here, "affectograph", {
      __proto__: null,
      value: freeze({ __proto__: null, mark: freeze((name, data) => running.mark(name, data)) }),
      enumerable: true
    });
    const ping = (key2, id) => {
      const t = now();
      if (key2 !== config.key) return;
      if (id !== ATTACH) send("c", "pong", t, '{"id":' + id + "}");
      running.attach();
    };
    defineProperty(here, PING, { __proto__: null, value: freeze(ping) });
  };
  var earlier = getOwnPropertyDescriptor(here, PING);
  if (!earlier) begin();
  else if (!earlier.configurable && !earlier.writable) earlier.value(config.key, ATTACH);
})();
