//! Checks a session against itself and says exactly what is missing or damaged. Changes nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::error::is_damage;
use super::verify_video::{check_frames, check_video_alone};
use super::{SessionFile, SessionState, StoreError, checksum, record_rows, schema};
use session::{Body, GapReason, HEALTH, StreamName, Timestamp, VIDEO};

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verification {
    pub session: PathBuf,
    /// `None` where the session file is too damaged to say.
    pub state: Option<SessionState>,
    /// Nothing is missing that the session does not itself account for, and nothing is damaged.
    pub is_intact: bool,
    pub records: u64,
    pub frames: u64,
    /// Frames whose picture is not what was stored, or is not there.
    pub frames_damaged: u64,
    pub video_bytes: u64,
    pub findings: Vec<Finding>,
}

/// Frames that follow each other by number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FrameRun {
    pub count: u64,
    pub first: u64,
    pub last: u64,
    /// When the first and the last were captured.
    pub from: Timestamp,
    pub until: Timestamp,
}

impl fmt::Display for FrameRun {
    /// `frame 9 (00:00:00.297)`, `frames 9 to 12 (00:00:00.297 to 00:00:00.396, 4 frames)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FrameRun { count, first, last, from, until } = self;
        match count {
            1 => write!(f, "frame {first} ({from})"),
            n => write!(f, "frames {first} to {last} ({from} to {until}, {n} frames)"),
        }
    }
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
    /// Participant, study, camera, networks, streams or closing figures are not what was stored.
    HeaderDamaged,
    RecordUnreadable {
        problem: String,
    },
    /// Can be read, but is not what was stored.
    RecordDamaged {
        stream: String,
        number: u64,
        at: Timestamp,
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
    /// In the session file and not in the video.
    FrameNotInVideo {
        number: u64,
        at: Timestamp,
        offset: u64,
    },
    /// The session file and the video say different things about it.
    FrameDiffers {
        number: u64,
        at: Timestamp,
    },
    /// In the video and not in the session file, as after a crash: `recover` adopts them.
    FramesNotInDatabase {
        count: u64,
        first: u64,
        last: u64,
    },
    /// Not what was stored.
    PicturesDamaged(FrameRun),
    /// What a player needs beside the picture is damaged, and the picture is what was stored.
    FrameHeadsDamaged(FrameRun),
    /// The video ends before them.
    FramesCutOff(FrameRun),
    VideoMissing {
        frames: u64,
    },
    VideoEmpty {
        frames: u64,
    },
    VideoUnreadable {
        problem: String,
    },
    /// The fixed beginning of the file: size, program, kind of track.
    VideoHeadDamaged,
    /// Table of contents, seek table or duration, which players use to jump.
    SeekTableDamaged,
    /// Bytes that belong to no frame.
    VideoBytesDamaged {
        from: u64,
        until: u64,
    },
    /// Bytes behind the last whole frame.
    VideoTorn {
        bytes: u64,
    },
    /// Plays, but without a seek table.
    VideoNotFinished,
    /// Cannot be told: they were stored without checksums.
    PicturesUnchecked {
        frames: u64,
    },
    /// Cannot be told: they were stored without checksums.
    RecordsUnchecked {
        records: u64,
    },
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
        !matches!(self, Finding::Lost { .. } | Finding::BeingRecorded) && !self.is_unchecked()
    }

    /// Whether something can be neither called whole nor damaged.
    pub fn is_unchecked(&self) -> bool {
        matches!(self, Finding::PicturesUnchecked { .. } | Finding::RecordsUnchecked { .. })
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
            Finding::HeaderDamaged => write!(
                f,
                "what session.sqlite says about the session (participant, study, camera, networks, streams or closing \
                 figures) is not what was stored"
            ),
            Finding::RecordUnreadable { problem } => write!(f, "{problem}"),
            Finding::RecordDamaged { stream, number, at } => {
                write!(f, "record {number} of `{stream}` ({at}) is not what was stored")
            }
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
            Finding::FrameDiffers { number, at } => {
                write!(f, "session.sqlite and video.mkv say different things about frame {number} ({at})")
            }
            Finding::PicturesDamaged(run) if run.count == 1 => write!(f, "the picture of {run} is damaged"),
            Finding::PicturesDamaged(run) => write!(f, "the pictures of {run} are damaged"),
            Finding::FrameHeadsDamaged(run) => write!(
                f,
                "what video.mkv says beside the picture of {run} is damaged: players may stop there, and the picture is whole"
            ),
            Finding::FramesCutOff(run) => write!(f, "video.mkv ends before {run}"),
            Finding::VideoMissing { frames } => write!(f, "video.mkv is missing, and with it {frames} frames"),
            Finding::VideoEmpty { frames } => write!(f, "video.mkv is empty: its {frames} frames are gone"),
            Finding::VideoUnreadable { problem } => write!(f, "{problem}"),
            Finding::VideoHeadDamaged => write!(f, "the beginning of video.mkv is not what was stored"),
            Finding::SeekTableDamaged => write!(
                f,
                "the table of contents, the seek table or the duration of video.mkv is damaged: players may jump to the wrong place"
            ),
            Finding::VideoBytesDamaged { from, until } => {
                write!(f, "bytes {from} to {until} of video.mkv belong to no frame")
            }
            Finding::VideoTorn { bytes } => write!(f, "video.mkv ends with {bytes} bytes that are no whole frame"),
            Finding::VideoNotFinished => write!(f, "video.mkv has no seek table"),
            Finding::PicturesUnchecked { frames } => write!(
                f,
                "the pictures of {frames} frames have no checksum, because the program that recorded them stored none: they \
                 can be decoded, and whether they are what was stored nobody can tell"
            ),
            Finding::RecordsUnchecked { records } => write!(
                f,
                "{records} records have no checksum, because the program that recorded them stored none: they can be read, \
                 and whether they are what was stored nobody can tell"
            ),
            Finding::Lost { stream, reason, count, seconds, gaps } => {
                write!(f, "lost in `{stream}`: {count} in {gaps} gaps of {seconds:.3} s together ({reason})")
            }
        }
    }
}

/// Reads all of both files. Fails only where there is no session, or where it cannot be read at all.
pub fn verify(folder: &Path) -> Result<Verification, StoreError> {
    let opened = SessionFile::open(folder).and_then(|session| Ok((session.state()?, session)));
    let (state, session) = match opened {
        Ok(opened) => opened,
        Err(problem) if problem.is_damage() => return verify_video(folder, &problem),
        Err(other) => return Err(other),
    };
    let mut findings = Vec::new();
    match state {
        SessionState::Crashed => findings.push(Finding::NotClosed),
        SessionState::Recording => findings.push(Finding::BeingRecorded),
        SessionState::Closed | SessionState::Recovered => {}
    }
    check_database(&session, &mut findings)?;
    let records = check_records(&session, &mut findings);
    if state != SessionState::Recording {
        check_checksums(&session, &mut findings);
    }
    let lost_frames = findings.iter().map(frames_accounted_for).fold(0, u64::saturating_add);
    let video = match check_frames(&session, state, lost_frames, &mut findings) {
        Err(problem) if problem.is_damage() => {
            findings.push(Finding::DatabaseDamaged { problem: problem.to_string() });
            check_video_alone(folder, &mut findings)?
        }
        checked => checked?,
    };
    Ok(verification(folder, Some(state), records, video, findings))
}

/// The session file is too damaged to be read: says so, and what the video holds.
fn verify_video(folder: &Path, problem: &StoreError) -> Result<Verification, StoreError> {
    let mut findings = vec![Finding::DatabaseDamaged { problem: problem.problem() }];
    let video = check_video_alone(folder, &mut findings)?;
    Ok(verification(folder, None, 0, video, findings))
}

fn verification(
    folder: &Path,
    state: Option<SessionState>,
    records: u64,
    (frames, video_bytes): (u64, u64),
    findings: Vec<Finding>,
) -> Verification {
    let damaged = findings.iter().map(|finding| match finding {
        Finding::PicturesDamaged(run) | Finding::FramesCutOff(run) => run.count,
        Finding::VideoMissing { frames } | Finding::VideoEmpty { frames } => *frames,
        Finding::FrameNotInVideo { .. } => 1,
        _ => 0,
    });
    Verification {
        session: folder.to_owned(),
        state,
        is_intact: !findings.iter().any(Finding::is_damage),
        records,
        frames,
        frames_damaged: damaged.sum(),
        video_bytes,
        findings,
    }
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
        Err(e) if is_damage(&e) => {
            findings.push(Finding::DatabaseDamaged { problem: e.to_string() });
            Ok(())
        }
        Err(e) => Err(StoreError::sql("check", path)(e)),
    }
}

/// What can be read and is not what was stored. A file in which SQLite finds nothing wrong may hold it.
fn check_checksums(session: &SessionFile, findings: &mut Vec<Finding>) {
    let conn = session.connection();
    let mut check = || -> rusqlite::Result<()> {
        if !schema::is_as_made(conn)? {
            let problem = format!("its tables are not those of file version {}", schema::version(conn)?);
            findings.push(Finding::DatabaseDamaged { problem });
        }
        let stored = checksum::stored(conn)?;
        if let Some(stored) = stored
            && checksum::of_header(conn)? != stored
        {
            findings.push(Finding::HeaderDamaged);
        }
        let unchecked = record_rows::each_damaged_record(conn, |stream, seq, at_ns| {
            let name = usize::try_from(stream).ok().and_then(|s| session.streams().get(s));
            let stream = name.map_or_else(|| format!("stream number {stream}"), |s| s.name.to_string());
            let (number, at) = (seq as u64, Timestamp::from_ns(at_ns));
            findings.push(Finding::RecordDamaged { stream, number, at });
        })?;
        if unchecked > 0 {
            findings.push(match stored {
                None => Finding::RecordsUnchecked { records: unchecked },
                Some(_) => {
                    Finding::DatabaseDamaged { problem: format!("{unchecked} records have lost their checksum") }
                }
            });
        }
        Ok(())
    };
    if let Err(e) = check() {
        findings.push(Finding::DatabaseDamaged { problem: e.to_string() });
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
        findings.push(Finding::DatabaseDamaged { problem: e.problem() });
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
