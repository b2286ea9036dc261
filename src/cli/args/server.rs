//! What receives sessions from browsers, and fetches them.

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

/// How to run.
#[derive(Debug, Args)]
pub struct Listen {
    /// Address and port to listen on
    #[arg(long, default_value = "127.0.0.1:8443", value_name = "ADDRESS")]
    pub address: std::net::SocketAddr,
    /// Certificate chain for TLS, PEM
    #[arg(long, value_name = "FILE", requires = "private_key")]
    pub certificate: Option<PathBuf>,
    /// Private key of the certificate, PEM
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub private_key: Option<PathBuf>,
    /// Plain HTTP on an address that others can reach, because a proxy in front does TLS
    #[arg(long)]
    pub allow_plain_http: bool,
    /// Videos that are scored at the same time [default: two for each processor]
    #[arg(long, alias = "eyes", value_name = "N")]
    pub vision_threads: Option<usize>,
    /// Sessions of one write key that may be open
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub sessions_per_key: usize,
    /// Nothing is taken while less than this is free on the disk, in GB
    #[arg(long, value_name = "GB", default_value_t = 1.0)]
    pub min_free_gb: f64,
    /// Folder of the recordings [default: $AFFECTOGRAPH_SESSIONS, else ./sessions]
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Manage {
    /// Set the owner's password, anew where there is one (read from standard input, one line)
    Init(InFolder),
    /// Make a write key for a study, to stand in web pages of the given origins
    Key(Key),
    /// List write keys
    Keys(InFolder),
    /// Make a write key useless
    RevokeKey(RevokeKey),
    /// Make an API token, for `affectograph pull` and other programs that read; it is shown once
    Token(Token),
    /// Make an API token useless
    RevokeToken(Token),
    /// Print the OpenAPI description
    Openapi,
}

#[derive(Debug, Args)]
pub struct InFolder {
    /// Folder of the recordings [default: $AFFECTOGRAPH_SESSIONS, else ./sessions]
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Key {
    /// Study: `demo`, or the name of one beside the sessions
    #[arg(long)]
    pub study: String,
    /// Origin of the pages that may use it, `https://example.org`; may be given more than once
    #[arg(long, required = true, value_name = "ORIGIN", value_parser = origin)]
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
pub struct Token {
    /// What it is for; one of the same name is replaced
    pub name: String,
    #[command(flatten)]
    pub folder: InFolder,
}

#[derive(Debug, Args)]
pub struct Pull {
    /// The server, `https://example.org`
    pub server: String,
    /// File with an API token (`affectograph serve token` makes one) [default: $AFFECTOGRAPH_TOKEN]
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Of this study alone
    #[arg(long)]
    pub study: Option<String>,
    /// Folder of the recordings [default: $AFFECTOGRAPH_SESSIONS, else ./sessions]
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
    /// Print one JSON object instead of sentences
    #[arg(long)]
    pub json: bool,
}

/// As browsers write origins: scheme, host and, where it is not the scheme's own, port.
fn origin(text: &str) -> Result<String, String> {
    let wrong = || format!("`{text}` is no origin: write for example https://example.org, without a path");
    let (scheme, host) = text.split_once("://").ok_or_else(wrong)?;
    let is_host = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-.:[]".contains(c));
    if !["http", "https"].contains(&scheme) || !is_host {
        return Err(wrong());
    }
    let own_port = if scheme == "https" { ":443" } else { ":80" };
    Ok(format!("{scheme}://{}", host.strip_suffix(own_port).unwrap_or(host).to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_as_browsers_write_them() {
        assert_eq!(origin("https://Example.org:443"), Ok("https://example.org".to_owned()));
        assert_eq!(origin("http://localhost:5173"), Ok("http://localhost:5173".to_owned()));
        for bad in ["example.org", "https://", "https://a/b", "ftp://a", "https://a b"] {
            assert!(origin(bad).is_err(), "{bad}");
        }
    }
}
