//! Checks `video.mkv` against the session file: every picture by its checksum, and all bytes between the pictures.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::Path;

use super::jpeg::{decodes, jpeg_size};
use super::mkv::{self, CLUSTER_HEAD_BYTES, FrameStamp, put_cluster_head};
use super::mkv_scan::{Scan, read_at, scan, stored_head};
use super::{Finding, FrameRow, FrameRun, SessionFile, SessionState, StoreError, checksum, schema};

/// Larger than any camera picture. A damaged row may have any length.
const LARGEST_PICTURE_BYTES: u64 = 256 << 20;

/// Returns the frames that both files agree on, and the bytes of the video.
pub(super) fn check_frames(
    session: &SessionFile,
    state: SessionState,
    lost_frames: u64,
    findings: &mut Vec<Finding>,
) -> Result<(u64, u64), StoreError> {
    let rows = session.frames()?.rows();
    let path = schema::video_file(session.folder());
    let frames = rows.len() as u64;
    let file_bytes = match std::fs::metadata(&path) {
        Ok(file) => file.len(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            if frames > 0 {
                findings.push(Finding::VideoMissing { frames });
            }
            return Ok((0, 0));
        }
        Err(e) => return Err(StoreError::io("look at", &path)(e)),
    };
    if file_bytes == 0 {
        findings.push(Finding::VideoEmpty { frames });
        return Ok((0, 0));
    }
    let video = match scan(&path) {
        Ok(video) => Some(video),
        Err(problem @ StoreError::ForeignVideo { .. }) => {
            findings.push(Finding::VideoUnreadable { problem: problem.to_string() });
            None
        }
        Err(other) => return Err(other),
    };
    // A picture at the position of a stored frame belongs to that frame, even if its stamp has another number.
    let places: HashMap<u64, u64> = rows.iter().map(|f| (f.offset, f.meta.number)).collect();
    let is_misnamed = |f: &FrameRow| places.get(&f.offset).is_some_and(|number| *number != f.meta.number);
    let in_video: Vec<FrameRow> = video.iter().flat_map(|v| &v.frames).filter(|f| !is_misnamed(f)).copied().collect();
    check_numbers(rows, &in_video, lost_frames, findings);
    let sealed = checksum::stored(session.connection()).is_ok_and(|sealed| sealed.is_some());
    let mut checked = Checked { is_sealed: sealed, ..Checked::default() };
    let mut file = File::open(&path).map_err(StoreError::io("open", &path))?;
    let numbers: HashMap<u64, &FrameRow> = in_video.iter().map(|f| (f.meta.number, f)).collect();
    for row in rows {
        checked
            .check(&mut file, file_bytes, row, numbers.get(&row.meta.number).copied())
            .map_err(StoreError::io("read", &path))?;
    }
    let in_rows: HashSet<u64> = rows.iter().map(|f| f.meta.number).collect();
    let unknown: Vec<_> = in_video.iter().filter(|f| !in_rows.contains(&f.meta.number)).collect();
    for frame in unknown.iter().copied() {
        checked.check(&mut file, file_bytes, frame, Some(frame)).map_err(StoreError::io("read", &path))?;
    }
    if let [first, ..] = unknown[..] {
        let last = unknown[unknown.len() - 1].meta.number;
        findings.push(Finding::FramesNotInDatabase { count: unknown.len() as u64, first: first.meta.number, last });
    }
    let agreed = checked.agreed.saturating_sub(unknown.len() as u64);
    if let Some(video) = &video {
        let size = in_video.first().map(|f| read(&mut file, f)).transpose().map_err(StoreError::io("read", &path))?;
        let camera = &session.header().camera;
        let of_camera = Some((camera.width_px, camera.height_px)).filter(|size| size.0 > 0);
        let sizes = [size.and_then(|jpeg| jpeg_size(&jpeg)), of_camera];
        check_structure(&mut file, video, rows, state, &sizes, findings).map_err(StoreError::io("read", &path))?;
    }
    checked.report(findings);
    Ok((agreed, file_bytes))
}

/// Checks the frames of the video's own stamps, without a session file.
pub(super) fn check_video_alone(folder: &Path, findings: &mut Vec<Finding>) -> Result<(u64, u64), StoreError> {
    let path = schema::video_file(folder);
    if !path.exists() {
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
    let mut file = File::open(&path).map_err(StoreError::io("open", &path))?;
    let mut checked = Checked::default();
    for frame in &video.frames {
        checked.check(&mut file, video.file_bytes, frame, Some(frame)).map_err(StoreError::io("read", &path))?;
    }
    findings
        .extend(video.damaged.iter().map(|(from, until)| Finding::VideoBytesDamaged { from: *from, until: *until }));
    checked.report(findings);
    Ok((video.frames.len() as u64, video.file_bytes))
}

/// Frames are numbered without holes. A hole is only valid if a gap accounts for the lost frames.
pub(super) fn check_numbers(rows: &[FrameRow], in_video: &[FrameRow], lost_frames: u64, findings: &mut Vec<Finding>) {
    let mut numbers: Vec<u64> = rows.iter().chain(in_video).map(|f| f.meta.number).collect();
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
    let count = holes.iter().map(|(first, last)| last - first + 1).fold(0, u64::saturating_add);
    if count > lost_frames
        && let (Some((first, _)), Some((_, last))) = (holes.first(), holes.last())
    {
        findings.push(Finding::FramesMissing { count: count - lost_frames, first: *first, last: *last });
    }
}

/// Collects the findings about the frames.
#[derive(Default)]
struct Checked {
    /// Every picture must have a checksum.
    is_sealed: bool,
    agreed: u64,
    unchecked: u64,
    without_checksum: u64,
    not_in_video: Vec<Finding>,
    pictures: Vec<FrameRow>,
    heads: Vec<FrameRow>,
    cut_off: Vec<FrameRow>,
    buffer: Vec<u8>,
}

impl Checked {
    /// `scanned` is the frame of this number as found in the video, at any position.
    fn check(
        &mut self,
        file: &mut File,
        file_bytes: u64,
        row: &FrameRow,
        scanned: Option<&FrameRow>,
    ) -> std::io::Result<()> {
        if row.end() > file_bytes {
            self.cut_off.push(*row);
            return Ok(());
        }
        if row.length > LARGEST_PICTURE_BYTES {
            self.not_in_video.push(Finding::FrameNotInVideo {
                number: row.meta.number,
                at: row.meta.at,
                offset: row.offset,
            });
            return Ok(());
        }
        let is_here = scanned.is_some_and(|t| (t.offset, t.length) == (row.offset, row.length));
        let head_bytes = (CLUSTER_HEAD_BYTES as u64).min(row.offset);
        self.buffer.resize((head_bytes + row.length) as usize, 0);
        read_at(file, row.offset - head_bytes, &mut self.buffer)?;
        let (head, jpeg) = self.buffer.split_at(head_bytes as usize);
        let checksum = row.checksum.or(scanned.filter(|_| is_here).and_then(|t| t.checksum));
        let is_same = FrameRow { checksum, ..*row }.is_same_picture(jpeg) && (checksum.is_some() || decodes(jpeg));
        if !is_here && (scanned.is_some() || !is_same) {
            // The frame is elsewhere in the video, or there is no valid picture at its position.
            match scanned {
                None if row.checksum.is_some() && self.is_sealed => self.pictures.push(*row),
                _ => self.not_in_video.push(Finding::FrameNotInVideo {
                    number: row.meta.number,
                    at: row.meta.at,
                    offset: row.offset,
                }),
            }
            return Ok(());
        }
        self.agreed += 1;
        match (is_same, checksum, row.checksum) {
            (false, ..) => self.pictures.push(*row),
            (true, None, _) => self.unchecked += 1,
            (true, Some(_), None) if self.is_sealed => self.without_checksum += 1,
            (true, ..) => {}
        }
        match scanned {
            Some(scanned) if !is_same_frame(row, scanned) => {
                self.not_in_video.push(Finding::FrameDiffers { number: row.meta.number, at: row.meta.at });
            }
            Some(scanned) if !head.ends_with(&cluster_head(scanned)) => self.heads.push(*row),
            None => self.heads.push(*row),
            Some(_) => {}
        }
        Ok(())
    }

    fn report(self, findings: &mut Vec<Finding>) {
        findings.extend(self.not_in_video);
        findings.extend(runs(&self.pictures).map(Finding::PicturesDamaged));
        findings.extend(runs(&self.heads).map(Finding::FrameHeadsDamaged));
        findings.extend(runs(&self.cut_off).map(Finding::FramesCutOff));
        if self.without_checksum > 0 {
            let problem = format!("{} frames have lost their checksum", self.without_checksum);
            findings.push(Finding::DatabaseDamaged { problem });
        }
        if self.unchecked > 0 {
            findings.push(Finding::PicturesUnchecked { frames: self.unchecked });
        }
    }
}

/// Whether both have the same data. A missing checksum in the row is not compared.
fn is_same_frame(row: &FrameRow, scanned: &FrameRow) -> bool {
    let has_same_checksum = row.checksum.is_none() || row.checksum == scanned.checksum;
    has_same_checksum && FrameRow { checksum: None, ..*row } == FrameRow { checksum: None, ..*scanned }
}

fn cluster_head(frame: &FrameRow) -> Vec<u8> {
    let mut head = Vec::with_capacity(CLUSTER_HEAD_BYTES);
    put_cluster_head(&mut head, FrameStamp::of(frame), frame.length);
    head
}

fn read(file: &mut File, frame: &FrameRow) -> std::io::Result<Vec<u8>> {
    let mut jpeg = vec![0; frame.length as usize];
    read_at(file, frame.offset, &mut jpeg)?;
    Ok(jpeg)
}

/// In the order of their numbers.
pub(super) fn runs(frames: &[FrameRow]) -> impl Iterator<Item = FrameRun> {
    let mut frames: Vec<_> = frames.iter().map(|f| (f.meta.number, f.meta.at)).collect();
    frames.sort();
    let mut runs: Vec<FrameRun> = Vec::new();
    for (number, at) in frames {
        match runs.last_mut() {
            Some(run) if run.last.checked_add(1) == Some(number) => {
                (run.count, run.last, run.until) = (run.count + 1, number, at);
            }
            _ => runs.push(FrameRun { count: 1, first: number, last: number, from: at, until: at }),
        }
    }
    runs.into_iter()
}

/// Checks the bytes outside the frames: head, space between frames, and end.
fn check_structure(
    file: &mut File,
    video: &Scan,
    rows: &[FrameRow],
    state: SessionState,
    sizes: &[Option<(u32, u32)>],
    findings: &mut Vec<Finding>,
) -> std::io::Result<()> {
    // Damaged heads of known frames were already reported.
    let is_known = |from: u64, until: u64| rows.iter().any(|r| r.offset < until && r.end() > from);
    let unknown = video.damaged.iter().filter(|(from, until)| !is_known(*from, *until));
    findings.extend(unknown.map(|(from, until)| Finding::VideoBytesDamaged { from: *from, until: *until }));
    let found = stored_head(file, &video.layout)?;
    let is_size_right = sizes.iter().flatten().any(|size| *size == (found.width_px, found.height_px));
    let (head, _) = mkv::head(found.width_px, found.height_px, &found.app);
    let has_known_size = sizes.iter().any(Option::is_some);
    if !video.layout.is_same_head(&head, &found.bytes) || has_known_size && !is_size_right {
        findings.push(Finding::VideoHeadDamaged);
    }
    if state == SessionState::Recording {
        return Ok(());
    }
    // Frames with damaged heads are missing in the scan but are in the seek table.
    let known_end = rows.iter().map(FrameRow::end).filter(|end| *end <= video.file_bytes).max().unwrap_or(0);
    let is_complete = video.damaged.is_empty() && video.whole_bytes >= known_end;
    let patches = video.ending.patches(&video.layout, video.whole_bytes);
    let tail_bytes = patches[0].1.len() as u64;
    let is_closed = matches!(state, SessionState::Closed | SessionState::Recovered);
    match video.torn_bytes().min(video.file_bytes.saturating_sub(known_end)) {
        _ if is_closed && !is_complete => {}
        _ if is_closed && video.file_bytes == video.whole_bytes + tail_bytes => {
            for (at, expected) in patches {
                let mut bytes = vec![0; expected.len()];
                read_at(file, at, &mut bytes)?;
                if bytes != expected {
                    findings.push(Finding::SeekTableDamaged);
                    break;
                }
            }
        }
        0 if !video.is_finished && !video.frames.is_empty() => findings.push(Finding::VideoNotFinished),
        0 if is_closed && video.is_finished => findings.push(Finding::SeekTableDamaged),
        0 => {}
        bytes => findings.push(Finding::VideoTorn { bytes }),
    }
    Ok(())
}
