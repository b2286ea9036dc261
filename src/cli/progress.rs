//! One line on the terminal that says how far long work is; nothing where nobody watches.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// Often enough to look alive.
const BETWEEN: Duration = Duration::from_millis(200);
const BAR: usize = 24;

pub struct Progress {
    started: Instant,
    drawn: Option<Instant>,
    is_watched: bool,
}

impl Progress {
    pub fn start() -> Progress {
        Progress { started: Instant::now(), drawn: None, is_watched: stderr().is_terminal() }
    }

    /// `done` is 0 … 1; `told` stands behind the bar.
    pub fn show(&mut self, done: f64, told: &str) {
        if !self.is_watched || self.drawn.is_some_and(|at| at.elapsed() < BETWEEN) {
            return;
        }
        self.drawn = Some(Instant::now());
        // A terminal that takes no more text is no reason to stop the work.
        let _unseen = write!(stderr(), "\r\x1b[K{}", line(done, self.started.elapsed(), told));
    }

    /// Prints a line of its own on standard output, above the bar.
    pub fn say(&mut self, line: &str) {
        self.wipe();
        println!("{line}");
    }

    pub fn wipe(&mut self) {
        if self.drawn.take().is_some() {
            let _unseen = write!(stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.wipe();
    }
}

fn line(done: f64, elapsed: Duration, told: &str) -> String {
    let done = if done.is_finite() { done.clamp(0.0, 1.0) } else { 0.0 };
    let full = (done * BAR as f64).round() as usize;
    // The first moments say little about the rest.
    let left = match elapsed.as_secs_f64() {
        s if s > 1.0 && done > 0.01 => format!("{} left", clock(s * (1.0 - done) / done)),
        _ => "…".to_owned(),
    };
    format!("[{}{}] {:3.0} %  {told}  {left}", "█".repeat(full), "·".repeat(BAR - full), 100.0 * done)
}

/// `1:02:03` or `2:03`
fn clock(seconds: f64) -> String {
    let s = seconds.round() as u64;
    match s / 3600 {
        0 => format!("{}:{:02}", s / 60, s % 60),
        h => format!("{h}:{:02}:{:02}", s / 60 % 60, s % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_much_is_done_and_how_long_it_takes() {
        assert_eq!(
            line(0.25, Duration::from_secs(30), "1 of 4 files"),
            "[██████··················]  25 %  1 of 4 files  1:30 left"
        );
        assert!(line(f64::NAN, Duration::ZERO, "").contains("  0 %"));
        assert!(line(7.0, Duration::from_secs(2), "").contains("100 %"));
        assert_eq!(clock(3723.4), "1:02:03");
    }
}
