//! Writes one table to one Parquet file, without Arrow: columns have types, and each reads its value from a row.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{Compression, Encoding, LogicalType, Repetition, Type as PhysicalType, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{ColumnPath, Type};

/// A reader can skip this many rows at once.
const ROW_GROUP_ROWS: usize = 1_000_000;
/// The encoder receives this many values at once.
const BATCH_ROWS: usize = 8192;

/// A column of a table with rows of the type `R`.
pub(super) struct Column<R> {
    name: &'static str,
    value: Value<R>,
}

/// How a column's value is read from a row. `Maybe…` columns are NULL where the value is `None`.
enum Value<R> {
    Text(fn(&R) -> Cow<'_, str>),
    MaybeText(fn(&R) -> Option<&str>),
    Int(fn(&R) -> i64),
    MaybeInt(fn(&R) -> Option<i64>),
    MaybeFloat(fn(&R) -> Option<f32>),
    Double(fn(&R) -> f64),
    MaybeDouble(fn(&R) -> Option<f64>),
}

pub(super) fn text<R>(name: &'static str, value: fn(&R) -> Cow<'_, str>) -> Column<R> {
    Column { name, value: Value::Text(value) }
}

pub(super) fn maybe_text<R>(name: &'static str, value: fn(&R) -> Option<&str>) -> Column<R> {
    Column { name, value: Value::MaybeText(value) }
}

pub(super) fn int<R>(name: &'static str, value: fn(&R) -> i64) -> Column<R> {
    Column { name, value: Value::Int(value) }
}

pub(super) fn maybe_int<R>(name: &'static str, value: fn(&R) -> Option<i64>) -> Column<R> {
    Column { name, value: Value::MaybeInt(value) }
}

pub(super) fn maybe_float<R>(name: &'static str, value: fn(&R) -> Option<f32>) -> Column<R> {
    Column { name, value: Value::MaybeFloat(value) }
}

pub(super) fn double<R>(name: &'static str, value: fn(&R) -> f64) -> Column<R> {
    Column { name, value: Value::Double(value) }
}

pub(super) fn maybe_double<R>(name: &'static str, value: fn(&R) -> Option<f64>) -> Column<R> {
    Column { name, value: Value::MaybeDouble(value) }
}

impl<R> Column<R> {
    fn schema(&self) -> Result<Type, ParquetError> {
        let (kind, repetition) = match self.value {
            Value::Text(_) => (PhysicalType::BYTE_ARRAY, Repetition::REQUIRED),
            Value::MaybeText(_) => (PhysicalType::BYTE_ARRAY, Repetition::OPTIONAL),
            Value::Int(_) => (PhysicalType::INT64, Repetition::REQUIRED),
            Value::MaybeInt(_) => (PhysicalType::INT64, Repetition::OPTIONAL),
            Value::MaybeFloat(_) => (PhysicalType::FLOAT, Repetition::OPTIONAL),
            Value::Double(_) => (PhysicalType::DOUBLE, Repetition::REQUIRED),
            Value::MaybeDouble(_) => (PhysicalType::DOUBLE, Repetition::OPTIONAL),
        };
        let is_text = matches!(self.value, Value::Text(_) | Value::MaybeText(_));
        Type::primitive_type_builder(self.name, kind)
            .with_repetition(repetition)
            .with_logical_type(is_text.then_some(LogicalType::String))
            .build()
    }

    /// `None` leaves the choice to the library: a dictionary as long as it is small.
    fn encoding(&self) -> Option<Encoding> {
        match self.value {
            // Times and numbers grow steadily.
            Value::Int(_) | Value::MaybeInt(_) => Some(Encoding::DELTA_BINARY_PACKED),
            // Measured values share their first bytes.
            Value::MaybeFloat(_) => Some(Encoding::BYTE_STREAM_SPLIT),
            Value::Text(_) | Value::MaybeText(_) | Value::Double(_) | Value::MaybeDouble(_) => None,
        }
    }

    fn write(&self, rows: impl Iterator<Item = R>, to: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        match self.value {
            Value::Text(value) => write_texts(rows, value, to),
            Value::MaybeText(value) => {
                write_values::<ByteArrayType>(rows.map(|row| value(&row).map(ByteArray::from)), to)
            }
            Value::Int(value) => write_values::<Int64Type>(rows.map(|row| Some(value(&row))), to),
            Value::MaybeInt(value) => write_values::<Int64Type>(rows.map(|row| value(&row)), to),
            Value::MaybeFloat(value) => write_values::<FloatType>(rows.map(|row| value(&row)), to),
            Value::Double(value) => write_values::<DoubleType>(rows.map(|row| Some(value(&row))), to),
            Value::MaybeDouble(value) => write_values::<DoubleType>(rows.map(|row| value(&row)), to),
        }
    }
}

/// A text that is the same as in the row before is not copied again.
fn write_texts<R>(
    rows: impl Iterator<Item = R>,
    value: fn(&R) -> Cow<'_, str>,
    to: &mut SerializedColumnWriter<'_>,
) -> Result<(), ParquetError> {
    let mut last = ByteArray::from("");
    let texts = rows.map(|row| {
        let text = value(&row);
        if last.data() != text.as_bytes() {
            last = ByteArray::from(text.into_owned().into_bytes());
        }
        Some(last.clone())
    });
    write_values::<ByteArrayType>(texts, to)
}

/// Parquet stores one level for each row, 0 for NULL and 1 for a value, and only the values that exist.
fn write_values<T: DataType>(
    mut values: impl Iterator<Item = Option<T::T>>,
    to: &mut SerializedColumnWriter<'_>,
) -> Result<(), ParquetError> {
    let to = to.typed::<T>();
    let is_optional = to.get_descriptor().max_def_level() > 0;
    let (mut existing, mut levels) = (Vec::with_capacity(BATCH_ROWS), Vec::with_capacity(BATCH_ROWS));
    loop {
        for value in values.by_ref().take(BATCH_ROWS) {
            levels.push(i16::from(value.is_some()));
            existing.extend(value);
        }
        if levels.is_empty() {
            return Ok(());
        }
        to.write_batch(&existing, is_optional.then_some(&levels[..]), None)?;
        existing.clear();
        levels.clear();
    }
}

/// Reads `rows` once for each column, because Parquet stores a column's values together.
pub(super) fn write_table<R>(
    out: impl Write + Send,
    columns: &[Column<R>],
    rows: impl Iterator<Item = R> + Clone,
) -> io::Result<()> {
    write_row_groups(out, columns, rows, ROW_GROUP_ROWS).map_err(as_io)
}

fn write_row_groups<R>(
    out: impl Write + Send,
    columns: &[Column<R>],
    mut rows: impl Iterator<Item = R> + Clone,
    group_rows: usize,
) -> Result<(), ParquetError> {
    let mut file = SerializedFileWriter::new(out, Arc::new(schema(columns)?), Arc::new(properties(columns)?))?;
    while rows.clone().next().is_some() {
        let mut group = file.next_row_group()?;
        for column in columns {
            if let Some(mut to) = group.next_column()? {
                column.write(rows.clone().take(group_rows), &mut to)?;
                to.close()?;
            }
        }
        group.close()?;
        rows.by_ref().take(group_rows).for_each(drop);
    }
    file.close().map(drop)
}

fn schema<R>(columns: &[Column<R>]) -> Result<Type, ParquetError> {
    let fields: Result<Vec<_>, _> = columns.iter().map(|column| column.schema().map(Arc::new)).collect();
    Type::group_type_builder("schema").with_fields(fields?).build()
}

fn properties<R>(columns: &[Column<R>]) -> Result<WriterProperties, ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_created_by(session::program());
    for column in columns {
        if let Some(encoding) = column.encoding() {
            let path = ColumnPath::from(column.name);
            properties =
                properties.set_column_dictionary_enabled(path.clone(), false).set_column_encoding(path, encoding);
        }
    }
    Ok(properties.build())
}

/// A full disk is an I/O error wherever it is met.
fn as_io(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(io) => *io,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use parquet::file::metadata::ColumnChunkMetaData;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;

    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Row {
        word: String,
        maybe_word: Option<String>,
        int: i64,
        maybe_int: Option<i64>,
        maybe_float: Option<f32>,
        double: f64,
        maybe_double: Option<f64>,
    }

    fn row(k: i64) -> Row {
        Row {
            word: format!("word {}", k / 3),
            maybe_word: (k % 3 == 0).then(|| format!("word {k}")),
            int: -1_000_000_000_000 + k,
            maybe_int: (k % 2 == 0).then_some(k),
            maybe_float: (k % 5 != 1).then_some(k as f32 / 7.0),
            double: k as f64 / 3.0,
            maybe_double: (k > 10).then_some(f64::MAX),
        }
    }

    fn columns() -> [Column<Row>; 7] {
        [
            text("word", |r| r.word.as_str().into()),
            int("int", |r| r.int),
            maybe_int("maybe_int", |r| r.maybe_int),
            maybe_float("maybe_float", |r| r.maybe_float),
            double("double", |r| r.double),
            maybe_double("maybe_double", |r| r.maybe_double),
            maybe_text("maybe_word", |r| r.maybe_word.as_deref()),
        ]
    }

    fn written(rows: &[Row], group_rows: usize) -> SerializedFileReader<File> {
        let mut file = tempfile::tempfile().unwrap();
        write_row_groups(&mut file, &columns(), rows.iter().cloned(), group_rows).unwrap();
        SerializedFileReader::new(file).unwrap()
    }

    fn read(file: &SerializedFileReader<File>) -> Vec<Row> {
        let rows = file.get_row_iter(None).unwrap().map(Result::unwrap);
        rows.map(|r| Row {
            word: r.get_string(0).unwrap().clone(),
            int: r.get_long(1).unwrap(),
            maybe_int: (!r.is_null(2).unwrap()).then(|| r.get_long(2).unwrap()),
            maybe_float: (!r.is_null(3).unwrap()).then(|| r.get_float(3).unwrap()),
            double: r.get_double(4).unwrap(),
            maybe_double: (!r.is_null(5).unwrap()).then(|| r.get_double(5).unwrap()),
            maybe_word: (!r.is_null(6).unwrap()).then(|| r.get_string(6).unwrap().clone()),
        })
        .collect()
    }

    #[test]
    fn values_and_nulls_come_back_from_every_row_group() {
        let rows: Vec<Row> = (0..20_500).map(row).collect();
        let file = written(&rows, 9000); // more than one batch in a group, and a last group that is not full
        let groups: Vec<i64> = file.metadata().row_groups().iter().map(|g| g.num_rows()).collect();
        assert_eq!(groups, [9000, 9000, 2500]);
        assert_eq!(read(&file), rows);
    }

    #[test]
    fn an_empty_table_has_its_columns_and_no_row_group() {
        let file = written(&[], 9000);
        let names: Vec<String> =
            file.metadata().file_metadata().schema_descr().columns().iter().map(|c| c.name().to_owned()).collect();
        assert_eq!(names, ["word", "int", "maybe_int", "maybe_float", "double", "maybe_double", "maybe_word"]);
        assert_eq!((file.metadata().num_row_groups(), read(&file)), (0, Vec::new()));
    }

    #[test]
    fn columns_have_the_types_encodings_and_compression_that_readers_rely_on() {
        let rows: Vec<Row> = (0..100).map(row).collect();
        let file = written(&rows, 9000);
        let group = file.metadata().row_group(0);
        let has = |c: &ColumnChunkMetaData, encoding| c.encodings().any(|e| e == encoding);
        for column in group.columns() {
            let basic = column.column_descr().self_type().get_basic_info();
            let name = column.column_descr().name();
            assert_eq!(basic.repetition() == Repetition::OPTIONAL, name.starts_with("maybe_"), "{name}");
            assert_eq!(basic.logical_type_ref() == Some(&LogicalType::String), name.ends_with("word"), "{name}");
            assert!(matches!(column.compression(), Compression::ZSTD(_)), "{name}");
            assert!(column.statistics().is_some(), "{name}");
            let expected = match column.column_type() {
                PhysicalType::INT64 => Encoding::DELTA_BINARY_PACKED,
                PhysicalType::FLOAT => Encoding::BYTE_STREAM_SPLIT,
                _ => Encoding::RLE_DICTIONARY,
            };
            assert!(has(column, expected), "{name}: {:?}", column.encodings().collect::<Vec<_>>());
        }
        let about = file.metadata().file_metadata();
        assert_eq!(about.created_by(), Some(session::program().as_str()));
        assert!(about.key_value_metadata().is_none(), "no schema of Arrow");
    }
}
