//! Downloads for other programs, erasing one session, notes, the list of events, and two kinds of events compared.

use std::collections::BTreeSet;
use std::io::Read;

use serde_json::json;

use super::owner::recorded;
use super::{Browser, TOKEN, click, closed, served, served_with};

/// The names of the files in a downloaded archive.
pub fn archive(browser: &Browser, path: &str) -> BTreeSet<String> {
    let request = ureq::get(format!("{}{path}", browser.url)).header("Authorization", format!("Bearer {TOKEN}"));
    let mut response = request.call().unwrap();
    assert!(response.headers()["content-disposition"].to_str().unwrap().contains(".tar"));
    let mut archive = tar::Archive::new(response.body_mut().as_reader());
    let mut names = BTreeSet::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        names.insert(entry.path().unwrap().to_string_lossy().into_owned());
    }
    names
}

#[test]
fn a_study_is_downloaded_as_csv_bids_and_parquet() {
    let s = served();
    (0..2).for_each(|_| recorded(&s.browser));
    closed(s.dir.path());
    let of = |format: &str| archive(&s.browser, &format!("/v1/library/studies/demo/export?format={format}"));
    let has = |names: &BTreeSet<String>, end: &str| names.iter().filter(|n| n.ends_with(end)).count();
    let csv = of("csv");
    assert_eq!((has(&csv, "/affect.csv"), has(&csv, "/page.csv")), (2, 2), "{csv:?}");
    let tidy = of("tidy");
    assert!(tidy.contains("demo_tidy/long.csv") && tidy.contains("demo_tidy/codebook.csv"), "{tidy:?}");
    let bids = of("bids");
    assert!(bids.contains("demo_bids/dataset_description.json"), "{bids:?}");
    assert_eq!(has(&bids, "_recording-affect_physio.tsv.gz"), 2, "{bids:?}");
    let parquet = of("parquet");
    assert!(parquet.contains("demo_parquet/sessions.parquet"), "{parquet:?}");
    s.browser.get("/v1/library/studies/demo/export?format=exe").is_problem(400);
    s.browser.get("/v1/library/studies/none/export?format=csv").is_problem(404);
    let name = s.browser.get("/v1/library/sessions?limit=1").ok()["sessions"][0]["name"].as_str().unwrap().to_owned();
    let one = archive(&s.browser, &format!("/v1/library/sessions/{name}/export?format=csv"));
    assert_eq!(has(&one, "/affect.csv"), 1, "{one:?}");
    let left = || {
        std::fs::read_dir(s.dir.path())
            .unwrap()
            .flatten()
            .any(|e| e.file_name().to_string_lossy().starts_with(".export-"))
    };
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while left() {
        assert!(std::time::Instant::now() < deadline, "the export's folder is left");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    s.running.stop().unwrap();
}

#[test]
fn what_a_killed_server_left_of_an_export_is_removed_at_the_next_start() {
    let dir = super::library();
    let left = dir.path().join(".export-x");
    std::fs::create_dir(&left).unwrap();
    std::fs::write(left.join("a.csv"), "1").unwrap();
    let running = affectograph::server::serve(super::config(dir.path())).unwrap();
    assert!(!left.exists());
    running.stop().unwrap();
}

#[test]
fn one_session_is_erased_and_its_participant_stays() {
    let s = served();
    let first = s.browser.begin("off");
    first.send(vec![click(0)]).ok();
    let participant = first.begun["participant"].as_str().unwrap();
    let mut new = super::new_session("off");
    new["participant"] = json!(participant);
    s.browser.post("/v1/sessions", super::KEY, &new).ok();
    let list =
        || s.browser.get(&format!("/v1/library/sessions?participant={participant}&sort=started&order=ascending")).ok();
    let names: Vec<String> =
        list()["sessions"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names.len(), 2);
    let erased = names.iter().find(|name| name.contains("_ses-01_")).unwrap();
    let note = json!({"note": "left early <b>"});
    assert_eq!(s.browser.ask_as_owner("PUT", &format!("/v1/library/sessions/{erased}/note"), &note).status, 204);
    assert_eq!(s.browser.get(&format!("/v1/library/sessions/{erased}")).ok()["note"], "left early <b>");
    assert_eq!(s.browser.delete(&format!("/v1/library/sessions/{erased}")).status, 204);
    s.browser.delete(&format!("/v1/library/sessions/{erased}")).is_problem(404);
    assert_eq!(list()["total"], 1);
    // The browser of the erased session stops.
    first.send(vec![click(1)]).is_problem(404);
    s.running.stop().unwrap();
}

#[test]
fn the_list_is_sorted_and_paged_in_every_order() {
    let s = served();
    (0..4).for_each(|_| drop(s.browser.begin("off")));
    let list = |query: &str| s.browser.get(&format!("/v1/library/sessions?{query}")).ok();
    let names = |query: &str| -> Vec<String> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let page = list(&format!("limit=3&{query}{after}"));
            all.extend(page["sessions"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap().to_owned()));
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return all,
            }
        }
    };
    let mut newest = names("");
    assert_eq!(newest.len(), 4);
    newest.reverse();
    assert_eq!(names("sort=started&order=ascending"), newest);
    let by_participant = names("sort=participant");
    assert!(by_participant.is_sorted(), "{by_participant:?}");
    let mut reversed = names("sort=participant&order=descending");
    reversed.reverse();
    assert_eq!(reversed, by_participant);
    assert_eq!(names("sort=study").len(), 4);
    s.browser.get("/v1/library/sessions?sort=shoe_size").is_problem(400);
    s.running.stop().unwrap();
}

#[test]
fn events_come_from_a_list_and_two_kinds_are_compared_as_in_the_program() {
    let s = served();
    (0..3).for_each(|_| recorded(&s.browser));
    let folders = closed(s.dir.path());
    let events = s.browser.get("/v1/library/studies/demo/events").ok();
    let click = events["kinds"].as_array().unwrap().iter().find(|k| k["kind"] == "click").unwrap();
    assert_eq!((&click["stream"], &click["count"]), (&json!("page"), &json!(3)));
    assert_eq!(click["targets"], json!([{"name": "button#buy", "count": 3}]));
    let query =
        "stream=page&kind=click&other_stream=page&other_kind=click&other_target=button%23buy&from_s=-1&until_s=2";
    let compared = s.browser.get(&format!("/v1/library/studies/demo/comparison?{query}")).ok();
    assert_eq!((&compared["a"]["epochs"], &compared["b"]["participants"]), (&json!(3), &json!(3)));
    // The same numbers as the program's own analysis.
    use affectograph::analysis::{EpochPlan, EventChoice};
    use affectograph::study_query::{Cancel, Findings, Question, TestSettings, ask};
    let clicks = EventChoice { kind: Some("click".into()), ..EventChoice::stream("page".parse().unwrap()) };
    let other = EventChoice { target: Some("button#buy".into()), ..clicks.clone() };
    let plan = EpochPlan { window_s: (-1.0, 2.0), baseline_s: Some((-1.0, 0.0)), ..EpochPlan::default() };
    let answer =
        ask(&folders, &Question { conditions: vec![clicks, other], plan }, |_| {}, &Cancel::default()).unwrap();
    let findings = Findings::of(&answer, TestSettings::default()).unwrap();
    for (shown, own) in compared["comparisons"].as_array().unwrap().iter().zip(&findings.comparisons) {
        assert_eq!(shown["measure"], json!(own.measure.to_string()));
        assert_eq!(shown["difference"].as_f64(), Some(own.effect.difference));
        assert_eq!(shown["clusters"].as_array().unwrap().len(), own.clusters.len());
    }
    assert_eq!(compared["comparisons"].as_array().unwrap().len(), findings.comparisons.len().min(2));
    // Another signal than the usual two.
    let signals = events["signals"].as_array().unwrap();
    assert!(signals.contains(&json!("affect.arousal")) && signals.contains(&json!("affect.happiness")), "{signals:?}");
    let average = |signal: &str| {
        let query = format!("stream=page&kind=click&from_s=-1&until_s=2{signal}");
        s.browser.get(&format!("/v1/library/studies/demo/average?{query}"))
    };
    let usual = average("").ok();
    assert_eq!(usual["signals"][1]["mean"], usual["arousal"]["mean"]);
    let happiness = average("&signal=affect.happiness").ok();
    assert_eq!(
        (&happiness["signals"][0]["signal"], &happiness["signals"][0]["unit"]),
        (&json!("affect.happiness"), &json!("1"))
    );
    assert!(happiness.get("valence").is_none() && happiness["epochs"] == usual["epochs"], "{happiness}");
    average("&signal=happiness").is_problem(422);
    average("&signal=pulse.rate_bpm").is_problem(409);
    let none =
        s.browser.get("/v1/library/studies/demo/comparison?stream=page&kind=click&other_stream=page&other_kind=none");
    none.is_problem(409);
    s.browser.get("/v1/library/studies/demo/comparison?stream=page&kind=click").is_problem(422);
    s.running.stop().unwrap();
}

#[test]
fn the_owner_reads_the_disk_and_the_alarms() {
    let s = served_with(|c| c.min_free_bytes = u64::MAX / 4);
    std::fs::create_dir(s.dir.path().join("studies/broken")).unwrap();
    std::fs::write(s.dir.path().join("studies/broken/study.toml"), "title = 1").unwrap();
    let status = s.browser.get("/v1/library/status").ok();
    let alarms: Vec<&str> = status["alarms"].as_array().unwrap().iter().map(|a| a.as_str().unwrap()).collect();
    assert!(alarms.iter().any(|a| a.contains("disk is full")), "{alarms:?}");
    assert!(alarms.iter().any(|a| a.contains("study broken")), "{alarms:?}");
    assert!(status["free_bytes"].as_u64().unwrap() > 0);
    s.running.stop().unwrap();
}
