//! The server's database: owner, keys, tokens, and the browsers' sessions.
//!
//! It is in this crate because only this crate uses SQLite.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};

use super::{StoreError, schema};

/// Begins the folder of an erased session in the ledger. No folder has this name.
const ERASED: &str = ".erased";
const LEDGER_FILE: &str = "server.sqlite";
const MIGRATIONS: &[&str] =
    &[include_str!("sql/ledger_001.sql"), include_str!("sql/ledger_002.sql"), include_str!("sql/ledger_003.sql")];

/// Longest wait for another connection, for example of the command line.
const BUSY: Duration = Duration::from_secs(5);

pub type Sha256 = [u8; 32];

/// The server and the command line may open it at the same time.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    conn: Connection,
    /// SQLite's count of the changes by other connections.
    seen_version: Option<i64>,
}

/// A study's public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteKey {
    pub key: String,
    pub study: String,
    /// Origins of pages that may use the key, such as `https://example.org`.
    pub origins: Vec<String>,
    pub is_revoked: bool,
}

/// What a program with an API token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenScope {
    Read,
    /// Also everything that changes or erases data.
    Erase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoteState {
    /// Records are being received.
    Open,
    /// All records are stored. The video is not converted yet.
    Finished,
    Closed,
}

impl RemoteState {
    const ALL: [RemoteState; 3] = [RemoteState::Open, RemoteState::Finished, RemoteState::Closed];

    fn as_str(self) -> &'static str {
        match self {
            RemoteState::Open => "open",
            RemoteState::Finished => "finished",
            RemoteState::Closed => "closed",
        }
    }
}

/// One session of a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteSession {
    pub id: String,
    pub token_sha256: Sha256,
    pub key: String,
    pub study: String,
    pub participant: String,
    /// Relative to the folder of sessions.
    pub folder: PathBuf,
    pub origin: String,
    pub camera: String,
    pub created_utc: DateTime<Utc>,
    pub seen_utc: DateTime<Utc>,
    pub state: RemoteState,
    /// JSON: the counts that the client reported at the end.
    pub finish: Option<String>,
    /// What the browser sent.
    pub received_bytes: u64,
    /// The session was closed because no request arrived. It goes on if its browser sends another one.
    pub may_go_on: bool,
}

impl RemoteSession {
    /// Its files were erased. Only its token is known.
    pub fn is_erased(&self) -> bool {
        self.folder.starts_with(ERASED)
    }
}

/// A session that had a request, and what it has received in total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenSession<'a> {
    pub id: &'a str,
    pub received_bytes: u64,
}

/// What the sessions of one key have received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedBytes {
    pub key: String,
    pub study: String,
    pub bytes: u64,
}

impl Ledger {
    /// The ledger of a folder that a server uses. `None` if no server has used it.
    pub(super) fn open_existing(root: &Path) -> Result<Option<Ledger>, StoreError> {
        if root.join(LEDGER_FILE).exists() { Ledger::open(root).map(Some) } else { Ok(None) }
    }

    /// Opens the ledger in the folder of sessions. Creates both if they do not exist.
    pub fn open(root: &Path) -> Result<Ledger, StoreError> {
        std::fs::create_dir_all(root).map_err(StoreError::io("create the folder", root))?;
        let path = root.join(LEDGER_FILE);
        let open = || -> rusqlite::Result<Connection> {
            let mut conn = Connection::open(&path)?;
            conn.busy_timeout(BUSY)?;
            conn.pragma_update(None, "journal_mode", "wal")?;
            conn.pragma_update(None, "synchronous", "full")?;
            schema::migrate(&mut conn, MIGRATIONS)?;
            Ok(conn)
        };
        let conn = open().map_err(StoreError::sql("open", &path))?;
        private(&path)?;
        Ok(Ledger { conn, path, seen_version: None })
    }

    pub(super) fn run<T>(
        &self,
        doing: &'static str,
        run: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        run(&self.conn).map_err(StoreError::sql(doing, &self.path))
    }

    pub fn set_password(&self, phc: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.run("write into", |c| {
            c.execute(
                "INSERT INTO owner VALUES (1, ?1, ?2)
                 ON CONFLICT (id) DO UPDATE SET password = ?1, changed_utc = ?2",
                params![phc, text(now)],
            )
        })?;
        Ok(())
    }

    /// `None` if no password is set.
    pub fn password(&self) -> Result<Option<String>, StoreError> {
        self.run("read", |c| c.query_row("SELECT password FROM owner", [], |r| r.get(0)).optional())
    }

    /// A token of the same name is replaced.
    pub fn add_api_token(
        &self,
        name: &str,
        sha256: &Sha256,
        scope: TokenScope,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.run("write into", |c| {
            c.execute(
                "INSERT OR REPLACE INTO api_token (name, sha256, created_utc, may_erase) VALUES (?1, ?2, ?3, ?4)",
                params![name, sha256, text(now), scope == TokenScope::Erase],
            )
        })?;
        Ok(())
    }

    /// `false` if there was no token of this name.
    pub fn remove_api_token(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.run("write into", |c| c.execute("DELETE FROM api_token WHERE name = ?1", [name]))? > 0)
    }

    /// `None` if there is no such token.
    pub fn scope_of_token(&self, sha256: &Sha256) -> Result<Option<TokenScope>, StoreError> {
        let may_erase = self.run("read", |c| {
            c.query_row("SELECT may_erase FROM api_token WHERE sha256 = ?1", [sha256], |r| r.get::<_, bool>(0))
                .optional()
        })?;
        Ok(may_erase.map(|may_erase| if may_erase { TokenScope::Erase } else { TokenScope::Read }))
    }

    pub fn add_key(&self, key: &WriteKey, now: DateTime<Utc>) -> Result<(), StoreError> {
        let origins = serde_json::Value::from(key.origins.clone()).to_string();
        self.run("write into", |c| {
            c.execute(
                "INSERT INTO write_key (key, study, origins, created_utc) VALUES (?1, ?2, ?3, ?4)",
                params![key.key, key.study, origins, text(now)],
            )
        })?;
        Ok(())
    }

    pub fn key(&self, key: &str) -> Result<Option<WriteKey>, StoreError> {
        let row = self.run("read", |c| {
            c.query_row("SELECT key, study, origins, is_revoked FROM write_key WHERE key = ?1", [key], key_row)
                .optional()
        })?;
        row.map(|row| self.key_of(row)).transpose()
    }

    /// Replaces the origins of a key. `false` if there is no such key.
    pub fn set_key_origins(&self, key: &str, origins: &[String]) -> Result<bool, StoreError> {
        let origins = serde_json::Value::from(origins).to_string();
        let changed = self.run("write into", |c| {
            c.execute("UPDATE write_key SET origins = ?2 WHERE key = ?1", [key, origins.as_str()])
        })?;
        Ok(changed > 0)
    }

    /// Whether another program has written into the ledger since this was last asked. It costs no reading of the tables.
    pub fn has_changed(&mut self) -> Result<bool, StoreError> {
        let version: i64 = self.run("read", |c| c.pragma_query_value(None, "data_version", |r| r.get(0)))?;
        Ok(self.seen_version.replace(version) != Some(version))
    }

    /// `false` if there is no such key.
    pub fn revoke_key(&self, key: &str) -> Result<bool, StoreError> {
        Ok(self.run("write into", |c| c.execute("UPDATE write_key SET is_revoked = 1 WHERE key = ?1", [key]))? > 0)
    }

    /// In the order of creation.
    pub fn keys(&self) -> Result<Vec<WriteKey>, StoreError> {
        let rows = self.run("read", |c| {
            c.prepare_cached("SELECT key, study, origins, is_revoked FROM write_key ORDER BY created_utc, key")?
                .query_map([], key_row)?
                .collect::<rusqlite::Result<Vec<_>>>()
        })?;
        rows.into_iter().map(|row| self.key_of(row)).collect()
    }

    fn key_of(&self, (key, study, origins, is_revoked): KeyRow) -> Result<WriteKey, StoreError> {
        let origins = serde_json::from_str(&origins)
            .map_err(|e| StoreError::damaged(&self.path, format!("in the origins of a key: {e}")))?;
        Ok(WriteKey { key, study, origins, is_revoked })
    }

    pub fn add_session(&self, session: &RemoteSession) -> Result<(), StoreError> {
        self.run("write into", |c| {
            c.execute(
                "INSERT INTO remote_session (id, token_sha256, key, study, participant, folder, origin, camera,
                                             created_utc, seen_utc)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)",
                params![
                    session.id,
                    session.token_sha256,
                    session.key,
                    session.study,
                    session.participant,
                    session.folder.to_string_lossy(),
                    session.origin,
                    session.camera,
                    text(session.created_utc),
                ],
            )
        })?;
        Ok(())
    }

    pub fn session(&self, id: &str) -> Result<Option<RemoteSession>, StoreError> {
        let row = self.run("read", |c| {
            c.query_row("SELECT * FROM remote_session WHERE id = ?1", [id], |r| Ok(session_of(r))).optional()
        })?;
        row.transpose().map_err(|problem| StoreError::damaged(&self.path, problem))
    }

    /// The sessions that are not closed, to continue after a restart.
    pub fn unclosed_sessions(&self) -> Result<Vec<RemoteSession>, StoreError> {
        let rows = self.run("read", |c| {
            c.prepare_cached("SELECT * FROM remote_session WHERE state <> 'closed' ORDER BY created_utc, id")?
                .query_map([], |r| Ok(session_of(r)))?
                .collect::<rusqlite::Result<Vec<_>>>()
        })?;
        rows.into_iter().collect::<Result<_, _>>().map_err(|problem| StoreError::damaged(&self.path, problem))
    }

    pub fn set_session_may_go_on(&self, id: &str) -> Result<(), StoreError> {
        self.run("write into", |c| c.execute("UPDATE remote_session SET may_go_on = 1 WHERE id = ?1", [id]))?;
        Ok(())
    }

    /// A session that was closed because it was silent stays closed.
    pub fn forbid_going_on(&self, id: &str) -> Result<(), StoreError> {
        self.run("write into", |c| c.execute("UPDATE remote_session SET may_go_on = 0 WHERE id = ?1", [id]))?;
        Ok(())
    }

    /// Lists a closed session as open again. It may not go on a second time before it is closed again.
    pub fn reopen_session(&self, id: &str) -> Result<(), StoreError> {
        self.run("write into", |c| {
            c.execute(
                "UPDATE remote_session SET state = ?2, may_go_on = 0 WHERE id = ?1",
                [id, RemoteState::Open.as_str()],
            )
        })?;
        Ok(())
    }

    pub fn set_session_state(&self, id: &str, state: RemoteState, finish: Option<&str>) -> Result<(), StoreError> {
        self.run("write into", |c| set_state(c, id, state, finish))?;
        Ok(())
    }

    /// Stores a state with the activity at that time, in one commit.
    pub fn set_session_state_and_seen(
        &self,
        seen: &SeenSession<'_>,
        at: DateTime<Utc>,
        state: RemoteState,
        finish: Option<&str>,
    ) -> Result<(), StoreError> {
        self.run("write into", |c| {
            let transaction = c.unchecked_transaction()?;
            set_seen(&transaction, seen, at)?;
            set_state(&transaction, seen.id, state, finish)?;
            transaction.commit()
        })
    }

    /// Stores the time of the last request of sessions, in one commit.
    pub fn set_sessions_seen(&self, seen: &[SeenSession<'_>], at: DateTime<Utc>) -> Result<(), StoreError> {
        self.run("write into", |c| {
            let transaction = c.unchecked_transaction()?;
            for session in seen {
                set_seen(&transaction, session, at)?;
            }
            transaction.commit()
        })
    }

    /// What the sessions of each key have received.
    pub fn received_bytes(&self) -> Result<Vec<ReceivedBytes>, StoreError> {
        self.run("read", |c| {
            c.prepare_cached("SELECT key, study, sum(received_bytes) FROM remote_session GROUP BY key, study")?
                .query_map([], |r| {
                    Ok(ReceivedBytes { key: r.get(0)?, study: r.get(1)?, bytes: r.get::<_, i64>(2)? as u64 })
                })?
                .collect()
        })
    }

    /// Keeps of a session only its identifier, token, study, key and origin, so that data that arrive later are refused as
    /// gone. Its note is deleted, and its participant's enrolment if this was the participant's only session.
    pub fn erase_session(&self, id: &str) -> Result<(), StoreError> {
        let erased = DateTime::<Utc>::UNIX_EPOCH;
        self.run("write into", |c| {
            let transaction = c.unchecked_transaction()?;
            transaction.execute(
                "DELETE FROM session_note WHERE folder = (SELECT folder FROM remote_session WHERE id = ?1)",
                [id],
            )?;
            transaction.execute(
                "DELETE FROM enrolment
                 WHERE participant = (SELECT participant FROM remote_session WHERE id = ?1)
                   AND NOT EXISTS (SELECT 1 FROM remote_session AS other
                                   WHERE other.participant = enrolment.participant AND other.id <> ?1)",
                [id],
            )?;
            transaction.execute(
                "UPDATE remote_session
                 SET participant = '', folder = '.erased/' || id, camera = 'off', created_utc = ?2, seen_utc = ?2,
                     state = 'closed', finish = NULL, received_bytes = 0, may_go_on = 0
                 WHERE id = ?1",
                params![id, text(erased)],
            )?;
            transaction.commit()
        })
    }

    /// Returns whether the ledger contained anything of the participant.
    pub fn forget_participant(&self, participant: &str) -> Result<bool, StoreError> {
        self.run("write into", |c| {
            let transaction = c.unchecked_transaction()?;
            let mut rows = transaction.execute("DELETE FROM remote_session WHERE participant = ?1", [participant])?;
            rows += transaction.execute("DELETE FROM enrolment WHERE participant = ?1", [participant])?;
            let notes = "DELETE FROM session_note WHERE substr(folder, 1, length(?1) + 1) = ?1 || '/'";
            rows += transaction.execute(notes, [participant])?;
            transaction.commit()?;
            Ok(rows > 0)
        })
    }

    /// Forgets the sessions whose folders are gone: another program erased them, or the server was killed while it did.
    pub fn forget_erased_folders(&self, root: &Path) -> Result<(), StoreError> {
        let sessions = self.run("read", |c| {
            let mut rows =
                c.prepare("SELECT id, folder FROM remote_session WHERE substr(folder, 1, 8) <> '.erased/'")?;
            let rows = rows.query_map([], |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?)))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        })?;
        let gone = sessions.iter().filter(|(_, folder)| !root.join(folder).exists());
        gone.map(|(id, _)| id).try_for_each(|id| self.erase_session(id))
    }

    /// Another program gave a session another folder and another participant.
    pub(super) fn session_moved(&self, from: &str, to: &str, participant: &str) -> Result<(), StoreError> {
        self.run("write into", |c| {
            let transaction = c.unchecked_transaction()?;
            transaction.execute("UPDATE OR REPLACE session_note SET folder = ?2 WHERE folder = ?1", [from, to])?;
            let moved = "UPDATE remote_session SET folder = ?2, participant = ?3 WHERE folder = ?1";
            transaction.execute(moved, [from, to, participant])?;
            transaction.commit()
        })
    }

    /// Forgets one session, by its folder relative to the folder of sessions. Its participant stays enrolled.
    pub fn forget_session(&self, folder: &str) -> Result<(), StoreError> {
        self.run("write into", |c| {
            let transaction = c.unchecked_transaction()?;
            transaction.execute("DELETE FROM remote_session WHERE folder = ?1", [folder])?;
            transaction.execute("DELETE FROM session_note WHERE folder = ?1", [folder])?;
            transaction.commit()
        })
    }

    /// Sets the letters that begin the label of each participant that the server numbers.
    pub fn set_participant_prefix(&self, prefix: &str) -> Result<(), StoreError> {
        self.run("write into", |c| c.execute("UPDATE given SET prefix = ?1", [prefix]))?;
        Ok(())
    }

    pub fn participant_prefix(&self) -> Result<String, StoreError> {
        self.run("read", |c| c.query_row("SELECT prefix FROM given", [], |r| r.get(0)))
    }

    /// The prefix, and a number that was never assigned.
    pub fn give_participant_number(&self) -> Result<(String, u32), StoreError> {
        self.run("write into", |c| {
            c.query_row("UPDATE given SET participant = participant + 1 RETURNING prefix, participant", [], |r| {
                Ok((r.get(0)?, r.get(1)?))
            })
        })
    }
}

type KeyRow = (String, String, String, bool);

fn key_row(row: &Row) -> rusqlite::Result<KeyRow> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

fn set_state(c: &Connection, id: &str, state: RemoteState, finish: Option<&str>) -> rusqlite::Result<usize> {
    c.execute(
        "UPDATE remote_session SET state = ?2, finish = coalesce(?3, finish) WHERE id = ?1",
        params![id, state.as_str(), finish],
    )
}

fn set_seen(c: &Connection, session: &SeenSession<'_>, at: DateTime<Utc>) -> rusqlite::Result<usize> {
    c.execute(
        "UPDATE remote_session SET seen_utc = ?2, received_bytes = ?3 WHERE id = ?1",
        params![session.id, text(at), session.received_bytes as i64],
    )
}

/// Folders of the sessions that a server will continue: they are not closed, and a request came after `since`. A crash did
/// not interrupt these sessions, although nobody has locked them. Empty if the folder has no ledger.
pub(super) fn continued_folders(root: &Path, since: DateTime<Utc>) -> Result<Vec<PathBuf>, StoreError> {
    let path = root.join(LEDGER_FILE);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let read = || -> rusqlite::Result<Vec<PathBuf>> {
        let conn = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        conn.busy_timeout(BUSY)?;
        conn.prepare("SELECT folder FROM remote_session WHERE state <> 'closed' AND seen_utc >= ?1")?
            .query_map([text(since)], |r| Ok(root.join(r.get::<_, String>(0)?)))?
            .collect()
    };
    read().map_err(StoreError::sql("read", &path))
}

fn session_of(row: &Row) -> Result<RemoteSession, String> {
    let problem = |e: rusqlite::Error| e.to_string();
    let state: String = row.get("state").map_err(problem)?;
    let time = |column: &str| -> Result<DateTime<Utc>, String> {
        let text: String = row.get(column).map_err(problem)?;
        Ok(DateTime::parse_from_rfc3339(&text).map_err(|e| format!("{column} `{text}`: {e}"))?.with_timezone(&Utc))
    };
    Ok(RemoteSession {
        id: row.get("id").map_err(problem)?,
        token_sha256: row.get("token_sha256").map_err(problem)?,
        key: row.get("key").map_err(problem)?,
        study: row.get("study").map_err(problem)?,
        participant: row.get("participant").map_err(problem)?,
        folder: PathBuf::from(row.get::<_, String>("folder").map_err(problem)?),
        origin: row.get("origin").map_err(problem)?,
        camera: row.get("camera").map_err(problem)?,
        created_utc: time("created_utc")?,
        seen_utc: time("seen_utc")?,
        state: RemoteState::ALL
            .into_iter()
            .find(|s| s.as_str() == state)
            .ok_or_else(|| format!("unknown state `{state}`"))?,
        finish: row.get("finish").map_err(problem)?,
        received_bytes: row.get::<_, i64>("received_bytes").map_err(problem)? as u64,
        may_go_on: row.get("may_go_on").map_err(problem)?,
    })
}

pub(super) fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Makes the file readable by its owner only.
#[cfg(unix)]
fn private(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt;
    let owner_only = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, owner_only).map_err(StoreError::io("protect", path))
}

#[cfg(not(unix))]
fn private(_path: &Path) -> Result<(), StoreError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_by_another_connection() {
        let dir = tempfile::tempdir().unwrap();
        let (ledger, mut other) = (Ledger::open(dir.path()).unwrap(), Ledger::open(dir.path()).unwrap());
        let now = DateTime::from_timestamp_millis(1_763_901_234_567).unwrap();
        assert_eq!(ledger.password().unwrap(), None);
        ledger.set_password("a", now).unwrap();
        ledger.set_password("b", now).unwrap();
        assert_eq!(other.password().unwrap().as_deref(), Some("b"));

        ledger.add_api_token("pull", &[1; 32], TokenScope::Read, now).unwrap();
        ledger.add_api_token("clean", &[3; 32], TokenScope::Erase, now).unwrap();
        let scopes = [1, 2, 3].map(|k| other.scope_of_token(&[k; 32]).unwrap());
        assert_eq!(scopes, [Some(TokenScope::Read), None, Some(TokenScope::Erase)]);
        assert!(ledger.remove_api_token("pull").unwrap() && !ledger.remove_api_token("pull").unwrap());

        let key = WriteKey {
            key: "agk_x".into(),
            study: "demo".into(),
            origins: vec!["https://a.example".into(), "null".into()],
            is_revoked: false,
        };
        assert!(other.has_changed().unwrap() && !other.has_changed().unwrap());
        ledger.add_key(&key, now).unwrap();
        assert!(other.has_changed().unwrap() && !other.has_changed().unwrap());
        assert_eq!(other.keys().unwrap(), std::slice::from_ref(&key));
        assert_eq!((other.key("agk_x").unwrap().as_ref(), other.key("agk_y").unwrap()), (Some(&key), None));
        assert!(ledger.revoke_key("agk_x").unwrap() && other.keys().unwrap()[0].is_revoked);

        let session = RemoteSession {
            id: "s1".into(),
            token_sha256: [7; 32],
            key: key.key,
            study: key.study,
            participant: "sub-01".into(),
            folder: "sub-01/ses-01_x_demo".into(),
            origin: "https://a.example".into(),
            camera: "off".into(),
            created_utc: now,
            seen_utc: now,
            state: RemoteState::Open,
            finish: None,
            received_bytes: 0,
            may_go_on: false,
        };
        ledger.add_session(&session).unwrap();
        assert_eq!(other.session("s1").unwrap(), Some(session.clone()));
        assert_eq!(other.session("s2").unwrap(), None);
        let whole = |session: &str| vec![dir.path().join(session)];
        assert_eq!(continued_folders(dir.path(), now).unwrap(), whole("sub-01/ses-01_x_demo"));
        assert_eq!(continued_folders(dir.path(), now + chrono::TimeDelta::hours(1)).unwrap(), Vec::<PathBuf>::new());
        ledger.set_sessions_seen(&[SeenSession { id: "s1", received_bytes: 1 << 40 }], now).unwrap();
        let received = ReceivedBytes { key: "agk_x".into(), study: "demo".into(), bytes: 1 << 40 };
        assert_eq!(other.received_bytes().unwrap(), [received]);
        let seen = SeenSession { id: "s1", received_bytes: 1 << 40 };
        ledger.set_session_state_and_seen(&seen, now, RemoteState::Finished, Some("{}")).unwrap();
        assert_eq!(other.unclosed_sessions().unwrap()[0].finish.as_deref(), Some("{}"));
        ledger.set_session_state("s1", RemoteState::Closed, None).unwrap();
        assert_eq!(other.unclosed_sessions().unwrap(), []);
        assert_eq!(other.session("s1").unwrap().unwrap().finish.as_deref(), Some("{}"));
        ledger.set_session_may_go_on("s1").unwrap();
        assert!(other.session("s1").unwrap().unwrap().may_go_on);
        ledger.reopen_session("s1").unwrap();
        let reopened = other.session("s1").unwrap().unwrap();
        assert_eq!((reopened.state, reopened.may_go_on), (RemoteState::Open, false));
        ledger.forget_participant("sub-01").unwrap();
        assert_eq!(other.session("s1").unwrap(), None);
        assert_eq!(continued_folders(dir.path(), now).unwrap(), Vec::<PathBuf>::new());
        let prefix = other.participant_prefix().unwrap();
        assert!(prefix.len() == 5 && prefix.starts_with('w') && prefix.bytes().all(|b| b.is_ascii_lowercase()));
        assert_eq!(ledger.give_participant_number().unwrap(), (prefix, 1));
        ledger.set_participant_prefix("lab").unwrap();
        assert_eq!(ledger.give_participant_number().unwrap(), ("lab".to_owned(), 2));
    }

    #[test]
    fn a_ledger_of_version_1_keeps_its_rows_and_its_tokens_only_read() {
        let dir = tempfile::tempdir().unwrap();
        let old = Connection::open(dir.path().join(LEDGER_FILE)).unwrap();
        old.execute_batch(MIGRATIONS[0]).unwrap();
        old.pragma_update(None, "user_version", 1).unwrap();
        old.execute("INSERT INTO api_token VALUES ('old', ?1, '2026-01-01T00:00:00.000Z')", [[1u8; 32]]).unwrap();
        old.execute("UPDATE given SET participant = 7", []).unwrap();
        drop(old);
        let ledger = Ledger::open(dir.path()).unwrap();
        assert_eq!(ledger.scope_of_token(&[1; 32]).unwrap(), Some(TokenScope::Read));
        assert_eq!(ledger.give_participant_number().unwrap().1, 8);
        let elsewhere = tempfile::tempdir().unwrap();
        let other = Ledger::open(elsewhere.path()).unwrap();
        assert_ne!(ledger.participant_prefix().unwrap(), other.participant_prefix().unwrap());
    }
}
