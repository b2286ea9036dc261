//! The columns of a table: their meaning and their names.

use super::rows::Row;
use super::unit::{ColumnName, TimeUnit};

use crate::import::event_file::OWN_DATA;

/// Usual names of columns with times, in the order of preference. Empty columns are skipped. `true`: only with a unit, because the column counts samples
/// without one.
const TIMES: [(&str, bool); 25] = [
    ("onset", false),
    ("time", false),
    ("timestamp", false),
    ("seconds", false),
    ("t", false),
    ("onset_time", false),
    ("event_time", false),
    ("start", false),
    ("start_time", false),
    ("begin", false),
    ("begin_time", false),
    ("tmin", false),
    ("recording_timestamp", false),
    ("milliseconds", false),
    ("ms", false),
    ("time_elapsed", false),
    ("latency", true),
    ("utc_time", false),
    ("utc", false),
    ("time_utc", false),
    ("timestamp_utc", false),
    ("utc_timestamp", false),
    ("date_time", false),
    ("datetime", false),
    ("unix_time", false),
];
/// Usual names of columns with the kinds of events, in the order of preference.
const KINDS: [&str; 17] = [
    "trial_type",
    "kind",
    "event",
    "event_type",
    "marker",
    "label",
    "type",
    "name",
    "code",
    "value",
    "stim_type",
    "behavior",
    "behaviour",
    "event_name",
    "annotation",
    "condition",
    "stimulus",
];
const DURATIONS: [&str; 2] = ["duration", "dur"];
const ENDS: [&str; 8] = ["offset", "end", "end_time", "stop", "stop_time", "tmax", "stopped", "offset_time"];
/// Columns that count samples or frames.
const COUNTS: [&str; 6] = ["sample", "samples", "latency", "frame", "frames", "frame_number"];

/// Whether a cell has no value.
pub(super) fn is_nothing(cell: &str) -> bool {
    ["", "n/a", "na", "nan", "#n/a", "null"].iter().any(|nothing| cell.eq_ignore_ascii_case(nothing))
}

/// Whether a cell of a column of times has no time. PsychoPy writes `None`. R and SPSS write marks of their own. People write
/// dashes.
pub(super) fn is_no_time(cell: &str) -> bool {
    is_nothing(cell) || [".", "-", "--", "none", "<na>", "missing"].iter().any(|n| cell.eq_ignore_ascii_case(n))
}

pub(super) fn is_usual_time(name: &str) -> bool {
    let ColumnName { stem, unit } = ColumnName::parse(name);
    TIMES.iter().any(|(usual, needs_unit)| *usual == stem && (unit.is_some() || !needs_unit))
}

/// The columns of a header. Each has a unique name.
pub(super) struct Header {
    pub names: Vec<String>,
    parsed: Vec<ColumnName>,
    pub notes: Vec<String>,
}

impl Header {
    pub fn new(row: &Row) -> Header {
        let (mut names, mut notes) = (Vec::<String>::new(), Vec::new());
        let wanted = |k: usize| row.cell(k).to_owned();
        let all: Vec<String> = (0..row.cells.len()).map(wanted).collect();
        for (k, name) in all.iter().enumerate() {
            if name.is_empty() {
                names.push(free(&format!("column_{}", k + 1), &names, &all));
            } else if OWN_DATA.contains(&name.as_str()) {
                let own = free(name, &names, &all);
                notes.push(format!("`{name}` is a reserved name: the column is kept as `{own}`"));
                names.push(own);
            } else if names.contains(name) {
                let own = free(name, &names, &all);
                notes.push(format!("more than one column has the name `{name}`: column {} is kept as `{own}`", k + 1));
                names.push(own);
            } else {
                names.push(name.clone());
            }
        }
        let parsed = all.iter().map(|name| ColumnName::parse(name)).collect();
        Header { names, parsed, notes }
    }

    pub fn unit(&self, column: usize) -> Option<TimeUnit> {
        // The unit of jsPsych's column is milliseconds. Its name does not contain the unit.
        let by_program = (self.parsed[column].stem == "time_elapsed").then_some(TimeUnit::Ms);
        self.parsed[column].unit.or(by_program)
    }

    /// The column with the given name. Upper and lower case are equal if no name is exactly equal.
    pub fn named(&self, name: &str) -> Result<usize, String> {
        let name = name.trim();
        let exactly = self.names.iter().position(|n| n == name);
        let found = exactly.or_else(|| self.names.iter().position(|n| n.eq_ignore_ascii_case(name)));
        found.ok_or_else(|| format!("it has no column `{name}`. The columns are {}", self.names.join(", ")))
    }

    /// Columns with a usual name of times, best first.
    pub fn times(&self) -> Vec<usize> {
        let of_stem = |(stem, needs_unit): &(&str, bool)| {
            let mut columns = self.with_stem(stem);
            columns.retain(|k| !needs_unit || self.parsed[*k].unit.is_some());
            // `time_s` is preferred to `time`, because it has a unit.
            columns.sort_by_key(|k| match self.parsed[*k].unit {
                Some(TimeUnit::S) => 0,
                Some(_) => 1,
                None => 2,
            });
            columns
        };
        TIMES.iter().flat_map(of_stem).collect()
    }

    /// Columns with a usual name of kinds, best first.
    pub fn kinds(&self) -> Vec<usize> {
        KINDS.iter().flat_map(|stem| self.with_stem(stem)).collect()
    }

    pub fn duration(&self) -> Option<usize> {
        DURATIONS.iter().flat_map(|stem| self.with_stem(stem)).next()
    }

    /// The column with the ends of the events that start at `time`. PsychoPy names the two `stim.started` and `stim.stopped`.
    pub fn end(&self, time: usize) -> Option<usize> {
        let start = &self.parsed[time].stem;
        if let Some(thing) = start.strip_suffix("_started") {
            return self.with_stem(&format!("{thing}_stopped")).into_iter().next();
        }
        let is_usual = TIMES.iter().any(|(stem, _)| stem == start);
        is_usual.then(|| ENDS.iter().flat_map(|stem| self.with_stem(stem)).find(|k| *k != time))?
    }

    /// A column that counts samples or frames.
    pub fn count(&self) -> Option<usize> {
        COUNTS.iter().flat_map(|stem| self.with_stem(stem)).next()
    }

    /// Whether the name of a column suggests times.
    pub fn sounds_like_time(&self, column: usize) -> bool {
        let stem = &self.parsed[column].stem;
        let words = ["start", "stop", "onset", "time", "begin", "latency", "timestamp"];
        words.iter().any(|word| stem.contains(word)) || self.parsed[column].unit.is_some()
    }

    fn with_stem(&self, stem: &str) -> Vec<usize> {
        (0..self.parsed.len()).filter(|k| self.parsed[*k].stem == stem).collect()
    }
}

/// `name_2`, or the name with the first number that no other column has.
fn free(name: &str, taken: &[String], coming: &[String]) -> String {
    let is_free = |n: &String| !taken.contains(n) && !coming.contains(n) && !OWN_DATA.contains(&n.as_str());
    let numbered = (2..).map(|k| format!("{name}_{k}"));
    let unnumbered = name.starts_with("column_").then(|| name.to_owned());
    unnumbered.into_iter().chain(numbered).find(is_free).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(names: &[&str]) -> Header {
        Header::new(&Row { line: 1, cells: names.iter().map(|n| (*n).into()).collect() })
    }

    #[test]
    fn every_column_keeps_a_name_of_its_own() {
        let h = header(&["onset", "key", "key", "key_2", "key", "", "", "column_6", "until_ns", "imported_s"]);
        let expected = [
            "onset",
            "key",
            "key_3",
            "key_2",
            "key_4",
            "column_6_2",
            "column_7",
            "column_6",
            "until_ns_2",
            "imported_s_2",
        ];
        assert_eq!(h.names, expected);
        assert_eq!(h.notes.len(), 4, "{:?}", h.notes);
        assert!(h.notes[0].contains("`key`") && h.notes[0].contains("`key_3`"), "{:?}", h.notes);
        assert_eq!(header(&["onset", "key", "key"]).names[2], "key_2");
    }

    #[test]
    fn columns_are_found_by_what_programs_call_them() {
        let time = |names: &[&str]| header(names).times().first().map(|k| names[*k].to_owned());
        assert_eq!(time(&["time", "onset"]).as_deref(), Some("onset"));
        assert_eq!(time(&["time", "time_s"]).as_deref(), Some("time_s"));
        assert_eq!(time(&["x", "Latency (us)"]).as_deref(), Some("Latency (us)"));
        assert_eq!(time(&["latency", "sample"]), None);
        assert_eq!(time(&["Behavior", "Start (s)", "Stop (s)"]).as_deref(), Some("Start (s)"));
        let h = header(&["stim.started", "stim.stopped", "offset", "sample"]);
        assert_eq!((h.end(0), h.count(), h.named("OFFSET")), (Some(1), Some(3), Ok(2)));
        assert_eq!(header(&["Begin Time - hh:mm:ss.ms", "End Time - hh:mm:ss.ms"]).end(0), Some(1));
        assert_eq!(header(&["time_elapsed"]).unit(0), Some(TimeUnit::Ms));
        assert!(h.named("no").unwrap_err().contains("no column `no`. The columns are stim.started"));
    }
}
