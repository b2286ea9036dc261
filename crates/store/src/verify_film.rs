//! Checks the film of a session: the whole file by its SHA-256, and each packet by its checksum.

use std::collections::HashMap;

use super::film::{damaged_packets, sum_of};
use super::verify_video::{check_numbers, runs};
use super::{Film, Finding, FrameRow, SessionFile, StoreError};
use session::FilmOrder;

/// Returns the frames whose pictures can be decoded from unchanged bytes, and the bytes of the film.
pub(super) fn check_film(
    session: &SessionFile,
    film: &Film,
    lost_frames: u64,
    findings: &mut Vec<Finding>,
) -> Result<(u64, u64), StoreError> {
    let rows = session.frames()?.rows();
    let (path, frames) = (film.path(session.folder()), rows.len() as u64);
    check_numbers(rows, &[], lost_frames, findings);
    let (bytes, sha256) = match sum_of(&path) {
        Ok(sum) => sum,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            findings.push(Finding::FilmMissing { file: film.shown(), frames });
            return Ok((0, 0));
        }
        Err(e) => return Err(StoreError::io("read", &path)(e)),
    };
    if bytes != film.bytes || sha256 != film.sha256 {
        findings.push(Finding::FilmChanged { file: film.shown(), found: bytes, expected: film.bytes });
    }
    let packets = session.film_packets()?;
    let damaged = damaged_packets(&path, &packets).map_err(StoreError::io("read", &path))?;
    let places: HashMap<u64, usize> = packets.iter().enumerate().map(|(k, packet)| (packet.offset, k)).collect();
    let order = FilmOrder::of(&packets);
    // The number of damaged packets before each one.
    let before: Vec<usize> = std::iter::once(0)
        .chain(damaged.iter().scan(0, |sum, is_damaged| {
            *sum += usize::from(*is_damaged);
            Some(*sum)
        }))
        .collect();
    let (mut lost, mut unplaced): (Vec<FrameRow>, u64) = (Vec::new(), 0);
    for row in rows {
        let Some(packet) = places.get(&row.offset).copied() else {
            unplaced += 1;
            continue;
        };
        let start = match (&film.decoding, &order) {
            (Some(_), Some(order)) => order.start_for(packet),
            _ => packet,
        };
        if before[packet + 1] > before[start] {
            lost.push(*row);
        }
    }
    if unplaced > 0 || (film.decoding.is_some() && order.is_none()) {
        let problem = format!("the index of {} is damaged: {unplaced} frames have no packet in it", film.shown());
        findings.push(Finding::DatabaseDamaged { problem });
    }
    findings.extend(runs(&lost).map(Finding::PicturesDamaged));
    Ok((frames - lost.len() as u64 - unplaced, bytes))
}
