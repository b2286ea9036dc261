//! Time and duration of each row, in seconds on the table's own clock or from the session's zero.

use chrono::SecondsFormat;

use super::columns::is_no_time;
use super::day_order::{DayOrder, day_order, year_first};
use super::grid::Table;
use super::moment::{DateError, Form, clock_seconds, utc_ns};
use super::number::NumberStyle;
use super::options::TableOptions;
use super::rows::Row;
use super::unit::TimeUnit;
use crate::import::event_file::FileClock;

const NS_PER_SECOND: i128 = 1_000_000_000;
const DAY_S: f64 = 86_400.0;
/// A date within this time of the session's zero is near it. Time zones move dates by up to 14 hours.
const NEAR_S: f64 = 3.0 * DAY_S;
/// Seconds since 1970 of the years 1985 to 2128. The time of a stopwatch is smaller: it would have run for at least 16 years.
const UNIX_SECONDS: std::ops::Range<f64> = 5e8..5e9;
/// A computer's monotonic clock in microseconds or nanoseconds reaches these numbers within weeks. Such times must also be
/// near the session.
const UNIX_NEAR_NS: i128 = 7 * 86_400 * NS_PER_SECOND;

pub(super) struct Times {
    /// One for each row. `None`: the row has no time.
    pub at_s: Vec<Option<f64>>,
    pub clock: FileClock,
    /// The unit of numbers. `None`: the user cannot choose another unit for these times.
    pub unit: Option<TimeUnit>,
    pub form: Form,
    /// The cells contain more than the seconds. They are stored with the event.
    pub is_written_out: bool,
    pub note: Option<String>,
}

/// Reads the times of a column, with a note on the decisions. A cell that is not a time is an error with its line.
pub(super) fn times(table: &Table, column: usize, options: &TableOptions) -> Result<Times, String> {
    let unit = options.unit.or(table.header.unit(column));
    let mut times = read(table, column, unit, options)?;
    continue_clock_past_midnight(table, &mut times);
    refuse_infinite(table, column, &times.at_s)?;
    let name = &table.header.names[column];
    times.note = times.note.map(|note| {
        let other_unit = match (options.unit, table.header.unit(column)) {
            (Some(requested), Some(written)) if requested != written => {
                format!(", as requested, although the unit in its header is {written}")
            }
            _ => String::new(),
        };
        let is_end = name.eq_ignore_ascii_case("time_elapsed");
        let end = if is_end { " (jsPsych counts to the end of each trial)" } else { "" };
        format!("times from `{name}`: {note}{other_unit}{end}")
    });
    Ok(times)
}

fn read(table: &Table, column: usize, unit: Option<TimeUnit>, options: &TableOptions) -> Result<Times, String> {
    if let Some(name) = &options.date {
        return dates(table, column, Some(table.header.named(name)?), options);
    }
    let Some(first) = table.cells(column).next() else {
        let at_s = vec![None; table.rows.len()];
        return Ok(Times {
            at_s,
            clock: FileClock::Own,
            unit: None,
            form: Form::Number,
            is_written_out: false,
            note: None,
        });
    };
    match Form::of(first) {
        Form::Number => numbers(table, column, unit, options),
        Form::Clock => {
            let at_s = each(table, column, |cell| clock_seconds(cell).ok_or_else(|| unreadable(cell, Form::Clock)))?;
            let note = Some("clock times (hh:mm:ss or mm:ss)".to_owned());
            let form = Form::Clock;
            Ok(Times { at_s, clock: FileClock::Own, unit: None, form, is_written_out: true, note })
        }
        Form::Date => dates(table, column, None, options),
    }
}

/// Only for the times of events. The end of an event is placed by its start.
fn continue_clock_past_midnight(table: &Table, times: &mut Times) {
    if times.form != Form::Clock {
        return;
    }
    let next_day = continue_past_midnight(&mut times.at_s).and_then(|row| table.rows.get(row));
    if let (Some(row), Some(note)) = (next_day, &mut times.note) {
        *note = format!("{note}, past midnight from line {} on", row.line);
    }
}

/// Clock times begin again at zero after midnight. A clock that goes back by more than half a day has passed midnight, and a day
/// is added from there on. A column that also goes forward by more than half a day is in no order and stays as it is. Returns
/// the first row of the second day.
fn continue_past_midnight(at_s: &mut [Option<f64>]) -> Option<usize> {
    let mut timed: Vec<(usize, &mut f64)> =
        at_s.iter_mut().enumerate().filter_map(|(row, at_s)| Some((row, at_s.as_mut()?))).collect();
    let is_of_a_day = timed.iter().all(|(_, at_s)| (0.0..DAY_S).contains(&**at_s));
    let steps_s: Vec<f64> = timed.windows(2).map(|pair| *pair[1].1 - *pair[0].1).collect();
    if !is_of_a_day || steps_s.iter().any(|step| *step > DAY_S / 2.0) {
        return None;
    }
    let (mut days, mut first) = (0.0, None);
    for (step_s, (row, at_s)) in steps_s.into_iter().zip(timed.iter_mut().skip(1)) {
        if step_s < -DAY_S / 2.0 {
            days += 1.0;
            first.get_or_insert(*row);
        }
        **at_s += days * DAY_S;
    }
    first
}

/// An end more than half a day before its start is on the next day.
fn put_behind_start(end_s: &mut Option<f64>, start_s: Option<f64>) {
    if let (Some(end_s), Some(start_s)) = (end_s, start_s) {
        *end_s += ((start_s - *end_s) / DAY_S).round().max(0.0) * DAY_S;
    }
}

/// Reads dates with their times of day, from one column or with the date from a column of its own.
fn dates(table: &Table, column: usize, date: Option<usize>, options: &TableOptions) -> Result<Times, String> {
    let written = |row: &Row| -> String {
        let time = row.cell(column);
        date.map_or_else(|| time.to_owned(), |date| format!("{} {time}", row.cell(date)))
    };
    let is_timed = |row: &&Row| !is_no_time(row.cell(column)) && date.is_none_or(|date| !is_no_time(row.cell(date)));
    let timed: Vec<String> = table.rows.iter().filter(is_timed).map(written).collect();
    let stem = table.header.names[column].to_lowercase();
    let is_utc = stem.split(|c: char| !c.is_alphanumeric()).any(|word| word == "utc" || word == "gmt");
    let zone = options.zone.or_else(|| is_utc.then(|| chrono::FixedOffset::east_opt(0))?);
    let is_near = |date: &str| {
        let utc = utc_ns(date, zone.or(chrono::FixedOffset::east_opt(0)));
        utc.is_ok_and(|ns| since_zero_s(ns, options).abs() < NEAR_S)
    };
    let order = day_order(timed.iter().map(String::as_str), is_near)?;
    let utc = |cell: &str| match order.and_then(|order| year_first(cell, order)) {
        Some(date) => utc_ns(&date, zone),
        None => utc_ns(cell, zone),
    };
    let read = |cell: &str| match utc(cell) {
        Ok(ns) => Ok(since_zero_s(ns, options)),
        Err(DateError::NoZone) => Err(format!(
            "`{}` has no time zone: set it with --zone (for example --zone +02:00, or --zone Z for UTC)",
            cell.escape_debug()
        )),
        Err(DateError::Unreadable) => Err(unreadable(cell, Form::Date)),
    };
    let in_line = |row: &Row| read(&written(row)).map_err(|problem| format!("line {}: {problem}", row.line));
    let at_s: Vec<_> = table
        .rows
        .iter()
        .map(|row| Some(row).filter(is_timed).map(in_line).transpose())
        .collect::<Result<_, String>>()?;
    let zone = zone.map_or(String::new(), |zone| format!(" (in the zone {zone} if they have none)"));
    let order = order.map_or(String::new(), |order| format!(", {}", order.description()));
    let note = Some(format!("dates{order}{zone}, relative to the session's zero, {}", zero(options)));
    Ok(Times { at_s, clock: FileClock::Wall, unit: None, form: Form::Date, is_written_out: true, note })
}

fn numbers(table: &Table, column: usize, unit: Option<TimeUnit>, options: &TableOptions) -> Result<Times, String> {
    let style = NumberStyle::of(table.cells(column));
    let parse = |cell: &str| style.parse(cell).ok_or_else(|| unreadable(cell, Form::Number));
    let raw = each(table, column, parse)?;
    let commas = if style.has_decimal_commas() { ", with decimal commas" } else { "" };
    if let Some(rate_hz) = options.rate_hz {
        let at_s = raw.into_iter().map(|value| Some(value? / rate_hz)).collect();
        let note = Some(format!("counts at {rate_hz} per second{commas}"));
        return Ok(Times { at_s, clock: FileClock::Own, unit: None, form: Form::Number, is_written_out: false, note });
    }
    if let Some(unit) = unix_unit(&raw, unit, options) {
        let ns = |cell: &str| match style.parse_whole(cell) {
            Some(whole) => Ok(since_zero_s(whole.saturating_mul(i128::from(unit.ns())), options)),
            None => Ok(unit.to_seconds(parse(cell)?) - options.zero_utc.timestamp_micros() as f64 / 1e6),
        };
        let note = Some(format!("Unix times in {unit}, relative to the session's zero, {}", zero(options)));
        let at_s = each(table, column, ns)?;
        return Ok(Times { at_s, clock: FileClock::Wall, unit: None, form: Form::Number, is_written_out: true, note });
    }
    let assumed = if unit.is_none() { " (no unit is given)" } else { "" };
    let unit = unit.unwrap_or(TimeUnit::S);
    let at_s = raw.into_iter().map(|value| Some(unit.to_seconds(value?))).collect();
    let note = Some(format!("in {unit}{assumed}{commas}"));
    Ok(Times { at_s, clock: FileClock::Own, unit: Some(unit), form: Form::Number, is_written_out: false, note })
}

/// The unit in which all numbers of a column are times since 1970.
fn unix_unit(raw: &[Option<f64>], unit: Option<TimeUnit>, options: &TableOptions) -> Option<TimeUnit> {
    let units = match unit {
        Some(unit) => vec![unit],
        None => vec![TimeUnit::S, TimeUnit::Ms, TimeUnit::Us, TimeUnit::Ns],
    };
    units.into_iter().find(|unit| {
        let is_fine = matches!(unit, TimeUnit::Us | TimeUnit::Ns);
        raw.iter().flatten().all(|value| {
            let seconds = unit.to_seconds(*value);
            let from_zero_s = seconds - options.zero_utc.timestamp() as f64;
            UNIX_SECONDS.contains(&seconds) && (!is_fine || from_zero_s.abs() < (UNIX_NEAR_NS / NS_PER_SECOND) as f64)
        })
    })
}

fn since_zero_s(utc_ns: i128, options: &TableOptions) -> f64 {
    let zero = options.zero_utc;
    let zero_ns = i128::from(zero.timestamp()) * NS_PER_SECOND + i128::from(zero.timestamp_subsec_nanos());
    utc_ns.saturating_sub(zero_ns) as f64 / NS_PER_SECOND as f64
}

fn zero(options: &TableOptions) -> String {
    options.zero_utc.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Reads one value for each row that has one. A cell that cannot be read is an error with its line.
fn each(
    table: &Table,
    column: usize,
    mut read: impl FnMut(&str) -> Result<f64, String>,
) -> Result<Vec<Option<f64>>, String> {
    let mut value = |row: &Row| {
        let cell = row.cell(column);
        if is_no_time(cell) {
            return Ok(None);
        }
        read(cell).map(Some).map_err(|problem| format!("line {}: {problem}", row.line))
    };
    table.rows.iter().map(&mut value).collect()
}

/// A finite number may be infinite in seconds.
fn refuse_infinite(table: &Table, column: usize, seconds: &[Option<f64>]) -> Result<(), String> {
    let infinite = table.rows.iter().zip(seconds).find(|(_, s)| s.is_some_and(|s| !s.is_finite()));
    infinite.map_or(Ok(()), |(row, _)| {
        Err(format!("line {}: `{}` is too large for a time", row.line, row.cell(column).escape_debug()))
    })
}

fn unreadable(cell: &str, form: Form) -> String {
    format!("`{}` is not a {}", cell.escape_debug(), form.description())
}

/// Whether all cells of a column could be times.
pub(super) fn are_times(table: &Table, column: usize) -> bool {
    let style = NumberStyle::of(table.cells(column));
    let is_time = |cell: &str| match Form::of(cell) {
        Form::Number => style.parse(cell).is_some(),
        Form::Clock => clock_seconds(cell).is_some(),
        Form::Date => {
            let date = [DayOrder::DayFirst, DayOrder::MonthFirst].into_iter().find_map(|order| year_first(cell, order));
            date.is_some() || utc_ns(cell, None) != Err(DateError::Unreadable)
        }
    };
    let mut cells = table.cells(column).peekable();
    cells.peek().is_some() && cells.all(is_time)
}

/// The durations of the rows.
pub(super) struct Lasting {
    pub duration_s: Vec<Option<f64>>,
    /// The column of durations. Ends are kept as data of the events.
    column: Option<usize>,
    /// Rows with a negative duration. The cell is kept as data.
    kept: Vec<bool>,
}

impl Lasting {
    /// Whether a cell was converted to a duration and is not kept as data.
    pub fn is_used_up(&self, column: usize, row: usize) -> bool {
        self.column == Some(column) && !self.kept[row]
    }
}

/// Reads the durations from a column of durations in the unit of that column, or from a column of ends.
pub(super) fn lasting(
    table: &Table,
    time: usize,
    times: &Times,
    options: &TableOptions,
    notes: &mut Vec<String>,
) -> Result<Lasting, String> {
    if let Some(column) = table.header.duration().filter(|column| *column != time) {
        return durations(table, column, times, options, notes);
    }
    let none = Lasting { duration_s: vec![None; table.rows.len()], column: None, kept: Vec::new() };
    let Some(column) = table.header.end(time) else { return Ok(none) };
    let name = &table.header.names[column];
    let unit = table.header.unit(column).or(options.unit).or(times.unit);
    let Ok(mut ends) = read(table, column, unit, options) else { return Ok(none) };
    let are_of_a_day = times.form == Form::Clock && ends.form == Form::Clock || options.date.is_some();
    if are_of_a_day {
        ends.at_s.iter_mut().zip(&times.at_s).for_each(|(end, start)| put_behind_start(end, *start));
    }
    let pairs = || times.at_s.iter().zip(&ends.at_s);
    let is_before =
        |(start, end): (&Option<f64>, &Option<f64>)| start.zip(*end).is_some_and(|(start, end)| end < start);
    if ends.clock != times.clock || pairs().any(is_before) {
        notes.push(format!(
            "`{name}` is before `{}` in some rows, so it was not read as the end",
            table.header.names[time]
        ));
        return Ok(none);
    }
    let duration_s = pairs()
        .map(|(start, end)| start.zip(*end).map(|(start, end)| end - start).filter(|d| *d > 0.0 && d.is_finite()));
    let duration_s: Vec<_> = duration_s.collect();
    if duration_s.iter().any(Option::is_some) {
        notes.push(format!("the ends of the events are from `{name}`"));
    }
    Ok(Lasting { duration_s, column: None, kept: Vec::new() })
}

fn durations(
    table: &Table,
    column: usize,
    times: &Times,
    options: &TableOptions,
    notes: &mut Vec<String>,
) -> Result<Lasting, String> {
    let name = &table.header.names[column];
    let own = table.header.unit(column);
    let style = NumberStyle::of(table.cells(column));
    let raw = each(table, column, |cell| match Form::of(cell) {
        Form::Clock => clock_seconds(cell).ok_or_else(|| unreadable(cell, Form::Clock)),
        _ => style.parse(cell).ok_or_else(|| unreadable(cell, Form::Number)),
    })?;
    let is_clock = table.cells(column).any(|cell| Form::of(cell) == Form::Clock);
    let unit = match own.or(options.unit) {
        _ if is_clock => TimeUnit::S,
        Some(unit) => unit,
        None => assumed_unit(&raw, times, name, notes),
    };
    if let (None, Some(requested)) = (own, options.unit.filter(|_| !is_clock)) {
        notes.push(format!("`{name}` has no unit and was read in {requested}, as set with --unit"));
    }
    let seconds: Vec<_> = raw.into_iter().map(|value| Some(unit.to_seconds(value?))).collect();
    refuse_infinite(table, column, &seconds)?;
    let kept: Vec<bool> = seconds.iter().map(|s| s.is_some_and(|s| s < 0.0)).collect();
    let negative = kept.iter().filter(|k| **k).count();
    if negative > 0 {
        notes.push(format!("{negative} negative value(s) in `{name}` are not durations and were kept as data"));
    }
    let duration_s = seconds.into_iter().map(|s| s.filter(|s| *s > 0.0)).collect();
    Ok(Lasting { duration_s, column: Some(column), kept })
}

/// The unit of durations without one. BIDS specifies seconds. If most of them would be longer than the whole table, they have
/// the unit of the times.
fn assumed_unit(raw: &[Option<f64>], times: &Times, name: &str, notes: &mut Vec<String>) -> TimeUnit {
    let Some(unit) = times.unit.filter(|unit| *unit != TimeUnit::S) else { return TimeUnit::S };
    let ends = times.at_s.iter().flatten().fold((f64::MAX, f64::MIN), |(a, b), t| (a.min(*t), b.max(*t)));
    let whole_s = ends.1 - ends.0;
    let given: Vec<f64> = raw.iter().flatten().copied().filter(|d| *d > 0.0).collect();
    let too_long = given.iter().filter(|d| **d > whole_s).count();
    let found = if too_long * 2 > given.len() { unit } else { TimeUnit::S };
    if !given.is_empty() {
        notes.push(format!("`{name}` has no unit and was read in {found}"));
    }
    found
}
