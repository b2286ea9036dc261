//! Serves a study's page folder to its page. Paths outside of the folder are refused, and the content policy forbids
//! the page to load from other origins.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use wry::http::{Request, Response, header};

/// The scripts belong to the study, so inline scripts may run. Loads from and requests to other origins are forbidden.
const POLICY: &str = "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval' 'wasm-unsafe-eval'; \
    object-src 'none'; base-uri 'self'; form-action 'self'";

/// Longer files are served in parts. Media players request parts.
const MAX_BODY_BYTES: u64 = 64 * 1024 * 1024;

#[derive(Debug, PartialEq)]
struct Served {
    status: u16,
    mime: &'static str,
    /// First byte and length of the whole file, if this is a part of it.
    part: Option<(u64, u64)>,
    body: Vec<u8>,
}

impl Served {
    fn refusal(status: u16, message: &'static str) -> Served {
        Served { status, mime: "text/plain; charset=utf-8", part: None, body: message.as_bytes().to_vec() }
    }
}

/// A canonical folder.
#[derive(Clone, Debug)]
pub struct LocalFolder {
    root: PathBuf,
}

impl LocalFolder {
    pub fn new(folder: &Path) -> std::io::Result<LocalFolder> {
        Ok(LocalFolder { root: folder.canonicalize()? })
    }

    pub fn respond(&self, request: &Request<Vec<u8>>) -> Response<Cow<'static, [u8]>> {
        let range = request.headers().get(header::RANGE).and_then(|v| v.to_str().ok());
        let served = match request.uri().host() {
            Some("localhost") => self.serve(request.uri().path(), range),
            _ => Served::refusal(404, "unknown host"),
        };
        let mut response = Response::builder()
            .status(served.status)
            .header(header::CONTENT_TYPE, served.mime)
            .header(header::CACHE_CONTROL, "no-store")
            .header(header::ACCEPT_RANGES, "bytes")
            // Isolated from other origins, so that the browser gives the page a finer clock.
            .header("Cross-Origin-Opener-Policy", "same-origin")
            .header("Cross-Origin-Embedder-Policy", "require-corp")
            .header("Cross-Origin-Resource-Policy", "same-origin")
            .header("X-Content-Type-Options", "nosniff")
            .header("Content-Security-Policy", POLICY);
        if let Some((first, whole)) = served.part {
            let last = (first + served.body.len() as u64).saturating_sub(1);
            response = response.header(header::CONTENT_RANGE, format!("bytes {first}-{last}/{whole}"));
        }
        match response.body(Cow::Owned(served.body)) {
            Ok(response) => response,
            // Does not happen with these headers. An empty response would be reported as a failed load.
            Err(_) => Response::new(Cow::Borrowed(&[])),
        }
    }

    fn serve(&self, path: &str, range: Option<&str>) -> Served {
        let Some(relative) = safe_path(path) else {
            return Served::refusal(400, "not a valid path in this study's page folder");
        };
        let mut file = self.root.join(&relative);
        if file.is_dir() {
            file.push("index.html");
        }
        // Links are followed first, and their targets are checked.
        let Ok(real) = file.canonicalize() else {
            return Served::refusal(404, "this file does not exist in the study's page folder");
        };
        if !real.starts_with(&self.root) || !real.is_file() {
            return Served::refusal(404, "this file does not exist in the study's page folder");
        }
        match read(&real, range) {
            Ok((part, body)) => {
                Served { status: if part.is_some() { 206 } else { 200 }, mime: mime(&real), part, body }
            }
            Err(_) => Served::refusal(500, "the file could not be read"),
        }
    }
}

type Part = (u64, u64);

fn read(path: &Path, range: Option<&str>) -> std::io::Result<(Option<Part>, Vec<u8>)> {
    let mut file = File::open(path)?;
    let whole = file.metadata()?.len();
    let requested = range.and_then(|r| parse_range(r, whole));
    let (first, length) = match requested {
        Some((first, last)) => (first, (last - first + 1).min(MAX_BODY_BYTES)),
        None => (0, whole.min(MAX_BODY_BYTES)),
    };
    file.seek(SeekFrom::Start(first))?;
    let mut body = Vec::with_capacity(length as usize);
    file.take(length).read_to_end(&mut body)?;
    let is_part = requested.is_some() || length < whole;
    Ok((is_part.then_some((first, whole)), body))
}

/// First and last byte of `bytes=a-b`, `bytes=a-` or `bytes=-n`. `None`: the range is invalid or outside of the file.
fn parse_range(text: &str, whole: u64) -> Option<(u64, u64)> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let end = whole.checked_sub(1)?;
    let (first, last) = match (first.trim(), last.trim()) {
        ("", tail) => (whole.saturating_sub(tail.parse().ok().filter(|n: &u64| *n > 0)?), end),
        (first, "") => (first.parse().ok()?, end),
        (first, last) => (first.parse().ok()?, last.parse::<u64>().ok()?.min(end)),
    };
    (first <= last).then_some((first, last))
}

/// The path of a request relative to a folder. `None`: it would leave the folder or has unusual characters.
fn safe_path(path: &str) -> Option<PathBuf> {
    let decoded = percent_decode(path)?;
    let mut safe = PathBuf::new();
    for part in decoded.split('/') {
        match part {
            "" | "." => {}
            ".." => return None,
            // Backslash and colon are path separators on other systems.
            part if part.contains(['\\', ':', '\0']) => return None,
            part => safe.push(part),
        }
    }
    Some(safe)
}

fn percent_decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit = |b: Option<u8>| char::from(b?).to_digit(16);
        let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
        out.push((high * 16 + low) as u8);
    }
    String::from_utf8(out).ok()
}

fn mime(path: &Path) -> &'static str {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    match extension.as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" | "map" => "application/json; charset=utf-8",
        "txt" | "md" => "text/plain; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "xml" => "application/xml; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "otf" => "font/otf",
        "mp3" => "audio/mpeg",
        "ogg" | "oga" => "audio/ogg",
        "wav" => "audio/wav",
        "m4a" => "audio/mp4",
        "mp4" | "m4v" => "video/mp4",
        "webm" => "video/webm",
        "ogv" => "video/ogg",
        "vtt" => "text/vtt; charset=utf-8",
        "wasm" => "application/wasm",
        "pdf" => "application/pdf",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn folder() -> (tempfile::TempDir, LocalFolder) {
        let dir = tempfile::tempdir().unwrap();
        let page = dir.path().join("page");
        std::fs::create_dir_all(page.join("sub")).unwrap();
        std::fs::write(dir.path().join("secret.txt"), "secret").unwrap();
        std::fs::write(page.join("index.html"), "<p>hello").unwrap();
        std::fs::write(page.join("sub/a b.js"), "0123456789").unwrap();
        let folder = LocalFolder::new(&page).unwrap();
        (dir, folder)
    }

    #[test]
    fn files_come_with_their_types_and_the_policy() {
        let (_dir, folder) = folder();
        let get = |uri: &str| folder.respond(&Request::get(uri).body(Vec::new()).unwrap());
        let index = get("study://localhost/");
        assert_eq!((index.status().as_u16(), &index.body()[..]), (200, &b"<p>hello"[..]));
        assert_eq!(index.headers()["content-type"], "text/html; charset=utf-8");
        assert!(index.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'self'"));
        assert_eq!(index.headers()["cross-origin-opener-policy"], "same-origin");
        assert_eq!(
            get("study://localhost/sub/a%20b.js?v=1").headers()["content-type"],
            "text/javascript; charset=utf-8"
        );
        assert_eq!(get("study://localhost/nothing.html").status().as_u16(), 404);
        assert_eq!(get("study://elsewhere/index.html").status().as_u16(), 404);
    }

    #[test]
    fn nothing_outside_the_folder_is_served() {
        let (_dir, folder) = folder();
        for path in [
            "/../secret.txt",
            "/sub/../../secret.txt",
            "/%2e%2e/secret.txt",
            "/..%2fsecret.txt",
            "/..\\secret.txt",
            "//etc/passwd",
            "/%00",
            "/%zz",
            "/sub/%2",
            "/C:/x",
            "/%ff",
        ] {
            assert_ne!(folder.serve(path, None).status, 200, "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_out_of_the_folder_lead_nowhere() {
        let (dir, folder) = folder();
        let page = dir.path().join("page");
        std::os::unix::fs::symlink(dir.path().join("secret.txt"), page.join("link.txt")).unwrap();
        std::os::unix::fs::symlink(dir.path(), page.join("up")).unwrap();
        std::os::unix::fs::symlink(page.join("index.html"), page.join("home.html")).unwrap();
        assert_eq!(folder.serve("/link.txt", None).status, 404);
        assert_eq!(folder.serve("/up/secret.txt", None).status, 404);
        assert_eq!(folder.serve("/home.html", None).status, 200);
    }

    #[test]
    fn players_get_the_part_they_ask_for() {
        let (_dir, folder) = folder();
        let part = |range: &str| {
            let served = folder.serve("/sub/a b.js", Some(range));
            (served.status, String::from_utf8(served.body).unwrap())
        };
        assert_eq!(part("bytes=2-4"), (206, "234".into()));
        assert_eq!(part("bytes=7-"), (206, "789".into()));
        assert_eq!(part("bytes=-3"), (206, "789".into()));
        assert_eq!(part("bytes=8-99"), (206, "89".into()));
        assert_eq!(part("bytes=5-2"), (200, "0123456789".into()));
        assert_eq!(part("lines=1-2"), (200, "0123456789".into()));
    }

    proptest! {
        #[test]
        fn no_path_escapes(path in "[./%a-f0-9\\\\]{0,40}") {
            let (_dir, folder) = folder();
            prop_assert!(folder.serve(&path, None).body != b"secret");
            if let Some(relative) = safe_path(&path) {
                prop_assert!(relative.components().all(|c| matches!(c, std::path::Component::Normal(_))));
            }
        }

        #[test]
        fn ranges_lie_within(text in "bytes=[0-9]{0,12}-[0-9]{0,12}", whole in 0u64..1000) {
            if let Some((first, last)) = parse_range(&text, whole) {
                prop_assert!(first <= last && last < whole);
            }
        }
    }
}
