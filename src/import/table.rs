//! Tables of events as BIDS, PsychoPy, E-Prime, Excel and people write them.

use serde_json::{Map, Value};

use super::ForeignEvent;

/// Which columns hold what; `None`: whichever of the usual names there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    pub time: Option<String>,
    pub kind: Option<String>,
}

const TIMES: [&str; 11] = [
    "onset",
    "onset_s",
    "time_s",
    "time",
    "timestamp",
    "seconds",
    "t",
    "onset_ms",
    "time_ms",
    "timestamp_ms",
    "time_ns",
];
const KINDS: [&str; 11] =
    ["trial_type", "kind", "event", "event_type", "marker", "label", "type", "name", "code", "value", "stim_type"];
const DURATIONS: [&str; 3] = ["duration", "duration_s", "duration_ms"];
const NOTHING: [&str; 3] = ["", "n/a", "NA"];

/// The problem is a sentence's end: what is wrong, and where.
pub(super) fn read(content: &[u8], columns: &Columns) -> Result<Vec<ForeignEvent>, String> {
    let text = std::str::from_utf8(content).map_err(|_| "it is no UTF-8 text: save it as CSV in UTF-8".to_owned())?;
    let text = text.trim_start_matches('\u{feff}');
    let first_line = text.lines().next().unwrap_or_default();
    let delimiter = [b'\t', b';', b','].into_iter().find(|d| first_line.contains(char::from(*d))).unwrap_or(b',');
    // Where commas separate nothing, they are the decimals of half of Europe.
    let has_decimal_commas = delimiter != b',';
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_reader(text.as_bytes());
    let head: Vec<String> = reader.headers().map_err(|e| e.to_string())?.iter().map(str::to_owned).collect();
    let time = chosen(&head, columns.time.as_deref(), &TIMES)?
        .ok_or_else(|| format!("it has no column with a time among {}: say which with --time", head.join(", ")))?;
    let kind = chosen(&head, columns.kind.as_deref(), &KINDS)?.filter(|k| *k != time);
    let duration = chosen(&head, None, &DURATIONS)?;
    let mut events = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|e| e.to_string())?;
        let line = row.position().map_or(0, csv::Position::line);
        let number = |column: usize| -> Result<Option<f64>, String> {
            let cell = row.get(column).unwrap_or_default();
            if NOTHING.contains(&cell) {
                return Ok(None);
            }
            let plain = if has_decimal_commas { cell.replace(',', ".") } else { cell.to_owned() };
            let value = plain.parse::<f64>().ok().filter(|v| v.is_finite());
            let value = value.ok_or_else(|| format!("line {line}: `{}` is no number", cell.escape_debug()))?;
            Ok(Some(value * seconds_per_unit(&head[column])))
        };
        let at_s = number(time)?.ok_or_else(|| format!("line {line} has no time"))?;
        let word = kind.and_then(|k| row.get(k)).filter(|cell| !NOTHING.contains(cell));
        let others =
            head.iter().zip(&row).enumerate().filter(|(k, (_, cell))| {
                *k != time && Some(*k) != kind && Some(*k) != duration && !NOTHING.contains(cell)
            });
        let data: Map<String, Value> = others.map(|(_, (name, cell))| (name.clone(), Value::from(cell))).collect();
        let duration_s = match duration {
            Some(column) => number(column)?.filter(|d| *d > 0.0),
            None => None,
        };
        events.push(ForeignEvent { at_s, duration_s, kind: word.unwrap_or("event").to_owned(), data });
    }
    Ok(events)
}

fn chosen(head: &[String], asked: Option<&str>, usual: &[&str]) -> Result<Option<usize>, String> {
    let find = |name: &str| head.iter().position(|h| h.eq_ignore_ascii_case(name));
    match asked {
        Some(name) => find(name).map(Some).ok_or_else(|| format!("it has no column `{name}`, but {}", head.join(", "))),
        None => Ok(usual.iter().find_map(|name| find(name))),
    }
}

fn seconds_per_unit(column: &str) -> f64 {
    match column.to_ascii_lowercase().rsplit('_').next() {
        Some("ms") => 1e-3,
        Some("us") => 1e-6,
        Some("ns") => 1e-9,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn times(text: &str) -> Vec<(f64, String)> {
        let events = read(text.as_bytes(), &Columns::default()).unwrap();
        events.into_iter().map(|e| (e.at_s, e.kind)).collect()
    }

    #[test]
    fn tables_are_read_as_programs_write_them() {
        let bids = "onset\tduration\ttrial_type\tstim\n1.5\t0.25\tsmile\ta.png\n2\tn/a\tn/a\tn/a\n";
        let events = read(bids.as_bytes(), &Columns::default()).unwrap();
        assert_eq!((events[0].at_s, events[0].duration_s, events[0].kind.as_str()), (1.5, Some(0.25), "smile"));
        assert_eq!(events[0].data["stim"], "a.png");
        assert_eq!((events[1].kind.as_str(), events[1].data.len(), events[1].duration_s), ("event", 0, None));
        assert_eq!(times("\u{feff}time_ms,event\n1500,go\n"), [(1.5, "go".into())]);
        assert_eq!(times("Time;Event\r\n1,5;\"a; b\"\r\n"), [(1.5, "a; b".into())]);
        let named = Columns { time: Some("when_ms".into()), kind: Some("what".into()) };
        let events = read(b"what,when_ms,onset\nx,2000,7\n", &named).unwrap();
        assert_eq!((events[0].at_s, events[0].kind.as_str(), events[0].data["onset"].as_str()), (2.0, "x", Some("7")));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let problem = |text: &[u8], time: Option<&str>| {
            read(text, &Columns { time: time.map(str::to_owned), kind: None }).unwrap_err()
        };
        assert!(problem(b"a,b\n1,2\n", None).contains("among a, b"));
        assert!(problem(b"a,b\n1,2\n", Some("c")).contains("no column `c`"));
        assert!(problem(b"onset\n1\nsoon\n", None).contains("line 3: `soon`"));
        assert!(problem(b"onset\nNaN\n", None).contains("no number"));
        assert!(problem(b"onset,kind\n,x\n", None).contains("no time"));
        assert!(problem(b"onset,kind\n1\n", None).contains("record"));
        assert!(problem(&[0xff, 0xfe, 0, 1], None).contains("UTF-8"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes, &Columns::default());
        }
    }
}
