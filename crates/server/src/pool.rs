//! A bounded pool of vision threads: each thread has its own networks and follows one session's video at a time. Where all are
//! busy a session waits, and is scored later from what is stored.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};

use vision::{Models, Vision};

/// Sessions whose video may wait for a free thread.
const JOBS_WAITING: usize = 4096;

/// One session's video, to be looked at.
pub type Job = Box<dyn FnOnce(&mut VisionThread) + Send>;

#[derive(Clone)]
pub struct VisionPool {
    jobs: Sender<Job>,
    models: Arc<PathBuf>,
}

/// The threads behind a [`VisionPool`], which end when every `VisionPool` is dropped.
pub struct PoolThreads(Vec<JoinHandle<()>>);

/// One thread's networks, loaded when first needed.
pub struct VisionThread {
    models: Arc<PathBuf>,
    loaded: Option<(String, Vision)>,
}

impl VisionThread {
    /// A sentence where the networks cannot be loaded.
    pub fn open(&mut self, affect: &str) -> Result<&mut Vision, String> {
        let vision = match self.loaded.take() {
            Some((name, vision)) if name == affect => vision,
            _ => Vision::new(Models::load(&self.models, affect).map_err(|e| e.to_string())?),
        };
        let (_, vision) = self.loaded.insert((affect.to_owned(), vision));
        // Another participant's face must not be looked for.
        vision.reset();
        Ok(vision)
    }
}

impl VisionPool {
    pub fn start(threads: usize, models: PathBuf) -> std::io::Result<(VisionPool, PoolThreads)> {
        let (jobs, taken) = bounded(JOBS_WAITING);
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

    /// `false` where the pool has ended, or too many wait already: the session tries again when its next chunk comes.
    pub fn add(&self, job: Job) -> bool {
        self.jobs.try_send(job).is_ok()
    }

    pub fn models(&self) -> &PathBuf {
        &self.models
    }

    /// Sessions whose video waits for a free thread.
    pub fn waiting(&self) -> usize {
        self.jobs.len()
    }
}

impl PoolThreads {
    /// Waits for the jobs at work, which end when their sessions leave them.
    pub fn join(self) {
        for thread in self.0 {
            // A panic there was printed already.
            drop(thread.join());
        }
    }
}
