//! XDF 1.0, the format of Lab Streaming Layer's recorders: written for export, read for imported events.

mod chunks;
mod sender_clock;
mod streams;

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use super::atomic_write::{publish_folder, write_file};
use super::{ExportError, ExportedSession, Selection};
use chunks::ChunkWriter;
use streams::XdfStream;

/// Streams are interleaved in pieces of this length. Each piece is followed by a boundary and the clock offsets of all
/// streams, so that a file that was cut off is readable up to there.
const PIECE_NS: i64 = 5_000_000_000;

/// One file per session, `sub-01_ses-01_task-demo.xdf`, into the new folder `to`.
pub fn write_xdf(selection: &Selection, to: &Path, mut progress: impl FnMut(&str)) -> Result<(), ExportError> {
    publish_folder(to, |part| {
        for selected in selection.sessions() {
            progress(&selected.label());
            let session = selected.load_as_stored()?;
            let path = part.join(format!("{}.xdf", selected.label()));
            write_file(&path, |out| write_session(&session, out))?;
        }
        Ok(())
    })
}

fn write_session(session: &ExportedSession, out: &mut BufWriter<File>) -> io::Result<()> {
    let mut streams = XdfStream::all(session);
    let mut chunks = ChunkWriter::begin(out, session.header.zero_utc)?;
    for (id, stream) in (1..).zip(&streams) {
        chunks.stream_header(id, &stream.header_xml(session))?;
    }
    while let Some(from_ns) = streams.iter().filter_map(XdfStream::next_ns).min() {
        let until_ns = from_ns.saturating_add(PIECE_NS);
        for (id, stream) in (1..).zip(&mut streams) {
            for (at_s, offset_s) in stream.take_offsets(from_ns, until_ns) {
                chunks.clock_offset(id, at_s, offset_s)?;
            }
        }
        for (id, stream) in (1..).zip(&mut streams) {
            if let Some((samples, bytes)) = stream.take_until(until_ns) {
                chunks.samples(id, samples, &bytes)?;
            }
        }
        chunks.boundary()?;
    }
    for (id, stream) in (1..).zip(&streams) {
        chunks.stream_footer(id, &stream.footer_xml())?;
    }
    Ok(())
}
