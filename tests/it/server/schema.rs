//! Schemathesis reads the server's own description and asks whatever it can think of.

use std::process::Command;

use super::{KEY, ORIGIN, TOKEN, click, served};
use crate::python::python;

#[test]
fn the_description_is_openapi_and_names_every_door() {
    let s = served();
    let description = s.browser.send("GET", "/v1/openapi.json", &[], &[]).unwrap().ok();
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"));
    for path in [
        "/v1/clock",
        "/v1/sessions",
        "/v1/sessions/{id}/records",
        "/v1/sessions/{id}/video/{n}",
        "/v1/sessions/{id}/finish",
    ] {
        assert!(description["paths"][path].is_object(), "{path}");
    }
    s.running.stop().unwrap();
}

#[test]
fn nothing_that_schemathesis_thinks_of_makes_the_server_fail() {
    let Some(python) = python(&["schemathesis"]) else { return };
    let s = served();
    let remote = s.browser.begin("scores");
    let asked = |bearer: &str, filter: &[&str]| {
        let output = Command::new(python.with_file_name("schemathesis"))
            .args(["run", &format!("{}/v1/openapi.json", s.browser.url)])
            .args(["-H", &format!("Authorization: Bearer {bearer}"), "-H", &format!("Origin: {ORIGIN}")])
            .args(["--checks", "not_a_server_error,content_type_conformance,response_schema_conformance"])
            .args([
                "--phases",
                "examples,coverage,fuzzing",
                "--max-examples",
                "15",
                "--seed",
                "1",
                "--request-timeout",
                "20",
            ])
            .args(["--exclude-path-regex", "/live$|/logout$"])
            .args(filter)
            .output()
            .unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{said}");
        println!(
            "{}",
            said.lines().rev().take(12).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n")
        );
    };
    asked(TOKEN, &["--include-path-regex", "^/v1/library|^/v1/login|^/v1/clock"]);
    asked(KEY, &["--include-path-regex", "^/v1/sessions$"]);
    asked(&remote.token, &["--include-path-regex", "^/v1/sessions/"]);
    // Nobody else has noticed.
    assert_eq!(remote.send(vec![click(0)]).ok()["committed"]["page"], 1);
    s.running.stop().unwrap();
}
