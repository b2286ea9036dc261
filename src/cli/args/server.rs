//! Arguments of the commands that run a server or copy sessions from one.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Serve {
    #[command(subcommand)]
    pub manage: Option<Manage>,
    #[command(flatten)]
    pub listen: Listen,
}

/// How the server runs.
#[derive(Debug, Args)]
pub struct Listen {
    /// Address and port to listen on
    #[arg(long, default_value = "127.0.0.1:8443", value_name = "ADDRESS")]
    pub address: std::net::SocketAddr,
    /// Certificate chain for TLS (PEM)
    #[arg(long, value_name = "FILE", requires = "private_key")]
    pub certificate: Option<PathBuf>,
    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub private_key: Option<PathBuf>,
    /// Allow plain HTTP on a public address, because a proxy in front of the server does TLS
    #[arg(long)]
    pub allow_plain_http: bool,
    /// Videos that are scored at the same time [default: two per processor]
    #[arg(long, alias = "eyes", value_name = "N")]
    pub vision_threads: Option<usize>,
    #[command(flatten)]
    pub limits: Limits,
    /// Refuse data while less than this is free on the disk, in GB
    #[arg(long, value_name = "GB", default_value_t = 1.0)]
    pub min_free_gb: f64,
    /// Folder of the recordings [default: $AFFECTOGRAPH_SESSIONS, else ./sessions if it exists, else the user's data folder]
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
}

/// Limits for browsers.
#[derive(Debug, Args)]
pub struct Limits {
    /// Largest number of open sessions per write key; silent sessions do not count
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub sessions_per_key: usize,
    /// Largest number of open sessions that began at one network address
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub sessions_per_address: usize,
    /// Sessions that can begin at one network address in a minute
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub starts_per_address: u32,
    /// Use the header X-Forwarded-For from the proxy with this address; can be given more than once
    #[arg(long, value_name = "IP")]
    pub trusted_proxy: Vec<std::net::IpAddr>,
    /// Release the files and threads of a session without requests after this time, in minutes
    #[arg(long, value_name = "MIN", default_value_t = 5.0, value_parser = positive)]
    pub silent_min: f64,
    /// Close a session without requests after this time, in minutes; sessions with video after 24 hours at the earliest
    #[arg(long, value_name = "MIN", default_value_t = 30.0, value_parser = positive)]
    pub close_silent_min: f64,
    /// Largest size of one session's video, and of its records, as the browser sends them, in GB
    #[arg(long, value_name = "GB", default_value_t = 10.0, value_parser = positive)]
    pub max_session_gb: f64,
    /// Largest size of all sessions of a write key, as browsers send them, in GB [default: no limit]
    #[arg(long, value_name = "GB", value_parser = positive)]
    pub max_key_gb: Option<f64>,
    /// Largest size of all sessions of a study, as browsers send them, in GB [default: no limit]
    #[arg(long, value_name = "GB", value_parser = positive)]
    pub max_study_gb: Option<f64>,
    /// Largest average bit rate of a session's video, in Mbit/s
    #[arg(long, value_name = "MBIT", default_value_t = 8.0, value_parser = positive)]
    pub max_video_mbit_s: f64,
}

#[derive(Debug, Subcommand)]
pub enum Manage {
    /// Set or replace the owner's password (one line on standard input)
    Init(Init),
    /// Create a write key of a study for web pages of the given origins
    Key(Key),
    /// List write keys
    Keys(InFolder),
    /// Revoke a write key
    RevokeKey(RevokeKey),
    /// Create an API token for `affectograph pull` and other programs; it is shown only once
    Token(NewToken),
    /// Revoke an API token
    RevokeToken(Token),
    /// Print the OpenAPI description
    Openapi,
}

#[derive(Debug, Args)]
pub struct InFolder {
    /// Folder of the recordings [default: $AFFECTOGRAPH_SESSIONS, else ./sessions if it exists, else the user's data folder]
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Init {
    /// Letters that begin the labels of new participants: `lab` for sub-lab01 [default: random letters, chosen once]
    #[arg(long, value_name = "LETTERS", value_parser = prefix)]
    pub participant_prefix: Option<String>,
    #[command(flatten)]
    pub folder: InFolder,
}

#[derive(Debug, Args)]
pub struct Key {
    /// Study: `demo`, or the name of a study in the folder of the recordings
    #[arg(long)]
    pub study: String,
    /// Origin of the pages that may use the key, `https://example.org`; can be given more than once
    #[arg(long, required = true, value_name = "ORIGIN", value_parser = server::origin)]
    pub origin: Vec<String>,
    #[command(flatten)]
    pub folder: InFolder,
}

#[derive(Debug, Args)]
pub struct RevokeKey {
    pub key: String,
    #[command(flatten)]
    pub folder: InFolder,
}

#[derive(Debug, Args)]
pub struct NewToken {
    #[command(flatten)]
    pub token: Token,
    /// The token also permits everything that changes or erases data
    #[arg(long)]
    pub may_erase: bool,
}

#[derive(Debug, Args)]
pub struct Token {
    /// Name of the token; a token with the same name is replaced
    pub name: String,
    #[command(flatten)]
    pub folder: InFolder,
}

#[derive(Debug, Args)]
pub struct Pull {
    /// Address of the server, `https://example.org`
    pub server: String,
    /// File with an API token (`affectograph serve token` creates one) [default: $AFFECTOGRAPH_TOKEN]
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Only sessions of this study
    #[arg(long)]
    pub study: Option<String>,
    /// Participants with the same label in the library and on the server are the same people
    #[arg(long)]
    pub same_people: bool,
    /// Folder of the recordings [default: $AFFECTOGRAPH_SESSIONS, else ./sessions if it exists, else the user's data folder]
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number > 0.0 && number < 1e9 => Ok(number),
        _ => Err(format!("`{text}` is not a positive number")),
    }
}

fn prefix(text: &str) -> Result<String, String> {
    let is_prefix = (1..=16).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphabetic());
    is_prefix.then(|| text.to_owned()).ok_or_else(|| format!("`{text}` is not a prefix: use 1 to 16 letters a to z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_letters_and_limits_are_positive() {
        assert_eq!(prefix("lab"), Ok("lab".to_owned()));
        for bad in ["", "lab1", "sub-", "é", "abcdefghijklmnopq"] {
            assert!(prefix(bad).is_err(), "{bad}");
        }
        assert_eq!(positive("0.5"), Ok(0.5));
        for bad in ["0", "-1", "NaN", "inf", "x"] {
            assert!(positive(bad).is_err(), "{bad}");
        }
    }
}
