//! The canary page in the laboratory: the session (with its write-ahead log) and the files of the web view must not
//! contain the secret words. `tests/pages/canary.json` gives the reason for each word. The same page runs in a visitor's
//! browser with replay (`client/test/e2e/privacy.test.ts`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use affectograph::capture::CameraSpec;
use affectograph::page::Placement;
use affectograph::recording::{Participation, Rig, RigEvent, RigPlan};
use affectograph::session::{Body, PAGE, ParticipantId, Timeline};
use affectograph::store::{Committed, Library, SessionFile, StudyFile};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use crossbeam_channel::{Receiver, unbounded};
use serde::Deserialize;

use super::screen::Display;
use super::vision_support::models;

#[derive(Deserialize)]
struct Canary {
    name: String,
    word: String,
    #[serde(rename = "where")]
    place: String,
    kind: String,
    forbidden: Vec<String>,
    kept: Vec<String>,
    why: String,
}

fn pages() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages")
}

fn canaries() -> Vec<Canary> {
    serde_json::from_str(&std::fs::read_to_string(pages().join("canary.json")).unwrap()).unwrap()
}

/// A study beside the page, with all words in their places.
fn study(folder: &Path, canaries: &[Canary]) -> StudyFile {
    let mut page = std::fs::read_to_string(pages().join("canary.html")).unwrap();
    let typed: Vec<_> = canaries.iter().filter(|c| c.kind == "typed").map(|c| &c.name).collect();
    page = page.replace("/*order*/[]", &serde_json::to_string(&typed).unwrap());
    for canary in canaries {
        page = page.replace(&format!("{{{{{}}}}}", canary.name), &canary.word);
    }
    assert!(!page.contains("{{"), "every place has its word");
    std::fs::create_dir(folder.join("page")).unwrap();
    std::fs::write(folder.join("page/canary.html"), page).unwrap();
    let study = "name = \"canary\"\ntitle = \"Canary\"\n[page]\naddress = \"page/canary.html\"\nmask = [\".diary\"]\n";
    std::fs::write(folder.join("study.toml"), study).unwrap();
    StudyFile::read(folder).unwrap()
}

/// All encodings of a word.
fn spellings(word: &str) -> Vec<Vec<u8>> {
    let capital = word[..1].to_uppercase() + &word[1..];
    let mut ways = Vec::new();
    for text in [word.to_owned(), word.to_uppercase(), capital, word.chars().rev().collect()] {
        let each = |form: &dyn Fn(u8) -> String| text.bytes().map(form).collect::<String>().into_bytes();
        ways.push(text.clone().into_bytes());
        ways.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
        ways.push(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
        ways.push(each(&|b| format!("{b:02x}")));
        ways.push(each(&|b| format!("{b:02X}")));
        ways.push(each(&|b| format!("\\u{b:04x}")));
        ways.push(each(&|b| format!("%{b:02x}")));
        // Base64 depends on the position modulo 3. Characters that depend on neighbouring bytes are left out.
        for before in ["", "x", "xx"] {
            let base64 = STANDARD_NO_PAD.encode(format!("{before}{text}"));
            ways.push(base64.as_bytes()[(before.len() * 4).div_ceil(3)..base64.len() - 1].to_vec());
        }
    }
    ways
}

/// Bytes with an index of all triples in them, so that most encodings need no search.
struct Haystack<'a> {
    bytes: &'a [u8],
    grams: Vec<bool>,
}

impl Haystack<'_> {
    fn new(bytes: &[u8]) -> Haystack<'_> {
        let mut grams = vec![false; 1 << 24];
        bytes.windows(3).for_each(|w| grams[Haystack::gram(w)] = true);
        Haystack { bytes, grams }
    }

    fn gram(w: &[u8]) -> usize {
        (usize::from(w[0]) << 16) | (usize::from(w[1]) << 8) | usize::from(w[2])
    }

    fn find(&self, word: &str) -> Option<String> {
        let at = spellings(word).iter().find_map(|spelling| {
            let may_be = spelling.windows(3).all(|w| self.grams[Haystack::gram(w)]);
            may_be.then(|| self.bytes.windows(spelling.len()).position(|w| w == spelling)).flatten()
        })?;
        let around = &self.bytes[at.saturating_sub(60)..(at + 60).min(self.bytes.len())];
        Some(String::from_utf8_lossy(around).into_owned())
    }
}

fn files_below(folder: &Path, since: SystemTime) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            files.extend(files_below(&entry.path(), since));
        } else if kind.is_file() && entry.metadata().and_then(|m| m.modified()).is_ok_and(|at| at >= since) {
            files.push(entry.path());
        }
    }
    files
}

/// The text that results from single events: per field, and from the keys.
fn together(timeline: &Timeline) -> Vec<u8> {
    let mut said: BTreeMap<String, String> = BTreeMap::new();
    for event in timeline.events().iter().filter(|e| e.stream.as_str() == PAGE) {
        let text = |field: &str| event.what.data.get(field).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
        match event.what.kind.as_str() {
            "input" => {
                for field in ["inserted", "deleted"] {
                    *said.entry(format!("{field} {}", text("target"))).or_default() += &text(field);
                }
            }
            "keydown" if text("key").len() == 1 => {
                *said.entry(format!("keys {}", text("target"))).or_default() += &text("key");
                *said.entry("keys".to_owned()).or_default() += &text("key");
            }
            _ => {}
        }
    }
    said.into_iter().map(|(what, text)| format!("{what}: {text}\n")).collect::<String>().into_bytes()
}

/// Waits until the page has handled the typed text.
fn wait_for_the_end(stored: &Receiver<Committed>) {
    let deadline = Instant::now() + Duration::from_secs(200);
    loop {
        match stored.recv_deadline(deadline) {
            Ok(Committed::Records(records)) => {
                if records.iter().any(|r| matches!(&r.body, Body::Event { kind, .. } if kind == "mark")) {
                    return;
                }
            }
            Ok(Committed::Failed(why)) => panic!("{why}"),
            Err(_) => panic!("the page did not come to its end"),
        }
    }
}

#[test]
fn the_search_finds_a_word_however_it_is_written_down() {
    let word = &canaries()[0].word;
    let long = format!("before {word} after");
    for hidden in [
        long.clone().into_bytes(),
        long.to_uppercase().into_bytes(),
        long.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        STANDARD_NO_PAD.encode(&long).into_bytes(),
        STANDARD_NO_PAD.encode(&long[1..]).into_bytes(),
        STANDARD_NO_PAD.encode(&long[2..]).into_bytes(),
        long.chars().rev().collect::<String>().into_bytes(),
    ] {
        assert!(Haystack::new(&hidden).find(word).is_some(), "{}", String::from_utf8_lossy(&hidden));
    }
    assert_eq!(Haystack::new(b"nothing of it").find(word), None);
}

#[test]
fn no_forbidden_word_is_stored_in_the_lab() {
    let Some(display) = Display::open() else { return };
    if models().is_none() {
        return;
    }
    let began = SystemTime::now();
    let canaries = canaries();
    let tmp = tempfile::tempdir().unwrap();
    let study = study(tmp.path(), &canaries);
    let placement = Placement::ParticipantWindow {
        monitor: None,
        full_screen: true,
        program: Some(env!("CARGO_BIN_EXE_affectograph").into()),
        display: Some(display.name.clone()),
    };
    let plan = RigPlan::of_study(&study, CameraSpec::Phantom, Some(placement)).unwrap();
    let library = Library::open(&tmp.path().join("sessions")).unwrap();
    let (committed, stored) = unbounded();
    let rig =
        Rig::record_study(&library, &study, &plan, Participation::of(ParticipantId::numbered(1)), committed).unwrap();
    let start = Instant::now();
    while !matches!(rig.events().recv_timeout(Duration::from_secs(60)), Ok(RigEvent::PageLoaded { .. })) {
        assert!(start.elapsed() < Duration::from_secs(60), "the page did not come");
    }
    std::thread::sleep(Duration::from_secs(3));
    display.click(600, 30);
    for canary in canaries.iter().filter(|c| c.kind == "typed") {
        display.xdotool(&format!("key F2 sleep 0.15 type --delay 25 {}", canary.word));
        std::thread::sleep(Duration::from_millis(150));
    }
    display.xdotool("key F4");
    wait_for_the_end(&stored);
    std::thread::sleep(Duration::from_secs(1));
    display.screenshot("page_canary.png");

    // During the recording, the write-ahead log contains the last events.
    let folder = rig.folder().unwrap().to_owned();
    let read = |file: &PathBuf| (file.display().to_string(), std::fs::read(file).unwrap_or_default());
    let mut all: Vec<(String, Vec<u8>)> = files_below(&folder, began).iter().map(read).collect();
    assert!(all.iter().any(|(file, bytes)| file.ends_with("-wal") && !bytes.is_empty()), "there is a log");
    rig.stop().unwrap();
    all.extend(files_below(&tmp.path().join("sessions"), began).iter().map(read));
    let timeline = SessionFile::open(&folder).unwrap().timeline().unwrap();
    let told: Vec<u8> = timeline
        .events()
        .iter()
        .flat_map(|e| format!("{} {}\n", e.what.kind, serde_json::Value::Object(e.what.data.clone())).into_bytes())
        .chain(together(&timeline))
        .collect();
    let events = timeline.events().len();
    all.push(("what the session tells".to_owned(), told));
    // All folders in which the web view may store data.
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    for place in [".cache", ".local/share", ".config"] {
        all.extend(files_below(&home.join(place), began).iter().map(read));
    }

    let mut found = Vec::new();
    let mut kept = Vec::new();
    for (file, bytes) in &all {
        let haystack = Haystack::new(bytes);
        for canary in &canaries {
            let is_told = file == "what the session tells" && canary.kept.iter().any(|half| half == "lab");
            if !is_told && !canary.forbidden.iter().any(|half| half == "lab") {
                continue;
            }
            let Some(around) = haystack.find(&canary.word) else { continue };
            match is_told {
                true => kept.push(&canary.name),
                false => found.push(format!("{} ({}: {}) in {file}: {around}", canary.name, canary.place, canary.why)),
            }
        }
    }
    let bytes: usize = all.iter().map(|(_, b)| b.len()).sum();
    let forbidden = canaries.iter().filter(|c| c.forbidden.iter().any(|half| half == "lab")).count();
    println!("{forbidden} words in {} files of {bytes} bytes, {events} events", all.len());
    assert!(found.is_empty(), "{}", found.join("\n"));
    let wanted: Vec<_> = canaries.iter().filter(|c| c.kept.iter().any(|half| half == "lab")).map(|c| &c.name).collect();
    assert_eq!(kept, wanted, "what may be kept is there");
}
