//! The server with a TLS certificate.

use std::path::{Path, PathBuf};
use std::process::Command;

use affectograph::server::{PullPlan, Running, pull, serve};
use affectograph::store::Library;
use affectograph::study_query::Cancel;
use serde_json::json;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::{KEY, ORIGIN, PASSWORD, TOKEN, config, library, new_session};
use crate::need::need;

/// A self-signed certificate for `localhost`. `None` without openssl.
fn certificate(folder: &Path) -> Option<(PathBuf, PathBuf)> {
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output();
    let output = need("the program `openssl`", made)?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some((certificate, key))
}

struct Served {
    dir: tempfile::TempDir,
    running: Running,
    url: String,
    certificate: PathBuf,
}

/// `None` without openssl.
fn served_over_tls() -> Option<Served> {
    let dir = library();
    let (certificate, key) = certificate(dir.path())?;
    let mut config = config(dir.path());
    config.tls = Some((certificate.clone(), key));
    let running = serve(config).unwrap();
    let url = format!("https://localhost:{}", running.address.port());
    Some(Served { dir, running, url, certificate })
}

#[test]
fn everything_works_over_tls_and_nothing_beside_it() {
    let Some(Served { dir: _dir, running, url, certificate }) = served_over_tls() else { return };
    let trusted = Certificate::from_pem(&std::fs::read(&certificate).unwrap()).unwrap();
    let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[trusted])).build();
    let agent = ureq::Agent::config_builder().tls_config(tls).http_status_as_error(false).build().new_agent();

    let mut clock = agent.get(format!("{url}/v1/clock")).call().unwrap();
    assert_eq!(clock.status(), 200, "{}", clock.body_mut().read_to_string().unwrap());
    let begun = agent
        .post(format!("{url}/v1/sessions"))
        .header("Authorization", format!("Bearer {KEY}"))
        .header("Origin", ORIGIN)
        .send_json(new_session("off"))
        .unwrap();
    assert_eq!(begun.status(), 201);
    let login =
        agent.post(format!("{url}/v1/login")).header("Origin", &url).send_json(json!({"password": PASSWORD})).unwrap();
    let cookie = login.headers()["set-cookie"].to_str().unwrap();
    for part in ["HttpOnly", "Secure", "SameSite=Strict"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert_eq!(login.headers()["strict-transport-security"], "max-age=31536000");
    // A request over plain HTTP gets no answer.
    let plain = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
    let answered = plain.get(format!("http://localhost:{}/v1/clock", running.address.port())).call();
    assert!(answered.map_or(true, |a| a.status() != 200));
    // The token is not sent to a server whose certificate is not trusted.
    let plan = PullPlan { server: url, token: TOKEN.into(), study: None, are_same_people: false };
    let elsewhere = tempfile::tempdir().unwrap();
    let refused = pull(&plan, &Library::open(elsewhere.path()).unwrap(), &Cancel::default(), |_| {}).unwrap_err();
    assert!(refused.to_string().contains("could not reach"), "{refused}");
    running.stop().unwrap();
}

/// Body and last line of curl's output. `None` without a curl that can do HTTP/2.
fn curl(certificate: &Path, arguments: &[&str]) -> Option<(String, String)> {
    let version = Command::new("curl").arg("--version").output();
    let version = need("the program `curl`", version)?;
    let can_do_http_2 = String::from_utf8_lossy(&version.stdout).contains("HTTP2");
    need("a curl with HTTP/2", can_do_http_2.then_some(()).ok_or("`curl --version` does not list HTTP2"))?;
    let output = Command::new("curl")
        .args(["-sS", "--max-time", "20", "-w", "\n%{http_version} %{http_code}", "--cacert"])
        .arg(certificate)
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    said.rsplit_once('\n').map(|(body, last)| (body.to_owned(), last.to_owned()))
}

#[test]
fn browsers_get_http_2_and_others_http_1_1() {
    let Some(Served { dir, running, url, certificate }) = served_over_tls() else { return };
    let origin = format!("Origin: {url}");
    let password = json!({ "password": PASSWORD }).to_string();
    for (option, version) in [("--http2", "2"), ("--http1.1", "1.1")] {
        let Some((body, last)) = curl(&certificate, &[option, &format!("{url}/v1/clock")]) else { return };
        assert!(body.contains("utc_ms"), "{body}");
        assert_eq!(last, format!("{version} 200"));
        // HTTP/2 has no header `Host`, which the check of the origin needs.
        let login = format!("{url}/v1/login");
        let (body, last) = curl(&certificate, &[option, "-H", &origin, "-d", &password, &login]).unwrap();
        assert!(body.contains("csrf"), "{body}");
        assert_eq!(last, format!("{version} 200"));
        let foreign = ["-H", "Origin: https://evil.example", option, "-d", &password, &login];
        assert_eq!(curl(&certificate, &foreign).unwrap().1, format!("{version} 403"));
        // A body over the limit is refused.
        let large = dir.path().join("large");
        std::fs::write(&large, vec![b' '; 20_000]).unwrap();
        let (data, json) = (format!("@{}", large.display()), "Content-Type: application/json");
        let (body, last) =
            curl(&certificate, &[option, "-H", &origin, "-H", json, "--data-binary", &data, &login]).unwrap();
        assert!(body.contains("urn:affectograph:too-large"), "{body}");
        assert_eq!(last, format!("{version} 413"));
        // A refusal that needs no body arrives, too.
        std::fs::write(&large, vec![b' '; 1_000_000]).unwrap();
        let records = format!("{url}/v1/sessions/none/records");
        let token = "Authorization: Bearer ags_none";
        let (body, last) =
            curl(&certificate, &[option, "-H", &origin, "-H", token, "-H", json, "--data-binary", &data, &records])
                .unwrap();
        assert!(body.contains("urn:affectograph:"), "{body}");
        assert_eq!(last, format!("{version} 404"));
    }
    running.stop().unwrap();
}
