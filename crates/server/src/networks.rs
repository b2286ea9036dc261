//! The networks that a browser scored with. The browser reports them with the checksums of the loaded bytes. The
//! server's installed networks may be different, so they are only compared.

use std::path::Path;

use serde_json::{Map, Value};

use session::{ACTION, AFFECT, EYES, FACE, LANDMARKS};
use store::{ModelDescription, ReportedNetwork};
use vision::ModelCard;

/// The event of the stream `health` with the report.
pub const SCORES_STARTED: &str = "scores_started";
/// The source of the report, in the header.
const BROWSER: &str = "the browser";
const MAX_NAME_BYTES: usize = 100;

/// Each network's name in the report, and the streams that it writes.
const ROLES: [(&str, &[&str]); 4] =
    [("detector", &[FACE]), ("landmarks", &[FACE, LANDMARKS]), ("actions", &[ACTION, EYES]), ("affect", &[AFFECT])];

/// The cards of the server's own networks, in the order of [`ROLES`]. `None`: it is not installed.
pub type Installed = [Option<ModelCard>; ROLES.len()];

pub fn installed(models: &Path, affect: &str) -> Installed {
    let folder = |role| if role == AFFECT { affect } else { role };
    ROLES.map(|(role, _)| ModelCard::read(&models.join(folder(role))).ok())
}

/// Whether browsers may load the network of this folder.
pub fn is_role(name: &str) -> bool {
    ROLES.iter().any(|(role, _)| *role == name)
}

/// The networks in an event. Invalid entries are left out.
pub fn reported(data: &Map<String, Value>, own: &Installed) -> Vec<ReportedNetwork> {
    let of = |((role, streams), own): (&(&str, &'static [&'static str]), &Option<ModelCard>)| {
        let entry = Entry::parse(data.get(*role)?)?;
        let note = entry.note(own.as_ref());
        let Entry { name, version, sha256, .. } = entry;
        let sha256 = sha256.unwrap_or_default();
        let model = ModelDescription { name, version, sha256, reported_by: Some(BROWSER.to_owned()), note };
        Some(ReportedNetwork { software: format!("{model}, in the browser"), model, streams })
    };
    ROLES.iter().zip(own).filter_map(of).collect()
}

struct Entry {
    name: String,
    version: String,
    /// `None` if the browser computed no checksum.
    sha256: Option<String>,
    card_sha256: Option<String>,
}

impl Entry {
    fn parse(entry: &Value) -> Option<Entry> {
        match entry {
            Value::Object(entry) => {
                let text = |name: &str| entry.get(name).and_then(Value::as_str);
                Some(Entry {
                    name: label(text("name")?)?,
                    version: label(text("version")?)?,
                    sha256: text("sha256").and_then(checksum),
                    card_sha256: text("card_sha256").and_then(checksum),
                })
            }
            // Clients up to 0.1.0 computed no checksum and copied the card's: `affect 1.0 sha256:…`
            Value::String(entry) => {
                let mut words = entry.split(' ');
                let (name, version) = (label(words.next()?)?, label(words.next()?)?);
                let card_sha256 = words.next().and_then(|w| checksum(w.strip_prefix("sha256:")?));
                Some(Entry { name, version, sha256: None, card_sha256 })
            }
            _ => None,
        }
    }

    /// The differences between the checksum, the card, and the server's own network.
    fn note(&self, own: Option<&ModelCard>) -> Option<String> {
        let mut notes = Vec::new();
        match (&self.sha256, &self.card_sha256) {
            (None, Some(card)) => {
                notes.push(format!("the browser computed no checksum; the network's card has sha256 {card}"))
            }
            (None, None) => notes.push("the browser computed no checksum".to_owned()),
            (Some(sha256), Some(card)) if sha256 != card => {
                notes.push(format!("its card names another file, with sha256 {card}"));
            }
            (Some(_), _) => {}
        }
        match (own, &self.sha256) {
            (Some(own), Some(sha256)) if !own.sha256.eq_ignore_ascii_case(sha256) => {
                notes.push(format!("the server's own is {}", own.software()));
            }
            (None, _) => notes.push("the server has no network to compare it with".to_owned()),
            _ => {}
        }
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}

fn label(text: &str) -> Option<String> {
    let is_valid = !text.is_empty() && text.len() <= MAX_NAME_BYTES && !text.chars().any(char::is_control);
    is_valid.then(|| text.to_owned())
}

fn checksum(text: &str) -> Option<String> {
    let is_checksum = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_checksum.then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(map) = value else { panic!("{value}") };
        map
    }

    fn own() -> Installed {
        installed(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models")), "affect")
    }

    #[test]
    fn the_bytes_that_ran_are_named_and_compared() {
        let own = own();
        let [detector, landmarks, _, affect] = own.each_ref().map(|card| card.as_ref().unwrap());
        let other = "AB".repeat(32);
        let event = object(json!({
            "detector": {"name": "detector", "version": "1", "sha256": detector.sha256, "card_sha256": detector.sha256},
            "landmarks": {"name": "landmarks", "version": "2", "sha256": other, "card_sha256": landmarks.sha256},
            "affect": {"name": "affect", "version": "3", "sha256": null, "card_sha256": affect.sha256},
        }));
        let found = reported(&event, &own);
        let models: Vec<_> = found.iter().map(|n| &n.model).collect();
        assert_eq!(models.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["detector", "landmarks", "affect"]);
        assert!(models.iter().all(|m| m.reported_by.as_deref() == Some("the browser")));
        assert_eq!((models[0].sha256.as_str(), &models[0].note), (detector.sha256.as_str(), &None));
        assert_eq!(models[1].sha256, "ab".repeat(32));
        let note = models[1].note.as_deref().unwrap();
        assert!(note.contains("its card names another file") && note.contains(&landmarks.sha256), "{note}");
        assert!(note.contains("the server's own is landmarks"), "{note}");
        assert_eq!(models[2].sha256, "");
        assert!(models[2].note.as_deref().unwrap().contains("computed no checksum"));
        assert!(models[2].to_string().contains("not hashed"), "{}", models[2]);
        assert_eq!((found[1].streams, found[2].streams), (&[FACE, LANDMARKS][..], &[AFFECT][..]));
    }

    #[test]
    fn clients_that_copied_the_card_have_no_checksum() {
        let event = object(json!({ "affect": format!("affect 1.0 sha256:{}", "cd".repeat(32)) }));
        let found = reported(&event, &Installed::default());
        assert_eq!((found.len(), found[0].model.version.as_str(), found[0].model.sha256.as_str()), (1, "1.0", ""));
        let note = found[0].model.note.as_deref().unwrap();
        assert!(note.contains(&"cd".repeat(32)) && note.contains("no network to compare"), "{note}");
    }

    #[test]
    fn invalid_entries_are_left_out() {
        for event in [
            json!({}),
            json!({"affect": 7}),
            json!({"affect": {"name": "affect"}}),
            json!({"affect": {"name": "", "version": "1", "sha256": null}}),
            json!({"affect": {"name": "a\u{1b}[2J", "version": "1", "sha256": null}}),
            json!({"affect": {"name": "x".repeat(101), "version": "1", "sha256": null}}),
            json!({"other": {"name": "affect", "version": "1", "sha256": null}}),
        ] {
            assert_eq!(reported(&object(event.clone()), &own()), [], "{event}");
        }
        let no_checksum = json!({"affect": {"name": "affect", "version": "1", "sha256": "not a checksum"}});
        assert_eq!(reported(&object(no_checksum), &own())[0].model.sha256, "");
    }

    proptest! {
        #[test]
        fn a_stored_checksum_is_valid_for_any_report(name in "\\PC{0,120}", version in any::<String>(), sha in "[0-9a-fA-F]{60,66}|\\PC*") {
            let event = json!({"affect": {"name": name, "version": version, "sha256": sha, "card_sha256": sha}});
            for network in reported(&object(event), &Installed::default()) {
                let sum = &network.model.sha256;
                prop_assert!(sum.is_empty() || (sum.len() == 64 && *sum == sha.to_ascii_lowercase()));
                prop_assert!(!network.model.to_string().chars().any(char::is_control));
            }
        }
    }
}
