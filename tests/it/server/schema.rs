//! Schemathesis generates requests from the server's OpenAPI description.

use std::process::Command;

use super::{KEY, ORIGIN, Served, TOKEN, click, served};
use crate::python::python;

#[test]
fn the_description_is_openapi_and_names_every_door() {
    let s = served();
    let description = s.browser.send("GET", "/v1/openapi.json", &[], &[]).unwrap().ok();
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"));
    for path in [
        "/v1/clock",
        "/v1/sessions",
        "/v1/sessions/{id}",
        "/v1/sessions/{id}/data",
        "/v1/sessions/{id}/records",
        "/v1/sessions/{id}/video/{n}",
        "/v1/sessions/{id}/finish",
        "/v1/studies/{study}/invitation",
    ] {
        assert!(description["paths"][path].is_object(), "{path}");
    }
    s.running.stop().unwrap();
}

#[test]
fn nothing_that_schemathesis_thinks_of_makes_the_server_fail() {
    let Some(python) = python(&["schemathesis"]) else { return };
    let asked = |s: &Served, config: &str, bearer: &str, origin: Option<&str>, paths: &str| {
        let settings = s.dir.path().join("schemathesis.toml");
        std::fs::write(&settings, config).unwrap();
        let mut command = Command::new(python.with_file_name("schemathesis"));
        command.current_dir(s.dir.path()); // Schemathesis leaves a folder there
        command.arg("--config-file").arg(&settings).args(["run", &format!("{}/v1/openapi.json", s.browser.url)]);
        command.args(["-H", &format!("Authorization: Bearer {bearer}")]);
        command.args(origin.iter().flat_map(|o| ["-H".to_owned(), format!("Origin: {o}")]));
        let output = command
            .args(["--checks", "not_a_server_error,content_type_conformance,response_schema_conformance"])
            .args(["--phases", "coverage,fuzzing", "--max-examples", "15", "--seed", "1", "--request-timeout", "20"])
            .args(["--include-path-regex", paths, "--exclude-path-regex", "/live$|/logout$"])
            .output()
            .unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{said}");
        let counted = said.lines().find(|l| l.contains(" generated, "));
        println!("{paths}: {}", counted.expect("it says how many it thought of").trim());
    };
    // With the owner's token, generated requests may erase any participant, change studies and revoke keys. So the browsers'
    // requests go to another server.
    let owners = served();
    asked(&owners, "", TOKEN, None, "^/v1/library|^/v1/login|^/v1/clock");
    owners.running.stop().unwrap();
    let s = served();
    // A generated request may finish its session, so another session is checked afterwards.
    let (remote, other) = (s.browser.begin("video"), s.browser.begin("off"));
    let config = format!("[parameters]\n\"path.id\" = \"{}\"\n", remote.id);
    asked(&s, &config, KEY, Some(ORIGIN), "^/v1/sessions$|^/v1/studies/");
    asked(&s, &config, &remote.token, Some(ORIGIN), "^/v1/sessions/");
    // The other session is not affected.
    assert_eq!(other.send(vec![click(0)]).ok()["committed"]["page"], 1);
    s.running.stop().unwrap();
}
