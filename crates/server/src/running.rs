//! Counts the sessions whose tasks run, in total and for each write key.

use std::collections::HashMap;
use std::sync::Arc;

use super::config::ServerConfig;
use super::problem::Problem;

/// Each counted session holds a clone of two of these counters, so the number of clones is the count.
#[derive(Debug, Default)]
pub struct RunningSessions {
    all: Arc<()>,
    keys: HashMap<String, Arc<()>>,
}

/// One running session. It counts until this is dropped.
#[derive(Debug)]
pub struct CountedSession {
    _all: Arc<()>,
    _key: Arc<()>,
}

impl RunningSessions {
    pub fn count(&mut self, key: &str) -> CountedSession {
        let of_key = self.keys.entry(key.to_owned()).or_default();
        CountedSession { _all: self.all.clone(), _key: of_key.clone() }
    }

    /// Whether the server has its largest number of running sessions.
    pub fn is_full(&self, config: &ServerConfig) -> bool {
        number(&self.all) >= config.max_sessions
    }

    /// Whether no more sessions of the key can run.
    pub fn is_full_for(&self, key: &str, config: &ServerConfig) -> bool {
        self.is_full(config) || self.keys.get(key).map_or(0, number) >= config.sessions_per_key
    }

    /// Refuses if no more sessions of the key can run. A silent or closed session uses no thread, so it is checked before its
    /// task starts.
    pub fn check(&self, key: &str, config: &ServerConfig) -> Result<(), Problem> {
        if self.is_full_for(key, config) { Err(Problem::too_many_running()) } else { Ok(()) }
    }
}

fn number(counter: &Arc<()>) -> usize {
    Arc::strong_count(counter) - 1
}
