//! Whose film, which film, and when: names of any bytes, links, dates.

use std::path::Path;

use affectograph::store::SessionFile;

use super::{analyze, lines, made, run, source, timeline};

#[cfg(unix)]
#[test]
fn a_film_may_have_any_name() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let Some(film) = source() else { return };
    let tmp = tempfile::tempdir().unwrap();
    let short = tmp.path().join("short.mp4");
    made(&film, "-an -vf scale=320:180 -frames:v 6 -c:v libx264", &short);
    let names: [&[u8]; 6] = [
        b"sub-01_caf\xe9.mp4",
        b"sub-02_100%d%03d.mp4",
        b"sub-03_http:a b,c'\"|[error] corrupt decoded frame.mp4",
        b"sub-04_two\nlines.mp4",
        b"sub-05_\\x.mp4",
        "sub-06_Größe 日本.mp4".as_bytes(),
    ];
    let files: Vec<_> = names.iter().map(|name| tmp.path().join(OsStr::from_bytes(name))).collect();
    files.iter().for_each(|file| assert!(std::fs::copy(&short, file).unwrap() > 0));
    let sessions = tmp.path().join("sessions");
    let paths: Vec<&Path> = files.iter().map(AsRef::as_ref).collect();
    let output = run("analyze", &paths, &["--json"], &sessions);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let mut told = lines(&output);
    told.sort_by_key(|t| t["participant"].to_string());
    assert!(told.len() == 6 && told.iter().all(|t| t["frames"] == 6 && t["trouble"].is_null()), "{told:?}");
    assert!(told[0]["file"].as_str().unwrap().ends_with("sub-01_caf\\xE9.mp4"), "{}", told[0]["file"]);
    let again = run("analyze", &paths, &[], &sessions);
    let said = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(again.status.success() && said.lines().count() == 6, "each is known again, in one line: {said}");
    assert!(said.lines().all(|line| line.contains("was analyzed before")), "{said}");
    // A name that begins like an option.
    std::fs::copy(&short, tmp.path().join("-sub-07.mp4")).unwrap();
    let (code, told) = analyze(&[&tmp.path().join("-sub-07.mp4")], &sessions);
    assert_eq!((code, told[0]["frames"].as_u64()), (0, Some(6)));
}

#[cfg(unix)]
#[test]
fn one_film_named_twice_is_one_session() {
    let Some(film) = source() else { return };
    let tmp = tempfile::tempdir().unwrap();
    let root = tmp.path().canonicalize().unwrap();
    let (one, soft, hard) = (root.join("sub-01_a.mp4"), root.join("sub-01_soft.mp4"), root.join("sub-01_hard.mp4"));
    made(&film, "-an -vf scale=320:180 -frames:v 6 -c:v libx264", &one);
    std::os::unix::fs::symlink(&one, &soft).unwrap();
    std::fs::hard_link(&one, &hard).unwrap();
    std::fs::create_dir(root.join("sub")).unwrap();
    let spelled = root.join("sub/../sub-01_a.mp4");
    let sessions = root.join("sessions");
    let output = run("analyze", &[&one, &one, &spelled, &soft, &hard], &["--json"], &sessions);
    assert!(output.status.success());
    assert_eq!(lines(&output).len(), 1, "{}", String::from_utf8_lossy(&output.stdout));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said.matches("is the same file as").count(), 4, "{said}");
    // Nobody can say whose it is.
    let other = root.join("sub-02_a.mp4");
    std::os::unix::fs::symlink(&one, &other).unwrap();
    let output = run("analyze", &[&one, &other], &[], &root.join("none"));
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("is named twice, as a video of sub-01 and of sub-02"), "{said}");
}

#[test]
fn a_telephones_date_is_the_films() {
    let Some(film) = source() else { return };
    let tmp = tempfile::tempdir().unwrap();
    let dated = tmp.path().join("dated.mov");
    made(
        &film,
        "-an -vf scale=320:180 -frames:v 6 -c:v libx264 -movflags use_metadata_tags -metadata \
         com.apple.quicktime.creationdate=2023-05-06T12:34:56+0200 -metadata creation_time=2024-01-01T00:00:00Z",
        &dated,
    );
    let (_, told) = analyze(&[&dated], &tmp.path().join("sessions"));
    let session = SessionFile::open(Path::new(told[0]["session"].as_str().unwrap())).unwrap();
    assert_eq!(session.header().zero_utc.to_rfc3339(), "2023-05-06T10:34:56+00:00");
    let timeline = timeline(&told[0]);
    let event = timeline.events().iter().find(|e| e.what.kind == "film").unwrap();
    assert_eq!(event.what.data["zero_utc_is"], "com.apple.quicktime.creationdate in the file");
}
