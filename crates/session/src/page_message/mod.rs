//! The only parser of messages from a page. It turns JSON into a typed [`Message`] or an error.
//!
//! Any script in a page can call `window.ipc.postMessage`. The parser therefore refuses every field that is not declared
//! below.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use thiserror::Error;

mod bounded;

use bounded::{Finite, Text};

/// Longer messages are refused without parsing.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// Limits of a mark's data: nesting depth and number of values.
const MAX_MARK_DEPTH: usize = 8;
const MAX_MARK_VALUES: usize = 1000;

/// Why a message was refused. `Display` is the text for the operator.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MessageError {
    #[error("the message is longer than {MAX_MESSAGE_BYTES} bytes")]
    TooLarge,
    #[error("the message does not have the format of the recording script: {0}")]
    Malformed(String),
    #[error("`{0}` is not a known kind of message")]
    UnknownKind(String),
    #[error(
        "the data of a mark is nested deeper than {MAX_MARK_DEPTH} levels or holds more than {MAX_MARK_VALUES} values"
    )]
    MarkTooRich,
}

/// One message of the recording script.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Random identifier of the document. Each loaded document has its own `performance.now()`.
    pub document: String,
    /// Counts the document's messages from 0. A jump shows missing messages.
    pub number: u64,
    /// Time of the event by the document's `performance.now()`.
    pub page_ms: f64,
    pub body: Body,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Answer to a ping.
    Pong {
        id: u64,
    },
    Event(Event),
}

impl Message {
    /// Does not panic for any bytes.
    pub fn parse(bytes: &[u8]) -> Result<Message, MessageError> {
        if bytes.len() > MAX_MESSAGE_BYTES {
            return Err(MessageError::TooLarge);
        }
        let envelope: Envelope<'_> = serde_json::from_slice(bytes).map_err(malformed)?;
        let document = envelope.d;
        if document.as_str().len() != 16 || !document.as_str().bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(MessageError::Malformed("`d`, the document, is not 16 hexadecimal digits".into()));
        }
        if !TIMES_MS.contains(&envelope.t.get()) {
            return Err(MessageError::Malformed("`t`, the time, is outside 0 to 1e12 ms".into()));
        }
        let body = if envelope.k.as_str() == "pong" {
            Body::Pong { id: serde_json::from_str::<Pong>(envelope.x.get()).map_err(malformed)?.id }
        } else {
            Body::Event(Event::parse(envelope.k.as_str(), envelope.x)?)
        };
        Ok(Message { document: document.as_str().to_owned(), number: envelope.n, page_ms: envelope.t.get(), body })
    }
}

fn malformed(error: serde_json::Error) -> MessageError {
    MessageError::Malformed(error.to_string())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'a> {
    d: Text<16>,
    n: u64,
    t: Finite,
    k: Text<32>,
    #[serde(borrow)]
    x: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pong {
    id: u64,
}

type Selector = Text<256>;
type Url = Text<1000>;

/// Valid times: up to 31 years. Beyond that a double has no microsecond resolution.
const TIMES_MS: std::ops::Range<f64> = 0.0..1e12;
/// Longest list, for example of chosen options.
const MAX_LISTED: usize = 50;

/// Declares the fields of one kind of event. Other fields are refused. Absent fields are not stored.
///
/// Every kind may have `handled_ms`, the time at which the script's handler ran, if that was later than the event. It may
/// have `is_timed_by_handling` if the event's own time was not plausible; its time is then the handler's.
macro_rules! payload {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* } optional { $($option:ident: $option_type:ty),* } flags { $($flag:ident),* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $(pub $field: $type,)*
            $(#[serde(default, skip_serializing_if = "Option::is_none")] pub $option: Option<$option_type>,)*
            $(#[serde(default, skip_serializing_if = "is_false")] pub $flag: bool,)*
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub handled_ms: Option<Finite>,
            #[serde(default, skip_serializing_if = "is_false")]
            pub is_timed_by_handling: bool,
        }

        impl Handled for $name {
            fn handled_ms(&self) -> Option<f64> {
                self.handled_ms.map(Finite::get)
            }
        }
    };
}

trait Handled {
    fn handled_ms(&self) -> Option<f64>;
}

fn is_false(flag: &bool) -> bool {
    !flag
}

payload! {
    /// A document began. `tick_ms` is the resolution of its `performance.now()`. `tells_busy`: the script reports busy
    /// times and frames; older scripts did not.
    Document { url: Url, width_px: Finite, height_px: Finite, pixel_ratio: Finite, tick_ms: Finite }
    optional {} flags { tells_busy }
}
payload! {
    /// `synthetic`, here and below: a script of the page made the event, not the participant.
    Pointer { target: Selector, x_px: Finite, y_px: Finite, button: i8, buttons: u16 }
    optional { label: Text<40>, count: u32, device: Text<16>, pressure: Finite } flags { synthetic }
}
payload! {
    /// `device` and `pressure` exist only for pens and fingers.
    PointerMove { target: Selector, x_px: Finite, y_px: Finite, buttons: u16 }
    optional { device: Text<16>, pressure: Finite } flags { synthetic }
}
payload! {
    /// The dragged content is not recorded. `effect` is the result of the drag.
    Drag { target: Selector, x_px: Finite, y_px: Finite } optional { effect: Text<16> } flags { is_masked, synthetic }
}
payload! {
    /// A masked key has no `key` and no `code`.
    Key { target: Selector } optional { key: Text<32>, code: Text<32> }
    flags { alt, ctrl, meta, shift, is_repeat, is_composing, is_masked, synthetic }
}
payload! {
    /// One edit. Lengths and positions are in UTF-16 units. Texts are cut at 4,000 units; the lengths are of the whole
    /// texts.
    Input { target: Selector, length_before: u32, length_after: u32 }
    optional {
        how: Text<40>, caret: u32, position: u32,
        inserted: Text<4000>, deleted: Text<4000>, inserted_length: u32, deleted_length: u32
    }
    flags { is_composing, is_masked, synthetic }
}
payload! {
    /// A control has a new value. `is_final` is false while a slider is being dragged. A multiple choice has the number of
    /// `chosen` options, and `values` and `indices` of the first of them.
    Change { target: Selector, control: Text<16>, is_final: bool }
    optional {
        value: Text<200>, index: i32, is_checked: bool,
        values: Vec<Text<200>>, indices: Vec<u32>, chosen: u32
    }
    flags { is_masked, synthetic }
}
payload! {
    Scroll { target: Selector, x_px: Finite, y_px: Finite } optional {} flags {}
}
payload! {
    /// An event on an element, without further data.
    Spot { target: Selector } optional {} flags { is_masked, synthetic }
}
payload! {
    Visibility { state: Text<16> } optional {} flags {}
}
payload! {
    Size { width_px: Finite, height_px: Finite, pixel_ratio: Finite } optional {} flags {}
}
payload! {
    Load { url: Url } optional {} flags {}
}
payload! {
    PageShow { is_restored: bool } optional {} flags {}
}
payload! {
    PageHide { is_kept: bool } optional {} flags {}
}
payload! {
    Navigate { how: Text<8>, url: Url } optional {} flags {}
}
payload! {
    Network { is_online: bool } optional {} flags {}
}
payload! {
    ScriptError { message: Text<300> } optional { source: Url, line: u32, column: u32 } flags {}
}
payload! {
    Rejection { message: Text<300> } optional {} flags {}
}
payload! {
    /// An event of a video or audio element, with its playing position.
    Media { target: Selector, media_s: Finite } optional {} flags { is_masked, synthetic }
}
payload! {
    FullScreen { target: Selector, is_full: bool } optional {} flags {}
}
payload! {
    Print { is_over: bool } optional {} flags {}
}
payload! {
    Orientation { orientation: Text<32>, angle_deg: Finite } optional {} flags {}
}
payload! {
    /// The page was busy; the time of the event is the start. Several busy times in one event have a `count`, a `total_ms`,
    /// and the longest as `length_ms`. `is_measured`: measured by the browser, not by a late timer of the script.
    Busy { length_ms: Finite } optional { count: u32, total_ms: Finite } flags { is_measured }
}
payload! {
    /// Number of frames (iframes) that the page has had, and how many of them were of another origin and not recorded.
    Frames { count: u32, unseen: u32 } optional {} flags {}
}
payload! {
    Mark { name: Text<100> } optional { data: Value } flags { data_is_refused }
}
payload! {
    /// A handler of the recording script failed. One event is missing.
    RecorderFailed { during: Text<32>, message: Text<200> } optional {} flags {}
}

/// Declares the kinds: the name in the message and in the record, and its payload.
macro_rules! events {
    ($($variant:ident = $kind:literal: $payload:ty,)*) => {
        #[derive(Debug, Clone, PartialEq)]
        pub enum Event { $($variant($payload),)* }

        impl Event {
            /// All kinds of page events.
            pub const KINDS: &[&str] = &[$($kind),*];

            /// Parses one event from its kind and the JSON of its data. The caller has limited their length.
            pub fn parse(kind: &str, data: &RawValue) -> Result<Event, MessageError> {
                let event = match kind {
                    $($kind => Event::$variant(serde_json::from_str::<$payload>(data.get()).map_err(malformed)?),)*
                    unknown => return Err(MessageError::UnknownKind(unknown.to_owned())),
                };
                event.check()?;
                Ok(event)
            }

            /// Time at which the script's handler ran, if it differs from the event's time.
            pub fn handled_ms(&self) -> Option<f64> {
                match self { $(Event::$variant(payload) => payload.handled_ms(),)* }
            }

            pub fn kind(&self) -> &'static str {
                match self { $(Event::$variant(_) => $kind,)* }
            }

            /// The fields as they are stored.
            pub fn data(&self) -> Map<String, Value> {
                let value = match self { $(Event::$variant(payload) => serde_json::to_value(payload),)* };
                match value {
                    Ok(Value::Object(fields)) => fields,
                    // Structs of strings, finite numbers and flags always become an object.
                    Ok(_) | Err(_) => Map::new(),
                }
            }
        }
    };
}

events! {
    Document = "document": Document,
    PointerDown = "pointerdown": Pointer,
    PointerUp = "pointerup": Pointer,
    PointerCancel = "pointercancel": Pointer,
    PointerMove = "pointermove": PointerMove,
    Click = "click": Pointer,
    DoubleClick = "dblclick": Pointer,
    ContextMenu = "contextmenu": Pointer,
    DragStart = "dragstart": Drag,
    Drop = "drop": Drag,
    DragEnd = "dragend": Drag,
    KeyDown = "keydown": Key,
    KeyUp = "keyup": Key,
    Input = "input": Input,
    CompositionStart = "composition_start": Spot,
    CompositionEnd = "composition_end": Spot,
    Change = "change": Change,
    Submit = "submit": Spot,
    Scroll = "scroll": Scroll,
    Focus = "focus": Spot,
    Blur = "blur": Spot,
    Visibility = "visibility": Visibility,
    Resize = "resize": Size,
    Selection = "selection": Spot,
    Copy = "copy": Spot,
    Cut = "cut": Spot,
    Paste = "paste": Spot,
    Load = "load": Load,
    PageShow = "pageshow": PageShow,
    PageHide = "pagehide": PageHide,
    Navigate = "navigate": Navigate,
    Network = "network": Network,
    Play = "play": Media,
    Pause = "pause": Media,
    Seeked = "seeked": Media,
    Ended = "ended": Media,
    FullScreen = "fullscreen": FullScreen,
    Print = "print": Print,
    Orientation = "orientation": Orientation,
    Busy = "busy": Busy,
    Frames = "frames": Frames,
    Error = "error": ScriptError,
    Rejection = "rejection": Rejection,
    Mark = "mark": Mark,
    RecorderFailed = "recorder_failed": RecorderFailed,
}

impl Event {
    /// Checks that involve several fields.
    fn check(&self) -> Result<(), MessageError> {
        let has_masked_content = match self {
            Event::KeyDown(k) | Event::KeyUp(k) => k.is_masked && (k.key.is_some() || k.code.is_some()),
            Event::Input(i) => i.is_masked && (i.inserted.is_some() || i.deleted.is_some() || i.caret.is_some()),
            Event::Change(c) => {
                let has_value = c.value.is_some() || c.index.is_some() || c.is_checked.is_some();
                c.is_masked && (has_value || c.values.is_some() || c.indices.is_some() || c.chosen.is_some())
            }
            _ => false,
        };
        if has_masked_content {
            return Err(MessageError::Malformed("it has content of a masked element".into()));
        }
        if self.handled_ms().is_some_and(|ms| !TIMES_MS.contains(&ms)) {
            return Err(MessageError::Malformed("`handled_ms` is outside 0 to 1e12 ms".into()));
        }
        let is_possible = match self {
            Event::Change(c) => {
                let is_short = |length: Option<usize>| length.is_none_or(|n| n <= MAX_LISTED);
                is_short(c.values.as_ref().map(Vec::len)) && is_short(c.indices.as_ref().map(Vec::len))
            }
            Event::Busy(b) => {
                let total_ms = b.total_ms.map_or(b.length_ms.get(), Finite::get);
                (0.0..=total_ms).contains(&b.length_ms.get()) && TIMES_MS.contains(&total_ms)
            }
            Event::Frames(f) => f.unseen <= f.count,
            _ => true,
        };
        if !is_possible {
            return Err(MessageError::Malformed("a count, a list or a length is larger than possible".into()));
        }
        if let Event::Mark(Mark { data: Some(data), .. }) = self {
            let mut values = 0;
            if !is_within_limits(data, MAX_MARK_DEPTH, &mut values) {
                return Err(MessageError::MarkTooRich);
            }
        }
        Ok(())
    }
}

fn is_within_limits(value: &Value, depth: usize, values: &mut usize) -> bool {
    *values += 1;
    if depth == 0 || *values > MAX_MARK_VALUES {
        return false;
    }
    match value {
        Value::Array(items) => items.iter().all(|v| is_within_limits(v, depth - 1, values)),
        Value::Object(fields) => fields.values().all(|v| is_within_limits(v, depth - 1, values)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn message(kind: &str, data: Value) -> Result<Message, MessageError> {
        let text = json!({"d": "0123456789abcdef", "n": 3, "t": 12.5, "k": kind, "x": data}).to_string();
        Message::parse(text.as_bytes())
    }

    fn event(kind: &str, data: Value) -> Result<Event, MessageError> {
        message(kind, data).map(|m| match m.body {
            Body::Event(event) => event,
            Body::Pong { id } => panic!("a pong {id}"),
        })
    }

    #[test]
    fn a_click_comes_through_as_it_was_sent() {
        let sent = json!({"target": "button#buy", "label": "Buy", "x_px": 10.5, "y_px": 20.0, "button": 0, "buttons": 0,
            "count": 1, "device": "mouse"});
        let click = event("click", sent.clone()).unwrap();
        assert_eq!(click.kind(), "click");
        assert_eq!(Value::Object(click.data()), sent);
    }

    #[test]
    fn what_is_not_asked_for_is_refused_with_a_reason() {
        let at = |more: Value| {
            let mut data = json!({"target": "a", "x_px": 1, "y_px": 1, "button": 0, "buttons": 0});
            data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            data
        };
        let bad = [
            ("click", at(json!({"cookie": "x"})), "cookie"),
            ("click", at(json!({"target": "a".repeat(300)})), "longer"),
            ("click", at(json!({"x_px": "1"})), "invalid type"),
            ("click", at(json!({"x_px": null})), "invalid type"),
            ("click", json!([]), "invalid"),
            ("steal", json!({}), "not a known kind"),
            ("document", json!({"url": "https://x", "width_px": 1}), "missing"),
        ];
        for (kind, data, says) in bad {
            let error = event(kind, data).unwrap_err().to_string();
            assert!(error.contains(says), "{kind}: {error}");
        }
        for text in [
            r#"{"d":"0123456789abcdef","n":0,"t":1e999,"k":"load","x":{"url":""}}"#,
            r#"{"d":"0123456789abcdef","n":0,"t":-1,"k":"load","x":{"url":""}}"#,
            r#"{"d":"0123456789abcdef","n":-1,"t":1,"k":"load","x":{"url":""}}"#,
            r#"{"d":"../../etc/passwd","n":0,"t":1,"k":"load","x":{"url":""}}"#,
            r#"{"d":"0123456789abcdef","n":0,"t":1,"k":"load","x":{"url":""},"at":5}"#,
            r#"{"d":"0123456789abcdef","n":0,"n":1,"t":1,"k":"load","x":{"url":""}}"#,
            "",
            "null",
            "[]",
            "\0",
            "{",
            "true",
        ] {
            assert!(Message::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_masked_message_cannot_tell_what_is_masked() {
        assert!(event("keydown", json!({"target": "input#pw", "is_masked": true})).is_ok());
        assert!(event("keydown", json!({"target": "input#pw", "is_masked": true, "key": "a"})).is_err());
        let input = |more: Value| {
            let mut data = json!({"target": "input#pw", "length_before": 0, "length_after": 1, "is_masked": true});
            data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            event("input", data)
        };
        assert!(input(json!({})).is_ok());
        assert!(input(json!({"inserted": "a"})).is_err());
        assert!(input(json!({"deleted": "a"})).is_err());
        let slider = json!({"target": "i", "control": "range", "is_final": true, "is_masked": true, "value": "3"});
        assert!(event("change", slider).is_err());
    }

    #[test]
    fn a_time_of_handling_may_stand_beside_any_kind() {
        let late = event("keydown", json!({"target": "a", "key": "b", "handled_ms": 14_016.0})).unwrap();
        assert_eq!((late.handled_ms(), &late.data()["handled_ms"]), (Some(14_016.0), &json!(14_016.0)));
        assert!(event("visibility", json!({"state": "x", "handled_ms": 1, "is_timed_by_handling": true})).is_ok());
        assert_eq!(event("load", json!({"url": ""})).unwrap().handled_ms(), None);
        for no_time in [json!(-1), json!(1e12), json!("1"), json!([1])] {
            assert!(event("visibility", json!({"state": "x", "handled_ms": no_time})).is_err(), "{no_time}");
        }
    }

    #[test]
    fn lists_and_sums_stay_within_their_bounds() {
        let several = |n: usize| {
            json!({"target": "select#many", "control": "select", "is_final": true, "value": "0", "index": 0,
                "values": vec!["happy"; n], "indices": vec![1; n], "chosen": 700})
        };
        assert_eq!(Value::Object(event("change", several(3)).unwrap().data()), several(3));
        assert!(event("change", several(MAX_LISTED)).is_ok() && event("change", several(MAX_LISTED + 1)).is_err());
        let masked = json!({"target": "s", "control": "select", "is_final": true, "is_masked": true, "chosen": 1});
        assert!(event("change", masked).is_err());
        assert!(event("busy", json!({"length_ms": 3_000.5})).is_ok());
        assert!(event("busy", json!({"length_ms": 300, "count": 4, "total_ms": 700})).is_ok());
        assert!(event("busy", json!({"length_ms": 300, "count": 4, "total_ms": 200})).is_err());
        assert!(event("busy", json!({"length_ms": -1})).is_err());
        assert!(event("frames", json!({"count": 2, "unseen": 2})).is_ok());
        assert!(event("frames", json!({"count": 2, "unseen": 3})).is_err());
    }

    #[test]
    fn marks_may_carry_data_but_not_too_much() {
        assert!(event("mark", json!({"name": "trial", "data": {"n": 3, "words": ["a", "b"]}})).is_ok());
        let deep = (0..20).fold(json!(1), |inner, _| json!([inner]));
        assert_eq!(event("mark", json!({"name": "deep", "data": deep})), Err(MessageError::MarkTooRich));
        let many: Vec<u32> = (0..2000).collect();
        assert_eq!(event("mark", json!({"name": "many", "data": many})), Err(MessageError::MarkTooRich));
        let abyss = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
        let text = format!(r#"{{"d":"0123456789abcdef","n":0,"t":1,"k":"mark","x":{{"name":"x","data":{abyss}}}}}"#);
        assert!(Message::parse(text.as_bytes()).is_err());
        let large = json!({"name": "large", "data": "x".repeat(70_000)});
        assert_eq!(event("mark", large), Err(MessageError::TooLarge));
    }

    #[test]
    fn every_kind_is_known_once() {
        let mut kinds = Event::KINDS.to_vec();
        kinds.sort_unstable();
        kinds.dedup();
        assert_eq!(kinds.len(), Event::KINDS.len());
        assert!(!Event::KINDS.contains(&"pong"));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,20}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            let fields = prop::collection::btree_map("[a-z_]{1,9}", inner.clone(), 0..6);
            prop_oneof![
                prop::collection::vec(inner, 0..6).prop_map(Value::from),
                fields.prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            Message::parse(&bytes).ok();
        }

        #[test]
        fn no_json_makes_it_panic(value in any_json(), kind in prop::sample::select(Event::KINDS)) {
            Message::parse(value.to_string().as_bytes()).ok();
            message(kind, value).ok();
        }

        /// Whatever is let through has only fields of its type, and all of it is what was sent.
        #[test]
        fn only_allowed_data_gets_through(
            kind in prop::sample::select(Event::KINDS),
            extra in prop::collection::btree_map("[a-z_]{1,12}", any_json(), 0..3),
            target in "\\PC{0,300}",
            number in (-2_000_000i32..2_000_000).prop_map(|n| f64::from(n) / 2.0),
        ) {
            let mut data = json!({"target": target, "x_px": number, "y_px": 1.0, "button": 0, "buttons": 1});
            data.as_object_mut().unwrap().extend(extra);
            if let Ok(event) = event(kind, data.clone()) {
                for (field, value) in event.data() {
                    prop_assert_eq!(data.get(&field), Some(&value), "{}", field);
                }
                let stored = Value::Object(event.data()).to_string();
                prop_assert!(stored.len() <= 2000, "{}", stored);
            }
        }
    }
}
