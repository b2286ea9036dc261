//! Checks the consistency of a session and lists missing and damaged data. Changes nothing.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::is_damage;
use super::verify_film::check_film;
use super::verify_video::{check_frames, check_video_alone};
use super::{Finding, SessionFile, SessionState, StoreError, Verification, checksum, record_rows, schema};
use session::{AFFECT, Body, GapReason, HEALTH, PAGE_CLOCK, StreamName, Timestamp, VIDEO};

/// Reads both files completely. Fails only if there is no session or its files cannot be read.
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
    let checked = session.film().and_then(|film| match film {
        Some(film) => check_film(&session, &film, lost_frames, &mut findings),
        None => check_frames(&session, state, lost_frames, &mut findings),
    });
    let video = match checked {
        Err(problem) if problem.is_damage() => {
            findings.push(Finding::DatabaseDamaged { problem: problem.to_string() });
            check_video_alone(folder, &mut findings)?
        }
        checked => checked?,
    };
    Ok(verification(folder, Some(state), records, video, findings))
}

/// Checks the video alone, if the session file is too damaged to be read.
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
        Finding::VideoMissing { frames } | Finding::FilmMissing { frames, .. } | Finding::VideoEmpty { frames } => {
            *frames
        }
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

/// Lost frames that had a number. Frames that the driver lost had none.
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

/// Finds readable data that differ from their checksums. SQLite itself does not detect them.
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

/// Returns the number of readable records.
fn check_records(session: &SessionFile, findings: &mut Vec<Finding>) -> u64 {
    let path = schema::session_file(session.folder());
    let mut seqs = BTreeMap::<StreamName, Vec<u64>>::new();
    let mut losses = BTreeMap::<(StreamName, GapReason), (u64, i64, u64)>::new();
    let read = record_rows::each_record(session.connection(), &path, session.streams(), |record| match record {
        Ok(record) => {
            // The name is copied once per stream and not once per record.
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
        // Each of the two ranges of numbers must be without holes.
        let own = seqs.partition_point(|seq| *seq < super::RECORDER_SEQ_0);
        // Earlier servers numbered their own records in these streams by document and by frame: holes mean nothing.
        let may_have_holes = [AFFECT, PAGE_CLOCK].contains(&stream.as_str());
        let counted = if may_have_holes { &[][..] } else { &seqs[own..] };
        for (mut next, part) in [(0, &seqs[..own]), (super::RECORDER_SEQ_0, counted)] {
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
