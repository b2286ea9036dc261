//! Which networks a browser scored with: it says so itself, with the sums of the bytes that it ran, once it has loaded
//! them. What the server has installed is another matter, and is only compared.

use std::path::Path;

use serde_json::{Map, Value};

use session::{AFFECT, FACE, LANDMARKS};
use store::{ModelDescription, ReportedNetwork};
use vision::ModelCard;

/// The event of the stream `health` that says it.
pub const SCORES_STARTED: &str = "scores_started";
/// Who says so, in the header.
const BROWSER: &str = "the browser";
const MAX_NAME_BYTES: usize = 100;

/// Which network it is in a browser, and the streams that it fills.
const ROLES: [(&str, &[&str]); 3] = [("detector", &[FACE]), ("landmarks", &[FACE, LANDMARKS]), ("affect", &[AFFECT])];

/// What the server's own networks say of themselves, in the order of [`ROLES`].
pub fn installed(models: &Path, affect: &str) -> [Option<ModelCard>; 3] {
    ["detector", "landmarks", affect].map(|name| ModelCard::read(&models.join(name)).ok())
}

/// What an event says of networks; nothing where it says nothing that can be understood.
pub fn reported(data: &Map<String, Value>, own: &[Option<ModelCard>; 3]) -> Vec<ReportedNetwork> {
    let of = |((role, streams), own): (&(&str, &'static [&'static str]), &Option<ModelCard>)| {
        let told = Told::of(data.get(*role)?)?;
        let note = told.note(own.as_ref());
        let Told { name, version, sha256, .. } = told;
        let sha256 = sha256.unwrap_or_default();
        let model = ModelDescription { name, version, sha256, reported_by: Some(BROWSER.to_owned()), note };
        Some(ReportedNetwork { software: format!("{model}, in the browser"), model, streams })
    };
    ROLES.iter().zip(own).filter_map(of).collect()
}

struct Told {
    name: String,
    version: String,
    /// `None`: it made no sum.
    sha256: Option<String>,
    card_sha256: Option<String>,
}

impl Told {
    fn of(told: &Value) -> Option<Told> {
        match told {
            Value::Object(told) => {
                let text = |name: &str| told.get(name).and_then(Value::as_str);
                Some(Told {
                    name: word(text("name")?)?,
                    version: word(text("version")?)?,
                    sha256: text("sha256").and_then(sum),
                    card_sha256: text("card_sha256").and_then(sum),
                })
            }
            // Clients up to 0.1.0 made no sum and copied the card's: `affect 1.0 sha256:…`
            Value::String(told) => {
                let mut words = told.split(' ');
                let (name, version) = (word(words.next()?)?, word(words.next()?)?);
                let card_sha256 = words.next().and_then(|w| sum(w.strip_prefix("sha256:")?));
                Some(Told { name, version, sha256: None, card_sha256 })
            }
            _ => None,
        }
    }

    /// What does not agree, and with what.
    fn note(&self, own: Option<&ModelCard>) -> Option<String> {
        let mut notes = Vec::new();
        match (&self.sha256, &self.card_sha256) {
            (None, Some(card)) => notes.push(format!("it made no sum; the network's card says sha256 {card}")),
            (None, None) => notes.push("it made no sum".to_owned()),
            (Some(sha256), Some(card)) if sha256 != card => {
                notes.push(format!("its card names another file, of sha256 {card}"));
            }
            (Some(_), _) => {}
        }
        match (own, &self.sha256) {
            (Some(own), Some(sha256)) if !own.sha256.eq_ignore_ascii_case(sha256) => {
                notes.push(format!("the server's own is {}", own.software()));
            }
            (None, _) => notes.push("the server has none to compare it with".to_owned()),
            _ => {}
        }
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}

fn word(text: &str) -> Option<String> {
    let is_word = !text.is_empty() && text.len() <= MAX_NAME_BYTES && !text.chars().any(char::is_control);
    is_word.then(|| text.to_owned())
}

fn sum(text: &str) -> Option<String> {
    let is_sum = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    is_sum.then(|| text.to_ascii_lowercase())
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

    fn own() -> [Option<ModelCard>; 3] {
        installed(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models")), "affect")
    }

    #[test]
    fn the_bytes_that_ran_are_named_and_compared() {
        let own = own();
        let [detector, landmarks, affect] = own.each_ref().map(|card| card.as_ref().unwrap());
        let other = "AB".repeat(32);
        let said = object(json!({
            "detector": {"name": "detector", "version": "1", "sha256": detector.sha256, "card_sha256": detector.sha256},
            "landmarks": {"name": "landmarks", "version": "2", "sha256": other, "card_sha256": landmarks.sha256},
            "affect": {"name": "affect", "version": "3", "sha256": null, "card_sha256": affect.sha256},
        }));
        let found = reported(&said, &own);
        let models: Vec<_> = found.iter().map(|n| &n.model).collect();
        assert_eq!(models.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["detector", "landmarks", "affect"]);
        assert!(models.iter().all(|m| m.reported_by.as_deref() == Some("the browser")));
        assert_eq!((models[0].sha256.as_str(), &models[0].note), (detector.sha256.as_str(), &None));
        assert_eq!(models[1].sha256, "ab".repeat(32));
        let note = models[1].note.as_deref().unwrap();
        assert!(note.contains("its card names another file") && note.contains(&landmarks.sha256), "{note}");
        assert!(note.contains("the server's own is landmarks"), "{note}");
        assert_eq!(models[2].sha256, "");
        assert!(models[2].note.as_deref().unwrap().contains("made no sum"));
        assert!(models[2].to_string().contains("not hashed"), "{}", models[2]);
        assert_eq!((found[1].streams, found[2].streams), (&[FACE, LANDMARKS][..], &[AFFECT][..]));
    }

    #[test]
    fn clients_that_copied_the_card_are_not_taken_for_ones_that_made_a_sum() {
        let said = object(json!({ "affect": format!("affect 1.0 sha256:{}", "cd".repeat(32)) }));
        let found = reported(&said, &[None, None, None]);
        assert_eq!((found.len(), found[0].model.version.as_str(), found[0].model.sha256.as_str()), (1, "1.0", ""));
        let note = found[0].model.note.as_deref().unwrap();
        assert!(note.contains(&"cd".repeat(32)) && note.contains("none to compare"), "{note}");
    }

    #[test]
    fn what_says_nothing_gives_nothing() {
        for said in [
            json!({}),
            json!({"affect": 7}),
            json!({"affect": {"name": "affect"}}),
            json!({"affect": {"name": "", "version": "1", "sha256": null}}),
            json!({"affect": {"name": "a\u{1b}[2J", "version": "1", "sha256": null}}),
            json!({"affect": {"name": "x".repeat(101), "version": "1", "sha256": null}}),
            json!({"other": {"name": "affect", "version": "1", "sha256": null}}),
        ] {
            assert_eq!(reported(&object(said.clone()), &own()), [], "{said}");
        }
        let no_sum = json!({"affect": {"name": "affect", "version": "1", "sha256": "not a sum"}});
        assert_eq!(reported(&object(no_sum), &own())[0].model.sha256, "");
    }

    proptest! {
        #[test]
        fn whatever_is_said_a_sum_is_a_sum(name in "\\PC{0,120}", version in any::<String>(), sha in "[0-9a-fA-F]{60,66}|\\PC*") {
            let said = json!({"affect": {"name": name, "version": version, "sha256": sha, "card_sha256": sha}});
            for network in reported(&object(said), &[None, None, None]) {
                let sum = &network.model.sha256;
                prop_assert!(sum.is_empty() || (sum.len() == 64 && *sum == sha.to_ascii_lowercase()));
                prop_assert!(!network.model.to_string().chars().any(char::is_control));
            }
        }
    }
}
