//! `affectograph serve`, and the management of its keys, tokens and password.

use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;

use chrono::Utc;

use super::args::{InFolder, Init, Key, Listen, Manage, Serve};
use super::interrupt::cancel_at_signal;
use super::output::{print_err, print_out, write_secret};
use super::problems::print_problems;
use crate::failure::Failure;
use crate::places::{Places, finish_interrupted};
use crate::processors::processors;
use crate::version::revision;
use server::{Quotas, ServerConfig, SessionLimits, description, secrets, serve};
use store::{Ledger, Library, TokenScope, WriteKey, make_new_files_private};
use vision::models_folder;

/// More than a processor can handle. The limit of the vision pool is reached first.
const MAX_SESSIONS: usize = 2_000;

pub fn run(a: &Serve) -> Result<ExitCode, Failure> {
    make_new_files_private();
    match &a.manage {
        None => listen(&a.listen)?,
        Some(Manage::Init(a)) => init(a)?,
        Some(Manage::Key(a)) => key(a)?,
        Some(Manage::Keys(folder)) => keys(folder)?,
        Some(Manage::RevokeKey(a)) => {
            let done = ledger(&a.folder)?.revoke_key(&a.key)?;
            print_out!("{}", if done { "The key is revoked." } else { "There is no such key." });
        }
        Some(Manage::Token(a)) => {
            let token = secrets::random_token("aga_")?;
            let scope = if a.may_erase { TokenScope::Erase } else { TokenScope::Read };
            let ledger = ledger(&a.token.folder)?;
            // First: a token that nobody can read is not stored.
            write_secret(&token)
                .map_err(|why| format!("the token could not be printed ({why}). It was not created"))?;
            ledger.add_api_token(&a.token.name, &secrets::sha256(&token), scope, Utc::now())?;
            let permits = if a.may_erase { "read, change and erase" } else { "read" };
            print_err!("Keep the token: it is shown only once. It can {permits} all sessions on this server.");
        }
        Some(Manage::RevokeToken(a)) => {
            let done = ledger(&a.folder)?.remove_api_token(&a.name)?;
            print_out!("{}", if done { "The token is revoked." } else { "There is no such token." });
        }
        Some(Manage::Openapi) => print_out!("{}", serde_json::to_string_pretty(&description())?),
    }
    Ok(ExitCode::SUCCESS)
}

fn listen(a: &Listen) -> Result<(), Failure> {
    let places = Places::find(a.sessions.as_deref());
    let config = ServerConfig {
        address: a.address,
        tls: a.certificate.clone().zip(a.private_key.clone()),
        allow_plain_http: a.allow_plain_http,
        sessions: places.sessions,
        studies: places.studies,
        models: models_folder()?,
        vision_threads: a.vision_threads.unwrap_or(2 * processors()),
        sessions_per_key: a.limits.sessions_per_key,
        max_sessions: MAX_SESSIONS,
        trusted_proxies: a.limits.trusted_proxy.clone(),
        limits: SessionLimits {
            silent_after: Duration::from_secs_f64(60.0 * a.limits.silent_min),
            close_after: Duration::from_secs_f64(60.0 * a.limits.close_silent_min),
            per_address: a.limits.sessions_per_address,
            starts_per_address_per_min: a.limits.starts_per_address,
        },
        quotas: Quotas {
            session_bytes: bytes(a.limits.max_session_gb),
            key_bytes: a.limits.max_key_gb.map(bytes),
            study_bytes: a.limits.max_study_gb.map(bytes),
            video_bits_per_s: 1e6 * a.limits.max_video_mbit_s,
        },
        min_free_bytes: bytes(a.min_free_gb.max(0.0)),
        revision: revision(),
    };
    let cancel = cancel_at_signal()?;
    print_problems(&finish_interrupted(&Library::open(&config.sessions)?)?);
    let is_owned = Ledger::open(&config.sessions)?.password()?.is_some();
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    let running = serve(config)?;
    print_out!("{scheme}://{}", running.address);
    if !is_owned {
        print_err!("This server has no owner: `affectograph serve init` sets the password of the dashboard.");
    }
    while !cancel.is_cancelled() && running.is_running() {
        std::thread::sleep(Duration::from_millis(100));
    }
    running.stop()?;
    Ok(())
}

fn bytes(gigabytes: f64) -> u64 {
    (gigabytes * 1e9) as u64
}

fn ledger(folder: &InFolder) -> Result<Ledger, Failure> {
    Ok(Ledger::open(&Places::find(folder.sessions.as_deref()).sessions)?)
}

fn init(a: &Init) -> Result<(), Failure> {
    if std::io::stdin().is_terminal() {
        print_err!(
            "New password of the owner, at least {} characters (it is visible while you type):",
            secrets::MIN_PASSWORD_CHARS
        );
    }
    let mut password = String::new();
    std::io::stdin().lock().read_line(&mut password)?;
    let hash = secrets::hash_password(password.trim_end_matches(['\r', '\n']))?;
    let ledger = ledger(&a.folder)?;
    ledger.set_password(&hash, Utc::now())?;
    if let Some(prefix) = &a.participant_prefix {
        ledger.set_participant_prefix(prefix)?;
    }
    let prefix = ledger.participant_prefix()?;
    print_out!("The password is set. The server names new participants sub-{prefix}01, sub-{prefix}02 and so on.");
    Ok(())
}

fn key(a: &Key) -> Result<(), Failure> {
    let study = Places::find(a.folder.sessions.as_deref()).library()?.study(&a.study)?;
    let key = WriteKey {
        key: secrets::random_token("agk_")?,
        study: study.study.name,
        origins: a.origin.clone(),
        is_revoked: false,
    };
    let ledger = ledger(&a.folder)?;
    // First: a key that nobody can read is not stored.
    write_secret(&key.key).map_err(|why| format!("the key could not be printed ({why}). It was not created"))?;
    ledger.add_key(&key, Utc::now())?;
    Ok(())
}

fn keys(folder: &InFolder) -> Result<(), Failure> {
    for k in ledger(folder)?.keys()? {
        let state = if k.is_revoked { "  revoked" } else { "" };
        print_out!("{}  {}  {}{state}", k.key, k.study, k.origins.join(" "));
    }
    Ok(())
}
