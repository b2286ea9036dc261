//! The task of one remote session, from its first record until it is closed. It owns the recorder. What it acknowledges
//! is on the disk.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use crossbeam_channel::Receiver;
use serde_json::{Value, json};
use tokio::sync::{broadcast, mpsc, oneshot};

use super::blocking::blocking;
use super::chunks;
use super::closing;
use super::hub_client::HubClient;
use super::intake::{AcceptedBatch, Intake, NewRecord};
use super::live::LiveBatch;
use super::networks::{self, Installed, SCORES_STARTED};
use super::problem::Problem;
use super::quota::video_has_ended;
use super::rate::Rate;
use super::remote_plan::{OpenedRecorder, RemotePlan, VideoEnd, WAS_SILENT};
use super::reply::reply;
use super::session_command::{BatchResult, CloseReason, SessionCommand};
use super::video_ingest::{VideoIngest, VideoIngestPlan};
use super::video_result::VideoIngestResult;
use super::wire::{Batch, CameraMode, Finish, Finished, MAX_VIDEO_CHUNK_BYTES, Missing};
use session::{AFFECT, Body, CameraSettings, HEALTH, Numbers, SERVER, StreamInfo, Timestamp};
use store::{CameraDescription, Committed, Recorder, RemoteState, StoreError, StreamWriter, disk_free_bytes};

/// The burst allows a browser to send one minute of records at once after an interruption of the network.
const RECORDS_PER_S: f64 = 2_000.0;
const RECORDS_BURST: f64 = 30_000.0;
const REQUESTS_PER_S: f64 = 20.0;
const REQUESTS_BURST: f64 = 100.0;
/// Requests of one session that can wait for its task.
const QUEUE: usize = 16;
/// Batches that can wait for one dashboard. A slow dashboard misses the oldest.
const LIVE_QUEUE: usize = 64;
/// Interval at which dashboards get the networks' readings. No request waits for these.
const PUBLISH_INTERVAL: Duration = Duration::from_millis(250);
/// A conversion that is behind keeps a session from being silent for at most this multiple of the usual time. One that
/// cannot go on, for example because times of capture are missing, does not keep its files open for long.
const MAX_CATCH_UP: u32 = 12;
/// Six hours of one-second chunks.
const MAX_CHUNKS: u64 = 21_600;

/// Starts the task. `opened` is `None` where the session is resumed after a restart of the server.
pub fn start(
    runtime: &tokio::runtime::Handle,
    hub: HubClient,
    plan: RemotePlan,
    opened: Option<OpenedRecorder>,
) -> mpsc::Sender<SessionCommand> {
    let (sender, commands) = mpsc::channel(QUEUE);
    runtime.spawn(run(hub, plan, opened, commands, sender.downgrade()));
    sender
}

async fn run(
    hub: HubClient,
    plan: RemotePlan,
    opened: Option<OpenedRecorder>,
    mut commands: mpsc::Receiver<SessionCommand>,
    own: mpsc::WeakSender<SessionCommand>,
) {
    let is_resumed = opened.is_none();
    let opened = match opened {
        Some(opened) => Ok(opened),
        None => reopen(&plan).await,
    };
    match opened {
        Ok(opened) => match RemoteTask::new(hub.clone(), plan, opened, own) {
            Ok(mut task) => {
                task.is_resumed = is_resumed;
                let end = task.run(&mut commands).await;
                // Dropping the rest of the task tells the dashboards that the session has ended.
                let plan = RemotePlan { is_closed: false, resumed_because: WAS_SILENT, ..task.into_plan() };
                match end {
                    TaskEnd::Closed(finished) => answer_late(Some(finished), &mut commands).await,
                    // Commands that have arrived meanwhile are dropped. Their requests are refused as busy and sent again.
                    TaskEnd::Silent => hub.session_silent(plan),
                    TaskEnd::Released => {}
                }
            }
            Err(failed) => {
                let (plan, e) = *failed;
                refuse_all(&hub, plan, &e, &mut commands).await;
            }
        },
        Err(e) => refuse_all(&hub, plan, &e, &mut commands).await,
    }
}

async fn reopen(plan: &RemotePlan) -> Result<OpenedRecorder, StoreError> {
    let (folder, is_closed) = (plan.folder.clone(), plan.is_closed);
    let permits = &plan.file_permits;
    let _permit = if plan.is_woken_to_close { permits.close().await } else { permits.open().await };
    blocking(move || OpenedRecorder::resume(&folder, is_closed)).await
}

/// For a session whose file or folder cannot be used. The browser keeps its records.
async fn refuse_all(hub: &HubClient, plan: RemotePlan, e: &StoreError, commands: &mut mpsc::Receiver<SessionCommand>) {
    if e.may_pass() {
        // For example, too many files are open. The requests are refused as busy, and the next request tries again.
        tracing::error!("session {} cannot be continued at the moment: {e}", plan.folder.display());
        commands.close();
        while let Some(command) = commands.recv().await {
            if let SessionCommand::Close(_, to) = command {
                reply(to, Err(Problem::stays_open(e)));
            }
        }
        hub.session_silent(plan);
        return;
    }
    tracing::error!("session {} cannot be continued: {e}", plan.folder.display());
    hub.session_closed(&plan.id);
    answer_late(None, commands).await;
}

/// Answers commands that arrive after the session was closed, until no sender is left.
async fn answer_late(finished: Option<Finished>, commands: &mut mpsc::Receiver<SessionCommand>) {
    while let Some(command) = commands.recv().await {
        match command {
            SessionCommand::Records(.., to) => reply(to, Err(Problem::gone())),
            SessionCommand::Chunk(.., to) => reply(to, Err(Problem::gone())),
            SessionCommand::Finish(_, to) => reply(to, finished.clone().ok_or_else(Problem::gone)),
            SessionCommand::Close(_, to) => reply(to, Err(Problem::not_open())),
            SessionCommand::Release(to) => {
                reply(to, ());
                return;
            }
            SessionCommand::Watch(_)
            | SessionCommand::OpenVideo { .. }
            | SessionCommand::VideoIngestDone(_)
            | SessionCommand::FallSilent => {}
        }
    }
}

/// Why a session's task ends.
enum TaskEnd {
    Closed(Finished),
    /// The session has released its files. The next request starts a new task.
    Silent,
    Released,
}

struct RemoteTask {
    hub: HubClient,
    plan: RemotePlan,
    /// For the conversion of the video, which sends commands to this task.
    own: mpsc::WeakSender<SessionCommand>,
    zero_utc_ns: i64,
    affect_model: String,
    recorder: Option<Recorder>,
    writers: Vec<StreamWriter>,
    committed: Receiver<Committed>,
    intake: Intake,
    chunks: Numbers,
    /// The time of the last request.
    requested: Instant,
    /// The session is resumed, and no request has arrived since.
    is_resumed: bool,
    video_ingest: Option<VideoIngest>,
    /// The video is created once. A conversion that fails after its first frame is not repeated.
    is_video_made: bool,
    record_rate: Rate,
    request_rate: Rate,
    live: broadcast::Sender<Arc<LiveBatch>>,
    last: Timestamp,
    /// Known when the video has been converted.
    camera: Option<CameraDescription>,
    /// The server's own networks. Read when the browser has reported its networks.
    installed: Option<Installed>,
}

impl RemoteTask {
    fn new(
        hub: HubClient,
        mut plan: RemotePlan,
        opened: OpenedRecorder,
        own: mpsc::WeakSender<SessionCommand>,
    ) -> Result<RemoteTask, Box<(RemotePlan, StoreError)>> {
        let OpenedRecorder { zero_utc_ns, affect_model, recorder, committed, streams, readings, video_end } = opened;
        plan.video_end = plan.video_end.or(video_end);
        let writers = match writers(&recorder, &streams) {
            Ok(writers) => writers,
            Err(e) => return Err(Box::new((plan, e))),
        };
        let chunks = match chunks::stored(&plan.folder) {
            Ok(chunks) => chunks,
            Err(source) => {
                let path = plan.folder.clone();
                return Err(Box::new((plan, StoreError::Io { doing: "read the folder", path, source })));
            }
        };
        let mut intake = Intake::new(zero_utc_ns as f64 * 1e-6, plan.camera, streams);
        intake.remember_clocks(&readings);
        Ok(RemoteTask {
            hub,
            own,
            zero_utc_ns,
            affect_model,
            recorder: Some(recorder),
            writers,
            committed,
            intake,
            chunks,
            requested: Instant::now(),
            is_resumed: false,
            video_ingest: None,
            is_video_made: false,
            record_rate: Rate::new(RECORDS_PER_S, RECORDS_BURST),
            request_rate: Rate::new(REQUESTS_PER_S, REQUESTS_BURST),
            live: broadcast::channel(LIVE_QUEUE).0,
            last: Timestamp::ZERO,
            camera: None,
            installed: None,
            plan,
        })
    }

    fn into_plan(self) -> RemotePlan {
        self.plan
    }

    async fn run(&mut self, commands: &mut mpsc::Receiver<SessionCommand>) -> TaskEnd {
        // An open session's video is converted from its first chunk again when a new chunk arrives, or at the end.
        let mut is_closed = self.plan.state == RemoteState::Finished && self.complete().await;
        let mut publish = tokio::time::interval(PUBLISH_INTERVAL);
        publish.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !is_closed {
            let command = tokio::select! {
                command = commands.recv() => command,
                _ = publish.tick(), if self.video_ingest.is_some() => {
                    self.publish();
                    continue;
                }
            };
            match command {
                Some(SessionCommand::Release(to)) => {
                    self.release_recorder().await;
                    reply(to, ());
                    return TaskEnd::Released;
                }
                Some(SessionCommand::FallSilent) if self.is_silent() => {
                    commands.close();
                    self.release_recorder().await;
                    return TaskEnd::Silent;
                }
                Some(command) => is_closed = self.execute(command).await,
                None => break,
            }
        }
        // Received records are stored. The session stays open unless it was closed.
        self.release_recorder().await;
        if is_closed { TaskEnd::Closed(self.finished()) } else { TaskEnd::Released }
    }

    fn note_request(&mut self) {
        self.requested = Instant::now();
        if std::mem::take(&mut self.is_resumed) {
            self.note("resumed", json!({ "why": self.plan.resumed_because }));
        }
    }

    /// A session that a dashboard shows is not released. Nor is one whose video is being converted, because the conversion
    /// would begin again later.
    fn is_silent(&self) -> bool {
        let silence = self.requested.elapsed();
        let is_converting = self.video_ingest.as_ref().is_some_and(VideoIngest::is_behind)
            && silence < self.plan.silent_after * MAX_CATCH_UP;
        self.plan.state == RemoteState::Open
            && silence >= self.plan.silent_after
            && self.live.receiver_count() == 0
            && !is_converting
    }

    /// Returns `true` when the session is closed.
    async fn execute(&mut self, command: SessionCommand) -> bool {
        match command {
            SessionCommand::Records(batch, bytes, to) => {
                self.note_request();
                let answer = self.take_records(&batch, bytes).await;
                reply(to, answer);
            }
            SessionCommand::Chunk(n, bytes, to) => {
                self.note_request();
                let answer = self.take_chunk(n, bytes).await;
                reply(to, answer);
            }
            SessionCommand::Finish(finish, to) => {
                self.note_request();
                let answer = self.finish(finish).await;
                let is_finished = answer.is_ok();
                reply(to, answer);
                if is_finished {
                    return self.complete().await;
                }
            }
            SessionCommand::Watch(to) => reply(to, self.live.subscribe()),
            SessionCommand::OpenVideo { width_px, height_px, to } => {
                self.is_video_made = true;
                let sink = self.recorder.as_mut().ok_or("the session is not open".to_owned());
                let sink = sink.and_then(|r| r.video(width_px, height_px).map_err(|e| e.to_string()));
                reply(to, sink.map(|s| s.sender()));
            }
            SessionCommand::VideoIngestDone(result) => return self.video_ingest_done(result).await,
            SessionCommand::Close(reason, to) if self.plan.state == RemoteState::Open => {
                let answer = self.finish_for(reason).await;
                let is_finished = answer.is_ok();
                reply(to, answer);
                if is_finished {
                    return self.complete().await;
                }
            }
            SessionCommand::Close(_, to) => reply(to, Err(Problem::not_open())),
            // The session is not silent any more. `run` handles `Release`.
            SessionCommand::FallSilent | SessionCommand::Release(_) => {}
        }
        false
    }

    async fn take_records(&mut self, batch: &Batch, bytes: u64) -> Result<BatchResult, Problem> {
        self.admit(1.0 + batch.records.len() as f64)?;
        self.plan.quota.check_records(bytes)?;
        self.ensure_recorder().await?;
        let AcceptedBatch { records, refused } = self.intake.accept(batch, self.now())?;
        // A batch that is sent again has no new records.
        let received_bytes = if records.is_empty() { 0 } else { bytes };
        self.take_networks(&records).await;
        if !records.is_empty()
            && let Err(e) = self.store(records).await
        {
            // The intake has counted these records. The file is opened again to read what is stored.
            self.release_recorder().await;
            return Err(e.into());
        }
        self.publish();
        self.plan.quota.add_records(received_bytes);
        self.hub.session_active(&self.plan.id, self.plan.quota.received_bytes());
        Ok((self.intake.committed(), refused))
    }

    /// Stores the networks that the browser reports in the header, together with the records of the same batch.
    async fn take_networks(&mut self, records: &[NewRecord]) {
        if self.plan.camera != CameraMode::Scores {
            return;
        }
        for record in records {
            let Body::Event { kind, data } = &record.body else { continue };
            if kind != SCORES_STARTED || self.writers[record.stream].name().as_str() != HEALTH {
                continue;
            }
            if self.installed.is_none() {
                let (models, affect) = (self.plan.pool.models().clone(), self.affect_model.clone());
                let read = tokio::task::spawn_blocking(move || networks::installed(&models, &affect));
                self.installed = read.await.ok();
            }
            let nothing = Installed::default();
            let reported = networks::reported(data, self.installed.as_ref().unwrap_or(&nothing));
            if let (Some(recorder), false) = (&self.recorder, reported.is_empty()) {
                recorder.networks(reported);
            }
        }
    }

    fn admit(&mut self, records: f64) -> Result<(), Problem> {
        if self.plan.state != RemoteState::Open {
            let detail = "This session is finished. It accepts no more data.";
            return Err(Problem::conflict("finished", detail));
        }
        let now = Instant::now();
        let admitted = self.request_rate.take(1.0, now).and_then(|()| self.record_rate.take(records, now));
        admitted.map_err(|s| {
            let detail =
                format!("The session exceeds its rate limit. Nothing was stored. Send the data again after {s} s.");
            Problem::too_fast(detail, s)
        })?;
        if disk_free_bytes(&self.plan.folder).is_some_and(|free| free < self.plan.min_free_bytes) {
            let detail = "The server's disk is nearly full. Nothing was stored. Keep the data and send it again later.";
            return Err(Problem::no_room(detail));
        }
        Ok(())
    }

    /// Opens the file again after a failure to store, for example on a full disk.
    async fn ensure_recorder(&mut self) -> Result<(), StoreError> {
        if self.recorder.is_some() {
            return Ok(());
        }
        let OpenedRecorder { recorder, committed, streams, .. } = reopen(&self.plan).await?;
        self.writers = writers(&recorder, &streams)?;
        self.intake.reset_numbers(streams);
        (self.recorder, self.committed) = (Some(recorder), committed);
        Ok(())
    }

    async fn release_recorder(&mut self) {
        (self.video_ingest, self.is_video_made) = (None, false);
        self.writers.clear();
        if let Some(recorder) = self.recorder.take() {
            // An error means that the recorder panicked while it was dropped. It reports its failures itself.
            tokio::task::spawn_blocking(move || drop(recorder)).await.ok();
        }
    }

    async fn store(&mut self, records: Vec<NewRecord>) -> Result<(), StoreError> {
        let Some(recorder) = &self.recorder else { return Err(StoreError::ThreadDied("recorder")) };
        for NewRecord { stream, seq, at, body } in records {
            self.last = self.last.max(at);
            let writer = &self.writers[stream];
            let put = match seq {
                Some(seq) => writer.put(seq, at, body),
                None => writer.append(at, body),
            };
            put.map_err(|e| StoreError::Poisoned(e.to_string()))?;
        }
        let (to, stored) = oneshot::channel();
        recorder.when_stored(move |result| reply(to, result));
        stored.await.unwrap_or(Err(StoreError::ThreadDied("recorder")))
    }

    async fn take_chunk(&mut self, n: u64, bytes: Bytes) -> Result<u64, Problem> {
        if self.plan.camera != CameraMode::Video {
            let detail =
                "This session was started without video. Start a session with the camera mode `video` to send video.";
            return Err(Problem::conflict("no-video", detail));
        }
        if n >= MAX_CHUNKS || bytes.is_empty() || bytes.len() > MAX_VIDEO_CHUNK_BYTES {
            let detail = format!(
                "The number of a video chunk must be below {MAX_CHUNKS}, and its size 1 to {MAX_VIDEO_CHUNK_BYTES} bytes."
            );
            return Err(Problem::malformed(detail));
        }
        self.admit(1.0)?;
        if let Some(end) = self.plan.video_end.as_ref().filter(|end| n >= end.chunk) {
            return Err(video_has_ended(end.why.clone()));
        }
        if !self.chunks.contains(n) {
            let length = bytes.len() as u64;
            self.check_video_quota(n, length)?;
            let folder = self.plan.folder.clone();
            blocking(move || {
                chunks::store(&folder, n, &bytes).map_err(|source| StoreError::Io {
                    doing: "write a video chunk to",
                    path: folder,
                    source,
                })
            })
            .await?;
            self.chunks.insert(n);
            self.plan.quota.add_video(length);
            if self.video_ingest.is_none() && self.chunks.next() > 0 {
                self.start_video_ingest();
            }
        }
        if let Some(video_ingest) = &self.video_ingest {
            video_ingest.set_chunks(self.chunks.next(), self.now());
        }
        self.hub.session_active(&self.plan.id, self.plan.quota.received_bytes());
        Ok(self.chunks.next())
    }

    fn check_video_quota(&mut self, n: u64, bytes: u64) -> Result<(), Problem> {
        let refused = match self.plan.quota.check_video(bytes, self.now().as_secs_f64()) {
            Ok(()) => return Ok(()),
            Err(refused) => refused,
        };
        if refused.is_quota() {
            // Only a chunk before an earlier end arrives here. The end is stored, so that the session states why its video ends.
            let end = VideoEnd { chunk: n, why: refused.detail().to_owned() };
            self.note(VideoEnd::EVENT, end.to_data());
            self.plan.video_end = Some(end);
        }
        Err(refused)
    }

    fn start_video_ingest(&mut self) {
        let (Some(recorder), Some(own), false) = (&self.recorder, self.own.upgrade(), self.is_video_made) else {
            return;
        };
        let plan = VideoIngestPlan {
            folder: self.plan.folder.clone(),
            affect_model: self.affect_model.clone(),
            min_free_bytes: self.plan.min_free_bytes,
            scored: self.intake.numbers(AFFECT),
        };
        match VideoIngest::start(plan, recorder, &self.plan.pool, own) {
            Ok(video_ingest) => self.video_ingest = Some(video_ingest),
            // The next chunk or the end of the session tries again.
            Err(e) => tracing::warn!("the video of session {} is not converted now: {e}", self.plan.folder.display()),
        }
    }

    async fn finish(&mut self, finish: Finish) -> Result<Finished, Problem> {
        if self.plan.state == RemoteState::Open {
            let admitted = self.request_rate.take(1.0, Instant::now());
            admitted.map_err(|s| Problem::too_fast("There are too many requests. Try again later.", s))?;
            self.ensure_recorder().await?;
            let streams = self.intake.missing(&finish)?;
            if finish.video_chunks > MAX_CHUNKS {
                return Err(Problem::malformed(format!("A session has at most {MAX_CHUNKS} chunks of video.")));
            }
            // Chunks that the quota refuses cannot arrive.
            let end =
                self.plan.video_end.as_ref().map_or(finish.video_chunks, |end| finish.video_chunks.min(end.chunk));
            let video_chunks: Vec<u64> = self.chunks.missing(end).into_iter().flatten().collect();
            if !streams.is_empty() || !video_chunks.is_empty() {
                let detail = "The session is incomplete. Send the missing records and chunks, then finish it again.";
                return Err(Problem::conflict("incomplete", detail)
                    .with_committed(self.intake.committed())
                    .with_missing(Missing { streams, video_chunks }));
            }
            self.set_finished(finish);
        }
        Ok(self.finished())
    }

    /// Finishes a session that its browser has not finished. Without its file it cannot be closed, so it stays open then.
    async fn finish_for(&mut self, reason: CloseReason) -> Result<(), Problem> {
        if let Err(e) = self.ensure_recorder().await {
            tracing::error!("session {} cannot be closed and stays open: {e}", self.plan.folder.display());
            return Err(Problem::stays_open(&e));
        }
        let (kind, why) = match reason {
            CloseReason::Silence => ("silence", "no request arrived for a long time, and the session was not finished"),
            CloseReason::Owner => ("closed_by_owner", "the owner closed the session before its browser finished it"),
        };
        self.note(kind, json!({ "why": why }));
        let finish = Finish { streams: self.intake.committed(), video_chunks: self.chunks.next() };
        if reason == CloseReason::Silence && self.plan.camera != CameraMode::Video {
            self.hub.session_may_go_on(&self.plan.id);
        }
        self.set_finished(finish);
        Ok(())
    }

    fn finished(&self) -> Finished {
        Finished { committed: self.intake.committed(), video_chunks: self.chunks.next(), completion: None }
    }

    fn set_finished(&mut self, finish: Finish) {
        self.hub.set_state(&self.plan.id, RemoteState::Finished, Some(&finish));
        (self.plan.state, self.plan.finish) = (RemoteState::Finished, Some(finish));
    }

    /// Starts what a finished session still needs: the conversion of its video, or the closing. Returns `true` when the session
    /// is closed.
    async fn complete(&mut self) -> bool {
        if self.chunks.next() > 0 {
            if self.video_ingest.is_none() {
                self.start_video_ingest();
            }
            if let Some(video_ingest) = &self.video_ingest {
                video_ingest.set_chunks(self.chunks.next(), self.now());
                video_ingest.end();
                return false;
            }
            if !self.is_video_made {
                let why = "too many videos wait for the server's vision threads. The browser's video is kept";
                self.note("video_not_converted", json!({ "why": why }));
            }
        }
        self.close().await
    }

    async fn video_ingest_done(&mut self, result: Result<VideoIngestResult, String>) -> bool {
        self.video_ingest = None;
        match result {
            Ok(result) => {
                self.note(
                    "video_converted",
                    json!({
                        "frames": result.frames, "scored": result.scored, "frames_damaged": result.damaged,
                        "frames_without_time": result.untimed, "notes": result.notes,
                    }),
                );
                self.camera = Some(CameraDescription {
                    spec: self.plan.camera.as_str().to_owned(),
                    name: "camera of the browser".to_owned(),
                    backend: "browser".to_owned(),
                    format: result.format.to_owned(),
                    width_px: result.width_px,
                    height_px: result.height_px,
                    rate_hz: result.rate_hz,
                    settings: CameraSettings::default(),
                });
                let (folder, chunks) = (self.plan.folder.clone(), self.chunks.next());
                let joined = blocking(move || {
                    chunks::join(&folder, &result.starts, chunks).map_err(|source| StoreError::Io {
                        doing: "join the video chunks of",
                        path: folder,
                        source,
                    })
                });
                if let Err(e) = joined.await {
                    tracing::error!("{e}. The chunks stay in the session's folder");
                }
            }
            // The browser's own video is kept and can be scored later.
            Err(why) => self.note("video_not_converted", json!({ "why": why })),
        }
        self.plan.state == RemoteState::Finished && self.close().await
    }

    async fn close(&mut self) -> bool {
        let Some(recorder) = self.recorder.take() else { return false };
        self.writers.clear();
        let (folder, at, camera) = (self.plan.folder.clone(), self.last.max(Timestamp::ZERO), self.camera.take());
        let permits = self.plan.file_permits.clone();
        let _permit = permits.close().await;
        let closed = blocking(move || closing::close(recorder, &folder, at, camera.as_ref()));
        if let Err(e) = closed.await {
            // The file is closed, or the next start recovers it. The list of sessions shows its state.
            tracing::error!("session {} could not be closed and graded: {e}", self.plan.folder.display());
        }
        self.publish();
        self.hub.session_closed(&self.plan.id);
        true
    }

    fn note(&self, kind: &str, data: Value) {
        if let Some(writer) = self.writers.iter().find(|w| w.name().as_str() == SERVER) {
            // The writer counts a refused record, and the recorder reports it.
            writer.event(self.now(), kind, data).ok();
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_ns(self.plan.clock.utc_ns() - self.zero_utc_ns)
    }

    /// Sends committed records to the dashboards. They show only what is on the disk.
    fn publish(&mut self) {
        let mut batch = LiveBatch::default();
        let is_watched = self.live.receiver_count() > 0;
        for committed in self.committed.try_iter() {
            match committed {
                Committed::Records(records) if is_watched => records.iter().for_each(|r| batch.add(r)),
                Committed::Records(_) => {}
                Committed::Failed(why) => {
                    tracing::error!("session {} could not store records: {why}", self.plan.folder.display());
                }
            }
        }
        if !batch.is_empty() {
            // An error means that no dashboard watches any more.
            self.live.send(Arc::new(batch)).ok();
        }
    }
}

fn writers(recorder: &Recorder, streams: &[(StreamInfo, Numbers)]) -> Result<Vec<StreamWriter>, StoreError> {
    streams.iter().map(|(info, _)| recorder.stream(info.name.as_str())).collect()
}
