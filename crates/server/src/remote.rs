//! One session of a browser, from its first record to its closing: a task that owns the recorder, and the messages it
//! takes. Whatever it acknowledges is on the disk.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::StatusCode;
use crossbeam_channel::Receiver;
use serde_json::{Value, json};
use tokio::sync::{broadcast, mpsc, oneshot};

use super::blocking::blocking;
use super::chunks;
use super::intake::{Intake, NewRecord, Taken};
use super::live::LiveNews;
use super::networks::{self, SCORES_STARTED};
use super::orders::{Opened, Order, RemotePlan, Stored};
use super::problem::Problem;
use super::rate::Rate;
use super::video_ingest::{Film, FilmNews, FilmPlan};
use super::wire::{Batch, CameraMode, Finish, Finished, MAX_VIDEO_CHUNK_BYTES, Missing};
use session::{AFFECT, Body, CameraSettings, HEALTH, Numbers, SERVER, StreamInfo, Timestamp};
use store::{
    CameraDescription, Committed, Recorder, RemoteState, SessionEnd, StoreError, StreamWriter, disk_free_bytes,
    store_camera, store_quality,
};
use vision::ModelCard;

/// A minute of everything at once, after a while without network.
const RECORDS_PER_S: f64 = 2_000.0;
const RECORDS_BURST: f64 = 30_000.0;
const REQUESTS_PER_S: f64 = 20.0;
const REQUESTS_BURST: f64 = 100.0;
/// Requests of one session that wait for their turn.
const QUEUE: usize = 16;
/// Slow watchers miss what is older.
const NEWS_QUEUE: usize = 64;
/// How often watchers hear of what nobody waits for (what the networks see).
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Six hours of one-second chunks.
const MAX_CHUNKS: u64 = 21_600;

/// Starts the task of a session that is open already, or (`None`) is to be gone on with.
pub fn start(runtime: &tokio::runtime::Handle, plan: RemotePlan, opened: Option<Opened>) -> mpsc::Sender<Order> {
    let (orders, taken) = mpsc::channel(QUEUE);
    runtime.spawn(run(plan, opened, taken, orders.downgrade()));
    orders
}

async fn run(
    plan: RemotePlan,
    opened: Option<Opened>,
    mut orders: mpsc::Receiver<Order>,
    own: mpsc::WeakSender<Order>,
) {
    let is_resumed = opened.is_none();
    let opened = match opened {
        Some(opened) => Ok(opened),
        None => reopen(&plan).await,
    };
    match opened {
        Ok(opened) => match Remote::new(plan, opened, own) {
            Ok(mut remote) => {
                if is_resumed {
                    remote.note("resumed", json!({ "why": "the server was started anew" }));
                }
                let finished = remote.run(&mut orders).await;
                // Whoever watches is told of the end.
                drop(remote);
                if let Some(finished) = finished {
                    answer_late(Some(finished), &mut orders).await;
                }
            }
            Err(failed) => refuse_all(&failed.0, &failed.1.to_string(), &mut orders).await,
        },
        Err(e) => refuse_all(&plan, &e.to_string(), &mut orders).await,
    }
}

async fn reopen(plan: &RemotePlan) -> Result<Opened, StoreError> {
    let folder = plan.folder.clone();
    let _turn = plan.turns.acquire().await;
    blocking(move || Opened::resume(&folder)).await
}

/// A session whose file cannot be opened. Its browser keeps what it has.
async fn refuse_all(plan: &RemotePlan, why: &str, orders: &mut mpsc::Receiver<Order>) {
    tracing::error!("session {} cannot go on: {why}", plan.folder.display());
    plan.hub.closed(&plan.id);
    answer_late(None, orders).await;
}

/// Answers what was asked before everybody knew that the session is over: until nobody can ask it any more.
async fn answer_late(finished: Option<Finished>, orders: &mut mpsc::Receiver<Order>) {
    let gone = || Problem::new(StatusCode::GONE, "gone", "This session is closed and takes nothing more.");
    while let Some(order) = orders.recv().await {
        // Whoever asked may be gone.
        match order {
            Order::Records(_, to) => drop(to.send(Err(gone()))),
            Order::Chunk(.., to) => drop(to.send(Err(gone()))),
            Order::Finish(_, to) => drop(to.send(finished.clone().ok_or_else(gone))),
            Order::Leave(to) => {
                let _ = to.send(());
                return;
            }
            Order::Watch(_) | Order::FilmFrames { .. } | Order::FilmDone(_) | Order::Abandon => {}
        }
    }
}

struct Remote {
    plan: RemotePlan,
    own: mpsc::WeakSender<Order>,
    recorder: Option<Recorder>,
    writers: Vec<StreamWriter>,
    committed: Receiver<Committed>,
    intake: Intake,
    chunks: Numbers,
    film: Option<Film>,
    /// A video is made once; what fails after its first picture is not tried again.
    is_video_made: bool,
    records: Rate,
    requests: Rate,
    news: broadcast::Sender<Arc<LiveNews>>,
    last: Timestamp,
    /// Known when the video has been seen.
    camera: Option<CameraDescription>,
    /// The server's own networks, once a browser has named its.
    installed: Option<[Option<ModelCard>; 3]>,
}

impl Remote {
    fn new(
        plan: RemotePlan,
        opened: Opened,
        own: mpsc::WeakSender<Order>,
    ) -> Result<Remote, Box<(RemotePlan, StoreError)>> {
        let Opened { recorder, committed, streams } = opened;
        let writers = match writers(&recorder, &streams) {
            Ok(writers) => writers,
            Err(e) => return Err(Box::new((plan, e))),
        };
        let chunks = match chunks::stored(&plan.folder) {
            Ok(chunks) => chunks,
            Err(source) => {
                let path = plan.folder.clone();
                return Err(Box::new((plan, StoreError::Io { doing: "look into", path, source })));
            }
        };
        let intake = Intake::new(plan.zero_utc_ns as f64 * 1e-6, plan.camera, streams);
        Ok(Remote {
            own,
            recorder: Some(recorder),
            writers,
            committed,
            intake,
            chunks,
            film: None,
            is_video_made: false,
            records: Rate::new(RECORDS_PER_S, RECORDS_BURST),
            requests: Rate::new(REQUESTS_PER_S, REQUESTS_BURST),
            news: broadcast::channel(NEWS_QUEUE).0,
            last: Timestamp::ZERO,
            camera: None,
            installed: None,
            plan,
        })
    }

    /// `Some` when the session was closed.
    async fn run(&mut self, orders: &mut mpsc::Receiver<Order>) -> Option<Finished> {
        let mut is_closed = self.go_on().await;
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !is_closed {
            let order = tokio::select! {
                order = orders.recv() => order,
                _ = look.tick(), if self.film.is_some() => {
                    self.tell();
                    continue;
                }
            };
            match order {
                Some(Order::Leave(to)) => {
                    self.give_up_recorder().await;
                    let _ = to.send(()); // whoever asked may be gone
                    return None;
                }
                Some(order) => is_closed = self.carry_out(order).await,
                None => break,
            }
        }
        // What was handed over is stored; without its end the session stays open.
        self.give_up_recorder().await;
        is_closed.then(|| self.finished())
    }

    /// `true` when the session is closed. Whoever asked may be gone: then there is nobody to answer.
    async fn carry_out(&mut self, order: Order) -> bool {
        match order {
            Order::Records(batch, to) => {
                let answer = self.take_records(&batch).await;
                let _ = to.send(answer);
            }
            Order::Chunk(n, bytes, to) => {
                let answer = self.take_chunk(n, bytes).await;
                let _ = to.send(answer);
            }
            Order::Finish(finish, to) => {
                let answer = self.finish(finish).await;
                let is_finished = answer.is_ok();
                let _ = to.send(answer);
                if is_finished {
                    return self.go_on().await;
                }
            }
            Order::Watch(to) => {
                let _ = to.send(self.news.subscribe());
            }
            Order::FilmFrames { width_px, height_px, to } => {
                self.is_video_made = true;
                let sink = self.recorder.as_mut().ok_or("the session is not open".to_owned());
                let sink = sink.and_then(|r| r.video(width_px, height_px).map_err(|e| e.to_string()));
                let _ = to.send(sink.map(|s| s.sender()));
            }
            Order::FilmDone(done) => return self.film_done(done).await,
            Order::Abandon => {
                self.note("silence", json!({ "why": "nothing came for long, and the session was never finished" }));
                let finish = Finish { streams: self.intake.committed(), video_chunks: self.chunks.next() };
                self.set_finished(finish);
                return self.go_on().await;
            }
            Order::Leave(_) => {} // taken out before
        }
        false
    }

    async fn take_records(&mut self, batch: &Batch) -> Result<Stored, Problem> {
        self.admit(1.0 + batch.records.len() as f64)?;
        self.ensure_recorder().await?;
        let Taken { records, refused } = self.intake.take(batch, self.now())?;
        self.take_networks(&records).await;
        if !records.is_empty()
            && let Err(e) = self.store(records).await
        {
            // The numbers of what was not stored are read from the file again.
            self.give_up_recorder().await;
            return Err(e.into());
        }
        self.tell();
        self.plan.hub.seen(&self.plan.id);
        Ok((self.intake.committed(), refused))
    }

    /// What the browser says of the networks that it runs goes into the header, with the records or not at all.
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
                let (models, affect) = (self.plan.pool.models().clone(), self.plan.affect_model.clone());
                let read = tokio::task::spawn_blocking(move || networks::installed(&models, &affect));
                self.installed = read.await.ok();
            }
            let nothing = [const { None }; 3];
            let reported = networks::reported(data, self.installed.as_ref().unwrap_or(&nothing));
            if let (Some(recorder), false) = (&self.recorder, reported.is_empty()) {
                recorder.networks(reported);
            }
        }
    }

    fn admit(&mut self, records: f64) -> Result<(), Problem> {
        if self.plan.state != RemoteState::Open {
            let detail = "This session is finished and takes nothing more.";
            return Err(Problem::conflict("finished", detail));
        }
        let now = Instant::now();
        let admitted = self.requests.take(1.0, now).and_then(|()| self.records.take(records, now));
        admitted.map_err(|s| {
            let detail =
                format!("More comes than one session may send. Nothing was stored: send it again after {s} s.");
            Problem::too_fast(detail, s)
        })?;
        if disk_free_bytes(&self.plan.folder).is_some_and(|free| free < self.plan.min_free_bytes) {
            let detail = "The server's disk is nearly full. Nothing was stored: keep it and send it again later.";
            return Err(Problem::no_room(detail));
        }
        Ok(())
    }

    /// After a failure to store (a full disk, say) the file is opened anew.
    async fn ensure_recorder(&mut self) -> Result<(), Problem> {
        if self.recorder.is_some() {
            return Ok(());
        }
        let Opened { recorder, committed, streams } = reopen(&self.plan).await?;
        self.writers = writers(&recorder, &streams)?;
        self.intake.forget_unstored(streams);
        (self.recorder, self.committed) = (Some(recorder), committed);
        Ok(())
    }

    async fn give_up_recorder(&mut self) {
        (self.film, self.is_video_made) = (None, false);
        self.writers.clear();
        if let Some(recorder) = self.recorder.take() {
            // Why nothing can be stored has been said.
            drop(tokio::task::spawn_blocking(move || drop(recorder)).await);
        }
    }

    async fn store(&mut self, records: Vec<NewRecord>) -> Result<(), StoreError> {
        let Some(recorder) = &self.recorder else { return Err(StoreError::ThreadDied("recorder")) };
        for NewRecord { stream, seq, at, body } in records {
            self.last = self.last.max(at);
            let writer = &self.writers[stream];
            writer.put(seq, at, body).map_err(|e| StoreError::Poisoned(e.to_string()))?;
        }
        let (tell, told) = oneshot::channel();
        recorder.when_stored(move |result| {
            // Nobody waits any more where the task was ended.
            let _ = tell.send(result);
        });
        told.await.unwrap_or(Err(StoreError::ThreadDied("recorder")))
    }

    async fn take_chunk(&mut self, n: u64, bytes: Bytes) -> Result<u64, Problem> {
        if self.plan.camera != CameraMode::Video {
            let detail = "This session was begun without video: no picture of it is taken.";
            return Err(Problem::conflict("no-video", detail));
        }
        if n >= MAX_CHUNKS || bytes.is_empty() || bytes.len() > MAX_VIDEO_CHUNK_BYTES {
            let detail = format!(
                "A chunk of video is numbered below {MAX_CHUNKS} and holds 1 to {MAX_VIDEO_CHUNK_BYTES} bytes."
            );
            return Err(Problem::malformed(detail));
        }
        self.admit(1.0)?;
        if !self.chunks.contains(n) {
            let folder = self.plan.folder.clone();
            blocking(move || {
                chunks::store(&folder, n, &bytes).map_err(|source| StoreError::Io {
                    doing: "write the video of",
                    path: folder,
                    source,
                })
            })
            .await?;
            self.chunks.insert(n);
        }
        if self.film.is_none() && self.chunks.next() > 0 {
            self.begin_film();
        }
        if let Some(film) = &self.film {
            film.chunks(self.chunks.next());
        }
        self.plan.hub.seen(&self.plan.id);
        Ok(self.chunks.next())
    }

    fn begin_film(&mut self) {
        let (Some(recorder), Some(own), false) = (&self.recorder, self.own.upgrade(), self.is_video_made) else {
            return;
        };
        let plan = FilmPlan {
            folder: self.plan.folder.clone(),
            affect_model: self.plan.affect_model.clone(),
            scored: self.intake.numbers(AFFECT),
        };
        match Film::begin(plan, recorder, &self.plan.pool, own) {
            Ok(film) => self.film = Some(film),
            Err(e) => tracing::error!("the video of {}: {e}", self.plan.folder.display()),
        }
    }

    async fn finish(&mut self, finish: Finish) -> Result<Finished, Problem> {
        if self.plan.state == RemoteState::Open {
            self.requests.take(1.0, Instant::now()).map_err(|s| Problem::too_fast("Too many requests.", s))?;
            self.ensure_recorder().await?;
            let streams = self.intake.missing(&finish)?;
            if finish.video_chunks > MAX_CHUNKS {
                return Err(Problem::malformed(format!("A session has at most {MAX_CHUNKS} chunks of video.")));
            }
            let video_chunks: Vec<u64> = self.chunks.missing(finish.video_chunks).into_iter().flatten().collect();
            if !streams.is_empty() || !video_chunks.is_empty() {
                let detail = "Not all of the session is here. Send what is missing, then finish again.";
                return Err(Problem::conflict("incomplete", detail)
                    .with_committed(self.intake.committed())
                    .with_missing(Missing { streams, video_chunks }));
            }
            self.set_finished(finish);
        }
        Ok(self.finished())
    }

    fn finished(&self) -> Finished {
        Finished { committed: self.intake.committed(), video_chunks: self.chunks.next() }
    }

    fn set_finished(&mut self, finish: Finish) {
        self.plan.hub.set_state(&self.plan.id, RemoteState::Finished, Some(&finish));
        (self.plan.state, self.plan.finish) = (RemoteState::Finished, Some(finish));
    }

    /// What follows once all records are there. `true` when the session is closed.
    async fn go_on(&mut self) -> bool {
        if self.chunks.next() > 0 {
            if self.film.is_none() {
                self.begin_film();
            }
            if let Some(film) = &self.film {
                film.chunks(self.chunks.next());
                if self.plan.state == RemoteState::Finished {
                    film.end();
                }
                return false;
            }
            if self.plan.state == RemoteState::Finished && !self.is_video_made {
                let why = "too many videos wait for the server's vision threads. What the browser sent is kept";
                self.note("video_not_converted", json!({ "why": why }));
            }
        }
        self.plan.state == RemoteState::Finished && self.close().await
    }

    async fn film_done(&mut self, done: Result<FilmNews, String>) -> bool {
        self.film = None;
        match done {
            Ok(news) => {
                self.note(
                    "video_converted",
                    json!({
                        "frames": news.frames, "scored": news.scored, "frames_damaged": news.damaged,
                        "frames_without_time": news.untimed, "notes": news.notes,
                    }),
                );
                self.camera = Some(CameraDescription {
                    spec: self.plan.camera.as_str().to_owned(),
                    name: "camera of the browser".to_owned(),
                    backend: "browser".to_owned(),
                    format: "webm".to_owned(),
                    width_px: news.width_px,
                    height_px: news.height_px,
                    rate_hz: news.rate_hz,
                    settings: CameraSettings::default(),
                });
                let (folder, chunks) = (self.plan.folder.clone(), self.chunks.next());
                let joined = blocking(move || {
                    chunks::join(&folder, &news.starts, chunks).map_err(|source| StoreError::Io {
                        doing: "put together the video of",
                        path: folder,
                        source,
                    })
                });
                if let Err(e) = joined.await {
                    tracing::error!("{e}. Its parts stay in the session's folder.");
                }
            }
            // The browser's own video stays, and can be scored later.
            Err(why) => self.note("video_not_converted", json!({ "why": why })),
        }
        self.plan.state == RemoteState::Finished && self.close().await
    }

    async fn close(&mut self) -> bool {
        let Some(recorder) = self.recorder.take() else { return false };
        self.writers.clear();
        let (folder, at, camera) = (self.plan.folder.clone(), self.last.max(Timestamp::ZERO), self.camera.take());
        let turns = self.plan.turns.clone();
        let _turn = turns.acquire().await;
        let closed = blocking(move || {
            recorder.finish(SessionEnd { at: end_of(&folder)?.max(at), quality: None })?;
            if let Some(camera) = &camera {
                store_camera(&folder, camera)?;
            }
            judge(&folder)
        });
        match closed.await {
            Ok(()) => {}
            // It is closed or will be recovered; its owner sees it in the list.
            Err(e) => tracing::error!("closing {}: {e}", self.plan.folder.display()),
        }
        self.tell();
        self.plan.hub.closed(&self.plan.id);
        true
    }

    fn note(&self, kind: &str, data: Value) {
        if let Some(writer) = self.writers.iter().find(|w| w.name().as_str() == SERVER) {
            // The store counts what it cannot take and says so.
            let _ = writer.event(self.now(), kind, data);
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_ns(self.plan.clock.utc_ns() - self.plan.zero_utc_ns)
    }

    /// Commit, then show.
    fn tell(&mut self) {
        let mut news = LiveNews::default();
        let is_watched = self.news.receiver_count() > 0;
        for committed in self.committed.try_iter() {
            match committed {
                Committed::Records(records) if is_watched => records.iter().for_each(|r| news.add(r)),
                Committed::Records(_) => {}
                Committed::Failed(why) => tracing::error!("{}: {why}", self.plan.folder.display()),
            }
        }
        if !news.is_empty() {
            // Watchers come and go.
            let _ = self.news.send(Arc::new(news));
        }
    }
}

fn writers(recorder: &Recorder, streams: &[(StreamInfo, Numbers)]) -> Result<Vec<StreamWriter>, StoreError> {
    streams.iter().map(|(info, _)| recorder.stream(info.name.as_str())).collect()
}

/// The last thing stored: a session that went on after a restart has records from before.
fn end_of(folder: &Path) -> Result<Timestamp, StoreError> {
    let file = store::SessionFile::open(folder)?;
    let mut end = Timestamp::ZERO;
    file.each_record(|record| end = end.max(record.at))?;
    Ok(end)
}

/// Reads the closed session as anybody will, which is the proof that it can be, and stores how good it is.
fn judge(folder: &Path) -> Result<(), StoreError> {
    let file = store::SessionFile::open(folder)?;
    let timeline = file.timeline()?;
    let quality = study_query::session_quality(&file, &timeline)?;
    drop(file);
    match serde_json::to_value(&quality) {
        Ok(quality) => store_quality(folder, &quality),
        // Plain numbers and words always become JSON.
        Err(e) => Err(StoreError::Poisoned(e.to_string())),
    }
}
