//! A progress bar on the terminal. Nothing is shown if standard error is not a terminal.

use super::output::print_out;
use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

/// The shortest time between two updates.
const UPDATE_INTERVAL: Duration = Duration::from_millis(200);
const BAR: usize = 24;

pub struct Progress {
    started: Instant,
    drawn: Option<Instant>,
    is_terminal: bool,
}

impl Progress {
    pub fn start() -> Progress {
        Progress { started: Instant::now(), drawn: None, is_terminal: stderr().is_terminal() }
    }

    /// `done` is 0 … 1. `label` is printed after the bar.
    pub fn show(&mut self, done: f64, label: &str) {
        if !self.is_terminal || self.drawn.is_some_and(|at| at.elapsed() < UPDATE_INTERVAL) {
            return;
        }
        self.drawn = Some(Instant::now());
        // A terminal that cannot be written to does not stop the work.
        write!(stderr(), "\r\x1b[K{}", line(done, self.started.elapsed(), label)).ok();
    }

    /// Prints a line on standard output, above the bar.
    pub fn print_line(&mut self, line: &str) {
        self.wipe();
        print_out!("{line}");
    }

    pub fn wipe(&mut self) {
        if self.drawn.take().is_some() {
            // See `show`.
            write!(stderr(), "\r\x1b[K").ok();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.wipe();
    }
}

fn line(done: f64, elapsed: Duration, label: &str) -> String {
    let done = if done.is_finite() { done.clamp(0.0, 1.0) } else { 0.0 };
    let full = (done * BAR as f64).round() as usize;
    // The first second and the first 1 % give no useful estimate.
    let left = match elapsed.as_secs_f64() {
        s if s > 1.0 && done > 0.01 => format!("{} left", clock(s * (1.0 - done) / done)),
        _ => "…".to_owned(),
    };
    format!("[{}{}] {:3.0} %  {label}  {left}", "█".repeat(full), "·".repeat(BAR - full), 100.0 * done)
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
