//! Deleted text: the passages that a participant deleted, reconstructed from single edits.
//!
//! A page records edits, not passages: ten strokes of the backspace key are ten records. Here each text field is
//! reconstructed from its edits. A passage thus also has the times at which its characters were typed. Positions and lengths
//! are UTF-16 units, as in the page.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Map, Value};

use session::{PAGE, Timeline, Timestamp};

/// One passage that the participant removed from a text field without doing anything else in it meanwhile.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeletedPassage {
    /// CSS selector of the field.
    pub target: String,
    /// First and last edit that removed something of it.
    pub from: Timestamp,
    pub until: Timestamp,
    /// First and last edit that had typed something of it; `None` where it stood there before the recording.
    pub typed: Option<(Timestamp, Timestamp)>,
    /// In reading order. `None` if the field is masked or a part of the text was never reported.
    pub text: Option<String>,
    /// UTF-16 units removed.
    pub length: usize,
    /// The same edit inserted other text, for example by typing over a selection.
    pub is_replaced: bool,
}

/// The deleted passages of a session, in the order in which they ended.
pub fn deleted_passages(timeline: &Timeline) -> Vec<DeletedPassage> {
    let mut fields = HashMap::<(Option<u64>, &str), TextField>::new();
    let mut passages = Vec::new();
    let edits = timeline.events().iter().filter(|e| e.stream.as_str() == PAGE && e.what.kind == "input");
    for event in edits {
        let data = &event.what.data;
        let Some(target) = data.get("target").and_then(Value::as_str) else { continue };
        // A field of the next document is another field, even with the same selector.
        let document = data.get("document").and_then(Value::as_u64);
        let field = fields.entry((document, target)).or_default();
        passages.extend(field.take(target, event.at, &Edit::read(data)));
    }
    let unfinished = fields.into_iter().filter_map(|((_, target), field)| Some(field.removal?.passage(target)));
    passages.extend(unfinished);
    passages.sort_by_key(|p| (p.until, p.from));
    passages
}

/// One `input` event. A masked field reports only lengths.
struct Edit {
    length_before: usize,
    length_after: usize,
    position: Option<usize>,
    inserted: Vec<u16>,
    inserted_length: usize,
    deleted: Vec<u16>,
    deleted_length: usize,
    is_composing: bool,
}

impl Edit {
    fn read(data: &Map<String, Value>) -> Edit {
        let number = |name: &str| data.get(name).and_then(Value::as_u64).map(|n| n as usize);
        let units = |name: &str| -> Vec<u16> {
            data.get(name).and_then(Value::as_str).unwrap_or_default().encode_utf16().collect()
        };
        let (length_before, length_after) = (number("length_before").unwrap_or(0), number("length_after").unwrap_or(0));
        Edit {
            length_before,
            length_after,
            position: number("position"),
            inserted: units("inserted"),
            inserted_length: number("inserted_length").unwrap_or(length_after.saturating_sub(length_before)),
            deleted: units("deleted"),
            deleted_length: number("deleted_length").unwrap_or(length_before.saturating_sub(length_after)),
            is_composing: data.get("is_composing").and_then(Value::as_bool).unwrap_or(false),
        }
    }
}

/// One UTF-16 unit of a field; `None` if no event contained it.
#[derive(Clone, Copy, Default)]
struct Unit {
    value: Option<u16>,
    typed: Option<Timestamp>,
}

/// A text field as its edits have written it, and the removal going on in it.
#[derive(Default)]
struct TextField {
    units: Vec<Unit>,
    removal: Option<Removal>,
}

impl TextField {
    /// Carries out one edit. Returns the passage that it ended, if it ended one.
    fn take(&mut self, target: &str, at: Timestamp, edit: &Edit) -> Option<DeletedPassage> {
        if self.units.len() != edit.length_before {
            // The page's own script, or something before the recording, wrote here: what stands there is unknown.
            self.units = vec![Unit::default(); edit.length_before.min(MAX_FIELD_UNITS)];
        }
        // A masked field does not report the position of an edit. The end is used, because the text is unknown anyway.
        let start = edit.position.unwrap_or(edit.length_after.min(edit.length_before)).min(self.units.len());
        let end = start.saturating_add(edit.deleted_length).min(self.units.len());
        let typed = (0..edit.inserted_length.min(MAX_FIELD_UNITS))
            .map(|k| Unit { value: edit.inserted.get(k).copied(), typed: Some(at) });
        let mut removed: Vec<Unit> = self.units.splice(start..end, typed).collect();
        for (unit, reported) in removed.iter_mut().zip(&edit.deleted) {
            unit.value = Some(*reported);
        }
        // An input method rewrites what it composes with every stroke: nothing is taken back by that.
        if edit.is_composing {
            return None;
        }
        let is_insertion = edit.inserted_length > 0;
        let before = self.removal.take();
        let ended = match (before, removed.is_empty()) {
            (Some(going_on), true) => Some(going_on),
            (None, true) => None,
            (Some(mut going_on), false) if !is_insertion && going_on.adjoins(start, end) => {
                going_on.extend(start, at, removed);
                self.removal = Some(going_on);
                None
            }
            (before, false) => {
                self.removal = Some(Removal { start, from: at, until: at, units: removed, is_replaced: is_insertion });
                before
            }
        };
        ended.map(|removal| removal.passage(target))
    }
}

/// Longer than any typed field. It limits the memory for a malicious length.
const MAX_FIELD_UNITS: usize = 1 << 20;

struct Removal {
    /// Where in the field the hole is now.
    start: usize,
    from: Timestamp,
    until: Timestamp,
    units: Vec<Unit>,
    is_replaced: bool,
}

impl Removal {
    /// Backspace ends where the hole is, delete starts there.
    fn adjoins(&self, start: usize, end: usize) -> bool {
        !self.is_replaced && (end == self.start || start == self.start)
    }

    fn extend(&mut self, start: usize, at: Timestamp, removed: Vec<Unit>) {
        let place = if start < self.start { 0 } else { self.units.len() };
        self.units.splice(place..place, removed);
        self.start = start;
        self.until = at;
    }

    fn passage(self, target: &str) -> DeletedPassage {
        let values: Option<Vec<u16>> = self.units.iter().map(|unit| unit.value).collect();
        let typed: Option<Vec<Timestamp>> = self.units.iter().map(|unit| unit.typed).collect();
        DeletedPassage {
            target: target.to_owned(),
            from: self.from,
            until: self.until,
            typed: typed.and_then(|times| Some((*times.iter().min()?, *times.iter().max()?))),
            text: values.map(|units| String::from_utf16_lossy(&units)),
            length: self.units.len(),
            is_replaced: self.is_replaced,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use session::{Body, Record, page_stream};
    use std::sync::Arc;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ns(ms * 1_000_000)
    }

    fn passages(edits: Vec<Value>) -> Vec<DeletedPassage> {
        let mut timeline = Timeline::default();
        timeline.declare(page_stream());
        for (k, data) in edits.into_iter().enumerate() {
            timeline.ingest(&Record {
                stream: Arc::new(PAGE.parse().unwrap()),
                seq: k as u64,
                at: at(100 * k as i64),
                body: Body::event("input", data),
            });
        }
        deleted_passages(&timeline)
    }

    /// Writes a field edit by edit, as a page reports it.
    #[derive(Default)]
    struct Typist {
        text: Vec<u16>,
        reported: Vec<Value>,
    }

    impl Typist {
        fn edit(&mut self, position: usize, delete: usize, insert: &str) -> &mut Self {
            let before = self.text.len();
            let inserted: Vec<u16> = insert.encode_utf16().collect();
            let deleted: Vec<u16> = self.text.splice(position..position + delete, inserted.iter().copied()).collect();
            self.reported.push(json!({
                "target": "#comment", "document": 1, "position": position,
                "length_before": before, "length_after": self.text.len(),
                "inserted": insert, "inserted_length": inserted.len(),
                "deleted": String::from_utf16_lossy(&deleted), "deleted_length": deleted.len(),
            }));
            self
        }

        fn type_out(&mut self, words: &str) -> &mut Self {
            for letter in words.chars() {
                let end = self.text.len();
                self.edit(end, 0, &letter.to_string());
            }
            self
        }

        fn backspace(&mut self, times: usize) -> &mut Self {
            for _ in 0..times {
                let end = self.text.len();
                self.edit(end - 1, 1, "");
            }
            self
        }
    }

    #[test]
    fn backspaces_one_after_another_are_one_passage() {
        let mut typist = Typist::default();
        typist.type_out("I hate it").backspace(7).type_out("like it");
        let found = passages(typist.reported);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].text.as_deref(), Some("hate it"));
        assert_eq!((found[0].from, found[0].until), (at(900), at(1500)));
        assert_eq!(found[0].typed, Some((at(200), at(800))));
        assert_eq!((found[0].length, found[0].is_replaced), (7, false));
    }

    #[test]
    fn the_delete_key_a_selection_and_another_place_each_count() {
        let mut typist = Typist::default();
        typist.type_out("one two three");
        typist.edit(0, 1, "").edit(0, 1, "").edit(0, 1, "").edit(0, 1, ""); // delete key: "one "
        typist.edit(4, 5, ""); // a selection elsewhere: "three"
        typist.edit(0, 3, "2"); // typed over: "two"
        let found = passages(typist.reported);
        let texts: Vec<_> = found.iter().map(|p| p.text.as_deref().unwrap()).collect();
        assert_eq!(texts, ["one ", "three", "two"]);
        assert_eq!(found.iter().map(|p| p.is_replaced).collect::<Vec<_>>(), [false, false, true]);
    }

    #[test]
    fn a_masked_field_tells_its_lengths_and_nothing_else() {
        let reported = |before: u32, after: u32| json!({"target": "#pin", "is_masked": true, "length_before": before, "length_after": after});
        let found = passages(vec![reported(0, 1), reported(1, 2), reported(2, 1), reported(1, 0), reported(0, 1)]);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].text.as_deref(), found[0].length), (None, 2));
        assert_eq!(found[0].typed, Some((at(0), at(100))));
    }

    #[test]
    fn text_from_before_the_recording_has_no_time_of_typing() {
        let reported = json!({"target": "#a", "length_before": 5, "length_after": 0, "position": 0,
                          "deleted": "hello", "deleted_length": 5, "inserted": "", "inserted_length": 0});
        let found = passages(vec![reported]);
        assert_eq!((found[0].text.as_deref(), found[0].typed), (Some("hello"), None));
    }

    #[test]
    fn what_an_input_method_composes_is_not_taken_back() {
        let mut reported = Typist::default().edit(0, 0, "k").edit(0, 1, "か").reported.clone();
        reported.iter_mut().for_each(|edit| edit["is_composing"] = true.into());
        assert_eq!(passages(reported), []);
    }

    proptest! {
        /// Whatever is edited, what was removed is what the passages hold.
        #[test]
        fn every_removed_character_is_in_one_passage(
            edits in prop::collection::vec((any::<prop::sample::Index>(), 0usize..5, "[a-cé😀]{0,4}"), 1..60)
        ) {
            let mut typist = Typist::default();
            for (place, delete, insert) in &edits {
                let position = place.index(typist.text.len() + 1);
                let delete = (*delete).min(typist.text.len() - position);
                typist.edit(position, delete, insert);
            }
            let removed: u64 = typist.reported.iter().map(|e| e["deleted_length"].as_u64().unwrap()).sum();
            let found = passages(typist.reported);
            prop_assert_eq!(found.iter().map(|p| p.length as u64).sum::<u64>(), removed);
            prop_assert!(found.iter().all(|p| p.length > 0 && p.from <= p.until && p.typed.is_some()));
        }
    }

    proptest! {
        // Lengths in the thousands of millions are limited to a million each time: a few cases suffice.
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn nonsense_costs_no_panic(
            numbers in prop::collection::vec((any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>()), 0..6)
        ) {
            passages(numbers.into_iter().map(|(before, after, position, deleted)| {
                json!({"target": "#x", "length_before": before, "length_after": after, "position": position,
                       "deleted_length": deleted, "inserted_length": after})
            }).collect());
        }
    }
}
