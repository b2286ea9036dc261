//! Scores frames of a closed session from the stored video: the frames that live scoring skipped, or all frames with
//! another network. The recorded streams are not changed. The results are added streams, all or none.
//!
//! The video is cut into pieces that do not depend on the number of processors. Each piece begins with frames that only
//! warm up the tracker. The result is therefore the same on every machine.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crossbeam_channel::{Sender, bounded};
use thiserror::Error;

use super::description::vision_streams;
use super::unscored::unscored;
use capture::Decoder;
use session::{
    Body, FrameMeta, Gap, GapReason, StreamInfo, StreamName, StudyError, Timestamp, VideoLoss, later, rescored,
};
use store::{AddedStreams, FrameRow, SessionFile, SessionHeader, StoreError};
use stored_frames::{FrameError, FrameReader};
use vision::{Models, Reading, RecordBuilder, VISION_STREAMS, Vision, VisionError, decode_picture, installed_models};

/// Streams that are added: the samples of the networks, and their events as the last one.
const STREAMS: usize = VISION_STREAMS.len() + 1;
/// Frames of a piece: a minute at 30 Hz.
const PIECE_FRAMES: usize = 1_800;
/// Frames that are scored before the first wanted frame, so that the tracker follows the face.
const WARM_UP_FRAMES: usize = 5;
/// Scored pieces that may wait for an earlier piece.
const PIECES_AHEAD: usize = 2;

#[derive(Debug, Error)]
pub enum RescoreError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Frames(#[from] FrameError),
    #[error(transparent)]
    Vision(#[from] VisionError),
    #[error(
        "the session was scored by {recorded}, and no such network is installed: put it into {folder}, or score all frames \
         with another network with `--model`"
    )]
    OtherNetwork { recorded: String, folder: PathBuf },
    #[error(
        "the study in the session cannot be read ({0}), so its network is not known: choose a network with `--model`"
    )]
    Study(StudyError),
    #[error("this network has already scored all frames: see the stream `{0}`")]
    AlreadyThere(StreamName),
    #[error("the session has no video to score")]
    NoVideo,
    #[error("{0}. There is nothing to score. If the file is lost, restore it from a backup")]
    VideoGone(VideoLoss),
    #[error("could not start a thread: {0}")]
    Thread(std::io::Error),
    #[error("a scoring thread failed: nothing was added")]
    ThreadDied,
    #[error("cancelled: nothing was added")]
    Cancelled,
}

/// Which frames to score, and with which network.
#[derive(Clone, Debug)]
pub struct Rescoring {
    pub folder: PathBuf,
    /// Score all frames with this network, a folder in `models`. `None`: score the frames that live scoring skipped, with
    /// the network of the recording.
    pub model: Option<String>,
    /// Folder with one folder per network.
    pub models: PathBuf,
    pub threads: usize,
    /// Stored with the added streams.
    pub author: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Rescored {
    /// Name of the added `affect` stream; `None` if there was nothing to score.
    pub stream: Option<StreamName>,
    pub frames: u64,
    pub with_face: u64,
    /// Frames that could not be decoded or scored. Each is a gap.
    pub failed: u64,
    /// The reasons, one sentence each.
    pub failures: Vec<String>,
}

/// One frame of a piece.
#[derive(Clone, Copy, Debug)]
struct FrameToScore {
    meta: FrameMeta,
    /// If false, the frame only warms up the tracker.
    is_wanted: bool,
}

type Readings = Vec<(FrameMeta, Result<Reading, String>)>;

impl Rescoring {
    /// `progress` gets the number of scored frames and the total, on this thread.
    pub fn run(&self, cancelled: &AtomicBool, mut progress: impl FnMut(u64, u64)) -> Result<Rescored, RescoreError> {
        // The lock is held from the start, so that the session does not change during scoring.
        let mut added = AddedStreams::open(&self.folder)?;
        let file = SessionFile::open(&self.folder)?;
        let done = self.score(&file, &mut added, cancelled, &mut progress);
        drop(file);
        added.close()?;
        done
    }

    fn score(
        &self,
        file: &SessionFile,
        added: &mut AddedStreams,
        cancelled: &AtomicBool,
        progress: &mut impl FnMut(u64, u64),
    ) -> Result<Rescored, RescoreError> {
        let frames = file.frames()?.rows();
        if frames.is_empty() {
            return Err(RescoreError::NoVideo);
        }
        if let Some(loss) = file.video_loss()?.filter(|loss| loss.frames == loss.of) {
            return Err(RescoreError::VideoGone(loss));
        }
        let affect_model = match &self.model {
            Some(model) => model.clone(),
            None => network_of(file.header(), &self.models)?,
        };
        let first = Models::load(&self.models, &affect_model)?;
        let infos = vision_streams(file.header().camera.rate_hz, Some(&first)).all();
        // A session of an older program lacks streams. What completes a stream is not added without it.
        let has_live = |info: &StreamInfo| file.streams().iter().any(|stream| stream.name == info.name);
        let is_added = infos.each_ref().map(|info| self.model.is_some() || has_live(info));
        let infos = match &self.model {
            Some(model) => infos.map(|info| rescored(info, model)),
            None => infos.map(later),
        };
        let added_infos: Vec<Option<&StreamInfo>> =
            infos.iter().zip(is_added).map(|(info, is_added)| is_added.then_some(info)).collect();
        if self.model.is_some() && added.streams().contains(&infos[0]) {
            return Err(RescoreError::AlreadyThere(infos[0].name.clone()));
        }
        let wanted = match self.model {
            Some(_) => vec![true; frames.len()],
            None => unscored(file)?,
        };
        let total = wanted.iter().filter(|w| **w).count() as u64;
        if total == 0 {
            return Ok(Rescored { stream: None, frames: 0, with_face: 0, failed: 0, failures: Vec::new() });
        }
        let pieces = pieces(frames, &wanted);
        let mut draft = added.draft()?;
        for info in added_infos.iter().flatten() {
            draft.add_stream(info, &self.author)?;
        }
        let mut gathering = Gathering::default();
        self.score_pieces(&affect_model, first, &pieces, cancelled, |readings| {
            let bodies = gathering.take(readings);
            store(&mut draft, &added_infos, bodies)?;
            progress(gathering.frames, total);
            Ok(())
        })?;
        let rest = gathering.finish();
        draft.append(infos[0].name.as_str(), rest)?;
        draft.commit()?;
        let Gathering { frames, with_face, failed, failures, .. } = gathering;
        Ok(Rescored { stream: Some(infos[0].name.clone()), frames, with_face, failed, failures })
    }

    /// Scores all pieces on several threads and passes the readings on in order.
    fn score_pieces(
        &self,
        affect_model: &str,
        first: Models,
        pieces: &[Vec<FrameToScore>],
        cancelled: &AtomicBool,
        mut take: impl FnMut(Readings) -> Result<(), RescoreError>,
    ) -> Result<(), RescoreError> {
        let threads = self.threads.clamp(1, pieces.len());
        let mut models = vec![first];
        for _ in 1..threads {
            models.push(Models::load(&self.models, affect_model)?);
        }
        let (next, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
        let is_stopped = || cancelled.load(Ordering::Relaxed) || is_over.load(Ordering::Relaxed);
        let (to, scored) = bounded(PIECES_AHEAD);
        std::thread::scope(|scope| {
            let mut workers = Vec::new();
            let mut started = Ok(());
            for (k, models) in models.into_iter().enumerate() {
                let (to, next, is_stopped) = (to.clone(), &next, &is_stopped);
                let worker = Worker { folder: &self.folder, vision: Vision::new(models), decoder: Decoder::default() };
                let spawned = std::thread::Builder::new()
                    .name(format!("score {k}"))
                    .spawn_scoped(scope, move || worker.run(pieces, next, is_stopped, &to));
                match spawned {
                    Ok(thread) => workers.push(thread),
                    Err(e) => started = Err(RescoreError::Thread(e)),
                }
            }
            drop(to);
            let mut early = BTreeMap::new();
            let mut due = 0;
            let mut gather = || -> Result<(), RescoreError> {
                for (k, readings) in &scored {
                    early.insert(k, readings);
                    while let Some(readings) = early.remove(&due) {
                        take(readings)?;
                        due += 1;
                    }
                }
                Ok(())
            };
            let gathered = if started.is_ok() { gather() } else { Ok(()) };
            is_over.store(true, Ordering::Relaxed);
            // A worker that waits for room in the channel fails to send, and ends.
            drop(scored);
            let ended: Result<Vec<()>, RescoreError> =
                workers.into_iter().map(|w| w.join().map_err(|_| RescoreError::ThreadDied)?).collect();
            started?;
            gathered?;
            ended?;
            if cancelled.load(Ordering::Relaxed) {
                return Err(RescoreError::Cancelled);
            }
            if due == pieces.len() { Ok(()) } else { Err(RescoreError::ThreadDied) }
        })
    }
}

struct Worker<'a> {
    folder: &'a Path,
    vision: Vision,
    decoder: Decoder,
}

impl Worker<'_> {
    fn run(
        mut self,
        pieces: &[Vec<FrameToScore>],
        next: &AtomicUsize,
        is_stopped: impl Fn() -> bool,
        to: &Sender<(usize, Readings)>,
    ) -> Result<(), RescoreError> {
        // A database connection must stay on one thread.
        let file = SessionFile::open(self.folder)?;
        let mut frames = FrameReader::open(&file)?;
        while let (k, false) = (next.fetch_add(1, Ordering::Relaxed), is_stopped()) {
            let Some(piece) = pieces.get(k) else { return Ok(()) };
            self.vision.reset();
            let mut readings = Vec::with_capacity(piece.len());
            for frame in piece {
                if is_stopped() {
                    return Ok(());
                }
                let reading = self.score_frame(&file, &mut frames, &frame.meta);
                if frame.is_wanted {
                    readings.push((frame.meta, reading));
                }
            }
            if to.send((k, readings)).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// An error is a sentence. One damaged picture does not stop the scoring of the other frames.
    fn score_frame(
        &mut self,
        file: &SessionFile,
        frames: &mut FrameReader,
        meta: &FrameMeta,
    ) -> Result<Reading, String> {
        let frame = frames.frame(file, meta.number).map_err(|e| e.to_string())?;
        let picture = decode_picture(&frame, self.vision.colour(), &mut self.decoder)?;
        let reading = picture.as_picture().and_then(|p| self.vision.step(p, meta.at)).map_err(|e| e.to_string());
        self.decoder.reuse(picture.pixels);
        reading
    }
}

/// The folder of the network that scored the session live, found by its sha256.
fn network_of(header: &SessionHeader, models: &Path) -> Result<String, RescoreError> {
    let Some(recorded) = header.models.last() else {
        // Recorded without networks: use the network of the study.
        return Ok(header.study.excerpt().map_err(RescoreError::Study)?.affect_model);
    };
    let installed = installed_models(models)?;
    let sums: HashSet<&str> =
        installed.iter().filter_map(|m| m.card.as_ref()).map(|card| card.sha256.as_str()).collect();
    if let Some(missing) = header.models.iter().find(|m| !sums.contains(m.sha256.as_str())) {
        let recorded = missing.to_string();
        return Err(RescoreError::OtherNetwork { recorded, folder: models.to_owned() });
    }
    let found = installed.into_iter().find(|m| m.card.as_ref().is_some_and(|card| card.sha256 == recorded.sha256));
    Ok(found.map_or_else(|| recorded.name.clone(), |m| m.folder))
}

/// Cuts the frames to score into pieces: at stretches without wanted frames, and after [`PIECE_FRAMES`].
fn pieces(frames: &[FrameRow], wanted: &[bool]) -> Vec<Vec<FrameToScore>> {
    let mut pieces: Vec<Vec<FrameToScore>> = Vec::new();
    let mut next_k = usize::MAX; // the frame that would continue the last piece
    for (k, _) in wanted.iter().enumerate().filter(|(_, w)| **w) {
        let is_full = pieces.last().is_none_or(|piece| piece.len() >= PIECE_FRAMES);
        let is_far = next_k == usize::MAX || k - next_k > WARM_UP_FRAMES;
        if is_full || is_far {
            pieces.push(Vec::new());
            next_k = k.saturating_sub(WARM_UP_FRAMES);
        }
        if let Some(piece) = pieces.last_mut() {
            piece.extend((next_k..=k).map(|j| FrameToScore { meta: frames[j].meta, is_wanted: j == k }));
        }
        next_k = k + 1;
    }
    pieces
}

/// Turns readings, in order, into records of the streams.
#[derive(Default)]
struct Gathering {
    records: RecordBuilder,
    last: Option<u64>,
    frames: u64,
    with_face: u64,
    failed: u64,
    failures: Vec<String>,
}

type Bodies = Vec<(Timestamp, Body)>;

impl Gathering {
    /// The records of each stream, in the order of the streams' descriptions.
    fn take(&mut self, readings: Readings) -> [Bodies; STREAMS] {
        let mut bodies = [const { Vec::new() }; STREAMS];
        for (frame, reading) in readings {
            self.frames += 1;
            // An absence of the face ends at a frame that is not scored here.
            if self.last.is_some_and(|last| last + 1 != frame.number) {
                bodies[0].extend(self.finish());
            }
            self.last = Some(frame.number);
            let reading = match reading {
                Ok(reading) => reading,
                Err(why) => {
                    self.failed += 1;
                    bodies[0].extend(self.finish());
                    let lost = Gap { until: frame.at, reason: GapReason::Corrupt, lost: 1, note: why.clone() };
                    bodies[0].push((frame.at, Body::Gap(lost)));
                    self.failures.push(why);
                    continue;
                }
            };
            let records = self.records.add(&frame, &reading, 0);
            bodies[0].extend(records.gaps);
            self.with_face += u64::from(reading.face.is_some());
            for (bodies, sample) in bodies.iter_mut().zip(records.samples) {
                bodies.extend(sample.map(|body| (frame.at, body)));
            }
            bodies[STREAMS - 1].extend(records.blink);
        }
        bodies
    }

    fn finish(&mut self) -> Bodies {
        self.records.finish().into_iter().collect()
    }
}

fn store(
    draft: &mut store::Draft<'_>,
    infos: &[Option<&StreamInfo>],
    bodies: [Bodies; STREAMS],
) -> Result<(), RescoreError> {
    for (info, bodies) in infos.iter().zip(bodies) {
        if let Some(info) = info {
            draft.append(info.name.as_str(), bodies)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_header::header;
    use crate::unscored::tests::row;
    use proptest::prelude::*;

    proptest! {
        /// Every wanted frame is in one piece, in order, and each piece begins with frames to warm up.
        #[test]
        fn pieces_hold_every_wanted_frame_once(wanted in prop::collection::vec(prop::bool::weighted(0.2), 0..400)) {
            let rows: Vec<_> = (0..wanted.len() as u64).map(row).collect();
            let pieces = pieces(&rows, &wanted);
            let scored: Vec<_> =
                pieces.iter().flatten().filter(|l| l.is_wanted).map(|l| l.meta.number).collect();
            let expected: Vec<_> = (0..wanted.len()).filter(|k| wanted[*k]).map(|k| k as u64).collect();
            prop_assert_eq!(scored, expected);
            for piece in &pieces {
                let first = piece.iter().position(|l| l.is_wanted).unwrap();
                prop_assert_eq!(first as u64, piece[first].meta.number.min(WARM_UP_FRAMES as u64));
                for pair in piece.windows(2) {
                    prop_assert_eq!(pair[0].meta.number + 1, pair[1].meta.number);
                }
            }
        }
    }

    #[test]
    fn the_network_of_a_study_is_read_from_every_version_and_never_guessed() {
        let network = |toml: &str| network_of(&header(toml), Path::new("models"));
        assert_eq!(network("affect_model = \"small\"\nkey_of_a_later_version = 1\n").unwrap(), "small");
        assert_eq!(network("name = \"demo\"\n").unwrap(), "affect");
        let e = network("affect_model = 3\n").unwrap_err().to_string();
        assert!(e.contains("choose a network with `--model`"), "{e}");
    }

    #[test]
    fn a_long_video_is_cut_into_pieces_of_a_minute() {
        let rows: Vec<_> = (0..4_000).map(row).collect();
        let pieces = pieces(&rows, &[true; 4_000]);
        assert_eq!(pieces.len(), 3);
        assert_eq!(pieces[1][0].meta.number, pieces[0].last().unwrap().meta.number + 1 - WARM_UP_FRAMES as u64);
    }
}
