//! Tests of whole tables, as programs and people write them.

use encoding_rs::WINDOWS_1252;
use proptest::prelude::*;

use super::*;
use crate::import::event_file::FileClock;

fn options() -> TableOptions {
    TableOptions { zero_utc: "2025-03-01T10:00:00.5Z".parse().unwrap(), ..TableOptions::default() }
}

fn file(text: &str) -> EventFile {
    read(text.as_bytes(), &options()).unwrap()
}

fn times(text: &str) -> Vec<(f64, String)> {
    file(text).events.into_iter().map(|e| (e.at_s, e.kind)).collect()
}

fn problem(text: &str) -> String {
    read(text.as_bytes(), &options()).unwrap_err()
}

fn notes(text: &str) -> String {
    file(text).notes.join("; ")
}

#[test]
fn tables_are_read_as_programs_write_them() {
    let bids = file("onset\tduration\ttrial_type\tstim\n1.5\t0.25\tsmile\ta.png\n2\tn/a\tn/a\tn/a\n").events;
    assert_eq!((bids[0].at_s, bids[0].duration_s, bids[0].kind.as_str()), (1.5, Some(0.25), "smile"));
    assert_eq!(bids[0].data["stim"], "a.png");
    assert_eq!((bids[1].kind.as_str(), bids[1].data.len(), bids[1].duration_s), ("event", 0, None));
    assert_eq!(times("\u{feff}time_ms,event\n1500,go\n"), [(1.5, "go".into())]);
    assert_eq!(times("Time;Event\r\n1,5;\"a; b\"\r\n"), [(1.5, "a; b".into())]);
    assert_eq!(times("onset|kind\n1.5|a\n"), [(1.5, "a".into())]);
    assert_eq!(times("onset\n0,5\n"), [(0.5, "event".into())]);
    assert_eq!(times("  onset ,  kind \n 0.5 ,  \"a, b\" \n"), [(0.5, "a, b".into())]);
    let named = TableOptions { time: Some("when_ms".into()), kind: Some("what".into()), ..options() };
    let events = read(b"what,when_ms,onset\nx,2000,7\n", &named).unwrap().events;
    assert_eq!((events[0].at_s, events[0].kind.as_str(), events[0].data["onset"].as_str()), (2.0, "x", Some("7")));
    assert_eq!(file("onset,kind\n").events, []);
}

#[test]
fn what_is_wrong_is_said_with_the_line_an_editor_shows() {
    assert!(problem("a,b\n1,2\n").contains("Numbers are in a, b"));
    assert!(problem("onset,kind\r\n0.25,a\r\n0.5,b\r\nsoon,c\r\n").contains("line 4: `soon` is not a number"));
    assert!(problem("onset,kind\r1,a\rsoon,b\r").contains("line 3: `soon`"));
    assert!(problem("onset,kind\n\n1,\"two\r\nlines\"\nsoon,b\n").contains("line 5: `soon`"));
    assert!(problem("sep=,\r\nonset,kind\r\nsoon,b\r\n").contains("line 3: `soon`"));
    assert!(problem("onset\n0.5\ninf\n").contains("line 3: `inf`"));
    assert!(problem("onset\n0.5\n٣\n").contains("line 3: `٣`"));
    assert!(problem("onset\n1e308\n1e309\n").contains("line 3: `1e309`"));
    assert!(problem("onset (h),kind\n1e308,a\n").contains("line 2: `1e308`"));
    assert!(
        problem("onset,text\n0.25,say\n1,\"never\n2,x\n").contains("the quote that begins in line 3 is not closed")
    );
    assert!(problem("").contains("empty") && problem("\n\n").contains("empty"));
    assert!(problem("0.5,1,1\n1.5,1,1\n").contains("line 1 contains numbers"));
    // Decimal commas between commas, and texts without quotes.
    assert!(problem("onset,kind\n0,5,smile\n").contains("line 2 has 3 cells, but the header has 2"));
}

#[test]
fn blank_rows_are_passed_over_and_rows_without_a_time_counted() {
    let read = file("\nonset;trial_type;x\n0,5;smile;1\n;;\n1,0;frown;2\n;;\n;;\n");
    assert_eq!((read.events.len(), read.rows_without_time), (2, 0));
    let read =
        file("onset\tduration\ttrial_type\n0.5\t0.1\tsmile\nn/a\tn/a\tmissed\nNaN\t1\tx\n\t\ty\n1.0\t0.2\tfrown\n");
    assert_eq!((read.events.len(), read.rows_without_time), (2, 3));
    assert!(read.notes.join("; ").contains("3 row(s) without a time were left out (the first in line 3)"));
    assert!(problem("onset,kind\nn/a,a\nNone,b\n").contains("none of its 2 rows has a time in `onset`"));
}

#[test]
fn short_rows_comments_and_repeated_headers_are_said() {
    let read = file("# by hand\nonset,kind,x\n0.5,a\n# a pause, here\n1.0,b,1\nonset,kind,x\n1.5,c,2\n");
    assert_eq!(read.events.len(), 3);
    let said = read.notes.join("; ");
    assert!(said.contains("1 row(s) have fewer cells than the header (the first in line 3)"), "{said}");
    assert!(said.contains("1 comment(s)") && said.contains("1 row(s) that repeat the header"), "{said}");
    // More cells, but nothing in them.
    assert_eq!(times("onset,kind\n1,a,,\n"), [(1.0, "a".into())]);
}

#[test]
fn columns_of_one_name_are_both_kept() {
    let read = file("onset,trial_type,key,key,rt\n0.5,trial,f,j,0.31\n");
    let data = &read.events[0].data;
    assert_eq!((&data["key"], &data["key_2"], &data["rt"]), (&"f".into(), &"j".into(), &"0.31".into()));
    assert!(read.notes.join("; ").contains("`key_2`"));
    let own = file("onset,kind,until_ns,imported_s,\n1,a,5,6,7\n");
    let data = &own.events[0].data;
    assert_eq!(
        (&data["until_ns_2"], &data["imported_s_2"], &data["column_5"]),
        (&"5".into(), &"6".into(), &"7".into())
    );
    assert!(!data.contains_key("until_ns") && !data.contains_key("imported_s"));
}

#[test]
fn where_the_first_kind_is_empty_the_next_is_taken_and_said() {
    let text = "onset,trial_type,event\n1,,go\n2,n/a,stop\nn/a,x,y\n";
    assert_eq!(times(text), [(1.0, "go".into()), (2.0, "stop".into())]);
    assert!(
        notes(text).contains("`trial_type` is empty in every row: the kinds of events are from `event`"),
        "{}",
        notes(text)
    );
    assert!(notes("onset,x\n1,2\n").contains("every kind is `event`"));
}

#[test]
fn units_are_the_columns_own() {
    for (text, at_s, duration_s) in [
        ("onset_ms,duration_ms,kind\n1500,250,a\n", 1.5, 0.25),
        ("onset_ms,duration_s,kind\n1500,0.25,a\n", 1.5, 0.25),
        ("onset,duration_ms,kind\n1.5,250,a\n", 1.5, 0.25),
        ("Time (ms),Duration [s],kind\n1500,0.25,a\n", 1.5, 0.25),
        ("latency(us),dur (us),kind\n1500000,250000,a\n", 1.5, 0.25),
        ("Time [ns],kind,duration\n1500000000,a,0.25\n2500000000,b,0.25\n", 1.5, 0.25),
        ("Start (s),Stop (s),Behavior\n1.5,1.75,a\n", 1.5, 0.25),
        // A time of a thousand milliseconds and durations that would outlast the table are of one unit.
        ("onset_ms,duration,kind\n1500,250,a\n2500,250,b\n", 1.5, 0.25),
    ] {
        let event = file(text).events.remove(0);
        assert_eq!((event.at_s, event.duration_s, event.kind.as_str()), (at_s, Some(duration_s), "a"), "{text}");
    }
    let asked = |text: &str, unit| {
        let read = read(text.as_bytes(), &TableOptions { unit: Some(unit), ..options() }).unwrap();
        (read.events[0].at_s, read.events[0].duration_s, read.notes.join("; "))
    };
    let (at_s, duration_s, said) = asked("onset,duration\n1500,250\n", TimeUnit::Ms);
    assert!(
        (at_s, duration_s) == (1.5, Some(0.25)) && said.contains("`duration` has no unit and was read in ms"),
        "{said}"
    );
    let (at_s, duration_s, said) = asked("onset_s,duration_s\n1500,0.25\n", TimeUnit::Ms);
    assert!((at_s, duration_s) == (1.5, Some(0.25)) && said.contains("although the unit in its header is s"), "{said}");
    let ends = asked("onset,offset,code\n500,900,a\n", TimeUnit::Ms);
    assert_eq!((ends.0, ends.1), (0.5, Some(0.4)));
    let negative = file("onset,duration,kind\n1,-2,a\n");
    assert_eq!((negative.events[0].duration_s, &negative.events[0].data["duration"]), (None, &"-2".into()));
    assert!(notes("onset,offset,kind\n1,0.5,a\n").contains("was not read as the end"));
    let rate = TableOptions { rate_hz: Some(500.0), ..options() };
    assert_eq!(read(b"sample,kind\n250,a\n", &rate).unwrap().events[0].at_s, 0.5);
    assert!(problem("sample,kind\n250,a\n").contains("--rate"));
}

#[test]
fn clock_times_are_read_and_kept() {
    let text = "Begin Time - hh:mm:ss.ms\tEnd Time - hh:mm:ss.ms\tsmile\n00:00:00.500\t00:00:01.000\tx\n00:00:01.250\t00:00:01.500\ty\n";
    let read = file(text);
    let [a, b] = &read.events[..] else { panic!("two events") };
    assert_eq!((a.at_s, a.duration_s, b.at_s, b.duration_s), (0.5, Some(0.5), 1.25, Some(0.25)));
    assert_eq!((&a.data["imported_time"], &a.data["smile"], read.unit), (&"00:00:00.500".into(), &"x".into(), None));
    assert_eq!(times("time;kind\n1:02,5;a\n-0:01;b\n"), [(62.5, "a".into()), (-1.0, "b".into())]);
    assert!(problem("time,kind\n0:01,a\n1:75,b\n").contains("line 3: `1:75` is not a clock time"));
    assert!(problem("time,kind\n0:01,a\n2.5,b\n").contains("line 3: `2.5` is not a clock time"));
}

#[test]
fn wall_clock_times_are_counted_from_the_sessions_zero() {
    for text in [
        "utc,kind\n2025-03-01T10:00:02Z,a\n",
        "time_utc,kind\n2025-03-01 10:00:02,a\n",
        "Timestamp,kind\n2025-03-01 12:00:02+02:00,a\n",
        "unix_time,kind\n1740823202,a\n",
        "timestamp,kind\n1740823202.0,a\n",
        "timestamp,kind\n1740823202000,a\n",
        "timestamp [ns],kind\n1740823202000000000,a\n",
        "time_us,kind\n1740823202000000,a\n",
    ] {
        let read = file(text);
        assert!((read.events[0].at_s - 1.5).abs() < 1e-6, "{text}: {}", read.events[0].at_s);
        assert_eq!((read.clock, read.unit), (FileClock::Wall, None), "{text}");
        assert!(read.events[0].data.contains_key("imported_time") && read.notes.join("; ").contains("10:00:00.500Z"));
    }
    // To the nanosecond, although no double holds so many digits.
    assert_eq!(file("timestamp [ns]\n1740823200500000001\n").events[0].at_s, 1e-9);
    assert!(problem("time,kind\n2025-03-01 10:00:02,a\n").contains("--zone"));
    let zone = TableOptions { zone: parse_zone("+02:00"), ..options() };
    assert_eq!(read(b"time,kind\n2025-03-01 12:00:02,a\n", &zone).unwrap().events[0].at_s, 1.5);
    assert!(problem("time,kind\n01.03.2025 10:00:02,a\n").contains("--zone"));
    assert!(problem("time,kind\n01.03.25 10:00:02,a\n").contains("line 2: `01.03.25 10:00:02` is not a date"));
    // A stopwatch of nanoseconds that has run for some days is none.
    assert_eq!(file("time_ns,kind\n864000000000000,a\n").events[0].at_s, 864_000.0);
    assert_eq!(file("time,kind\n1800000000000000,a\n").clock, FileClock::Own);
}

#[test]
fn dates_may_begin_with_the_day_or_the_month() {
    let zone = TableOptions { zone: parse_zone("Z"), ..options() };
    // The session was recorded on 1 March.
    for (text, at_s, said) in [
        ("time;kind\n01.03.2025 10:00:02;a\n", 1.5, "day before month"),
        ("time,kind\n01/03/2025 10:00:02,a\n", 1.5, "day before month"),
        ("time,kind\n3/1/2025 10:00:02 AM,a\n", 1.5, "month before day"),
        ("time,kind\n3/1/2025 10:01 AM,a\n", 59.5, "month before day"),
        ("time,kind\n03-14-2025 10:00:02,a\n03-01-2025 10:00:02,b\n", 1_123_201.5, "month before day"),
        ("time,kind\n14/03/2025 10:00:02,a\n01/03/2025 10:00:02,b\n", 1_123_201.5, "day before month"),
    ] {
        let read = read(text.as_bytes(), &zone).unwrap();
        assert_eq!((read.events[0].at_s, read.clock), (at_s, FileClock::Wall), "{text}");
        assert!(read.notes.join("; ").contains(said), "{text}: {:?}", read.notes);
    }
    let refused = read(b"time,kind\n07/08/2025 10:00:02,a\n", &zone).unwrap_err();
    assert!(refused.contains("`07/08/2025 10:00:02`") && refused.contains("which number is the day"), "{refused}");
    let mixed = read(b"time,kind\n14/03/2025 10:00:02,a\n01/15/2025 10:00:02,b\n", &zone).unwrap_err();
    assert!(mixed.contains("line 3: `01/15/2025 10:00:02` is not a date"), "{mixed}");
    let unnamed = problem("press_time,x\n01.03.2025 10:00:02,a\n");
    assert!(unnamed.contains("These columns could be times: press_time."), "{unnamed}");
}

#[test]
fn the_date_may_stand_in_a_column_of_its_own() {
    let dated = TableOptions { date: Some("Day".into()), zone: parse_zone("Z"), ..options() };
    let text = "Day;Time;kind\n01.03.2025;10:00:02,5;a\n;10:00:03;b\n01.03.2025;n/a;c\n02.03.2025;00:00:00;d\n";
    let read = read(text.as_bytes(), &dated).unwrap();
    let got: Vec<_> = read.events.iter().map(|e| (e.at_s, e.kind.as_str())).collect();
    assert_eq!((got, read.rows_without_time), (vec![(2.0, "a"), (50_399.5, "d")], 2));
    assert_eq!(read.clock, FileClock::Wall);
    assert_eq!(
        (&read.events[0].data["Day"], &read.events[0].data["imported_time"]),
        (&"01.03.2025".into(), &"10:00:02,5".into())
    );
    let over_midnight = super::read(b"Day,Start,Stop\n2025-03-01,23:59:58,00:00:01\n", &dated).unwrap();
    assert_eq!(over_midnight.events[0].duration_s, Some(3.0), "the date is that of the start");
    let problem = |text: &str| super::read(text.as_bytes(), &dated).unwrap_err();
    assert!(problem("Day,Time\n2025-03-01,soon\n").contains("line 2: `2025-03-01 soon` is not a date and time"));
    assert!(problem("When,Time\n2025-03-01,10:00\n").contains("no column `Day`"));
}

#[test]
fn clock_times_go_on_after_midnight() {
    let text = "start,stop,kind\n23:59:58,23:59:59,a\n23:59:59.5,00:00:01,b\n,,x\n00:00:02,00:00:03,c\n23:00:00,,d\n\
        01:00:00,01:00:01,e\n";
    // Forward by 23 hours: the rows are in no order, and nothing is assumed.
    let got: Vec<_> = file(text).events.iter().map(|e| (e.at_s, e.duration_s)).collect();
    assert_eq!(got[2..], [(2.0, Some(1.0)), (82_800.0, None), (3_600.0, Some(1.0))]);
    // The ends go back by more than half a day, the starts by less.
    let back = file("start,stop,kind\n23:00:00,23:50:00,a\n11:30:00,11:35:00,b\n");
    assert_eq!(back.events.iter().map(|e| e.duration_s).collect::<Vec<_>>(), [Some(3_000.0), Some(300.0)]);
    let text = text.replace("23:00:00,,d", "11:00:00,,d").replace("01:00:00,01:00:01,e", "22:00:00,22:00:01,e");
    let read = file(&text);
    let got: Vec<_> = read.events.iter().map(|e| (e.at_s, e.duration_s)).collect();
    let expected = [
        (86_398.0, Some(1.0)),
        (86_399.5, Some(1.5)),
        (86_402.0, Some(1.0)),
        (126_000.0, None),
        (165_600.0, Some(1.0)),
    ];
    assert_eq!(got, expected);
    assert!(read.notes.join("; ").contains("past midnight from line 5 on"), "{:?}", read.notes);
    // An event that ends after midnight, alone.
    assert_eq!(file("start,stop,kind\n23:59:58,00:00:01,a\n").events[0].duration_s, Some(3.0));
    // Two midnights, and a time that is exactly half a day earlier, which is none.
    let times_of = |text: &str| times(text).into_iter().map(|(at_s, _)| at_s).collect::<Vec<_>>();
    assert_eq!(
        times_of("time,kind\n23:00:00,a\n09:00:00,b\n20:00:00,c\n01:00:00,d\n"),
        [82_800.0, 118_800.0, 158_400.0, 176_400.0]
    );
    assert_eq!(times_of("time,kind\n20:00:00,a\n08:00:00,b\n"), [72_000.0, 28_800.0]);
    // A stopwatch counts beyond a day.
    assert_eq!(times_of("time,kind\n25:00:00,a\n00:00:01,b\n"), [90_000.0, 1.0]);
    assert!(!notes("time,kind\n20:00:00,a\n20:00:01,b\n").contains("midnight"));
}

#[test]
fn psychopys_wide_table_says_which_columns_could_be_times() {
    let wide = "\u{feff}trials.thisN,image,welcome.started,stim.started,key_resp.keys,key_resp.rt,participant,date,expName,\n\
        ,,0.21,,,,7,2025-03-01_10h00,faces,\n0,a.png,,0.52,f,0.41,7,2025-03-01_10h00,faces,\n\
        1,b.png,,1.24,None,,7,2025-03-01_10h00,faces,\n,,,,,,7,2025-03-01_10h00,faces,\n";
    let said = problem(wide);
    assert!(
        said.contains("These columns could be times: welcome.started, stim.started.") && said.contains("--time"),
        "{said}"
    );
    let asked = TableOptions { time: Some("stim.started".into()), kind: Some("image".into()), ..options() };
    let read = read(wide.as_bytes(), &asked).unwrap();
    let events: Vec<_> = read.events.iter().map(|e| (e.at_s, e.kind.as_str())).collect();
    assert_eq!((events, read.rows_without_time), (vec![(0.52, "a.png"), (1.24, "b.png")], 2));
    assert_eq!(read.events[1].data["key_resp.keys"], "None");
}

#[test]
fn what_was_decided_is_said() {
    let said = notes("onset;kind\n0,5;a\n");
    assert!(said.contains("separated by semicolons") && said.contains("with decimal commas"), "{said}");
    assert!(said.contains("times from `onset`: in s (no unit is given)"), "{said}");
    let (latin, ..) = WINDOWS_1252.encode("onset,kind\n1,lächeln\n");
    let read = read(&latin, &options()).unwrap();
    assert!(read.events[0].kind == "lächeln" && read.notes[0].contains("Windows-1252"), "{:?}", read.notes);
    let utf16: Vec<u8> = "\u{feff}onset\tkind\r\n1\tlächeln\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let read = super::read(&utf16, &options()).unwrap();
    assert!(read.events[0].kind == "lächeln" && read.notes[0].contains("UTF-16LE"), "{:?}", read.notes);
}

/// How a program may write a table.
#[derive(Clone, Debug)]
struct Writer {
    delimiter: &'static str,
    end: &'static str,
    encoding: &'static str,
    has_decimal_commas: bool,
    quotes_all: bool,
    says_separator: bool,
    has_blank_rows: bool,
}

impl Writer {
    fn cell(&self, text: &str) -> String {
        let needs = text.contains(['"', '\n', '\r', '#']) || text.contains(self.delimiter) || text.trim() != text;
        if self.quotes_all || needs || text.is_empty() {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.into()
        }
    }

    fn write(&self, rows: &[(f64, String, String)]) -> Vec<u8> {
        let number = |v: f64| if self.has_decimal_commas { v.to_string().replace('.', ",") } else { v.to_string() };
        let mut lines = Vec::new();
        if self.says_separator {
            lines.push(format!("sep={}", self.delimiter));
        }
        let line = |cells: [&str; 3]| cells.map(|c| self.cell(c)).join(self.delimiter);
        lines.push(line(["onset", "trial_type", "said"]));
        for (at_s, kind, said) in rows {
            lines.push(line([&number(*at_s), kind, said]));
            if self.has_blank_rows {
                lines.push(self.delimiter.repeat(2));
            }
        }
        let text = lines.join(self.end) + self.end;
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        match self.encoding {
            "utf-16 with mark" => utf16(&format!("\u{feff}{text}")),
            "utf-16" => utf16(&text),
            "utf-8 with mark" => format!("\u{feff}{text}").into_bytes(),
            "windows-1252" => WINDOWS_1252.encode(&text).0.into_owned(),
            _ => text.into_bytes(),
        }
    }
}

fn writer() -> impl Strategy<Value = Writer> {
    let encodings = vec!["utf-8", "utf-8 with mark", "utf-16", "utf-16 with mark", "windows-1252"];
    (
        prop::sample::select(vec![",", ";", "\t", "|"]),
        prop::sample::select(vec!["\n", "\r\n", "\r"]),
        prop::sample::select(encodings),
        any::<[bool; 4]>(),
    )
        .prop_map(|(delimiter, end, encoding, [commas, quotes_all, says_separator, has_blank_rows])| Writer {
            delimiter,
            end,
            encoding,
            has_decimal_commas: commas && delimiter != ",",
            quotes_all,
            says_separator,
            has_blank_rows,
        })
}

proptest! {
    #[test]
    fn whatever_writes_it_the_events_are_the_same(
        // Words with what tables use for themselves; each event says something, and `é` keeps the encodings apart.
        rows in prop::collection::vec((-1e5f64..1e5, "[a-zé]{1,6}", "x[a-zäß,;|\t\"\n #€]{0,8}"), 1..8),
        writer in writer(),
    ) {
        let written = writer.write(&rows);
        // `ß€` of Windows-1252 has the bytes of one letter of UTF-8. Nobody can tell which was meant.
        let is_clear = writer.encoding != "windows-1252" || written.is_ascii() || std::str::from_utf8(&written).is_err();
        prop_assume!(is_clear);
        let read = read(&written, &options()).unwrap();
        let told = |text: &str| NO_DATA.contains(&text) || is_nothing(text);
        prop_assume!(rows.iter().all(|(_, kind, said)| !told(kind) && !told(said.trim())));
        let got: Vec<_> =
            read.events.iter().map(|e| (e.at_s, e.kind.clone(), e.data["said"].as_str().unwrap().to_owned())).collect();
        prop_assert_eq!(got, rows);
        prop_assert_eq!(read.rows_without_time, 0);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        // Only a panic is a failure.
        read(&bytes, &options()).ok();
    }

    #[test]
    fn no_table_makes_it_panic(
        rows in prop::collection::vec(prop::collection::vec("([0-9:.,+eE-]{0,6}|[a-z#\"]{0,4}|n/a|2025-03-01T1[0-9:Z]{0,8}\
            |[0-3]?[0-9][./-][01]?[0-9][./-]2025 1[0-9:]{0,6}( [AP]M)?|2[0-4]:[0-6][0-9]:[0-5][0-9])", 1..5), 1..8),
        head in prop::sample::select(vec!["onset,duration,kind", "time;end;kind", "sep=,\nutc,x", "sample,kind", "stim.started|a", "onset"]),
        delimiter in prop::sample::select(vec![",", ";", "|", "\t"]),
    ) {
        let body: Vec<String> = rows.iter().map(|row| row.join(delimiter)).collect();
        let text = format!("{head}\n{}", body.join("\n"));
        if let Ok(read) = read(text.as_bytes(), &options()) {
            prop_assert!(read.events.iter().all(|e| e.at_s.is_finite()));
            prop_assert!(read.events.len() as u64 + read.rows_without_time <= rows.len() as u64);
        }
    }
}
