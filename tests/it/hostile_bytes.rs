//! The bodies of the fuzz targets (`fuzz/`) as property tests: bytes of chance, and whole inputs that were damaged as
//! files and messages are damaged: cut, overwritten, doubled, put together wrongly, with lengths that lie.

use affectograph::fuzz_bodies::{ALL, seeds};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestError, TestRunner};

/// One damage.
#[derive(Clone, Debug)]
enum Damage {
    Cut(Index),
    CutStart(Index),
    Overwrite(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    /// A piece once more, elsewhere.
    Copy(Index, usize, Index),
    /// Numbers at which readers stumble, as big- and little-endian bytes and as text.
    Number(Index, usize),
    /// A text's own marks: brackets, quotes, delimiters.
    Mark(Index, usize),
    /// The end of another whole input behind the beginning of this one.
    Splice(Index, Index, Index),
}

const NUMBERS: [&[u8]; 14] = [
    &[0xff; 8],
    &[0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    &[0x7f, 0xff, 0xff, 0xff],
    &[0, 0, 0, 0x80],
    &[0; 8],
    &[0x80],
    &[0x40, 0x00],
    &[0, 0, 0, 0, 0, 0, 0xf0, 0x7f],
    &[0, 0, 0, 0, 0, 0, 0xf8, 0x7f],
    b"1e308",
    b"-1e999",
    b"NaN",
    b"18446744073709551615",
    b"-9223372036854775809",
];
const MARKS: [&[u8]; 16] = [
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b";",
    b"\t",
    b"\r",
    b"\n",
    b"\r\n",
    b"\0",
    b"\\u0000",
    b"null",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
];

fn damage() -> impl Strategy<Value = Damage> {
    let at = || any::<Index>();
    prop_oneof![
        1 => at().prop_map(Damage::Cut),
        1 => at().prop_map(Damage::CutStart),
        3 => (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Overwrite(at, byte)),
        2 => (at(), prop::collection::vec(any::<u8>(), 1..12)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        2 => (at(), 1..40usize).prop_map(|(at, n)| Damage::Remove(at, n)),
        2 => (at(), 1..120usize, at()).prop_map(|(from, n, to)| Damage::Copy(from, n, to)),
        3 => (at(), 0..NUMBERS.len()).prop_map(|(at, k)| Damage::Number(at, k)),
        3 => (at(), 0..MARKS.len()).prop_map(|(at, k)| Damage::Mark(at, k)),
        1 => (at(), at(), at()).prop_map(|(seed, from, until)| Damage::Splice(seed, from, until)),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage, seeds: &[Vec<u8>]) {
    let place = |at: &Index, bytes: &[u8]| at.index(bytes.len() + 1);
    let overwrite = |bytes: &mut Vec<u8>, at: usize, with: &[u8]| {
        let n = with.len().min(bytes.len() - at);
        drop(bytes.splice(at..at + n, with.iter().copied()));
    };
    match damage {
        Damage::Cut(at) => bytes.truncate(place(at, bytes)),
        Damage::CutStart(at) => drop(bytes.drain(..place(at, bytes))),
        Damage::Overwrite(at, byte) => {
            let at = place(at, bytes);
            overwrite(bytes, at, &[*byte]);
        }
        Damage::Insert(at, with) => {
            let at = place(at, bytes);
            drop(bytes.splice(at..at, with.iter().copied()));
        }
        Damage::Remove(at, n) => {
            let at = place(at, bytes);
            bytes.drain(at..(at + n).min(bytes.len()));
        }
        Damage::Copy(from, n, to) => {
            let from = place(from, bytes);
            let piece = bytes[from..(from + n).min(bytes.len())].to_vec();
            let to = place(to, bytes);
            drop(bytes.splice(to..to, piece));
        }
        Damage::Number(at, k) => {
            let at = place(at, bytes);
            overwrite(bytes, at, NUMBERS[*k]);
        }
        Damage::Mark(at, k) => {
            let at = place(at, bytes);
            drop(bytes.splice(at..at, MARKS[*k].iter().copied()));
        }
        Damage::Splice(seed, from, until) => {
            let other = &seeds[seed.index(seeds.len())];
            bytes.truncate(place(until, bytes));
            bytes.extend_from_slice(&other[place(from, other)..]);
        }
    }
}

fn holds(target: &str, cases: u32) {
    let (_, body) = ALL.iter().find(|(name, _)| *name == target).unwrap();
    let seeds = seeds(target);
    seeds.iter().for_each(|seed| body(seed));
    let chance = prop::collection::vec(any::<u8>(), 0..400);
    let damaged = (any::<Index>(), prop::collection::vec(damage(), 0..6)).prop_map({
        let seeds = seeds.clone();
        move |(seed, damages)| {
            let mut bytes = seeds[seed.index(seeds.len())].clone();
            damages.iter().for_each(|d| apply(&mut bytes, d, &seeds));
            bytes
        }
    });
    let bytes = prop_oneof![1 => chance, 5 => damaged];
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let run = runner.run(&bytes, |bytes| {
        body(&bytes);
        Ok(())
    });
    match run {
        Ok(()) => {}
        Err(TestError::Fail(why, bytes)) => {
            panic!("{target}: {why}\n{}\n{bytes:?}", String::from_utf8_lossy(&bytes))
        }
        Err(e) => panic!("{target}: {e}"),
    }
}

#[test]
fn page_messages() {
    holds("page_message", 4096);
}

#[test]
fn bodies_of_requests() {
    holds("server_intake", 4096);
}

#[test]
fn videos() {
    holds("video", 1024);
}

#[test]
fn crashed_sessions_with_any_video() {
    holds("recovery", 48);
}

#[test]
fn xdf_files() {
    holds("xdf", 2048);
}

#[test]
fn tables() {
    holds("table", 2048);
}

#[test]
fn study_files() {
    holds("study_file", 4096);
}

#[test]
fn model_cards() {
    holds("model_card", 2048);
}

#[test]
fn pictures() {
    holds("jpeg_index", 4096);
}

/// What was found once stays found.
#[test]
fn what_was_found_before() {
    for (target, bytes) in FOUND {
        let (_, body) = ALL.iter().find(|(name, _)| name == target).unwrap();
        body(bytes);
    }
}

/// Target and input.
const FOUND: &[(&str, &[u8])] = &[];
