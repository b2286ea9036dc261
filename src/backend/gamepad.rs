//! The thread `gamepad`: reads a stick during a rating. Only this file uses gilrs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use gilrs::{Axis, EventType, Gilrs};

use super::to_window::ToWindow;
use desktop::port::BackendEvent;

/// The longest delay at the end, and the shortest time between two events of the stick.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Reads the gamepad until it is dropped. Dropping waits at most [`POLL_INTERVAL`].
pub struct Gamepad {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Gamepad {
    pub fn listen(window: ToWindow) -> std::io::Result<Gamepad> {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = is_over.clone();
        let thread = std::thread::Builder::new().name("gamepad".into()).spawn(move || {
            match Gilrs::new() {
                Ok(gilrs) => listen(gilrs, &over, &window),
                // Mouse and keyboard are sufficient. The window shows that there is no gamepad.
                Err(_) => window.send(BackendEvent::Gamepad(None)),
            }
        })?;
        Ok(Gamepad { is_over, thread: Some(thread) })
    }
}

impl Drop for Gamepad {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was printed when it happened.
            thread.join().ok();
        }
    }
}

fn listen(mut gilrs: Gilrs, is_over: &AtomicBool, window: &ToWindow) {
    let name = |gilrs: &Gilrs| gilrs.gamepads().next().map(|(_, pad)| pad.name().to_owned());
    let mut known = name(&gilrs);
    window.send(BackendEvent::Gamepad(known.clone()));
    let mut last_sent = Instant::now();
    let mut stick: Option<[f32; 2]> = None;
    while !is_over.load(Ordering::Relaxed) {
        if let Some(event) = gilrs.next_event_blocking(Some(POLL_INTERVAL)) {
            let is_stick = matches!(event.event, EventType::AxisChanged(Axis::LeftStickX | Axis::LeftStickY, ..));
            if is_stick {
                let pad = gilrs.gamepad(event.id);
                stick = Some([pad.value(Axis::LeftStickX), pad.value(Axis::LeftStickY)]);
            }
            let now = name(&gilrs);
            if now != known {
                known.clone_from(&now);
                window.send(BackendEvent::Gamepad(now));
            }
        }
        if last_sent.elapsed() >= POLL_INTERVAL
            && let Some([x, y]) = stick.take()
        {
            last_sent = Instant::now();
            window.send(BackendEvent::GamepadStick { x, y });
        }
    }
}
