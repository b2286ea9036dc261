//! Parquet, as DuckDB, Polars, Spark and DataFusion read it: a folder of any number of sessions is one table.
//!
//! ```text
//! sessions.parquet                                                        one row a session
//! samples/study=demo/participant=sub-01/session=ses-01/samples.parquet    stream, field, time_ns, value …
//! events/… gaps/… frames/…                                                partitioned alike
//! ```
//!
//! Samples are long (one row a value), so that every session has the same columns whichever streams it has. They are
//! ordered by stream, field and time: whoever asks for valence reads little else.

use std::io;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::types::Int16Type;
use arrow_array::{
    ArrayRef, DictionaryArray, Float32Array, Float64Array, Int16Array, Int64Array, RecordBatch, StringArray,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;

use super::place::{make_folder, publish_folder, write_file};
use super::{ExportError, ExportedSession, Selection};
use analysis::Busy;
use session::{SampleSeries, Timeline};

/// Values handed over at once, and rows that a reader can skip at once.
const BATCH_ROWS: usize = 65_536;
const ROW_GROUP_ROWS: usize = 1_000_000;

pub fn write_parquet(selection: &Selection, to: &Path, mut told: impl FnMut(&str)) -> Result<(), ExportError> {
    publish_folder(to, |part| {
        let mut summary = Vec::new();
        for selected in selection.sessions() {
            told(&selected.label());
            let session = selected.load()?;
            let h = &session.header;
            let study = partition_value(&h.study.name);
            let place = |table: &str| {
                let folder = part
                    .join(table)
                    .join(format!("study={study}"))
                    .join(format!("participant={}", h.participant))
                    .join(format!("session={}", h.session));
                make_folder(&folder).map(|()| folder.join(format!("{table}.parquet")))
            };
            write_table(&place("samples")?, &samples_schema(), |put| samples(&session.timeline, put))?;
            write_table(&place("events")?, &events_schema(), |put| put(events(&session.timeline)?))?;
            write_table(&place("gaps")?, &gaps_schema(), |put| put(gaps(&session.timeline)?))?;
            write_table(&place("frames")?, &frames_schema(), |put| put(frames(&session)?))?;
            summary.push(SessionRow::of(&session));
        }
        write_table(&part.join("sessions.parquet"), &sessions_schema(), |put| put(sessions(&summary)?))
    })
}

/// What a folder `study=…` may hold: a name that this program parsed always passes unchanged.
fn partition_value(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' }).collect()
}

type Filled = Result<(), parquet::errors::ParquetError>;

fn write_table(
    path: &Path,
    schema: &SchemaRef,
    fill: impl FnOnce(&mut dyn FnMut(RecordBatch) -> Filled) -> Filled,
) -> Result<(), ExportError> {
    write_file(path, |out| {
        let write = || -> Filled {
            // Without Arrow's own copy of the schema: then dictionaries are plain text to every reader.
            let options = ArrowWriterOptions::new().with_properties(properties(schema)?).with_skip_arrow_metadata(true);
            let mut writer = ArrowWriter::try_new_with_options(&mut *out, schema.clone(), options)?;
            fill(&mut |batch| writer.write(&batch))?;
            writer.close()?;
            Ok(())
        };
        write().map_err(as_io)
    })
}

/// A full disk is an I/O error wherever it is met.
fn as_io(error: parquet::errors::ParquetError) -> io::Error {
    match error {
        parquet::errors::ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(io) => *io,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}

fn properties(schema: &SchemaRef) -> Result<WriterProperties, parquet::errors::ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_created_by(session::program());
    for field in schema.fields() {
        let column = ColumnPath::from(field.name().as_str());
        // Times and numbers grow steadily, measured values share their first bytes.
        let encoding = match field.data_type() {
            DataType::Int64 => Encoding::DELTA_BINARY_PACKED,
            DataType::Float32 => Encoding::BYTE_STREAM_SPLIT,
            _ => continue,
        };
        properties =
            properties.set_column_dictionary_enabled(column.clone(), false).set_column_encoding(column, encoding);
    }
    Ok(properties.build())
}

fn word(name: &str) -> Field {
    Field::new(name, DataType::Dictionary(Box::new(DataType::Int16), Box::new(DataType::Utf8)), false)
}

fn column(name: &str, kind: DataType) -> Field {
    Field::new(name, kind, false)
}

fn maybe(name: &str, kind: DataType) -> Field {
    Field::new(name, kind, true)
}

fn schema(fields: Vec<Field>) -> SchemaRef {
    Arc::new(Schema::new(fields))
}

fn samples_schema() -> SchemaRef {
    schema(vec![
        word("stream"),
        word("field"),
        word("unit"),
        column("time_ns", DataType::Int64),
        column("seq", DataType::Int64),
        maybe("frame", DataType::Int64),
        maybe("value", DataType::Float32),
    ])
}

fn events_schema() -> SchemaRef {
    schema(vec![
        word("stream"),
        column("time_ns", DataType::Int64),
        column("seq", DataType::Int64),
        column("kind", DataType::Utf8),
        column("data_json", DataType::Utf8),
    ])
}

fn gaps_schema() -> SchemaRef {
    schema(vec![
        word("stream"),
        column("time_ns", DataType::Int64),
        column("until_ns", DataType::Int64),
        column("seq", DataType::Int64),
        word("reason"),
        column("lost", DataType::Int64),
        column("note", DataType::Utf8),
    ])
}

fn frames_schema() -> SchemaRef {
    schema(vec![
        column("time_ns", DataType::Int64),
        column("frame", DataType::Int64),
        word("time_source"),
        maybe("device_sequence", DataType::Int64),
    ])
}

fn sessions_schema() -> SchemaRef {
    schema(vec![
        column("study", DataType::Utf8),
        column("participant", DataType::Utf8),
        column("session", DataType::Utf8),
        column("zero_utc", DataType::Utf8),
        column("software", DataType::Utf8),
        column("models_json", DataType::Utf8),
        column("seconds", DataType::Float64),
        column("grade", DataType::Utf8),
        column("frames_stored", DataType::Int64),
        column("frames_lost", DataType::Int64),
        column("frames_scored", DataType::Int64),
        maybe("face_share", DataType::Float64),
        maybe("page_clock_uncertainty_ms", DataType::Float64),
        maybe("page_busy_share", DataType::Float64),
        maybe("page_longest_busy_s", DataType::Float64),
        maybe("page_frames_unseen", DataType::Int64),
    ])
}

/// One word for all of `rows`, at the price of one.
fn same(word: &str, rows: usize) -> Result<ArrayRef, parquet::errors::ParquetError> {
    let words: ArrayRef = Arc::new(StringArray::from(vec![word]));
    Ok(Arc::new(DictionaryArray::<Int16Type>::try_new(Int16Array::from(vec![0; rows]), words)?))
}

fn words<'a>(all: impl Iterator<Item = &'a str>) -> Result<ArrayRef, parquet::errors::ParquetError> {
    let mut builder = StringDictionaryBuilder::<Int16Type>::new();
    for word in all {
        builder.append(word)?;
    }
    Ok(Arc::new(builder.finish()))
}

/// Numbers of records and frames are far below 2^63 in every file that this program wrote.
fn int(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn ints(all: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(all))
}

fn maybe_ints(all: impl Iterator<Item = Option<u64>>) -> ArrayRef {
    Arc::new(all.map(|n| n.map(int)).collect::<Int64Array>())
}

fn texts(all: impl Iterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(all))
}

fn samples(timeline: &Timeline, put: &mut dyn FnMut(RecordBatch) -> Filled) -> Filled {
    let schema = samples_schema();
    for series in timeline.streams().filter_map(|s| timeline.series(s.name.as_str())) {
        for field in 0..series.info.fields.len() {
            for from in (0..series.len()).step_by(BATCH_ROWS) {
                let rows = from..(from + BATCH_ROWS).min(series.len());
                put(RecordBatch::try_new(schema.clone(), sample_columns(series, field, rows)?)?)?;
            }
        }
    }
    Ok(())
}

fn sample_columns(
    series: &SampleSeries,
    field: usize,
    rows: std::ops::Range<usize>,
) -> Result<Vec<ArrayRef>, parquet::errors::ParquetError> {
    let (info, n) = (&series.info, rows.len());
    let values = series.column(field)[rows.clone()].iter().map(|v| (!v.is_nan()).then_some(*v));
    Ok(vec![
        same(info.name.as_str(), n)?,
        same(&info.fields[field].name, n)?,
        same(&info.fields[field].unit, n)?,
        ints(series.times()[rows.clone()].iter().map(|t| t.as_ns())),
        ints(series.seqs()[rows.clone()].iter().map(|n| int(*n))),
        maybe_ints(series.frames()[rows].iter().copied()),
        Arc::new(values.collect::<Float32Array>()),
    ])
}

fn events(timeline: &Timeline) -> Result<RecordBatch, parquet::errors::ParquetError> {
    let all = timeline.events();
    let columns = vec![
        words(all.iter().map(|e| e.stream.as_str()))?,
        ints(all.iter().map(|e| e.at.as_ns())),
        ints(all.iter().map(|e| int(e.seq))),
        texts(all.iter().map(|e| e.what.kind.clone())),
        texts(all.iter().map(|e| serde_json::Value::Object(e.what.data.clone()).to_string())),
    ];
    Ok(RecordBatch::try_new(events_schema(), columns)?)
}

fn gaps(timeline: &Timeline) -> Result<RecordBatch, parquet::errors::ParquetError> {
    let all = timeline.gaps();
    let columns = vec![
        words(all.iter().map(|g| g.stream.as_str()))?,
        ints(all.iter().map(|g| g.at.as_ns())),
        ints(all.iter().map(|g| g.what.until.as_ns())),
        ints(all.iter().map(|g| int(g.seq))),
        words(all.iter().map(|g| g.what.reason.as_str()))?,
        ints(all.iter().map(|g| int(g.what.lost))),
        texts(all.iter().map(|g| g.what.note.clone())),
    ];
    Ok(RecordBatch::try_new(gaps_schema(), columns)?)
}

fn frames(session: &ExportedSession) -> Result<RecordBatch, parquet::errors::ParquetError> {
    let all = &session.frames;
    let columns = vec![
        ints(all.iter().map(|f| f.at.as_ns())),
        ints(all.iter().map(|f| int(f.number))),
        words(all.iter().map(|f| f.time_source))?,
        maybe_ints(all.iter().map(|f| f.device_sequence)),
    ];
    Ok(RecordBatch::try_new(frames_schema(), columns)?)
}

struct SessionRow {
    texts: [String; 7],
    seconds: f64,
    frames: [u64; 3],
    face_share: Option<f64>,
    clock_uncertainty_ms: Option<f64>,
    page_busy: Option<Busy>,
    frames_unseen: Option<u64>,
}

impl SessionRow {
    fn of(session: &ExportedSession) -> SessionRow {
        let (h, q) = (&session.header, &session.quality);
        SessionRow {
            texts: [
                h.study.name.clone(),
                h.participant.to_string(),
                h.session.to_string(),
                h.zero_utc.to_rfc3339(),
                h.software.clone(),
                serde_json::json!(h.models).to_string(),
                q.grade.to_string(),
            ],
            seconds: q.seconds,
            frames: [q.frames_stored, q.frames_lost, q.frames_scored],
            face_share: q.face_share,
            clock_uncertainty_ms: q.clock_uncertainty_ms,
            page_busy: q.page_busy,
            frames_unseen: q.frames_unseen,
        }
    }
}

fn sessions(rows: &[SessionRow]) -> Result<RecordBatch, parquet::errors::ParquetError> {
    let text = |k: usize| texts(rows.iter().map(|r| r.texts[k].clone()));
    let count = |k: usize| ints(rows.iter().map(|r| int(r.frames[k])));
    let columns: Vec<ArrayRef> = vec![
        text(0),
        text(1),
        text(2),
        text(3),
        text(4),
        text(5),
        Arc::new(Float64Array::from_iter_values(rows.iter().map(|r| r.seconds))),
        text(6),
        count(0),
        count(1),
        count(2),
        Arc::new(rows.iter().map(|r| r.face_share).collect::<Float64Array>()),
        Arc::new(rows.iter().map(|r| r.clock_uncertainty_ms).collect::<Float64Array>()),
        Arc::new(rows.iter().map(|r| r.page_busy.map(|b| b.share)).collect::<Float64Array>()),
        Arc::new(rows.iter().map(|r| r.page_busy.map(|b| b.longest_s)).collect::<Float64Array>()),
        maybe_ints(rows.iter().map(|r| r.frames_unseen)),
    ];
    Ok(RecordBatch::try_new(sessions_schema(), columns)?)
}
