//! A stored session as JSON: its header, its streams and its quality.

use serde_json::{Value, json};

use crate::failure::Failure;
use study_query::StoredSession;

/// One object. `show`, `record`, `rescore`, `selftest` and the CSV export use it.
pub fn session_json(stored: &StoredSession) -> Result<Value, Failure> {
    let streams = stored.file.streams().iter().map(|s| {
        let samples = stored.timeline.series(s.name.as_str()).map(session::SampleSeries::len);
        json!({ "name": s.name, "kind": s.kind, "software": s.software, "samples": samples })
    });
    let mut object = json!({
        "session": stored.file.folder(),
        "state": stored.file.state()?,
        "header": stored.file.header(),
        "streams": streams.collect::<Vec<_>>(),
    });
    if let (Value::Object(all), Value::Object(quality)) = (&mut object, serde_json::to_value(&stored.quality)?) {
        all.extend(quality);
    }
    Ok(object)
}
