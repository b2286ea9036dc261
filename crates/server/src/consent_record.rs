//! What is known about the consent of a session.

use chrono::SecondsFormat;
use serde::Serialize;
use utoipa::ToSchema;

use super::secrets::sha256;
use session::hex;
use store::SessionHeader;

/// The title of the library's own dialog. The checksum of a consent is that of title and text.
const DIALOG_TITLE: &str = "May this page record what you do?";

#[derive(Serialize, ToSchema)]
pub struct ConsentRecord {
    /// The study required consent when the session began. `null` if that study cannot be read by this version.
    was_required: Option<bool>,
    /// When the participant agreed. `null` if no consent was sent.
    given_utc: Option<String>,
    /// The checksum of the text that was shown.
    text_sha256: Option<String>,
    /// The study's text when the session began. Empty if it had none.
    study_text: String,
    /// The shown text was the study's own, in the library's own dialog. `false`: the page showed another text.
    is_study_text: Option<bool>,
}

impl ConsentRecord {
    pub fn of(header: &SessionHeader) -> ConsentRecord {
        let study = header.study.excerpt().ok();
        let study_text = study.as_ref().map(|s| s.consent.text.clone()).unwrap_or_default();
        let shown = format!("{DIALOG_TITLE}\n\n{study_text}");
        let sums = [&shown, &study_text].map(|text| hex(&sha256(text)));
        let consent = header.consent.as_ref();
        ConsentRecord {
            was_required: study.map(|s| s.consent.required),
            given_utc: consent.map(|c| c.given_at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            text_sha256: consent.map(|c| c.text_sha256.clone()),
            is_study_text: consent.filter(|_| !study_text.is_empty()).map(|c| sums.contains(&c.text_sha256)),
            study_text,
        }
    }
}
