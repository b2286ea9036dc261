//! The HED tags of each kind of event. BIDS uses this vocabulary for machine-readable events.
//!
//! A mouse click is *Press, Mouse-button*: HED's *Click* is a sound.

use session::SERIAL;

/// The version of the HED schema of these tags.
pub(super) const HED_VERSION: &str = "8.4.0";

/// Tags of the column `pointer_device`. They replace `{pointer_device}` below.
pub(super) const POINTERS: [(&str, &str, &str); 3] = [
    ("mouse", "mouse or touchpad", "Mouse-button"),
    ("touch", "finger on a touch screen", "Touchscreen"),
    ("pen", "pen", "Pen"),
];

/// Every kind has at least the tag of an event: the validator refuses a value without tags.
pub(super) fn tags(stream: &str, kind: &str) -> &'static str {
    match (stream, kind) {
        ("page", "pointerdown" | "click" | "dblclick" | "contextmenu") => {
            "Agent-action, Participant-response, (Press, {pointer_device})"
        }
        ("page", "pointerup") => "Agent-action, Participant-response, (Release, {pointer_device})",
        ("page", "pointermove") => "Agent-action, Participant-response, (Move, Computer-mouse)",
        ("page", "dragstart" | "drop" | "dragend") => "Agent-action, Participant-response, (Move, Computer-mouse)",
        ("page", "play" | "pause" | "seeked" | "ended") => "Sensory-event, Experimental-stimulus",
        ("page", "keydown") => "Agent-action, Participant-response, (Press, Keyboard-key)",
        ("page", "keyup") => "Agent-action, Participant-response, (Release, Keyboard-key)",
        ("page", "input" | "composition_start" | "composition_end" | "paste" | "cut") => {
            "Agent-action, Participant-response, (Write, Textblock)"
        }
        ("page", "change") => "Agent-action, Participant-response, (Modify, Categorical-value)",
        ("page", "submit") => "Agent-action, Participant-response, Done-indication",
        ("page", "scroll" | "resize") => "Agent-action, Participant-response, (Move, Screen-window)",
        ("page", "document" | "load" | "pageshow") => "Sensory-event, Visual-presentation, (Open, Screen-window)",
        ("page", "navigate") => "Agent-action, Participant-response, (Open, Screen-window)",
        ("page", "pagehide") => "Sensory-event, Visual-presentation, (Close, Screen-window)",
        ("page", "mark") => "Experiment-control, Temporal-marker",
        ("marker", _) => "Experiment-control, Data-marker",
        ("questionnaire", "answer") => "Agent-action, Participant-response, (Modify, Categorical-value)",
        ("questionnaire", "started" | "item_shown") => "Sensory-event, Visual-presentation",
        ("phase", _) => "Experiment-structure, Time-block",
        ("annotation", _) => "Data-feature, Expert-annotation",
        ("gap", _) => "Experiment-control, Data-break-marker",
        (port, _) if port.starts_with(SERIAL) => "Experiment-control, Temporal-marker",
        ("health", _) => "Measurement-event, Recording-device",
        _ => "Event",
    }
}
