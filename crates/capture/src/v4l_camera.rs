//! A camera through V4L2: sequence numbers, damaged frames, used bytes and the driver's own time.

use std::io;
use std::mem::ManuallyDrop;
use std::time::{Duration, Instant};

use v4l::buffer::{Flags, Metadata, Type};
use v4l::io::traits::{CaptureStream, Stream as _};
use v4l::prelude::MmapStream;
use v4l::video::Capture as _;
use v4l::video::capture::Parameters;
use v4l::{Device, Format};

use super::layout::Layout;
use super::v4l_device::{self, FORMATS, Offer, V4lControls, explain, guarded, modes_of, offers};
use super::{Camera, CameraError, CameraInfo, CameraKind, Captured, CapturedFrame, DeviceId, Mode, controls, modes};
use session::{CameraSettings, Clock, TimeSource, Timestamp};

/// One buffer is ours while waiting. The driver has seven: 230 ms at 30 fps before it must drop frames.
const BUFFERS: u32 = 8;

pub struct V4lCamera {
    /// Dropped before the device: fields are dropped in order.
    stream: ManuallyDrop<MmapStream<'static>>,
    device: Device,
    id: DeviceId,
    info: CameraInfo,
    layout: Layout,
    clock: Clock,
}

impl V4lCamera {
    pub fn open(
        id: DeviceId,
        mode: Option<&Mode>,
        settings: &CameraSettings,
        clock: &Clock,
    ) -> Result<Self, CameraError> {
        guarded(id, "open", || Self::open_unguarded(id, mode, settings, clock))
    }

    fn open_unguarded(
        id: DeviceId,
        mode: Option<&Mode>,
        settings: &CameraSettings,
        clock: &Clock,
    ) -> Result<Self, CameraError> {
        let address = id.to_string();
        let device = v4l_device::open(id)?;
        let caps = device.query_caps().map_err(|e| explain(id, "report its capabilities", e))?;
        let offer = choose(id, &device, mode, settings)?;
        let (mode, layout) = set_mode(id, &device, &offer)?;
        let mut notes = controls::apply(&mut V4lControls(&device), settings);
        let controls = controls::read(&V4lControls(&device)).unwrap_or_else(|why| {
            notes.push(format!("the camera's controls could not be read: {why}"));
            Vec::new()
        });
        let stream = start(&device).map_err(|e| explain(id, "start", e))?;
        let info = CameraInfo {
            name: caps.card,
            kind: CameraKind::V4l,
            address,
            bus: Some(caps.bus),
            mode,
            is_live: true,
            expected_frames: None,
            controls,
            notes,
        };
        Ok(V4lCamera { stream: ManuallyDrop::new(stream), device, id, info, layout, clock: *clock })
    }
}

fn choose(id: DeviceId, device: &Device, mode: Option<&Mode>, settings: &CameraSettings) -> Result<Offer, CameraError> {
    let (offers, unusable) = offers(device, settings).map_err(|e| explain(id, "list its modes", e))?;
    let address = id.to_string();
    let listed = modes_of(&offers);
    let chosen = match mode {
        Some(mode) => {
            modes::find(&listed, mode).ok_or(CameraError::NoSuchMode { address: address.clone(), mode: *mode })?
        }
        None => modes::choose(&listed, settings)
            .ok_or_else(|| CameraError::NoUsableMode { address: address.clone(), offered: unusable.join(", ") })?,
    };
    let found = offers.into_iter().find(|o| o.mode == chosen);
    found.ok_or(CameraError::NoSuchMode { address, mode: chosen })
}

/// Sets the mode and reads back the result.
fn set_mode(id: DeviceId, device: &Device, offer: &Offer) -> Result<(Mode, Layout), CameraError> {
    let wanted = Format::new(offer.mode.width_px, offer.mode.height_px, offer.fourcc);
    let set = device.set_format(&wanted).map_err(|e| explain(id, "change its format", e))?;
    let Some((_, format)) = FORMATS.iter().find(|(code, _)| v4l::FourCC::new(code) == set.fourcc) else {
        let why = format!("it set {} instead of {}", set.fourcc, offer.fourcc);
        return Err(CameraError::Device { address: id.to_string(), action: "change its format", why });
    };
    let rate = device.set_params(&Parameters::new(offer.interval)).map_err(|e| explain(id, "change its rate", e))?;
    let interval =
        if rate.interval.numerator > 0 && rate.interval.denominator > 0 { rate.interval } else { offer.interval };
    let rate_hz = f64::from(interval.denominator) / f64::from(interval.numerator);
    let (width_px, height_px) = (set.width, set.height);
    let layout = Layout { format: *format, width_px, height_px, stride: set.stride as usize };
    Ok((Mode { width_px, height_px, rate_hz, format: *format }, layout))
}

/// Starts streaming such that waiting and reading are two steps.
///
/// The crate's `next()` returns a buffer and waits in one step. After a time-out it would return the same buffer twice.
/// Therefore all buffers except the first are queued here, and [`V4lCamera::next`] waits by itself. `next()` runs only when
/// a picture is available: it returns our buffer and takes the full one.
fn start(device: &Device) -> io::Result<MmapStream<'static>> {
    let mut stream = MmapStream::with_buffers(device, Type::VideoCapture, BUFFERS)?;
    let mut queued = 0;
    for index in 1..BUFFERS as usize {
        match CaptureStream::queue(&mut stream, index) {
            Ok(()) => queued += 1,
            // The driver may provide fewer buffers than requested.
            Err(_) if queued > 0 => break,
            Err(e) => return Err(e),
        }
    }
    stream.start()?;
    Ok(stream)
}

impl Camera for V4lCamera {
    fn info(&self) -> &CameraInfo {
        &self.info
    }

    fn next(&mut self, timeout: Duration) -> Result<Captured, CameraError> {
        let deadline = Instant::now() + timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let left_ms = i32::try_from(left.as_millis()).unwrap_or(i32::MAX);
            match self.stream.handle().poll(POLLIN, left_ms) {
                Ok(0) => return Err(CameraError::Silent { waited: timeout }),
                Ok(_) => break,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(explain(self.id, "wait for a picture", e)),
            }
        }
        let arrival = self.clock.now();
        // A picture should be available. The time limit is for drivers that report one without having it.
        self.stream.set_timeout(timeout.max(Duration::from_millis(1)).min(Duration::from_secs(10)));
        let (bytes, meta) = match CaptureStream::next(&mut *self.stream) {
            Ok(picture) => picture,
            Err(e) => return Err(explain(self.id, "deliver a picture", e)),
        };
        Ok(take(&self.layout, bytes, meta, &self.clock, arrival))
    }

    fn adjust(&mut self, settings: &CameraSettings) {
        self.info.notes = controls::apply(&mut V4lControls(&self.device), settings);
        match controls::read(&V4lControls(&self.device)) {
            Ok(controls) => self.info.controls = controls,
            Err(why) => self.info.notes.push(format!("the camera's controls could not be read: {why}")),
        }
    }
}

impl Drop for V4lCamera {
    fn drop(&mut self) {
        // On any other error, the crate panics in its drop, even during another panic.
        match self.stream.stop() {
            Err(e) if e.raw_os_error() != Some(NO_DEVICE) => {}
            // SAFETY: nothing uses the stream after this, and it is dropped nowhere else.
            _ => unsafe { ManuallyDrop::drop(&mut self.stream) },
        }
    }
}

/// `ENODEV`: unplugged.
const NO_DEVICE: i32 = 19;
/// `POLLIN`; the same on every Linux.
const POLLIN: i16 = 1;

fn take(layout: &Layout, buffer: &[u8], meta: &Metadata, clock: &Clock, arrival: Timestamp) -> Captured {
    let (at, time_source) = stamp(meta, clock, arrival);
    let device_sequence = Some(u64::from(meta.sequence));
    let bytes = &buffer[..buffer.len().min(meta.bytesused as usize)];
    let corrupt = |why: String| Captured::Corrupt { at, device_sequence, why };
    if meta.flags.contains(Flags::ERROR) {
        return corrupt("the driver marked the picture as damaged".to_owned());
    }
    match layout.pixels(bytes) {
        Ok(pixels) => {
            let (width_px, height_px) = (layout.width_px, layout.height_px);
            Captured::Frame(CapturedFrame { at, time_source, device_sequence, width_px, height_px, pixels })
        }
        Err(why) => corrupt(why),
    }
}

/// The driver's time if it is on our clock and plausible, otherwise the time of arrival.
fn stamp(meta: &Metadata, clock: &Clock, arrival: Timestamp) -> (Timestamp, TimeSource) {
    let ns = meta.timestamp.sec.saturating_mul(1_000_000_000).saturating_add(meta.timestamp.usec.saturating_mul(1000));
    let at = clock.from_monotonic_ns(ns);
    let is_monotonic =
        u32::from(meta.flags) & u32::from(Flags::TIMESTAMP_MASK) == u32::from(Flags::TIMESTAMP_MONOTONIC);
    let age_ns = arrival.since_ns(at);
    if is_monotonic && (-5_000_000..10_000_000_000).contains(&age_ns) {
        (at, TimeSource::Driver)
    } else {
        (arrival, TimeSource::Arrival)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_believable_monotonic_time_is_taken() {
        let clock = Clock::start();
        let arrival = clock.now();
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let meta = |flags, sec_ago| Metadata {
            flags,
            timestamp: v4l::Timestamp::new(now.tv_sec - sec_ago, now.tv_nsec / 1000),
            ..Default::default()
        };
        assert_eq!(stamp(&meta(Flags::TIMESTAMP_MONOTONIC, 0), &clock, arrival).1, TimeSource::Driver);
        assert_eq!(stamp(&meta(Flags::TIMESTAMP_UNKNOWN, 0), &clock, arrival), (arrival, TimeSource::Arrival));
        assert_eq!(stamp(&meta(Flags::TIMESTAMP_MONOTONIC, 3600), &clock, arrival), (arrival, TimeSource::Arrival));
        assert_eq!(stamp(&meta(Flags::TIMESTAMP_MONOTONIC, -10), &clock, arrival), (arrival, TimeSource::Arrival));
    }
}
