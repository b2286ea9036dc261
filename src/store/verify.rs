//! Checks a session against itself and says exactly what is missing. Changes nothing.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::mkv_scan::{Scan, read_at, scan};
use super::{FrameRow, SessionFile, SessionState, StoreError, record_rows, schema};
use crate::session::{Body, GapReason, HEALTH, StreamName, Timestamp, VIDEO};

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verification {
    pub session: PathBuf,
    pub state: SessionState,
    /// Nothing is missing that the session does not itself account for, and nothing is damaged.
    pub is_intact: bool,
    pub records: u64,
    pub frames: u64,
    pub video_bytes: u64,
    pub findings: Vec<Finding>,
}

/// One thing found. Its `Display` is the sentence for people.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum Finding {
    /// The program ended without closing the session.
    NotClosed,
    /// A living process writes it: what follows may be on its way.
    BeingRecorded,
    DatabaseDamaged {
        problem: String,
    },
    RecordUnreadable {
        problem: String,
    },
    /// Numbers that a stream skips.
    RecordsMissing {
        stream: StreamName,
        first: u64,
        last: u64,
    },
    /// Frame numbers that are neither in the video nor accounted for by a gap.
    FramesMissing {
        count: u64,
        first: u64,
        last: u64,
    },
    /// In the session file and not, or not the same, in the video.
    FrameNotInVideo {
        number: u64,
        at: Timestamp,
        offset: u64,
    },
    /// In the video and not in the session file, as after a crash: `recover` adopts them.
    FramesNotInDatabase {
        count: u64,
        first: u64,
        last: u64,
    },
    /// Does not begin or end as a JPEG.
    PictureDamaged {
        number: u64,
        at: Timestamp,
    },
    VideoMissing,
    VideoUnreadable {
        problem: String,
    },
    /// Bytes behind the last whole frame.
    VideoTorn {
        bytes: u64,
    },
    /// Plays, but without a seek table.
    VideoNotFinished,
    /// Accounted for: the session says itself that this was lost, and why.
    Lost {
        stream: StreamName,
        reason: GapReason,
        count: u64,
        seconds: f64,
        gaps: u64,
    },
}

impl Finding {
    /// Whether something is missing or damaged of which the session itself does not tell.
    pub fn is_damage(&self) -> bool {
        !matches!(self, Finding::Lost { .. } | Finding::BeingRecorded)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::NotClosed => {
                write!(f, "the program ended without closing the session; it is closed at the next start")
            }
            Finding::BeingRecorded => write!(f, "the session is being recorded at this moment"),
            Finding::DatabaseDamaged { problem } => write!(f, "session.sqlite is damaged: {problem}"),
            Finding::RecordUnreadable { problem } => write!(f, "{problem}"),
            Finding::RecordsMissing { stream, first, last } if first == last => {
                write!(f, "record {first} of `{stream}` is missing")
            }
            Finding::RecordsMissing { stream, first, last } => {
                write!(f, "records {first} to {last} of `{stream}` are missing ({})", last - first + 1)
            }
            Finding::FramesMissing { count, first, last } => {
                write!(f, "{count} of the frames {first} to {last} are missing and no gap says why")
            }
            Finding::FrameNotInVideo { number, at, offset } => {
                write!(f, "frame {number} ({at}) is not in video.mkv at byte {offset}")
            }
            Finding::FramesNotInDatabase { count, first, last } => {
                write!(f, "{count} frames of video.mkv, {first} to {last}, are not in session.sqlite")
            }
            Finding::PictureDamaged { number, at } => write!(f, "the picture of frame {number} ({at}) is damaged"),
            Finding::VideoMissing => write!(f, "video.mkv is missing"),
            Finding::VideoUnreadable { problem } => write!(f, "{problem}"),
            Finding::VideoTorn { bytes } => write!(f, "video.mkv ends with {bytes} bytes that are no whole frame"),
            Finding::VideoNotFinished => write!(f, "video.mkv has no seek table"),
            Finding::Lost { stream, reason, count, seconds, gaps } => {
                write!(f, "lost in `{stream}`: {count} in {gaps} gaps of {seconds:.3} s together ({reason})")
            }
        }
    }
}

/// Reads all of the session file and the ends of every picture. Fails only where the session cannot be opened at all.
pub fn verify(folder: &Path) -> Result<Verification, StoreError> {
    let session = SessionFile::open(folder)?;
    let state = session.state()?;
    let mut findings = Vec::new();
    match state {
        SessionState::Crashed => findings.push(Finding::NotClosed),
        SessionState::Recording => findings.push(Finding::BeingRecorded),
        SessionState::Closed | SessionState::Recovered => {}
    }
    check_database(&session, &mut findings)?;
    let records = check_records(&session, &mut findings);
    let lost_frames = findings.iter().map(frames_accounted_for).fold(0, u64::saturating_add);
    let (frames, video_bytes) = check_frames(&session, state, lost_frames, &mut findings)?;
    let is_intact = !findings.iter().any(Finding::is_damage);
    Ok(Verification { session: folder.to_owned(), state, is_intact, records, frames, video_bytes, findings })
}

/// Frames that had a number when they were lost: the driver's losses never got one.
fn frames_accounted_for(finding: &Finding) -> u64 {
    match finding {
        Finding::Lost {
            stream, reason: GapReason::QueueFull | GapReason::Corrupt | GapReason::Crash, count, ..
        } if [VIDEO, HEALTH].contains(&stream.as_str()) => *count,
        _ => 0,
    }
}

fn check_database(session: &SessionFile, findings: &mut Vec<Finding>) -> Result<(), StoreError> {
    let path = schema::session_file(session.folder());
    let check = || -> rusqlite::Result<Vec<String>> {
        let mut check = session.connection().prepare("PRAGMA integrity_check(20)")?;
        check.query_map([], |row| row.get(0))?.collect()
    };
    match check() {
        Ok(problems) => {
            let problems = problems.into_iter().filter(|p| p != "ok");
            findings.extend(problems.map(|problem| Finding::DatabaseDamaged { problem }));
            Ok(())
        }
        Err(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseCorrupt) => {
            findings.push(Finding::DatabaseDamaged { problem: e.to_string() });
            Ok(())
        }
        Err(e) => Err(StoreError::sql("check", path)(e)),
    }
}

/// Returns how many records can be read.
fn check_records(session: &SessionFile, findings: &mut Vec<Finding>) -> u64 {
    let path = schema::session_file(session.folder());
    let mut seqs = BTreeMap::<StreamName, Vec<u64>>::new();
    let mut losses = BTreeMap::<(StreamName, GapReason), (u64, i64, u64)>::new();
    let read = record_rows::each_record(session.connection(), &path, session.streams(), |record| match record {
        Ok(record) => {
            // The name is shared by a stream's records, so it is copied once a stream.
            match seqs.get_mut(record.stream.as_ref()) {
                Some(seqs) => seqs.push(record.seq),
                None => drop(seqs.insert(record.stream.as_ref().clone(), vec![record.seq])),
            }
            if let Body::Gap(gap) = &record.body
                && gap.reason.is_loss()
            {
                let sum = losses.entry((record.stream.as_ref().clone(), gap.reason)).or_default();
                let ns = gap.until.since_ns(record.at).max(0);
                *sum = (sum.0.saturating_add(gap.lost), sum.1.saturating_add(ns), sum.2 + 1);
            }
        }
        Err(problem) => findings.push(Finding::RecordUnreadable { problem }),
    });
    if let Err(e) = read {
        findings.push(Finding::DatabaseDamaged { problem: e.to_string() });
    }
    let mut records = 0;
    for (stream, mut seqs) in seqs {
        records += seqs.len() as u64;
        seqs.sort_unstable();
        // Each of the two ranges of numbers is dense for itself.
        let own = seqs.partition_point(|seq| *seq < super::RECORDER_SEQ_0);
        for (mut next, part) in [(0, &seqs[..own]), (super::RECORDER_SEQ_0, &seqs[own..])] {
            for seq in part {
                if *seq > next {
                    findings.push(Finding::RecordsMissing { stream: stream.clone(), first: next, last: seq - 1 });
                }
                next = seq.saturating_add(1);
            }
        }
    }
    findings.extend(losses.into_iter().map(|((stream, reason), (count, ns, gaps))| Finding::Lost {
        stream,
        reason,
        count,
        seconds: ns as f64 * 1e-9,
        gaps,
    }));
    records
}

/// Returns the frames that both files agree on, and the bytes of the video.
fn check_frames(
    session: &SessionFile,
    state: SessionState,
    lost_frames: u64,
    findings: &mut Vec<Finding>,
) -> Result<(u64, u64), StoreError> {
    let rows = session.frames()?.rows();
    let path = schema::video_file(session.folder());
    if !path.exists() {
        if !rows.is_empty() {
            findings.push(Finding::VideoMissing);
        }
        return Ok((0, 0));
    }
    let video = match scan(&path) {
        Ok(video) => video,
        Err(problem @ StoreError::ForeignVideo { .. }) => {
            findings.push(Finding::VideoUnreadable { problem: problem.to_string() });
            return Ok((0, 0));
        }
        Err(other) => return Err(other),
    };
    check_numbers(rows, &video, lost_frames, findings);
    let in_video: HashMap<u64, &FrameRow> = video.frames.iter().map(|f| (f.number, f)).collect();
    let in_rows: HashSet<u64> = rows.iter().map(|f| f.number).collect();
    let mut frames = 0;
    for row in rows {
        if in_video.get(&row.number) == Some(&row) {
            frames += 1;
        } else {
            findings.push(Finding::FrameNotInVideo { number: row.number, at: row.at, offset: row.offset });
        }
    }
    let unknown: Vec<_> = video.frames.iter().filter(|f| !in_rows.contains(&f.number)).collect();
    if let [first, ..] = unknown[..] {
        let last = unknown[unknown.len() - 1].number;
        findings.push(Finding::FramesNotInDatabase { count: unknown.len() as u64, first: first.number, last });
    }
    check_pictures(&path, &video, findings)?;
    if state != SessionState::Recording {
        match video.torn_bytes() {
            0 if !video.is_finished && !video.frames.is_empty() => findings.push(Finding::VideoNotFinished),
            0 => {}
            bytes => findings.push(Finding::VideoTorn { bytes }),
        }
    }
    Ok((frames, video.file_bytes))
}

/// Capture numbers its frames without holes; what a queue lost on the way is a hole that a gap accounts for.
fn check_numbers(rows: &[FrameRow], video: &Scan, lost_frames: u64, findings: &mut Vec<Finding>) {
    let mut numbers: Vec<u64> = rows.iter().chain(&video.frames).map(|f| f.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let mut next = 0;
    let mut holes = Vec::new();
    for number in numbers {
        if number > next {
            holes.push((next, number - 1));
        }
        next = number.saturating_add(1);
    }
    let count: u64 = holes.iter().map(|(first, last)| last - first + 1).sum();
    if count > lost_frames
        && let (Some((first, _)), Some((_, last))) = (holes.first(), holes.last())
    {
        findings.push(Finding::FramesMissing { count: count - lost_frames, first: *first, last: *last });
    }
}

fn check_pictures(path: &Path, video: &Scan, findings: &mut Vec<Finding>) -> Result<(), StoreError> {
    let mut file = File::open(path).map_err(StoreError::io("open", path))?;
    for frame in &video.frames {
        let (mut first, mut last) = ([0; 2], [0; 2]);
        if frame.length >= 4 {
            read_at(&mut file, frame.offset, &mut first).map_err(StoreError::io("read", path))?;
            let end = frame.offset + frame.length - 2;
            read_at(&mut file, end, &mut last).map_err(StoreError::io("read", path))?;
        }
        if (first, last) != ([0xff, 0xd8], [0xff, 0xd9]) {
            findings.push(Finding::PictureDamaged { number: frame.number, at: frame.at });
        }
    }
    Ok(())
}
