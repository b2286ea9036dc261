//! How long a byte takes from this program to a device and back.

use std::time::{Duration, Instant};

use super::port::Port;

/// A byte that has not come back by then is lost.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
/// Between two bytes. It changes, so that the bytes do not fall into step with an adapter that sends at fixed times.
const PAUSES_MS: [u64; 5] = [3, 5, 8, 13, 21];

/// Round trips of single bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Latency {
    /// In milliseconds, shortest first.
    pub round_trips_ms: Vec<f64>,
    /// Bytes that did not come back.
    pub lost: usize,
}

impl Latency {
    /// The value that this share of the round trips does not exceed. `None`: no byte came back.
    pub fn quantile_ms(&self, share: f64) -> Option<f64> {
        let last = self.round_trips_ms.len().checked_sub(1)?;
        self.round_trips_ms.get((share * last as f64).round() as usize).copied()
    }
}

/// Sends `count` bytes one after another. Each must come back: pins 2 and 3 of the plug are connected, or the device answers with
/// the same byte.
pub fn measure_latency(mut port: Port, count: usize) -> std::io::Result<Latency> {
    let mut writer = port.second()?;
    port.set_read_wait(Duration::from_millis(20))?;
    let mut latency = Latency::default();
    for k in 0..count {
        std::thread::sleep(Duration::from_millis(PAUSES_MS[k % PAUSES_MS.len()]));
        discard(&mut port)?;
        // 0 is the rest of a pulse.
        let byte = (k % 255) as u8 + 1;
        let sent = Instant::now();
        writer.write(byte)?;
        match came_back(&mut port, byte, sent + ANSWER_WITHIN)? {
            Some(at) => latency.round_trips_ms.push(at.duration_since(sent).as_secs_f64() * 1e3),
            None => latency.lost += 1,
        }
    }
    latency.round_trips_ms.sort_by(f64::total_cmp);
    Ok(latency)
}

/// Bytes that came late. A device may also send all the time.
fn discard(port: &mut Port) -> std::io::Result<()> {
    port.set_read_wait(Duration::from_millis(1))?;
    for _ in 0..20 {
        if port.read(&mut [0; 256])? == 0 {
            break;
        }
    }
    port.set_read_wait(Duration::from_millis(20))
}

fn came_back(port: &mut Port, byte: u8, until: Instant) -> std::io::Result<Option<Instant>> {
    let mut buffer = [0; 256];
    while Instant::now() < until {
        let count = port.read(&mut buffer)?;
        if buffer[..count].contains(&byte) {
            return Ok(Some(Instant::now()));
        }
    }
    Ok(None)
}
