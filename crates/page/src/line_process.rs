//! This same program, run once more to show a web page in a window of its own; the two talk in lines of text.
//!
//! Whatever the page does to its window, ours stays alive, and the other way round. The end of its input ends it, so it
//! never outlives us.

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
    /// `read` gets each line, then `None` at its end; it answers whether it wants more. `display` is an X display other
    /// than ours.
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
            return Err(std::io::Error::other("its pipes are missing"));
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

    /// Nothing happens once it was asked to end.
    pub fn write(&mut self, line: &str) -> std::io::Result<()> {
        let Some(stdin) = &mut self.stdin else { return Ok(()) };
        stdin.write_all(line.as_bytes())?;
        stdin.write_all(b"\n")?;
        stdin.flush()
    }

    pub fn ask_to_end(&mut self) {
        self.stdin = None;
    }

    /// Waits for its end, a little, and says how it ended.
    pub fn end(mut self) -> String {
        self.ask_to_end();
        let deadline = Instant::now() + END_LIMIT;
        let how = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break status.to_string(),
                Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(10)),
                Ok(None) => {
                    let _already_gone = self.child.kill();
                    break match self.child.wait() {
                        Ok(_) => "it did not react and was ended".to_owned(),
                        Err(error) => error.to_string(),
                    };
                }
                Err(error) => break error.to_string(),
            }
        };
        if let Some(reader) = self.reader.take() {
            let _its_panic_was_printed = reader.join();
        }
        how
    }
}
