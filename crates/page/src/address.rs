//! The address of a page, and the origins that it may navigate to.

use std::fmt;
use std::path::{Path, PathBuf};

use http::Uri;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::host_page;

/// Local pages are served as `study://localhost/…`. Web pages cannot use this origin.
pub const SCHEME: &str = "study";
pub const LOCAL_ORIGIN: &str = "study://localhost";

/// A web address, or an HTML file and the other files in its folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PageAddress {
    Url(String),
    Folder {
        folder: PathBuf,
        entry: String,
    },
    /// The study has no page. The participant's window is calm between the program's own pages.
    Calm,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AddressError {
    #[error("`{0}` is not the address of a web page: write it like `https://example.org/task`")]
    NotAUrl(String),
    #[error(
        "`{0}:` addresses cannot be shown: use `https://…`, `http://…`, or a folder or HTML file beside the study file"
    )]
    Scheme(String),
    #[error(
        "the page `{}` does not exist: correct `page.address` in the study file, or put the page there",
        path.display()
    )]
    Missing { path: PathBuf },
    #[error("the page folder `{}` contains no `index.html`: put one there, or name the HTML file in `page.address`", folder.display())]
    NoIndex { folder: PathBuf },
    #[error("`{0}` is not an origin: write only scheme and host, like `https://example.org`")]
    NotAnOrigin(String),
}

impl PageAddress {
    /// `text` is from a study file. A path is relative to `beside`, the study file's folder.
    pub fn parse(text: &str, beside: &Path) -> Result<PageAddress, AddressError> {
        let text = text.trim();
        if let Some((scheme, _)) = text.split_once("://") {
            return match scheme.to_ascii_lowercase().as_str() {
                "http" | "https" if Origin::of(text).is_some() => Ok(PageAddress::Url(text.to_owned())),
                "http" | "https" => Err(AddressError::NotAUrl(text.to_owned())),
                other => Err(AddressError::Scheme(other.to_owned())),
            };
        }
        let scheme = text.split(':').next().unwrap_or_default().to_ascii_lowercase();
        if text.contains(':') && ["javascript", "data", "about", "blob", "file", "mailto"].contains(&scheme.as_str()) {
            return Err(AddressError::Scheme(scheme));
        }
        let path = beside.join(text);
        let path = path.canonicalize().map_err(|_| AddressError::Missing { path })?;
        if path.is_dir() {
            return match path.join("index.html").is_file() {
                true => Ok(PageAddress::Folder { folder: path, entry: "index.html".to_owned() }),
                false => Err(AddressError::NoIndex { folder: path }),
            };
        }
        match (path.parent(), path.file_name().and_then(|n| n.to_str())) {
            (Some(folder), Some(entry)) => {
                Ok(PageAddress::Folder { folder: folder.to_owned(), entry: entry.to_owned() })
            }
            _ => Err(AddressError::Missing { path }),
        }
    }

    /// The first address that the web view loads.
    pub fn start_url(&self) -> String {
        match self {
            PageAddress::Url(url) => url.clone(),
            PageAddress::Calm => host_page::CALM.to_owned(),
            PageAddress::Folder { entry, .. } => format!("{LOCAL_ORIGIN}/{}", percent_encode(entry)),
        }
    }
}

impl fmt::Display for PageAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PageAddress::Url(url) => f.write_str(url),
            PageAddress::Calm => f.write_str("no page"),
            PageAddress::Folder { folder, entry } => write!(f, "{}", folder.join(entry).display()),
        }
    }
}

/// Scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl Origin {
    fn of(url: &str) -> Option<Origin> {
        let uri: Uri = url.parse().ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let host = uri.host().filter(|h| !h.is_empty())?.to_ascii_lowercase();
        let port = uri.port_u16().or(match scheme.as_str() {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        });
        Some(Origin { scheme, host, port })
    }
}

/// The origins to which a page may navigate: its own and those the study allows.
#[derive(Clone, Debug)]
pub struct Origins(Vec<Origin>);

impl Origins {
    pub fn new(address: &PageAddress, allow: &[String]) -> Result<Origins, AddressError> {
        let own = address.start_url();
        let mut origins = vec![Origin::of(&own).ok_or(AddressError::NotAUrl(own))?];
        for text in allow {
            let is_bare = text.parse::<Uri>().is_ok_and(|u| u.path() == "/" || u.path().is_empty());
            match Origin::of(text) {
                Some(origin) if is_bare && (origin.scheme == "https" || origin.scheme == "http") => {
                    origins.push(origin);
                }
                _ => return Err(AddressError::NotAnOrigin(text.clone())),
            }
        }
        Ok(Origins(origins))
    }

    /// Whether the page may navigate to `url`. Empty documents and blobs belong to the page's own origin.
    pub fn allows(&self, url: &str) -> bool {
        if url == "about:blank" || url == "about:srcdoc" {
            return true;
        }
        let url = url.strip_prefix("blob:").unwrap_or(url);
        Origin::of(url).is_some_and(|origin| self.0.contains(&origin))
    }
}

/// Longer addresses are truncated.
const MAX_SHOWN_CHARS: usize = 1000;
/// Addresses with other schemes are reduced to the scheme.
const SHOWN_SCHEMES: [&str; 7] = ["http", "https", "ws", "wss", "study", "fixation", "host"];
/// A run of this many letters and digits with at least one digit is taken for a personal key.
const KEY_LENGTH: usize = 20;

/// `url` without personal data. Forms put typed text, also passwords, into the query. Services put keys into query, hash
/// and path. The recording script uses the same rules (`client/src/capture/text.ts`).
pub fn shown(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    if url == "about:blank" || url == "about:srcdoc" {
        return url.to_owned();
    }
    let scheme = url.split_once(':').filter(|(scheme, _)| !scheme.contains('/'));
    let (head, rest) = match scheme {
        Some((scheme, rest)) if SHOWN_SCHEMES.contains(&scheme.to_ascii_lowercase().as_str()) => {
            (format!("{scheme}:"), rest)
        }
        Some((scheme, _)) => return format!("{}:", scheme.to_lowercase().chars().take(20).collect::<String>()),
        None => (String::new(), url),
    };
    let (head, path) = match rest.strip_prefix("//") {
        Some(rest) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            // The host may have a user name and a password before it.
            (format!("{head}//{}", host.rsplit('@').next().unwrap_or_default()), path)
        }
        None => (head, rest),
    };
    let parts: Vec<&str> = path.split('/').map(|part| if is_personal(part) { "***" } else { bare(part) }).collect();
    (head + &parts.join("/")).chars().take(MAX_SHOWN_CHARS).collect()
}

/// `message`, with [`shown`] applied to each address in it.
pub fn with_shown_addresses(message: &str) -> String {
    let is_end = |c: char| c.is_whitespace() || "\"'`()<>,".contains(c);
    let word = |word: &str| match word.contains("://")
        || word.starts_with("data:")
        || word.contains('?') && word.contains('=')
    {
        true => shown(word),
        false => word.to_owned(),
    };
    let mut out = String::with_capacity(message.len());
    let mut from = 0;
    for (at, end) in message.match_indices(is_end) {
        out += &word(&message[from..at]);
        out += end;
        from = at + end.len();
    }
    out + &word(&message[from..])
}

/// Without `;jsessionid=…`.
fn bare(part: &str) -> &str {
    part.split(';').next().unwrap_or_default()
}

/// Whether a part of a path is a key or a mail address.
fn is_personal(part: &str) -> bool {
    let plain = percent_decode(part);
    if plain.contains(['=', '&']) || plain.find('@').is_some_and(|at| at > 0) {
        return true;
    }
    // File names may contain checksums.
    if plain.rfind('.').is_some_and(|dot| dot > 0 && plain.len() - dot <= 6) {
        return false;
    }
    let (mut run, mut digits, mut hex) = (0, 0, 0);
    for c in plain.chars() {
        run = if c.is_ascii_alphanumeric() { run + 1 } else { 0 };
        digits = if c.is_ascii_digit() {
            digits + 1
        } else if run > 0 {
            digits
        } else {
            0
        };
        hex = if c.is_ascii_hexdigit() {
            hex + 1
        } else if c == '-' {
            hex
        } else {
            0
        };
        if run >= KEY_LENGTH && digits > 0 || hex >= 32 {
            return true;
        }
    }
    false
}

fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|h| std::str::from_utf8(h).ok()).and_then(|h| u8::from_str_radix(h, 16).ok());
        match hex.filter(|_| first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn percent_encode(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn folders_files_and_urls() {
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path();
        std::fs::create_dir(here.join("page")).unwrap();
        assert!(matches!(PageAddress::parse("page", here), Err(AddressError::NoIndex { .. })));
        std::fs::write(here.join("page/index.html"), "x").unwrap();
        std::fs::write(here.join("page/two words.html"), "x").unwrap();
        let folder = PageAddress::parse("page", here).unwrap();
        assert_eq!(folder.start_url(), "study://localhost/index.html");
        let file = PageAddress::parse("page/two words.html", here).unwrap();
        assert_eq!(file.start_url(), "study://localhost/two%20words.html");
        assert!(matches!(PageAddress::parse("pgae", here), Err(AddressError::Missing { .. })));
        for bad in ["javascript:alert(1)", "file:///etc/passwd", "ftp://x/y", "about:blank", "data:text/html,x"] {
            assert!(matches!(PageAddress::parse(bad, here), Err(AddressError::Scheme(_))), "{bad}");
        }
        assert!(matches!(PageAddress::parse("https://", here), Err(AddressError::NotAUrl(_))));
        let web = PageAddress::parse("https://Example.org/task?x=1", here).unwrap();
        assert_eq!(web.start_url(), "https://Example.org/task?x=1");
    }

    #[test]
    fn a_page_stays_at_home_unless_the_study_allows_more() {
        let address = PageAddress::Url("https://example.org/task".into());
        let origins = Origins::new(&address, &["https://survey.example.com:8443".into()]).unwrap();
        for good in [
            "https://example.org/",
            "https://EXAMPLE.org:443/x?y#z",
            "https://survey.example.com:8443/q",
            "about:blank",
            "blob:https://example.org/0-1",
        ] {
            assert!(origins.allows(good), "{good}");
        }
        for bad in [
            "http://example.org/",
            "https://example.org:444/",
            "https://example.org.evil.net/",
            "https://example.org@evil.net/",
            "https://evil.net/?https://example.org",
            "https://survey.example.com/",
            "blob:https://evil.net/0-1",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "study://localhost/",
            "",
        ] {
            assert!(!origins.allows(bad), "{bad}");
        }
        for bad in ["example.org", "https://example.org/path", "file:///", "*"] {
            assert!(Origins::new(&address, &[bad.into()]).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_is_shown_without_what_belongs_to_somebody() {
        for (url, expected) in [
            ("https://a.b/c?password=d#e", "https://a.b/c"),
            ("https://a.b/c#access_token=d", "https://a.b/c"),
            ("https://jane:secret@a.b/c", "https://a.b/c"),
            ("https://a.b/reset/4f9c1d7e8a2b4c6d8e0f1a2b/x", "https://a.b/reset/***/x"),
            ("https://a.b/u/jane%40c.de", "https://a.b/u/***"),
            ("https://a.b/u/3f2504e0-4f89-41d3-9a0c-0305e82c3301", "https://a.b/u/***"),
            ("https://a.b/token=abc/d;jsessionid=1", "https://a.b/***/***"),
            ("https://a.b/d;session", "https://a.b/d"),
            (
                "https://a.b/10-best-ways-to-sleep-2023/main.4f9c1d7e8a2b4c6d8e0f.js",
                "https://a.b/10-best-ways-to-sleep-2023/main.4f9c1d7e8a2b4c6d8e0f.js",
            ),
            ("study://localhost/two%20words.html?x", "study://localhost/two%20words.html"),
            ("data:text/html,secret", "data:"),
            ("mailto:jane@c.de", "mailto:"),
            ("javascript:say('secret')", "javascript:"),
            ("file:///home/jane/x", "file:"),
            ("blob:https://a.b/secret", "blob:"),
            ("about:blank", "about:blank"),
            ("img/a.png?key=1", "img/a.png"),
            ("", ""),
        ] {
            assert_eq!(shown(url), expected, "{url}");
            assert_eq!(shown(expected), expected, "{expected} is shown as it is");
        }
        assert_eq!(
            with_shown_addresses("cannot load 'https://a.b/c?key=1': refused (see data:x;secret)"),
            "cannot load 'https://a.b/c': refused (see data:)"
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}") {
            PageAddress::parse(&text, Path::new("/nowhere")).ok();
            let origins = Origins::new(&PageAddress::Url("https://example.org/".into()), &[]).unwrap();
            origins.allows(&text);
            shown(&text);
            with_shown_addresses(&text);
        }

        #[test]
        fn no_query_hash_or_account_is_shown(
            account in "[a-z]{1,8}:[a-z0-9]{1,8}", path in "[a-z/.~-]{0,20}", secret in "[A-Z]{8}",
            mark in prop::sample::select(vec!["?", "#", "?a=", "#a=", ";a=", "/a=", "/a@"]),
        ) {
            let url = format!("https://{account}@example.org/{path}{mark}{secret}");
            prop_assert!(!shown(&url).contains(&secret), "{}", shown(&url));
            prop_assert!(!shown(&url).contains('@'));
        }
    }
}
