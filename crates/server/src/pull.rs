//! Copies sessions from a server into the local library, for `affectograph pull` and for *Download from server …*.

use std::collections::HashSet;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use session::ParticipantId;
use store::{Library, SessionName, StoreError, session_entry, split_session_label, verify};
use study_query::Cancel;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// More than a session of one day. The bound ends an archive that never ends.
const MAX_SESSION_BYTES: u64 = 200 << 30;
const MAX_LIST_BYTES: u64 = 64 << 20;
const PAGE: usize = 500;
/// The bound ends a list that never ends.
const MAX_SESSIONS: usize = 1_000_000;
const DRAFT_PREFIX: &str = ".pulling-";

#[derive(Clone, Debug)]
pub struct PullPlan {
    /// `https://example.org`
    pub server: String,
    /// An API token.
    pub token: String,
    /// All studies where `None`.
    pub study: Option<String>,
    /// Participants with the same label in the library and on the server are the same people. Otherwise a session is not
    /// fetched if its participant has sessions in the library that are not on the server.
    pub are_same_people: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Pulled {
    pub fetched: Vec<PathBuf>,
    pub there_already: usize,
    /// One sentence for each session that was not fetched.
    pub refused: Vec<String>,
    /// One sentence for each session that was fetched and is damaged.
    pub damaged: Vec<String>,
    /// The user cancelled the download.
    pub is_cancelled: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PullProgress {
    pub number: usize,
    pub sessions: usize,
    pub name: String,
}

#[derive(Debug, Error)]
pub enum PullError {
    #[error("`{0}` is not a server's address: enter an address such as https://example.org")]
    Address(String),
    #[error("the token would be sent to {server} unencrypted, over plain HTTP: use https://")]
    PlainHttp { server: String },
    #[error("could not reach {server}: {problem}")]
    Unreachable { server: String, problem: String },
    #[error("{server} refused the request: {detail}")]
    Refused { server: String, detail: String },
    #[error("the answer of {server} is not valid: {problem}. Check the address and the server's version")]
    InvalidAnswer { server: String, problem: String },
    #[error("the archive of {name} could not be unpacked: {source}")]
    Unpack { name: String, source: io::Error },
    #[error("the server listed a session with the invalid name `{0}`")]
    Name(String),
    #[error(
        "{participant} has sessions in this library that are not on the server, for example {session}, and may be another \
         person. If it is the same person, fetch the sessions with: affectograph pull --same-people"
    )]
    OtherPerson { participant: ParticipantId, session: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Deserialize)]
struct List {
    sessions: Vec<Row>,
    /// Older servers send all sessions at once.
    #[serde(default)]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Row {
    name: String,
    study: Option<String>,
    state: String,
    length_s: Option<f64>,
}

#[derive(Deserialize)]
struct ProblemBody {
    detail: String,
}

/// Fetches every closed session that is not yet in the library. A session that cannot be fetched does not stop the others.
pub fn pull(
    plan: &PullPlan,
    library: &Library,
    cancel: &Cancel,
    mut progress: impl FnMut(PullProgress),
) -> Result<Pulled, PullError> {
    let server = Server::new(plan)?;
    let all = server.list()?;
    let on_server: HashSet<&str> = all.iter().map(|r| r.name.as_str()).collect();
    let is_wanted = |r: &&Row| {
        let is_study = plan.study.is_none() || r.study == plan.study;
        is_study && (r.state == "closed" || r.state == "recovered")
    };
    let rows: Vec<&Row> = all.iter().filter(is_wanted).collect();
    let here = library.session_names()?;
    let mut pulled = Pulled::default();
    for (k, row) in rows.iter().enumerate() {
        let (participant, folder) = parts(&row.name)?;
        let copy = library.root().join(participant.as_str()).join(folder);
        if copy.exists() {
            pulled.there_already += 1;
            pulled.refused.extend(outdated(&copy, row));
            continue;
        }
        if !plan.are_same_people
            && let Some(session) = session_from_elsewhere(&here, &participant, &on_server)
        {
            pulled.refused.push(format!("{}: {}", row.name, PullError::OtherPerson { participant, session }));
            continue;
        }
        progress(PullProgress { number: k + 1, sessions: rows.len(), name: row.name.clone() });
        match server.fetch(&row.name, &participant, folder, library, cancel) {
            Ok(path) => {
                pulled.damaged.extend(damage(&path)?.map(|why| format!("{}: {why}", row.name)));
                pulled.fetched.push(path);
            }
            Err(_) if cancel.is_cancelled() => {
                pulled.is_cancelled = true;
                break;
            }
            Err(e) => pulled.refused.push(format!("{}: {e}", row.name)),
        }
    }
    Ok(pulled)
}

/// A session that is closed because it was silent goes on when its browser returns. A copy from before is then incomplete.
fn outdated(copy: &Path, row: &Row) -> Option<String> {
    let (here_s, there_s) = (session_entry(copy).length?.as_secs_f64(), row.length_s?);
    ((here_s - there_s).abs() > 1e-3).then(|| {
        format!(
            "{}: it went on after it was fetched ({here_s:.1} s here, {there_s:.1} s on the server). Erase the copy in the \
             library and fetch it again",
            row.name
        )
    })
}

/// A session of this participant in the library that is not on the server. The participant may then be another person than
/// the server's participant with the same label.
fn session_from_elsewhere(
    library: &[SessionName],
    participant: &ParticipantId,
    on_server: &HashSet<&str>,
) -> Option<String> {
    let here = library.iter().filter(|s| s.participant == *participant);
    let mut folders = here.filter_map(|s| s.folder.file_name()?.to_str());
    folders.find(|folder| !on_server.contains(format!("{participant}_{folder}").as_str())).map(str::to_owned)
}

/// Describes the damage of a fetched session. The session is kept, because the server's own copy may have the same damage.
fn damage(folder: &Path) -> Result<Option<String>, StoreError> {
    let found = verify(folder)?;
    let damaged: Vec<_> = found.findings.iter().filter(|f| f.is_damage()).collect();
    Ok(damaged.first().map(|first| {
        let more = match damaged.len() {
            1 => String::new(),
            n => format!(" (and {} more)", n - 1),
        };
        format!(
            "it was fetched and is damaged: {first}{more}. `affectograph verify {}` lists all damage",
            folder.display()
        )
    }))
}

/// Splits a name such as `sub-01_ses-01_20261123T100000Z_demo`. The name comes from the server, so only two plain names
/// are accepted.
fn parts(name: &str) -> Result<(ParticipantId, &str), PullError> {
    let wrong = || PullError::Name(name.chars().take(80).flat_map(char::escape_debug).collect());
    split_session_label(name).ok_or_else(wrong)
}

struct Server {
    url: String,
    token: String,
    agent: ureq::Agent,
}

impl Server {
    fn new(plan: &PullPlan) -> Result<Server, PullError> {
        let url = plan.server.trim_end_matches('/').to_owned();
        let address = || PullError::Address(plan.server.clone());
        let (scheme, rest) = url.split_once("://").ok_or_else(address)?;
        let host = rest.split('/').next().unwrap_or_default();
        let name = host.strip_prefix('[').map_or_else(|| host.split(':').next(), |h| h.split(']').next());
        let is_loopback = matches!(name, Some("localhost" | "127.0.0.1" | "::1"));
        match scheme {
            "https" => {}
            "http" if is_loopback => {}
            "http" => return Err(PullError::PlainHttp { server: url }),
            _ => return Err(address()),
        }
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_recv_response(Some(ANSWER_TIMEOUT))
            .max_redirects(0)
            .build();
        Ok(Server { url, token: plan.token.clone(), agent: config.into() })
    }

    fn get(&self, path: &str) -> Result<ureq::Body, PullError> {
        let unreachable = |e: ureq::Error| PullError::Unreachable { server: self.url.clone(), problem: e.to_string() };
        let request =
            self.agent.get(format!("{}{path}", self.url)).header("Authorization", format!("Bearer {}", self.token));
        let mut answer = request.call().map_err(unreachable)?;
        if answer.status().is_success() {
            return Ok(answer.into_body());
        }
        let problem = answer.body_mut().with_config().limit(MAX_LIST_BYTES).read_json::<ProblemBody>();
        let detail = problem.map_or_else(|_| format!("status {}", answer.status()), |p| p.detail);
        Err(PullError::Refused { server: self.url.clone(), detail })
    }

    /// All sessions. The server lists them in pages, the newest first.
    fn list(&self) -> Result<Vec<Row>, PullError> {
        let mut rows = Vec::new();
        let mut after = String::new();
        loop {
            let page = self.get(&format!("/v1/library/sessions?limit={PAGE}{after}"))?;
            let page = page.into_with_config().limit(MAX_LIST_BYTES).read_json::<List>();
            let page =
                page.map_err(|e| PullError::InvalidAnswer { server: self.url.clone(), problem: e.to_string() })?;
            rows.extend(page.sessions);
            match page.next {
                // The name becomes part of an address, so only a plain one is accepted.
                Some(next) if parts(&next).is_ok() && rows.len() < MAX_SESSIONS => after = format!("&after={next}"),
                Some(next) => {
                    return Err(PullError::Name(next.chars().take(80).flat_map(char::escape_debug).collect()));
                }
                None => return Ok(rows),
            }
        }
    }

    fn fetch(
        &self,
        name: &str,
        participant: &ParticipantId,
        folder: &str,
        library: &Library,
        cancel: &Cancel,
    ) -> Result<PathBuf, PullError> {
        let archive = self.get(&format!("/v1/library/sessions/{name}/download"))?;
        let draft = library.root().join(format!("{DRAFT_PREFIX}{name}"));
        let failed = |source| PullError::Unpack { name: name.to_owned(), source };
        remove(&draft).map_err(failed)?;
        let reader = Cancelling { from: archive.into_with_config().limit(MAX_SESSION_BYTES).reader(), cancel };
        let done = unpack(reader, &draft)
            .map_err(failed)
            .and_then(|()| Ok(library.adopt(&draft.join(participant.as_str()).join(folder), participant, folder)?));
        // The returned error is more important than a failure here. The next attempt removes the draft, too.
        remove(&draft).ok();
        done
    }
}

/// A reader that fails once the download is cancelled.
struct Cancelling<'a, R> {
    from: R,
    cancel: &'a Cancel,
}

impl<R: io::Read> io::Read for Cancelling<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.cancel.is_cancelled() {
            return Err(io::Error::other("the download was cancelled"));
        }
        self.from.read(buffer)
    }
}

fn remove(folder: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// Unpacks only regular files and folders, and only below `into`.
fn unpack(archive: impl io::Read, into: &Path) -> io::Result<()> {
    let mut archive = tar::Archive::new(archive);
    let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("it contains {what}"));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        if path.components().any(|c| !matches!(c, Component::Normal(_))) {
            return Err(invalid("a path outside the session's folder"));
        }
        let to = into.join(&path);
        match entry.header().entry_type() {
            tar::EntryType::Directory => std::fs::create_dir_all(&to)?,
            tar::EntryType::Regular => {
                if let Some(parent) = to.parent() {
                    std::fs::create_dir_all(parent)?;
                }
                let mut file = std::fs::File::create_new(&to)?;
                io::copy(&mut entry, &mut file)?;
                file.sync_all()?;
            }
            _ => return Err(invalid("an entry that is neither a file nor a folder")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        assert_eq!(parts("sub-01_ses-01_20261123T100000Z_demo").unwrap().1, "ses-01_20261123T100000Z_demo");
        for bad in ["", "sub-01", "sub-01_../x", "sub-01_ses-01/x", "../x_ses-01", "sub-01_x", "sub-01_ses-01_é"] {
            assert!(parts(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn archives_cannot_write_elsewhere() {
        let dir = tempfile::tempdir().unwrap();
        let into = dir.path().join("in");
        let tarred = |path: &str, kind: tar::EntryType| {
            let mut header = tar::Header::new_gnu();
            let name = &mut header.as_old_mut().name;
            name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_size(1);
            header.set_entry_type(kind);
            header.set_cksum();
            let mut builder = tar::Builder::new(Vec::new());
            builder.append(&header, &b"x"[..]).unwrap();
            builder.into_inner().unwrap()
        };
        for (path, kind) in [
            ("../out", tar::EntryType::Regular),
            ("/tmp/affectograph-out", tar::EntryType::Regular),
            ("a/../../out", tar::EntryType::Regular),
            ("link", tar::EntryType::Symlink),
        ] {
            assert!(unpack(&tarred(path, kind)[..], &into).is_err(), "{path}");
        }
        unpack(&tarred("a/b", tar::EntryType::Regular)[..], &into).unwrap();
        assert_eq!(std::fs::read(into.join("a/b")).unwrap(), b"x");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_token_travels_encrypted_or_not_at_all() {
        let plan =
            |server: &str| PullPlan { server: server.into(), token: "t".into(), study: None, are_same_people: false };
        for good in ["https://a.example", "http://127.0.0.1:8443/", "http://localhost:1", "http://[::1]:1"] {
            assert!(Server::new(&plan(good)).is_ok(), "{good}");
        }
        for bad in ["http://a.example", "http://127.0.0.1.evil.example", "a.example", "ftp://a"] {
            assert!(Server::new(&plan(bad)).is_err(), "{bad}");
        }
    }
}
