//! `affectograph lsl`: the streams of Lab Streaming Layer on the network.

use std::process::ExitCode;

use serde_json::json;

use super::args::Lsl;
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
        println!("{}", json!({ "streams": rows, "problems": refused, "library": library }));
        return Ok(ExitCode::SUCCESS);
    }
    refused.iter().for_each(|e| eprintln!("{e}"));
    if streams.is_empty() {
        println!("No stream of Lab Streaming Layer is on the network.");
    }
    for s in streams {
        let rate = s.rate_hz.map_or_else(|| "irregular".to_owned(), |hz| format!("{hz} Hz"));
        println!(
            "{}  type {}, {} × {}, {rate}, of {}",
            s.name,
            or_none(&s.content_type),
            s.channels,
            s.format.as_str(),
            s.host
        );
        println!("    --lsl 'name={},source_id={}'", s.name, s.source_id);
    }
    Ok(ExitCode::SUCCESS)
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
