//! `affectograph lsl`: the streams of Lab Streaming Layer on the network.

use std::process::ExitCode;

use serde_json::json;

use super::args::Lsl;
use super::output::{print_err, print_out};
use crate::failure::Failure;
use lsl::{Network, StreamIdentity};

pub fn run(a: &Lsl) -> Result<ExitCode, Failure> {
    let network = Network::get()?;
    let (streams, refused) = network.streams(a.duration)?;
    let streams: Vec<&StreamIdentity> = streams.iter().map(|s| &s.identity).collect();
    if a.json {
        let rows: Vec<_> = streams.iter().map(|s| row(s)).collect();
        let refused: Vec<_> = refused.iter().map(ToString::to_string).collect();
        let library = json!({ "path": network.library_path(), "info": network.library_info() });
        print_out!("{}", json!({ "streams": rows, "problems": refused, "library": library }));
        return Ok(ExitCode::SUCCESS);
    }
    refused.iter().for_each(|e| print_err!("{}", printable(&e.to_string())));
    if streams.is_empty() {
        print_out!("No stream of Lab Streaming Layer is on the network.");
    }
    for s in streams {
        let rate = s.rate_hz.map_or_else(|| "irregular".to_owned(), |hz| format!("{hz} Hz"));
        print_out!(
            "{}  type {}, {} × {}, {rate}, of {}",
            printable(&s.name),
            printable(or_none(&s.content_type)),
            s.channels,
            s.format.as_str(),
            printable(&s.host)
        );
        query_of(s).iter().for_each(|query| print_out!("    --lsl '{query}'"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Anyone on the network chooses these texts, and a terminal obeys control characters.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// What `--lsl` takes for this stream. `None`: a query or a shell cannot contain its texts.
fn query_of(s: &StreamIdentity) -> Option<String> {
    let is_plain = |text: &str| !text.contains([',', '=', '\'']) && !text.contains(char::is_control);
    let parts = [("name", &s.name), ("source_id", &s.source_id)];
    let parts = parts.iter().filter(|(_, text)| is_plain(text) && !text.is_empty());
    let query = parts.map(|(key, text)| format!("{key}={text}")).collect::<Vec<_>>().join(",");
    (!query.is_empty()).then_some(query)
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}

fn row(s: &StreamIdentity) -> serde_json::Value {
    json!({
        "name": s.name,
        "type": s.content_type,
        "source_id": s.source_id,
        "uid": s.uid,
        "host": s.host,
        "channels": s.channels,
        "format": s.format.as_str(),
        "rate_hz": s.rate_hz,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsl::Format;
    use session::SourceSettings;

    fn stream(name: &str, source_id: &str) -> StreamIdentity {
        StreamIdentity {
            name: name.to_owned(),
            content_type: "EEG".to_owned(),
            source_id: source_id.to_owned(),
            uid: String::new(),
            host: String::new(),
            lsl_session: String::new(),
            channels: 1,
            format: Format::Float32,
            rate_hz: None,
            created_at_s: 0.0,
        }
    }

    #[test]
    fn what_is_proposed_can_be_typed_and_finds_the_stream() {
        for (name, id, query) in [
            ("amp", "amp 1", Some("name=amp,source_id=amp 1")),
            ("amp", "", Some("name=amp")),
            ("a,b", "7", Some("source_id=7")),
            ("it's", "a=b", None),
            ("\u{1b}[2J", "", None),
        ] {
            let s = stream(name, id);
            let proposed = query_of(&s);
            assert_eq!(proposed.as_deref(), query);
            if let Some(query) = proposed {
                let source: SourceSettings = query.parse().unwrap();
                assert!(source.matches(&s.name, &s.content_type, &s.source_id), "{query}");
            }
        }
        assert_eq!(printable("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
    }
}
