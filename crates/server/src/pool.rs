//! A bounded pool of vision threads. Each thread has its own networks and converts one session's video at a time. If all
//! threads are busy, a session waits, and its stored video is scored later.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};

use vision::{Models, Vision};

/// Videos that can wait for a free thread.
const MAX_WAITING_JOBS: usize = 4096;

/// The conversion of one session's video.
pub type Job = Box<dyn FnOnce(&mut VisionThread) + Send>;

#[derive(Clone)]
pub struct VisionPool {
    jobs: Sender<Job>,
    models: Arc<PathBuf>,
}

/// The threads of a [`VisionPool`]. They end when every `VisionPool` is dropped.
pub struct PoolThreads(Vec<JoinHandle<()>>);

/// One thread's networks. They are loaded at their first use.
pub struct VisionThread {
    models: Arc<PathBuf>,
    loaded: Option<(String, Vision)>,
}

impl VisionThread {
    /// The error is a sentence why the networks cannot be loaded.
    pub fn open(&mut self, affect: &str) -> Result<&mut Vision, String> {
        let vision = match self.loaded.take() {
            Some((name, vision)) if name == affect => vision,
            _ => Vision::new(Models::load(&self.models, affect).map_err(|e| e.to_string())?),
        };
        let (_, vision) = self.loaded.insert((affect.to_owned(), vision));
        // The tracker must not search for the previous participant's face.
        vision.reset();
        Ok(vision)
    }
}

impl VisionPool {
    pub fn start(threads: usize, models: PathBuf) -> std::io::Result<(VisionPool, PoolThreads)> {
        let (jobs, taken) = bounded(MAX_WAITING_JOBS);
        let models = Arc::new(models);
        let start = |k: usize| {
            let (taken, models): (Receiver<Job>, _) = (taken.clone(), models.clone());
            std::thread::Builder::new().name(format!("vision {k}")).spawn(move || {
                let mut vision_thread = VisionThread { models, loaded: None };
                taken.iter().for_each(|job| job(&mut vision_thread));
            })
        };
        let threads = (0..threads.max(1)).map(start).collect::<std::io::Result<_>>()?;
        Ok((VisionPool { jobs, models }, PoolThreads(threads)))
    }

    /// Returns `false` if the pool has ended or its queue is full. The session tries again with its next chunk.
    pub fn add(&self, job: Job) -> bool {
        self.jobs.try_send(job).is_ok()
    }

    pub fn models(&self) -> &PathBuf {
        &self.models
    }

    /// Number of sessions whose video waits for a free thread.
    pub fn waiting(&self) -> usize {
        self.jobs.len()
    }
}

impl PoolThreads {
    /// Waits for the running jobs. They end when their sessions drop them.
    pub fn join(self) {
        for thread in self.0 {
            if thread.join().is_err() {
                tracing::error!("a vision thread panicked");
            }
        }
    }
}
