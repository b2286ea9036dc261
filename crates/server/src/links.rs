//! Identifiers in recruiting links: `?participant=…` from Prolific, SurveyMonkey or SONA.
//!
//! An identifier can name a person, so it is never stored. The server stores its HMAC-SHA256 with a random key of its own.
//! Without that key nobody can test whether a known identifier is in the ledger.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::problem::Problem;

/// The name of the key in the ledger.
pub const SECRET: &str = "participant_links";
const MAX_CHARS: usize = 200;
/// What services put around the name of a value in a link: `{{%PROLIFIC_PID%}}`, `%SURVEY_CODE%`, `[ID]`.
const PLACEHOLDERS: [(&str, &str); 4] = [("{", "}"), ("%", "%"), ("[", "]"), ("<", ">")];

/// The server's key for identifiers.
#[derive(Clone)]
pub struct LinkKey([u8; 32]);

impl LinkKey {
    pub fn new(key: [u8; 32]) -> LinkKey {
        LinkKey(key)
    }

    /// The stored hash of an identifier. The same identifier has different hashes in different studies.
    pub fn hash(&self, study: &str, identifier: &str) -> Result<store::Sha256, Problem> {
        let identifier = identifier.trim();
        let is_valid = (1..=MAX_CHARS).contains(&identifier.chars().count()) && !identifier.contains(char::is_control);
        if !is_valid {
            let detail =
                format!("The participant's identifier in the link must have 1 to {MAX_CHARS} characters in one line.");
            return Err(Problem::malformed(detail));
        }
        if PLACEHOLDERS.iter().any(|(begin, end)| identifier.starts_with(begin) && identifier.ends_with(end)) {
            let detail = "The link has a placeholder in the place of the participant's identifier. The recruiting service \
                          did not replace it. Check the link there.";
            return Err(Problem::malformed(detail));
        }
        Ok(self.mac(study, identifier))
    }

    fn mac(&self, study: &str, identifier: &str) -> store::Sha256 {
        // HMAC fills a shorter key with zeros.
        let mut key = [0; 64];
        key[..self.0.len()].copy_from_slice(&self.0);
        let mut mac = Hmac::<Sha256>::new(&key.into());
        for part in ["link", study, identifier] {
            // Names of studies contain no zero, so no two inputs are the same bytes.
            mac.update(part.as_bytes());
            mac.update(&[0]);
        }
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_has_one_hash_for_each_key_and_study() {
        let (a, b) = (LinkKey::new([1; 32]), LinkKey::new([2; 32]));
        let id = "5f3a0c9e";
        assert_eq!(a.hash("demo", id).unwrap(), a.hash("demo", " 5f3a0c9e ").unwrap());
        assert_ne!(a.hash("demo", id).unwrap(), a.hash("demo2", id).unwrap());
        assert_ne!(a.hash("demo", id).unwrap(), b.hash("demo", id).unwrap());
        for wrong in ["", "  ", "a\nb", &"x".repeat(201), "{{%PROLIFIC_PID%}}", "%SURVEY_CODE%", "[ID]"] {
            assert!(a.hash("demo", wrong).is_err(), "{wrong}");
        }
    }
}
