//! The report: whole in one file, readable, and true to the session.

use super::{export, record_study, succeeded};

/// Nothing that a browser would fetch or run.
fn is_self_contained(page: &str) {
    for forbidden in ["<script", "src=", "href=", "@import", "url("] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let elsewhere = page.matches("http").count() - page.matches("http://www.w3.org/2000/svg").count();
    assert_eq!(elsewhere, 0, "an SVG's name space is an address, nothing else is");
}

#[test]
fn a_study_is_told_to_somebody_who_never_saw_the_program() {
    let tmp = tempfile::tempdir().unwrap();
    let folders = record_study(tmp.path());
    std::fs::write(folders[1].join("session.sqlite"), "no session, but long enough to be looked at".repeat(9)).unwrap();
    let to = tmp.path().join("report");
    let asked = ["--study", "demo", "--event", "page/click target=button#buy", "--against", "page/keydown"];
    // One session is damaged, and the keys come too early in the recording for an epoch: both are said.
    let output = export(&asked, "report", &to, tmp.path());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("page/keydown") || said.contains("outside"), "{said}");
    assert!(!to.exists());

    let output = export(&asked[..4], "report", &to, tmp.path());
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let page = std::fs::read_to_string(to.join("report.html")).unwrap();
    is_self_contained(&page);
    // Two courses, the plane, the average and the participants.
    assert_eq!(page.matches("<svg").count(), 5);
    assert!(page.contains("<h1>Four pictures</h1>") && page.contains("2 sessions of 2 participants"), "{page}");
    assert!(page.contains("These sessions could not be read") && page.contains("sub-01/ses-02_20261123T100000Z_demo"));
    assert!(page.contains("time from the event (s)") && page.contains("time on the session clock (s)"));
    assert!(!page.contains(tmp.path().to_str().unwrap()), "no path of this machine is given away");

    let methods = std::fs::read_to_string(to.join("methods.txt")).unwrap();
    for told in [
        "affect version 2 (sha256 0a1b2c3d4e5f0a1b2c3d4e5f0a1b2c3d4e5f0a1b2c3d4e5f0a1b2c3d4e5f)",
        "affectograph 0.1.0",
        "2 sessions of 2 participants",
        "1 session could not be read and was excluded",
        "Epochs from −1 to 4 s around events were resampled to 30 Hz",
        "Of 40 events matching `page/click target=button#buy`",
        "Maris & Oostenveld, 2007",
        "all distinct permutations, at most 2",
    ] {
        assert!(methods.contains(told), "{told}: {methods}");
    }
    for figure in ["affect-plane", "average", "participants", "sub-02_ses-01_task-demo"] {
        for kind in ["svg", "png"] {
            assert!(to.join(format!("figures/{figure}.{kind}")).metadata().unwrap().len() > 1000, "{figure}.{kind}");
        }
    }
}

#[test]
fn a_session_is_told_alone() {
    let tmp = tempfile::tempdir().unwrap();
    let folders = record_study(tmp.path());
    let to = tmp.path().join("report");
    succeeded(export(&[folders[0].to_str().unwrap()], "report", &to, tmp.path()));
    let page = std::fs::read_to_string(to.join("report.html")).unwrap();
    is_self_contained(&page);
    assert_eq!(page.matches("<svg").count(), 2);
    assert!(
        page.contains("sub-01 ses-01, Four pictures")
            && page.contains("page/click")
            && page.contains("no face in the picture")
    );
    // What a page or an operator wrote is text and never markup.
    assert!(!page.contains("<ä>"));
}
