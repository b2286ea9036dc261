//! A session as one JSON document for the person who was recorded.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::chunks;
use session::{Body, Record};
use store::{SessionFile, StoreError};

/// Writes the document record by record, so that a long session needs little memory. After an error it has no end, so the
/// reader detects the error.
pub fn write(folder: &Path, mut out: impl Write) -> io::Result<()> {
    let file = SessionFile::open(folder).map_err(other)?;
    let head = head(&file, folder)?.to_string();
    // The records follow as the document's last field.
    write!(out, "{},\"records\":[", head.strip_suffix('}').unwrap_or(&head))?;
    let mut failed = None;
    let mut is_first = true;
    let read = file.each_record(|record| {
        if failed.is_none() {
            let comma = if std::mem::take(&mut is_first) { "\n" } else { ",\n" };
            failed = write!(out, "{comma}{}", described(&record)).err();
        }
    });
    if let Some(e) = failed {
        return Err(e);
    }
    read.map_err(other)?;
    out.write_all(b"\n]}\n")?;
    out.flush()
}

fn other(e: StoreError) -> io::Error {
    io::Error::other(e.to_string())
}

fn head(file: &SessionFile, folder: &Path) -> io::Result<Value> {
    let header = file.header();
    let mut files: Vec<Value> = Vec::new();
    for found in [folder.to_owned(), chunks::folder(folder)] {
        let entries = match std::fs::read_dir(found) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            Err(e) => return Err(e),
        };
        for entry in entries {
            let entry = entry?;
            if let (Ok(about), Ok(name)) = (entry.metadata(), entry.file_name().into_string())
                && about.is_file()
            {
                files.push(json!({ "name": name, "bytes": about.len() }));
            }
        }
    }
    files.sort_by_key(|f| f["name"].to_string());
    let streams = file.streams().iter().map(|s| {
        let fields: Vec<_> = s.fields.iter().map(|f| json!({ "name": f.name, "unit": f.unit })).collect();
        json!({ "name": s.name.as_str(), "fields": fields })
    });
    Ok(json!({
        "about": "All records of this session. The owner of the study may also have a note about it. Times are seconds of the session. Pictures are in the listed video files: \
                  ask the people who run the study for them.",
        "study": header.study.name,
        "study_title": header.study.title,
        "participant": header.participant.to_string(),
        "session": header.session.0,
        "started_utc": header.zero_utc.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        "consent_given_utc": header.consent.as_ref().map(|c| c.given_at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)),
        "consent_text_sha256": header.consent.as_ref().map(|c| c.text_sha256.clone()),
        "condition": header.condition,
        "browser": header.host,
        "camera": header.camera.name,
        "files": files,
        "streams": streams.collect::<Vec<_>>(),
    }))
}

fn described(record: &Record) -> Value {
    let at_s = record.at.as_secs_f64();
    match &record.body {
        Body::Sample { values, .. } => json!({ "stream": record.stream.as_str(), "at_s": at_s, "values": &values[..] }),
        Body::Event { kind, data } => {
            json!({ "stream": record.stream.as_str(), "at_s": at_s, "kind": kind, "data": data })
        }
        Body::Gap(gap) => json!({
            "stream": record.stream.as_str(), "at_s": at_s, "missing_until_s": gap.until.as_secs_f64(),
            "reason": gap.reason.as_str(), "lost": gap.lost, "note": gap.note,
        }),
    }
}
