//! The two threads of a port.

use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Sender, bounded};

use super::input::{Input, InputSink, second};
use super::output::{Output, OutputSink, QUEUE, TriggerSender};
use super::port::{Address, Port};
use session::Clock;

/// Receives and sends until it is stopped. While the port is not there, it is looked for.
pub struct PortThreads {
    path: String,
    stop: Option<Sender<()>>,
    triggers: TriggerSender,
    threads: Vec<JoinHandle<()>>,
}

impl PortThreads {
    /// `port`: opened before, if it was there.
    pub fn start(
        (path, baud_rate): (&str, u32),
        port: Option<Port>,
        pulse: Option<Duration>,
        clock: Clock,
        (input, output): (InputSink, OutputSink),
    ) -> std::io::Result<PortThreads> {
        let address = Address { path: path.to_owned(), baud_rate };
        let (stop, stopped) = bounded(0);
        let (to_output, ports) = bounded(2);
        let (triggers_tx, triggers) = bounded(QUEUE);
        let for_output = port.as_ref().map(|port| second(port, &address)).transpose().map_err(std::io::Error::other)?;
        let output = Output { clock, port: for_output, pulse, reset_at: None, sink: output };
        let input = Input { address, clock, port, to_output, stopped: stopped.clone(), sink: input, told: None };
        let mut started = PortThreads {
            path: path.to_owned(),
            stop: Some(stop),
            triggers: TriggerSender(triggers_tx),
            threads: Vec::new(),
        };
        let named = |name: &str| std::thread::Builder::new().name(name.to_owned());
        started.threads.push(named("serial out").spawn(move || output.run(&triggers, ports, &stopped))?);
        started.threads.push(named("serial in").spawn(move || input.run())?);
        Ok(started)
    }

    /// For the marks that go out.
    pub fn sender(&self) -> TriggerSender {
        self.triggers.clone()
    }

    /// Sends what waits, ends the pulse, takes what has come, and closes the port.
    pub fn stop(&mut self) {
        self.stop = None;
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the serial port {} failed", self.path);
            }
        }
    }
}

impl Drop for PortThreads {
    fn drop(&mut self) {
        self.stop();
    }
}
