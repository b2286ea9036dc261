//! Origins of pages that may use a write key.

const MAX_HOST_BYTES: usize = 260;

/// An origin in the form that browsers send: scheme and host in lower case, and the port if it is not the scheme's default.
/// An error is a sentence.
pub fn origin(text: &str) -> Result<String, String> {
    let origin = text.trim().trim_end_matches('/').to_lowercase();
    let parts = match origin.split_once("://") {
        Some(("https", host)) => Some(("https", host.strip_suffix(":443").unwrap_or(host))),
        Some(("http", host)) => Some(("http", host.strip_suffix(":80").unwrap_or(host))),
        _ => None,
    };
    match parts {
        Some((scheme, host)) if is_host(host) => Ok(format!("{scheme}://{host}")),
        _ => {
            let shown: String = origin.chars().take(80).flat_map(char::escape_debug).collect();
            Err(format!("`{shown}` is not an origin. Enter scheme and host only, for example https://example.org."))
        }
    }
}

/// A name or an address, perhaps with a port.
fn is_host(host: &str) -> bool {
    host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
        && host.len() <= MAX_HOST_BYTES
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:[]_".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn origins_are_as_browsers_write_them() {
        for (text, is) in [
            (" https://A.example/ ", "https://a.example"),
            ("HTTPS://a.example:443", "https://a.example"),
            ("http://a.example:443", "http://a.example:443"),
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
            ("http://[::1]:80", "http://[::1]"),
            ("http://localhost:8080", "http://localhost:8080"),
        ] {
            assert_eq!(origin(text).as_deref(), Ok(is), "{text}");
        }
        let long = format!("https://{}", "a".repeat(300));
        for bad in
            ["", "a.example", "https://a.example/x", "https://", "https://*", "null", "https://a b", "ftp://a", &long]
        {
            assert!(origin(bad).is_err(), "{bad}");
        }
    }
}
