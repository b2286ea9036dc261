//! Recruiting links, quota, conditions, and the end of a study.

use std::collections::BTreeMap;
use std::path::Path;

use affectograph::store::{Enrolment, Ledger, Library, SessionFile};
use serde_json::{Value, json};

use super::{Answer, Browser, KEY, ORIGIN, STUDY, closed, new_session, served};

fn write_study(dir: &Path, more: &str) {
    std::fs::write(dir.join("studies/demo/study.toml"), format!("{STUDY}{more}")).unwrap();
}

fn begin(browser: &Browser, link: Option<&str>, participant: Option<&str>) -> Answer {
    let mut new = new_session("off");
    if let Some(link) = link {
        new["link"] = json!(link);
    }
    if let Some(participant) = participant {
        new["participant"] = json!(participant);
    }
    browser.post("/v1/sessions", KEY, &new)
}

fn invitation(browser: &Browser) -> Value {
    browser.invitation(KEY, ORIGIN).ok()
}

/// Whether any file below `folder` contains `text`.
fn contains(folder: &Path, text: &str) -> bool {
    let find = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    std::fs::read_dir(folder).unwrap().flatten().any(|entry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => contains(&entry.path(), text),
        _ => find(&std::fs::read(entry.path()).unwrap_or_default()),
    })
}

#[test]
fn an_identifier_in_a_link_is_one_pseudonym_and_is_stored_nowhere() {
    let s = served();
    let id = "5f3a0c9e77d1aa0b";
    let first = begin(&s.browser, Some(id), None).ok();
    let again = begin(&s.browser, Some(id), Some("sub-someoneelse")).ok();
    assert_eq!((&first["participant"], &again["number"]), (&again["participant"], &json!(2)), "the link is stronger");
    let other = begin(&s.browser, Some("another"), None).ok();
    assert_ne!(first["participant"], other["participant"]);
    for bad in ["", "{{%PROLIFIC_PID%}}", "%SURVEY_CODE%", "a\nb"] {
        assert!(begin(&s.browser, Some(bad), None).is_problem(422).contains("identifier"), "{bad}");
    }
    s.running.stop().unwrap();
    assert!(!contains(s.dir.path(), id), "the identifier is in a file");
    assert!(contains(s.dir.path(), first["participant"].as_str().unwrap()), "the search finds what is there");
}

#[test]
fn an_erased_participant_is_a_new_one_with_the_same_link() {
    let s = served();
    let participant = |answer: Value| answer["participant"].as_str().unwrap().to_owned();
    let first = participant(begin(&s.browser, Some("one"), None).ok());
    assert_eq!(s.browser.delete(&format!("/v1/library/participants/{first}")).status, 204);
    assert_ne!(participant(begin(&s.browser, Some("one"), None).ok()), first);
    s.running.stop().unwrap();
}

#[test]
fn a_full_study_takes_nobody_new_and_those_who_came_before() {
    let s = served();
    write_study(s.dir.path(), "[remote]\nmax_participants = 2\n");
    begin(&s.browser, Some("one"), None).ok();
    assert_eq!(invitation(&s.browser)["open"], true);
    let second = begin(&s.browser, None, None).ok();
    let full = invitation(&s.browser);
    assert_eq!((&full["open"], &full["is_full"]), (&true.into(), &true.into()), "{full}");
    assert!(begin(&s.browser, None, None).is_problem(403).contains("all its participants"));
    assert!(begin(&s.browser, Some("three"), None).is_problem(403).contains("all its participants"));
    begin(&s.browser, Some("one"), None).ok();
    begin(&s.browser, None, second["participant"].as_str()).ok();
    let study = s.browser.get("/v1/library/studies").ok()["studies"][0].clone();
    assert_eq!((&study["participants"], &study["max_participants"]), (&json!(2), &json!(2)));
    s.running.stop().unwrap();
}

#[test]
fn conditions_are_balanced_kept_and_stored_with_the_session() {
    let s = served();
    write_study(
        s.dir.path(),
        "[[conditions]]\nname = \"calm\"\n[[conditions]]\nname = \"loud\"\n[assignment]\nblock_repeats = 2\n",
    );
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for k in 0..8u32 {
        let link = format!("p{k}");
        let begun = begin(&s.browser, Some(&link), None).ok();
        let condition = begun["condition"].as_str().unwrap().to_owned();
        assert_eq!(
            begin(&s.browser, Some(&link), None).ok()["condition"],
            json!(condition),
            "the same condition again"
        );
        *counts.entry(condition).or_default() += 1;
        assert!(k % 4 != 3 || counts.values().all(|n| *n == k.div_ceil(2)), "a block is balanced: {counts:?}");
    }
    let study = s.browser.get("/v1/library/studies").ok()["studies"][0].clone();
    assert_eq!(study["conditions"], json!([{"name": "calm", "participants": 4}, {"name": "loud", "participants": 4}]));
    // The session's view, and the session's file.
    let folder = Library::open(s.dir.path()).unwrap().folders().unwrap().remove(0);
    let details = s.browser.get(&format!("/v1/library/sessions/{}", affectograph::store::session_label(&folder))).ok();
    assert!(["calm", "loud"].contains(&details["condition"].as_str().unwrap()), "{details}");
    s.running.stop().unwrap();
    let stored = SessionFile::open(&folder).unwrap().header().condition.clone();
    assert_eq!(stored.as_deref(), details["condition"].as_str());
    let ledger = Ledger::open(s.dir.path()).unwrap();
    assert_eq!(ledger.enrolled("demo").unwrap(), 8);
}

#[test]
fn the_window_and_the_server_know_each_others_participants() {
    let s = served();
    let groups = "[[conditions]]\nname = \"calm\"\n[[conditions]]\nname = \"loud\"\n";
    write_study(s.dir.path(), &format!("{groups}[assignment]\nblock_repeats = 1\n"));
    let library = Library::open(s.dir.path()).unwrap();
    let study = library.study("demo").unwrap().study;
    let in_lab = |who: &str| library.assign_condition(&study, &who.parse().unwrap(), None).unwrap().unwrap().name;
    let text = |answer: &Value, key: &str| answer[key].as_str().unwrap().to_owned();

    let lab = in_lab("sub-01");
    let online = begin(&s.browser, Some("one"), None).ok();
    assert_ne!(text(&online, "condition"), lab, "a block has each condition once");
    let named = begin(&s.browser, None, Some("sub-01")).ok();
    assert_eq!((text(&named, "participant"), text(&named, "condition")), ("sub-01".into(), lab.clone()));
    assert_eq!(in_lab(&text(&online, "participant")), text(&online, "condition"));
    // Enrolled by a server that had a book of its own.
    let ledger = Ledger::open(s.dir.path()).unwrap();
    let condition = Some("loud".into());
    let earlier = Enrolment { study: "demo".into(), participant: "sub-w77".into(), link: None, condition };
    ledger.enrol(&earlier, chrono::Utc::now()).unwrap();
    assert_eq!(text(&begin(&s.browser, None, Some("sub-w77")).ok(), "condition"), "loud");
    assert_eq!(in_lab("sub-w77"), "loud");
    let list = std::fs::read_to_string(s.dir.path().join("participants.tsv")).unwrap();
    assert!(list.starts_with("participant_id\tadded\tcondition_demo\tcondition_demo_assigned\n"), "{list}");
    assert_eq!(list.lines().count(), 4, "{list}");

    // A condition that is removed from the study is drawn anew.
    write_study(s.dir.path(), &format!("[[conditions]]\nname = \"{lab}\"\n"));
    let again = begin(&s.browser, Some("one"), None).ok();
    assert_eq!((text(&again, "participant"), text(&again, "condition")), (text(&online, "participant"), lab.clone()));
    assert_eq!(ledger.enrolment("demo", &text(&online, "participant")).unwrap().unwrap().condition, Some(lab));
    s.running.stop().unwrap();
}

#[test]
fn the_end_of_a_study_is_told_once_the_session_is_finished() {
    let s = served();
    let redirect = "https://prolific.example/complete?cc=AB12&id={participant}";
    write_study(s.dir.path(), &format!("[remote]\ncompletion_code = \"AB12\"\nredirect = \"{redirect}\"\n"));
    let begun = s.browser.begin("off");
    assert!(begun.begun.get("completion").is_none() && !invitation(&s.browser).to_string().contains("AB12"));
    let end = json!({"code": "AB12", "redirect": redirect});
    assert_eq!(begun.finish(json!({})).ok()["completion"], end);
    let folder = closed(s.dir.path()).remove(0);
    // The browser repeats the request if the answer was lost.
    assert_eq!(begun.finish(json!({})).ok()["completion"], end);
    let consent = s.browser.get(&format!("/v1/library/sessions/{}", affectograph::store::session_label(&folder))).ok();
    assert_eq!(consent["consent"]["was_required"], true);
    assert_eq!(consent["consent"]["study_text"], "I agree.");
    assert_eq!(consent["consent"]["is_study_text"], false, "the test sends another checksum");
    s.running.stop().unwrap();
    SessionFile::open(&folder).unwrap();
}
