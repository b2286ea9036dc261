//! Tests with files of recorders, whole and damaged.

use proptest::prelude::*;
use serde_json::Value;

use super::chunks::BOUNDARY_UUID;
use super::*;

/// A chunk whose length takes 1, 4 or 8 bytes.
fn sized_chunk(length_bytes: u8, tag: u16, content: &[u8]) -> Vec<u8> {
    let length = content.len() as u64 + 2;
    let mut out = vec![length_bytes];
    out.extend(&length.to_le_bytes()[..usize::from(length_bytes)]);
    out.extend(tag.to_le_bytes());
    out.extend(content);
    out
}

fn chunk(tag: u16, content: &[u8]) -> Vec<u8> {
    sized_chunk(4, tag, content)
}

fn header_xml(name: &str, kind: &str, format: &str, channels: usize, rate_hz: f64) -> String {
    format!(
        "<?xml version=\"1.0\"?><info><name>{name}</name><type>{kind}</type><channel_count>{channels}</channel_count>\
         <nominal_srate>{rate_hz}</nominal_srate><channel_format>{format}</channel_format></info>"
    )
}

fn header(id: u32, name: &str, format: &str, channels: usize) -> Vec<u8> {
    chunk(
        STREAM_HEADER,
        &[&id.to_le_bytes()[..], header_xml(name, "Markers", format, channels, 0.0).as_bytes()].concat(),
    )
}

fn offset(id: u32, at_s: f64, offset_s: f64) -> Vec<u8> {
    chunk(CLOCK_OFFSET, &[&id.to_le_bytes()[..], &at_s.to_le_bytes(), &offset_s.to_le_bytes()].concat())
}

fn stamp(at_s: Option<f64>) -> Vec<u8> {
    at_s.map_or(vec![0], |at_s| [&[8][..], &at_s.to_le_bytes()].concat())
}

fn word(text: &str) -> Vec<u8> {
    [&[4][..], &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
}

fn samples(id: u32, samples: &[(Option<f64>, Vec<u8>)]) -> Vec<u8> {
    let mut content = id.to_le_bytes().to_vec();
    content.extend([&[4][..], &(samples.len() as u32).to_le_bytes()].concat());
    samples.iter().for_each(|(at_s, values)| content.extend([stamp(*at_s), values.clone()].concat()));
    chunk(SAMPLES, &content)
}

fn words(id: u32, events: &[(f64, &str)]) -> Vec<u8> {
    samples(id, &events.iter().map(|(at_s, text)| (Some(*at_s), word(text))).collect::<Vec<_>>())
}

fn boundary() -> Vec<u8> {
    sized_chunk(1, BOUNDARY, &BOUNDARY_UUID)
}

fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
    [MAGIC.to_vec(), chunk(FILE_HEADER, b"<?xml version=\"1.0\"?><info><version>1.0</version></info>"), chunks.concat()]
        .concat()
}

fn events_of(read: &EventFile) -> Vec<(f64, &str)> {
    read.events.iter().map(|e| (e.at_s, e.kind.as_str())).collect()
}

fn note<'a>(read: &'a EventFile, part: &str) -> &'a str {
    read.notes.iter().find(|n| n.contains(part)).unwrap_or_else(|| panic!("no note with `{part}`: {:?}", read.notes))
}

#[test]
fn events_stand_on_the_recorders_clock() {
    let values = [word("on"), word("x")].concat();
    let chunks = [header(7, "flashes", "string", 2), offset(7, 100.0, 0.5), offset(7, 200.0, 0.5)];
    let whole = file(&[&chunks[..], &[samples(7, &[(Some(150.0), values)])]].concat());
    let read = super::read(&whole).unwrap();
    assert_eq!(events_of(&read), [(150.5, "on")]);
    assert_eq!(
        (&read.events[0].data["channel_2"], &read.events[0].data["source_stream"]),
        (&"x".into(), &"flashes".into())
    );
    assert_eq!((read.damaged_places, read.notes), (0, vec![]));
}

#[test]
fn numbers_of_every_size_are_markers() {
    let numbers: [(&str, Vec<u8>, &str); 6] = [
        ("int8", (-3i8).to_le_bytes().to_vec(), "-3"),
        ("int16", 300i16.to_le_bytes().to_vec(), "300"),
        ("int32", 70_000i32.to_le_bytes().to_vec(), "70000"),
        ("int64", 9_007_199_254_740_993i64.to_le_bytes().to_vec(), "9007199254740993"),
        ("float32", 2.5f32.to_le_bytes().to_vec(), "2.5"),
        ("double64", 0.1f64.to_le_bytes().to_vec(), "0.1"),
    ];
    for (format, value, expected) in numbers {
        let read = super::read(&file(&[header(1, "t", format, 1), samples(1, &[(Some(1.0), value)])])).unwrap();
        assert_eq!(events_of(&read), [(1.0, expected)], "{format}");
    }
}

#[test]
fn streams_of_samples_are_left_out_and_said() {
    let eeg = [&2u32.to_le_bytes()[..], header_xml("EEG", "EEG", "float32", 1, 500.0).as_bytes()].concat();
    let face = [&3u32.to_le_bytes()[..], header_xml("face", "Gaze", "float32", 12, 0.0).as_bytes()].concat();
    let odd = [&4u32.to_le_bytes()[..], header_xml("odd", "Markers", "uint8", 1, 0.0).as_bytes()].concat();
    let chunks = [
        header(1, "t", "string", 1),
        chunk(STREAM_HEADER, &eeg),
        chunk(STREAM_HEADER, &face),
        chunk(STREAM_HEADER, &odd),
        samples(2, &[(None, vec![0; 4])]),
        words(1, &[(1.0, "go")]),
    ];
    let read = super::read(&file(&chunks)).unwrap();
    assert_eq!(events_of(&read), [(1.0, "go")]);
    assert_eq!(note(&read, "EEG"), "`EEG` was left out: 1 channel(s) of float32 at 500 Hz are samples, not events");
    assert!(note(&read, "face").contains("12 channel(s) of float32 are samples"));
    assert!(note(&read, "odd").contains("`uint8`, which XDF does not define"));
    let nothing = super::read(&file(&[chunk(STREAM_HEADER, &eeg)])).unwrap_err();
    assert!(nothing.contains("contains no event") && nothing.contains("EEG"), "{nothing}");
}

#[test]
fn times_that_are_missing_are_deduced_or_left_out() {
    let regular = [&1u32.to_le_bytes()[..], header_xml("r", "Markers", "string", 1, 10.0).as_bytes()].concat();
    let at = |times: &[Option<f64>]| samples(1, &times.iter().map(|t| (*t, word("x"))).collect::<Vec<_>>());
    let times = |chunks: &[Vec<u8>]| {
        let read = super::read(&file(chunks)).unwrap();
        (read.events.iter().map(|e| (e.at_s * 1e6).round() / 1e6).collect::<Vec<_>>(), read)
    };
    let regular = chunk(STREAM_HEADER, &regular);
    assert_eq!(times(&[regular.clone(), at(&[Some(5.0), None, None])]).0, [5.0, 5.1, 5.2]);
    let (found, read) = times(&[regular, at(&[None, None, Some(0.3)])]);
    assert_eq!(found, [0.1, 0.2, 0.3]);
    assert!(note(&read, "no time at its beginning").contains("counted from 0 s"));
    // Without a rate the sample belongs to the one before, if there is one.
    let irregular = header(1, "i", "string", 1);
    let (found, read) = times(&[irregular, at(&[None, Some(4.0), None, Some(f64::NAN), None, Some(0.0)])]);
    assert_eq!(found, [0.0, 4.0, 4.0]);
    assert!(note(&read, "without a time").contains("3 event(s)"));
    assert_eq!(read.damaged_places, 0);
}

#[test]
fn a_cut_tail_is_said_with_what_it_held() {
    let chunks = [
        header(1, "Stim", "string", 1),
        words(1, &[(0.5, "A"), (1.0, "B")]),
        boundary(),
        words(1, &[(2.0, "C"), (3.0, "D")]),
    ];
    let whole = file(&chunks);
    let last = whole.len() - chunks[3].len();
    for end in last + 1..whole.len() {
        let read = super::read(&whole[..end]).unwrap();
        assert_eq!(events_of(&read), [(0.5, "A"), (1.0, "B")], "{end}");
        assert_eq!(read.damaged_places, 1);
        let text = note(&read, "cut off within its last chunk");
        // Tag, stream number and count are at the beginning of the chunk.
        assert_eq!(text.contains("2 event(s) of `Stim` were left out"), end >= last + 16, "{end}: {text}");
    }
    // Whole, but its stream is not said.
    let read = super::read(&[whole[..last].to_vec(), vec![1, 2, 3, 0]].concat()).unwrap();
    assert_eq!((events_of(&read).len(), read.damaged_places), (2, 1));
}

#[test]
fn absurd_lengths_are_damage_and_no_memory() {
    let good = [header(1, "Stim", "string", 1), words(1, &[(0.5, "A")])];
    let huge = u64::MAX.to_le_bytes();
    for bad in [
        [&[8][..], &huge, &[3, 0, 1, 0, 0, 0]].concat(),
        [&[4][..], &u32::MAX.to_le_bytes(), &[3, 0, 1, 0, 0, 0]].concat(),
        vec![1, 0, 3, 0],
        chunk(SAMPLES, &[&1u32.to_le_bytes()[..], &[8], &huge].concat()),
        chunk(SAMPLES, &[&1u32.to_le_bytes()[..], &[1, 1, 8], &1f64.to_le_bytes(), &[8], &huge].concat()),
        chunk(SAMPLES, &[&1u32.to_le_bytes()[..], &[1, 1, 3], &1f64.to_le_bytes(), &[1, 0]].concat()),
        chunk(CLOCK_OFFSET, &[&1u32.to_le_bytes()[..], &f64::NAN.to_le_bytes(), &[0; 8]].concat()),
    ] {
        let read = super::read(&file(&[good.concat(), bad.clone(), words(1, &[(2.0, "B")])])).unwrap();
        assert_eq!(
            (events_of(&read), read.damaged_places),
            (vec![(0.5, "A"), (2.0, "B")], 1),
            "{bad:?} {:?}",
            read.notes
        );
    }
}

#[test]
fn a_torn_chunk_does_not_take_the_next_with_it() {
    let torn = words(1, &[(1.0, "lost"), (1.5, "lost as well")]);
    for kept in 1..torn.len() {
        let chunks =
            [header(1, "Stim", "string", 1), words(1, &[(0.5, "A")]), torn[..kept].to_vec(), words(1, &[(2.0, "B")])];
        for behind in [vec![], boundary()] {
            let read = super::read(&file(&[chunks.concat(), behind])).unwrap();
            assert_eq!(
                (events_of(&read), read.damaged_places),
                (vec![(0.5, "A"), (2.0, "B")], 1),
                "{kept} {:?}",
                read.notes
            );
        }
    }
}

#[test]
fn stream_numbers_may_be_given_twice_or_stand_before_their_header() {
    let first = [header(1, "one", "string", 1), words(1, &[(1.0, "a")])].concat();
    let again = [header(1, "two", "int16", 1), samples(1, &[(Some(2.0), 7i16.to_le_bytes().to_vec())])].concat();
    let read = super::read(&file(&[first.clone(), again, first.clone()])).unwrap();
    assert_eq!(events_of(&read), [(1.0, "a"), (1.0, "a"), (2.0, "7")]);
    // A header that is only repeated begins no other stream.
    let read = super::read(&file(&[first.clone(), first])).unwrap();
    assert!(read.events.iter().all(|e| !e.data.contains_key("source_stream_id")));
    let late =
        [words(5, &[(1.0, "early")]), offset(5, 0.0, 2.0), header(5, "late", "string", 1), words(5, &[(3.0, "then")])];
    assert_eq!(events_of(&super::read(&file(&late)).unwrap()), [(3.0, "early"), (5.0, "then")]);
    let never =
        [header(1, "Stim", "string", 1), words(1, &[(0.5, "A")]), words(9, &[(1.0, "whose?")]), offset(9, 0.0, 0.0)];
    let read = super::read(&file(&never)).unwrap();
    assert_eq!((events_of(&read), read.damaged_places), (vec![(0.5, "A")], 1));
    assert!(note(&read, "header is missing").contains("1 chunk(s) of stream number 9"));
}

#[test]
fn times_beyond_all_numbers_are_left_out() {
    let huge =
        [header(1, "A", "string", 1), offset(1, 1.0, f64::MAX), words(1, &[(f64::MAX, "x"), (-1.0, "y")])].concat();
    let read = super::read(&file(&[huge])).unwrap();
    assert_eq!((events_of(&read), read.unplaced_events), (vec![(f64::MAX, "y")], 1));
}

#[test]
fn streams_of_one_name_are_told_apart() {
    let chunks = [1, 2].map(|id| [header(id, "same", "string", 1), words(id, &[(f64::from(id), "x")])].concat());
    let read = super::read(&file(&chunks)).unwrap();
    let ids: Vec<&Value> = read.events.iter().map(|e| &e.data["source_stream_id"]).collect();
    assert_eq!(ids, [&Value::from(1), &Value::from(2)]);
}

#[test]
fn a_header_that_cannot_be_read_costs_its_stream_alone() {
    let broken = chunk(STREAM_HEADER, &[&2u32.to_le_bytes()[..], b"<info><name>B</name><channel_count>"].concat());
    let chunks = [header(1, "A", "string", 1), broken, words(2, &[(1.0, "b")]), words(1, &[(1.0, "a")])];
    let read = super::read(&file(&chunks)).unwrap();
    assert_eq!((events_of(&read), read.damaged_places), (vec![(1.0, "a")], 1));
    assert!(note(&read, "header of stream number 2").contains("ends too early"));
}

#[test]
fn what_an_outlet_leaves_behind_is_left_out() {
    let footer =
        [&1u32.to_le_bytes()[..], b"<?xml version=\"1.0\"?><info><sample_count>2</sample_count></info>"].concat();
    let offsets =
        (0..20).map(|k| offset(1, 5.0 * f64::from(k), 0.5 + 1e-4 * f64::from(k % 3))).collect::<Vec<_>>().concat();
    let garbage = [words(1, &[(7e8, "")]), offset(1, 7e8, 0.7)].concat();
    let chunks = [header(1, "A", "string", 1), offsets, words(1, &[(1.0, "a"), (2.0, "b")])].concat();
    let read = super::read(&file(&[chunks.clone(), garbage, chunk(STREAM_FOOTER, &footer)])).unwrap();
    assert_eq!(read.events.len(), 2);
    note(&read, "its outlet left behind");
    // More samples than were counted are kept where nothing else is odd.
    let read = super::read(&file(&[chunks, words(1, &[(3.0, "c")]), chunk(STREAM_FOOTER, &footer)])).unwrap();
    assert_eq!(read.events.len(), 3);
}

#[test]
fn clocks_that_say_too_little_are_refused_by_name() {
    let stream = [header(1, "Stim", "string", 1), words(1, &[(150.0, "A")])].concat();
    let refused = super::read(&file(&[stream.clone(), offset(1, 100.0, 0.5), offset(1, 200.0, 40.0)])).unwrap_err();
    assert!(refused.contains("`Stim`") && refused.contains("disagree by 39.500 s"), "{refused}");
    // A stream that nobody can place does not take the others with it.
    let other = [header(2, "B", "string", 1), words(2, &[(1.0, "b")])].concat();
    let read = super::read(&file(&[stream, offset(1, 100.0, 0.5), offset(1, 200.0, 40.0), other])).unwrap();
    assert_eq!((events_of(&read), read.unplaced_events), (vec![(1.0, "b")], 1));
    assert!(note(&read, "`Stim` was left out").contains("disagree by 39.500 s"));
    let lone = [header(1, "A", "string", 1), offset(1, 1.0, 2.0), header(2, "B", "string", 1)].concat();
    let read = super::read(&file(&[lone, words(1, &[(1.0, "a")]), words(2, &[(1.0, "b")])])).unwrap();
    assert!(note(&read, "no clock offsets").starts_with("`B`"));
}

/// One part of a changed clock: its number of offsets, its difference from the previous part, and its drift.
#[derive(Clone, Debug)]
struct Clock {
    offsets: usize,
    step_s: f64,
    drift: f64,
}

fn clocks(step_s: impl Strategy<Value = f64> + 'static) -> impl Strategy<Value = Vec<Clock>> {
    let clock = (6usize..40, step_s, -1e-4f64..1e-4);
    prop::collection::vec(clock.prop_map(|(offsets, step_s, drift)| Clock { offsets, step_s, drift }), 1..4)
}

/// A file whose recorder measures every 5 s from 0 s. The clock changes at the share `change` of the time between two
/// measurements. Returns the file and the events' true times.
fn recorded(clocks: &[Clock], change: f64, noise: &[f64], events: &[f64]) -> (Vec<u8>, Vec<f64>) {
    let (mut shift_s, mut from_s, mut offsets) = (1000.0, 0.0, Vec::new());
    let mut shown = Vec::<(f64, Box<dyn Fn(f64) -> f64>)>::new();
    for clock in clocks {
        shift_s += clock.step_s;
        let (shift_s, drift) = (shift_s, clock.drift);
        let show = move |recorder_s: f64| recorder_s + shift_s + drift * (recorder_s - from_s);
        for k in 0..clock.offsets {
            let at_s = from_s + 5.0 * k as f64;
            let noise_s = 1e-4 * noise[offsets.len() % noise.len()];
            offsets.push(offset(1, show(at_s), at_s - show(at_s) + noise_s));
        }
        shown.push((from_s - 5.0 * (1.0 - change), Box::new(show)));
        from_s += 5.0 * clock.offsets as f64;
    }
    let mut times: Vec<f64> = events.iter().map(|share| share * (from_s - 5.0)).collect();
    times.sort_by(f64::total_cmp);
    let shown_at =
        |t: f64| shown.iter().rev().find(|(from_s, _)| *from_s <= t || *from_s < 0.0).map_or(0.0, |(_, show)| show(t));
    let samples: Vec<_> = times.iter().enumerate().map(|(k, t)| words(1, &[(shown_at(*t), &k.to_string())])).collect();
    (file(&[header(1, "Stim", "string", 1), offsets.concat(), samples.concat()]), times)
}

/// The largest error of an event's time. The kind of each event is its number.
fn farthest_s(read: &EventFile, truth: &[f64]) -> f64 {
    read.events.iter().map(|e| (e.at_s - truth[e.kind.parse::<usize>().unwrap()]).abs()).fold(0.0, f64::max)
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        super::read(&bytes).ok();
        super::read(&file(&[header(1, "Stim", "string", 1), bytes])).ok();
    }

    #[test]
    fn no_damage_makes_it_panic(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20), cut in any::<prop::sample::Index>(),
    ) {
        let chunks = [header(1, "Stim", "string", 2), header(2, "n", "int32", 1), offset(1, 1.0, 2.0), boundary()];
        let values = [word("on"), word("x")].concat();
        let more = [samples(1, &[(Some(1.0), values.clone()), (None, values)]), samples(2, &[(Some(3.0), vec![0; 4])])];
        let mut bytes = file(&[chunks.concat(), more.concat()]);
        damage.iter().for_each(|(at, byte)| { let k = at.index(bytes.len()); bytes[k] = *byte; });
        super::read(&bytes).ok();
        super::read(&bytes[..cut.index(bytes.len())]).ok();
    }

    #[test]
    fn damage_between_chunks_loses_no_event(
        kinds in prop::collection::vec("[a-zé]{0,40}", 1..40), in_a_chunk in 1usize..5, length_bytes in prop::sample::select(vec![4u8, 8]),
        damage in prop::collection::vec((any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 1..80)), 0..6),
    ) {
        let named: Vec<(f64, &str)> = kinds.iter().enumerate().map(|(k, kind)| (k as f64, kind.as_str())).collect();
        let mut chunks = vec![header(1, "Stim", "string", 1)];
        for part in named.chunks(in_a_chunk) {
            chunks.push(sized_chunk(length_bytes, SAMPLES, &words(1, part)[7..]));
            chunks.push(boundary());
        }
        for (at, bytes) in &damage {
            chunks.insert(1 + at.index(chunks.len()), bytes.clone());
        }
        let read = super::read(&file(&chunks)).unwrap();
        let expected: Vec<_> = named.iter().map(|(at_s, kind)| (*at_s, if kind.is_empty() { "event" } else { *kind })).collect();
        prop_assert_eq!(events_of(&read), expected);
        prop_assert_eq!(read.damaged_places > 0, !damage.is_empty());
    }

    #[test]
    fn clocks_that_restart_come_back_within_a_millisecond(
        clocks in clocks(prop_oneof![-1e6f64..-1e4, 1e4f64..1e6]), change in 0.05f64..0.95,
        noise in prop::collection::vec(-1f64..1.0, 50), events in prop::collection::vec(0f64..1.0, 1..40),
    ) {
        let (file, truth) = recorded(&clocks, change, &noise, &events);
        let read = super::read(&file).unwrap();
        prop_assert_eq!(read.events.len(), truth.len());
        prop_assert!(farthest_s(&read, &truth) < 1e-3, "{} s: {:?}", farthest_s(&read, &truth), read.notes);
    }

    /// Small steps overlap or are not detectable. Each event is then right, or left out because its time cannot be determined.
    #[test]
    fn clocks_that_step_are_right_or_left_out(
        clocks in clocks(prop_oneof![-60f64..-0.1, 0.1f64..60.0]), change in 0.05f64..0.95,
        noise in prop::collection::vec(-1f64..1.0, 50), events in prop::collection::vec(0f64..1.0, 1..40),
    ) {
        let (file, truth) = recorded(&clocks, change, &noise, &events);
        match super::read(&file) {
            Ok(read) => {
                prop_assert!(farthest_s(&read, &truth) < 1e-3, "{} s: {:?}", farthest_s(&read, &truth), read.notes);
                prop_assert_eq!(read.events.len() + read.unplaced_events as usize, truth.len());
                prop_assert_eq!(read.notes.iter().any(|n| n.contains("cannot be determined")), read.unplaced_events > 0);
                prop_assert!(clocks.len() > 1 || read.unplaced_events == 0);
            }
            Err(refused) => prop_assert!(refused.contains("cannot be determined"), "{refused}"),
        }
    }

    #[test]
    fn wild_offsets_move_no_event(
        wild in prop::collection::vec((any::<prop::sample::Index>(), -1e3f64..1e3), 1..6), drift in -1e-4f64..1e-4,
        moves_its_own_time in any::<bool>(), events in prop::collection::vec(0f64..1.0, 1..40),
    ) {
        let mut offsets: Vec<(f64, f64)> = (0..60).map(|k| 5.0 * f64::from(k)).map(|t| (t, 3.0 + drift * t)).collect();
        for (k, by) in &wild {
            // Neither the first nor the last, because an outlier there may be a change of the clock.
            let k = 1 + k.index(58);
            offsets[k].1 += by;
            offsets[k].0 -= if moves_its_own_time { *by } else { 0.0 };
        }
        let mut times: Vec<f64> = events.iter().map(|share| 295.0 * share).collect();
        times.sort_by(f64::total_cmp);
        let offsets: Vec<_> = offsets.iter().map(|(t, v)| offset(1, *t, *v)).collect();
        let samples: Vec<_> = times.iter().enumerate().map(|(k, t)| words(1, &[(*t, &k.to_string())])).collect();
        let read = super::read(&file(&[header(1, "Stim", "string", 1), offsets.concat(), samples.concat()])).unwrap();
        let truth: Vec<f64> = times.iter().map(|t| t + 3.0 + drift * t).collect();
        prop_assert_eq!(read.events.len(), truth.len());
        prop_assert!(farthest_s(&read, &truth) < 1e-3, "{} s: {:?}", farthest_s(&read, &truth), read.notes);
    }
}

#[test]
fn events_that_nobody_can_place_are_left_out_alone() {
    // The recorder's clock is set by 30 s between 95 s and 100 s of the stream's; then the stream's back by 50 s.
    let offsets = |n: u32, from_s: f64, v: f64| {
        (0..n).map(|k| offset(1, from_s + 5.0 * f64::from(k), v)).collect::<Vec<_>>().concat()
    };
    let chunks = [header(1, "Stim", "string", 1), offsets(20, 0.0, 0.0), offsets(100, 100.0, 30.0)];
    let events = words(1, &[(50.0, "a"), (94.0, "b"), (97.0, "?"), (101.0, "c"), (300.0, "d")]);
    let read = super::read(&file(&[chunks.concat(), events])).unwrap();
    assert_eq!(events_of(&read), [(50.0, "a"), (94.0, "b"), (131.0, "c"), (330.0, "d")]);
    assert_eq!((read.unplaced_events, read.damaged_places), (1, 0));
    assert!(note(&read, "cannot be determined").contains("from 97.000 s to 97.000 s on its clock"));
}
