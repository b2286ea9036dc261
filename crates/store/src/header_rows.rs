//! Header, streams and summary of a session as database rows.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::path::Path;

use super::{
    Addition, CameraDescription, ModelDescription, ReportedNetwork, SessionHeader, SessionState, StoreError,
    StoredStudy, Summary, checksum, schema,
};
use session::{Field, GapReason, ParticipantId, SERVER, SessionNumber, StreamInfo, StreamKind, Timestamp};

/// The stored state. The lock shows whether an open session is being recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closed {
    Not,
    Properly,
    AfterCrash,
}

impl Closed {
    fn as_str(self) -> &'static str {
        match self {
            Closed::Not => "open",
            Closed::Properly => "closed",
            Closed::AfterCrash => "recovered",
        }
    }

    pub(super) fn state(self, is_held: bool) -> SessionState {
        match (self, is_held) {
            (Closed::Not, true) => SessionState::Recording,
            (Closed::Not, false) => SessionState::Crashed,
            (Closed::Properly, _) => SessionState::Closed,
            (Closed::AfterCrash, _) => SessionState::Recovered,
        }
    }
}

pub(super) fn put_header(conn: &Connection, header: &SessionHeader, streams: &[StreamInfo]) -> rusqlite::Result<()> {
    conn.execute(
        "INSERT INTO session (id, participant, session, study, study_title, study_toml, zero_utc, software, host,
                              camera, models, consent, overridden_checks, revision, condition, condition_assigned, pilot)
         VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        params![
            header.participant.as_str(),
            header.session.0,
            header.study.name,
            header.study.title,
            header.study.toml,
            header.zero_utc.to_rfc3339_opts(chrono::SecondsFormat::Nanos, true),
            header.software,
            header.host,
            to_json(&header.camera)?,
            to_json(&header.models)?,
            header.consent.as_ref().map(to_json).transpose()?,
            to_json(&header.overridden_checks)?,
            header.revision,
            header.condition,
            header.condition_assigned,
            header.pilot.then_some(1),
        ],
    )?;
    streams.iter().enumerate().try_for_each(|(id, stream)| put_stream(conn, id, stream))?;
    checksum::seal(conn)
}

/// `id` is the number after that of the last stream.
pub(super) fn put_stream(conn: &Connection, id: usize, stream: &StreamInfo) -> rusqlite::Result<()> {
    let kind = match stream.kind {
        StreamKind::Samples => "samples",
        StreamKind::Events => "events",
    };
    conn.execute(
        "INSERT INTO stream (id, name, kind, description, nominal_rate_hz, software) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![id as i64, stream.name.as_str(), kind, stream.description, stream.nominal_rate_hz, stream.software],
    )?;
    for (position, field) in stream.fields.iter().enumerate() {
        conn.execute(
            "INSERT INTO field (stream, position, name, unit, description) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![id as i64, position as i64, field.name, field.unit, field.description],
        )?;
    }
    Ok(())
}

/// Marks a stream as added after the recording.
pub(super) fn put_addition(conn: &Connection, id: usize, addition: &Addition) -> rusqlite::Result<()> {
    let added = addition.added.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    conn.execute(
        "UPDATE stream SET added_utc = ?2, author = ?3 WHERE id = ?1",
        params![id as i64, added, addition.author],
    )?;
    checksum::reseal(conn)
}

/// The streams that were added after the recording. A file of version 1 has none.
pub(super) fn get_additions(conn: &Connection, path: &Path) -> Result<Vec<Addition>, StoreError> {
    let read = || -> rusqlite::Result<Vec<Result<Addition, String>>> {
        if schema::version(conn)? < schema::VERSION_WITH_ADDITIONS {
            return Ok(Vec::new());
        }
        let mut added = conn.prepare("SELECT * FROM stream WHERE added_utc IS NOT NULL ORDER BY id")?;
        added.query_map([], |row| Ok(addition_of(row)))?.collect()
    };
    let added = read().map_err(StoreError::sql("read the streams of", path))?;
    added
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|problem| StoreError::damaged(path, format!("in its list of streams: {problem}")))
}

fn addition_of(row: &Row) -> Result<Addition, String> {
    Ok(Addition {
        stream: text(row, "name")?.parse()?,
        added: DateTime::parse_from_rfc3339(&text(row, "added_utc")?)
            .map_err(|e| format!("added_utc: {e}"))?
            .with_timezone(&Utc),
        author: get::<Option<String>>(row, "author")?.unwrap_or_default(),
    })
}

/// `path` is used in error messages.
pub(super) fn get_header(conn: &Connection, path: &Path) -> Result<(SessionHeader, Closed, Summary), StoreError> {
    let row = conn
        .query_row("SELECT * FROM session", [], |row| Ok(header_of(row)))
        .optional()
        .map_err(StoreError::sql("read", path))?
        .ok_or_else(|| StoreError::damaged(path, "its header is missing"))?;
    let (mut header, closed, summary) =
        row.map_err(|problem| StoreError::damaged(path, format!("in its header: {problem}")))?;
    if header.condition.is_none() {
        header.condition = condition_event(conn).map_err(StoreError::sql("read the condition of", path))?;
    }
    Ok((header, closed, summary))
}

/// The condition in a session of an earlier server, which stored it as an event.
fn condition_event(conn: &Connection) -> rusqlite::Result<Option<String>> {
    // Without the index, each opening of a long session would read all of its records.
    if schema::version(conn)? < schema::VERSION_WITH_TIME_INDEX {
        return Ok(None);
    }
    let stream = conn.query_row("SELECT id FROM stream WHERE name = ?1", [SERVER], |row| row.get::<_, i64>(0));
    let Some(stream) = stream.optional()? else { return Ok(None) };
    let mut found = conn.prepare(
        "SELECT data FROM record WHERE stream = ?1 AND type = 1 AND kind = 'condition' ORDER BY at_ns DESC LIMIT 1",
    )?;
    let data = found.query_row([stream], |row| Ok(row.get_ref(0)?.as_str().ok().map(str::to_owned))).optional()?;
    // A damaged event is reported by whoever reads the records.
    let data = data.flatten().and_then(|text| serde_json::from_str::<Value>(&text).ok());
    Ok(data.and_then(|data| Some(data.get("condition")?.as_str()?.to_owned())))
}

fn header_of(row: &Row) -> Result<(SessionHeader, Closed, Summary), String> {
    let header = SessionHeader {
        participant: text(row, "participant")?.parse()?,
        session: SessionNumber(get(row, "session")?),
        study: StoredStudy {
            name: text(row, "study")?,
            title: text(row, "study_title")?,
            toml: text(row, "study_toml")?,
        },
        zero_utc: DateTime::parse_from_rfc3339(&text(row, "zero_utc")?)
            .map_err(|e| format!("zero_utc: {e}"))?
            .with_timezone(&Utc),
        software: text(row, "software")?,
        revision: later_column(row, "revision")?,
        host: text(row, "host")?,
        camera: json(&text(row, "camera")?)?,
        models: json(&text(row, "models")?)?,
        pilot: later_column::<i64>(row, "pilot")?.is_some_and(|n| n != 0),
        consent: get::<Option<String>>(row, "consent")?.as_deref().map(json).transpose()?,
        overridden_checks: json(&text(row, "overridden_checks")?)?,
        condition: later_column(row, "condition")?,
        condition_assigned: later_column(row, "condition_assigned")?,
    };
    let state = text(row, "state")?;
    let closed = [Closed::Not, Closed::Properly, Closed::AfterCrash].into_iter().find(|c| c.as_str() == state);
    let count = |column| get::<Option<i64>>(row, column).map(|n| n.unwrap_or(0) as u64);
    let summary = Summary {
        end: Timestamp::from_ns(get::<Option<i64>>(row, "end_ns")?.unwrap_or(0)),
        records: count("records")?,
        events: count("events")?,
        frames: count("frames")?,
        lost: count("lost")?,
        conflicts: count("conflicts")?,
        quality: get::<Option<String>>(row, "quality")?.as_deref().map(json).transpose()?,
    };
    Ok((header, closed.ok_or_else(|| format!("unknown state `{state}`"))?, summary))
}

/// A column that files of earlier versions do not have.
fn later_column<T: rusqlite::types::FromSql>(row: &Row, name: &str) -> Result<Option<T>, String> {
    match row.as_ref().column_index(name) {
        Ok(_) => get(row, name),
        Err(_) => Ok(None),
    }
}

/// In the order of their numbers in the file, which are `0..n`.
pub(super) fn get_streams(conn: &Connection, path: &Path) -> Result<Vec<StreamInfo>, StoreError> {
    let read = || -> rusqlite::Result<Vec<Result<StreamInfo, String>>> {
        let mut fields =
            conn.prepare("SELECT name, unit, description FROM field WHERE stream = ?1 ORDER BY position")?;
        let mut streams = conn.prepare("SELECT * FROM stream ORDER BY id")?;
        streams
            .query_map([], |row| {
                let fields = fields
                    .query_map([row.get::<_, i64>("id")?], |f| {
                        Ok(Field { name: f.get(0)?, unit: f.get(1)?, description: f.get(2)? })
                    })?
                    .collect::<rusqlite::Result<_>>()?;
                Ok(stream_of(row, fields))
            })?
            .collect()
    };
    let streams = read().map_err(StoreError::sql("read the streams of", path))?;
    streams
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|problem| StoreError::damaged(path, format!("in its list of streams: {problem}")))
}

fn stream_of(row: &Row, fields: Vec<Field>) -> Result<StreamInfo, String> {
    let kind = match text(row, "kind")?.as_str() {
        "samples" => StreamKind::Samples,
        "events" => StreamKind::Events,
        other => return Err(format!("unknown kind of stream `{other}`")),
    };
    Ok(StreamInfo {
        name: text(row, "name")?.parse()?,
        kind,
        description: text(row, "description")?,
        fields,
        nominal_rate_hz: get(row, "nominal_rate_hz")?,
        software: text(row, "software")?,
    })
}

/// Marks the session as closed and stores the counts of its rows.
pub(super) fn close(conn: &Connection, how: Closed, end: Timestamp, conflicts: u64) -> rusqlite::Result<()> {
    let is_loss = GapReason::ALL.into_iter().filter(|r| r.is_loss()).map(|r| format!("'{}'", r.as_str()));
    let is_loss = is_loss.collect::<Vec<_>>().join(", ");
    // Counts are unsigned 64-bit values in signed integers. Only a hostile source sends such large counts. Added as floats,
    // they saturate.
    conn.execute(
        &format!(
            "UPDATE session SET state = ?1, end_ns = ?2, conflicts = ?3,
               records = (SELECT count(*) FROM record), events = (SELECT count(*) FROM record WHERE type = 1),
               frames = (SELECT count(*) FROM frame),
               lost = (SELECT CAST(total(CASE WHEN lost < 0 THEN 1.8e19 ELSE lost END) AS INTEGER) FROM record WHERE type = 2 AND kind IN ({is_loss}))"
        ),
        params![how.as_str(), end.as_ns(), conflicts as i64],
    )?;
    checksum::reseal(conn)
}

/// Undoes [`close`], so that a remote session goes on.
pub(super) fn reopen(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute(
        "UPDATE session SET state = ?1, end_ns = NULL, conflicts = NULL, records = NULL, events = NULL, frames = NULL,
                            lost = NULL, quality = NULL",
        [Closed::Not.as_str()],
    )?;
    checksum::reseal(conn)
}

/// Whether streams were added after the recording.
pub(super) fn has_additions(conn: &Connection) -> rusqlite::Result<bool> {
    conn.query_row("SELECT EXISTS (SELECT 1 FROM stream WHERE added_utc IS NOT NULL)", [], |row| row.get(0))
}

/// Gives the session another participant and number. The caller has stored the event about it.
pub(super) fn put_assignment(
    conn: &Connection,
    participant: &ParticipantId,
    session: SessionNumber,
) -> rusqlite::Result<()> {
    conn.execute(
        "UPDATE session SET participant = ?1, session = ?2, records = records + 1, events = events + 1",
        params![participant.as_str(), session.0],
    )?;
    checksum::reseal(conn)
}

pub(super) fn put_camera(conn: &Connection, camera: &CameraDescription) -> rusqlite::Result<()> {
    conn.execute("UPDATE session SET camera = ?1", [to_json(camera)?])?;
    checksum::reseal(conn)
}

/// The software of a stream until its network is reported.
pub const NOT_YET_REPORTED: &str = "a network that was not reported";
/// More networks than any session uses. Limits what a browser can add to the header.
const MAX_MODELS: usize = 32;

/// Adds reported networks that the header does not have.
pub(super) fn put_reported(conn: &Connection, networks: &[ReportedNetwork]) -> rusqlite::Result<()> {
    let stored: String = conn.query_row("SELECT models FROM session", [], |row| row.get(0))?;
    let unreadable = |e| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(e));
    let mut models: Vec<ModelDescription> = serde_json::from_str(&stored).map_err(unreadable)?;
    let known = models.len();
    for network in networks {
        if models.contains(&network.model) || models.len() >= MAX_MODELS {
            continue;
        }
        models.push(network.model.clone());
        for stream in network.streams {
            let software = "UPDATE stream SET software = CASE software WHEN ?3 THEN ?2 ELSE software || '; ' || ?2 END
                            WHERE name = ?1";
            conn.execute(software, params![stream, network.software, NOT_YET_REPORTED])?;
        }
    }
    if models.len() > known {
        conn.execute("UPDATE session SET models = ?1", [to_json(&models)?])?;
        checksum::reseal(conn)?;
    }
    Ok(())
}

/// `None` keeps the stored report.
pub(super) fn put_quality(conn: &Connection, quality: Option<&serde_json::Value>) -> rusqlite::Result<()> {
    if let Some(quality) = quality {
        conn.execute("UPDATE session SET quality = ?1", [to_json(quality)?])?;
        checksum::reseal(conn)?;
    }
    Ok(())
}

/// Merges the write-ahead log into the session file, so that it is readable on read-only media. A reader that has the file
/// open keeps the log; the session is then complete in two files.
pub(super) fn settle(conn: &Connection) -> rusqlite::Result<()> {
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    conn.busy_timeout(std::time::Duration::from_millis(200))?;
    match conn.pragma_update(None, "journal_mode", "delete") {
        Err(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => Ok(()),
        other => other,
    }
}

fn get<T: rusqlite::types::FromSql>(row: &Row, column: &str) -> Result<T, String> {
    row.get(column).map_err(|e| format!("{column}: {e}"))
}

fn text(row: &Row, column: &str) -> Result<String, String> {
    get(row, column)
}

fn json<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|e| format!("`{text}`: {e}"))
}

fn to_json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))
}
