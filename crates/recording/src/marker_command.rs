//! A marker of a source that starts or stops the recording.

#[derive(Clone, Debug, PartialEq)]
pub struct MarkerCommand {
    pub is_start: bool,
    /// The source as the study names it.
    pub source: String,
    pub text: String,
    /// The sender's stamp.
    pub stamp_s: f64,
}
