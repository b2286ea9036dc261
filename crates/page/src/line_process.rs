//! A second process of this program that shows a web page in its own window. The processes exchange lines of text.
//!
//! A crash of one process does not end the other. The second process ends when its input ends, so it never runs longer
//! than the first.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const END_LIMIT: Duration = Duration::from_secs(2);

pub(super) struct LineProcess {
    child: Child,
    stdin: Option<ChildStdin>,
    reader: Option<JoinHandle<()>>,
}

impl LineProcess {
    /// `read` receives each line of the output, then `None` at its end. It returns `false` to stop reading. `display` is
    /// an X display other than this process's own.
    pub fn start(
        program: &Path,
        subcommand: &str,
        display: Option<&str>,
        mut read: impl FnMut(Option<&str>) -> bool + Send + 'static,
    ) -> std::io::Result<LineProcess> {
        let mut command = Command::new(program);
        command.arg(subcommand).stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(display) = display {
            command.env("DISPLAY", display).env_remove("WAYLAND_DISPLAY");
        }
        let mut child = command.spawn()?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(std::io::Error::other("the new process has no pipes"));
        };
        let reader = std::thread::Builder::new().name("page-reader".into()).spawn(move || {
            for line in BufReader::new(stdout).lines() {
                let Ok(line) = line else { break };
                if !read(Some(&line)) {
                    return;
                }
            }
            read(None);
        });
        let mut process = LineProcess { child, stdin: Some(stdin), reader: None };
        process.reader = Some(reader.inspect_err(|_| drop(process.child.kill()))?);
        Ok(process)
    }

    /// Does nothing after [`LineProcess::request_end`].
    pub fn write(&mut self, line: &str) -> std::io::Result<()> {
        let Some(stdin) = &mut self.stdin else { return Ok(()) };
        stdin.write_all(line.as_bytes())?;
        stdin.write_all(b"\n")?;
        stdin.flush()
    }

    pub fn request_end(&mut self) {
        self.stdin = None;
    }

    /// Waits up to [`END_LIMIT`] for the process to end, then kills it. Returns how it ended.
    pub fn end(mut self) -> String {
        self.request_end();
        let deadline = Instant::now() + END_LIMIT;
        let how = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break status.to_string(),
                Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(10)),
                Ok(None) => {
                    // Fails only if the process has just ended by itself.
                    self.child.kill().ok();
                    break match self.child.wait() {
                        Ok(_) => "it did not end in time and was killed".to_owned(),
                        Err(error) => error.to_string(),
                    };
                }
                Err(error) => break error.to_string(),
            }
        };
        if let Some(reader) = self.reader.take() {
            // A panic of the thread was printed when it happened.
            reader.join().ok();
        }
        how
    }
}
