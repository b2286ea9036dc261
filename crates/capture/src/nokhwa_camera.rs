//! A camera through nokhwa, on every system.
//!
//! nokhwa waits for a picture without a time limit. It therefore runs on its own thread, and the waiting with a time limit
//! is done here. nokhwa reports no sequence numbers, no flags of damaged frames and no number of used bytes. Damage is
//! detected in the pictures.

use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crossbeam_channel::{Receiver, RecvTimeoutError, SendTimeoutError, Sender, TryRecvError, bounded};
use nokhwa::utils::{CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType, Resolution};
use nokhwa::{Buffer, NokhwaError};

use super::controls_nokhwa::NokhwaControls;
use super::layout::Layout;
use super::stale::StaleTails;
use super::{
    Camera, CameraError, CameraInfo, CameraKind, Captured, CapturedFrame, Control, DeviceId, Mode, PixelFormat,
    controls, modes,
};
use session::{CameraSettings, Clock, Pixels, TimeSource};

pub struct NokhwaCamera {
    info: CameraInfo,
    /// `None` only while dropping.
    inner: Option<Inner>,
    id: DeviceId,
}

/// The channels to the thread of nokhwa.
struct Inner {
    pictures: Receiver<Result<Captured, CameraError>>,
    wishes: Sender<Wish>,
    /// Disconnected when the thread has ended.
    end: Receiver<()>,
    thread: JoinHandle<()>,
}

struct Wish {
    settings: CameraSettings,
    answer: Sender<(Vec<Control>, Vec<String>)>,
}

/// The longest wait for the driver to end its last read.
const LET_GO: Duration = Duration::from_secs(2);

impl NokhwaCamera {
    pub fn open(
        id: DeviceId,
        mode: Option<&Mode>,
        settings: &CameraSettings,
        clock: &Clock,
    ) -> Result<Self, CameraError> {
        let mode = choose(id, mode, settings)?;
        let (opened_in, opened) = bounded(1);
        let (pictures_in, pictures) = bounded(4);
        let (wishes, wishes_out) = bounded(1);
        let (end_in, end) = bounded(0);
        let (settings, clock) = (settings.clone(), *clock);
        let work = move || {
            let _end: Sender<()> = end_in;
            match guarded(id, "open", || open(id, &mode, &settings)) {
                Ok((camera, info)) => {
                    let layout = Layout {
                        format: info.mode.format,
                        width_px: info.mode.width_px,
                        height_px: info.mode.height_px,
                        stride: 0,
                    };
                    if opened_in.send(Ok(info)).is_ok() {
                        deliver(camera, id, layout, clock, &pictures_in, &wishes_out);
                    }
                }
                // The receiver exists: `open` below waits for the result.
                Err(e) => _ = opened_in.send(Err(e)),
            }
        };
        let thread = thread::Builder::new().name("nokhwa".into()).spawn(work).map_err(CameraError::Thread)?;
        let inner = Inner { pictures, wishes, end, thread };
        let answer = opened.recv().unwrap_or_else(|_| Err(device_error(id, "open", "its thread ended".to_owned())));
        match answer {
            Ok(info) => Ok(NokhwaCamera { info, inner: Some(inner), id }),
            Err(e) => {
                inner.finish(id);
                Err(e)
            }
        }
    }
}

impl Camera for NokhwaCamera {
    fn info(&self) -> &CameraInfo {
        &self.info
    }

    fn next(&mut self, timeout: Duration) -> Result<Captured, CameraError> {
        let ended = || Err(device_error(self.id, "deliver a picture", "its thread ended".to_owned()));
        let Some(inner) = &self.inner else { return ended() };
        match inner.pictures.recv_timeout(timeout) {
            Ok(picture) => picture,
            Err(RecvTimeoutError::Timeout) => Err(CameraError::Silent { waited: timeout }),
            Err(RecvTimeoutError::Disconnected) => ended(),
        }
    }

    fn adjust(&mut self, settings: &CameraSettings) {
        let (answer, answered) = bounded(1);
        let wish = Wish { settings: settings.clone(), answer };
        let wait = Duration::from_millis(500);
        let sent = self.inner.as_ref().is_some_and(|i| i.wishes.send_timeout(wish, wait).is_ok());
        match answered.recv_timeout(if sent { wait } else { Duration::ZERO }) {
            Ok((controls, notes)) => (self.info.controls, self.info.notes) = (controls, notes),
            // The thread waits for a picture that does not arrive. The capture thread will reopen the camera with these settings.
            Err(_) => self.info.notes = vec!["the camera does not respond, its settings are unchanged".to_owned()],
        }
    }
}

impl Drop for NokhwaCamera {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take() {
            inner.finish(self.id);
        }
    }
}

impl Inner {
    fn finish(self, id: DeviceId) {
        // Without these channels the thread ends at its next step…
        drop((self.pictures, self.wishes));
        // …and its current wait ends with the stream.
        stop_streaming(id);
        if self.end.recv_timeout(LET_GO) == Err(RecvTimeoutError::Timeout) {
            // The thread is blocked in the driver. It owns no recorded data, and ends with the driver's call or with the program.
            return;
        }
        // A panic of nokhwa closes its channel and is thus reported as a failure of the camera.
        drop(self.thread.join());
    }
}

/// Ends the stream of our descriptor of this device. Nothing else wakes a thread that waits in nokhwa.
#[cfg(target_os = "linux")]
fn stop_streaming(id: DeviceId) {
    let Ok(descriptors) = std::fs::read_dir("/proc/self/fd") else { return };
    let node = std::path::PathBuf::from(id.to_string());
    for descriptor in descriptors.flatten() {
        let is_ours = std::fs::read_link(descriptor.path()).is_ok_and(|target| target == node);
        let number = descriptor.file_name().to_str().and_then(|n| n.parse().ok());
        if let (true, Some(number)) = (is_ours, number) {
            let mut kind = v4l::buffer::Type::VideoCapture as u32;
            let argument = (&raw mut kind).cast();
            // SAFETY: VIDIOC_STREAMOFF reads one u32. If the descriptor was closed meanwhile or is used for another
            // purpose, the call fails without effect: only the descriptor that streams can stop the stream.
            let stopped = unsafe { v4l::v4l2::ioctl(number, v4l::v4l2::vidioc::VIDIOC_STREAMOFF, argument) };
            // A descriptor that does not stream (while cameras are listed) is not affected.
            drop(stopped);
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn stop_streaming(_id: DeviceId) {}

#[cfg(target_os = "linux")]
use super::v4l_device::guarded;

#[cfg(not(target_os = "linux"))]
fn guarded<T>(
    _id: DeviceId,
    _action: &'static str,
    what: impl FnOnce() -> Result<T, CameraError>,
) -> Result<T, CameraError> {
    what()
}

/// The thread that nokhwa may block.
fn deliver(
    mut camera: nokhwa::Camera,
    id: DeviceId,
    layout: Layout,
    clock: Clock,
    pictures: &Sender<Result<Captured, CameraError>>,
    wishes: &Receiver<Wish>,
) {
    let mut stale = StaleTails::default();
    loop {
        let frame = || camera.frame().map_err(|e| explain(id, "deliver a picture", &e));
        let mut picture = guarded(id, "deliver a picture", frame).map(|b| take(&layout, &b, &clock, &mut stale));
        let is_over = picture.is_err();
        // The caller does not read pictures while it changes settings. Neither thread may wait for the other.
        loop {
            match wishes.try_recv() {
                Ok(wish) => grant(&mut camera, &wish),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => return,
            }
            match pictures.send_timeout(picture, Duration::from_millis(20)) {
                Ok(()) if is_over => return,
                Ok(()) => break,
                Err(SendTimeoutError::Timeout(back)) => picture = back,
                Err(SendTimeoutError::Disconnected(_)) => return,
            }
        }
    }
}

fn grant(camera: &mut nokhwa::Camera, wish: &Wish) {
    let notes = controls::apply(&mut NokhwaControls(camera), &wish.settings);
    let controls = controls::read(&NokhwaControls(camera)).unwrap_or_default();
    // Who asked may have given up waiting.
    drop(wish.answer.send((controls, notes)));
}

fn take(layout: &Layout, buffer: &Buffer, clock: &Clock, stale: &mut StaleTails) -> Captured {
    let arrival = clock.now();
    // nokhwa returns wall-clock time, computed at every frame. It is converted back at once, before that clock can step.
    let age =
        buffer.capture_timestamp().and_then(|t| SystemTime::now().duration_since(UNIX_EPOCH).ok()?.checked_sub(t));
    let (at, time_source) = match age {
        Some(age) if age < Duration::from_secs(10) => (arrival - age, TimeSource::Driver),
        _ => (arrival, TimeSource::Arrival),
    };
    match layout.pixels(buffer.buffer()) {
        Ok(Pixels::Jpeg(jpeg)) if stale.ends_in_an_older_picture(&jpeg) => {
            let why = "the JPEG ends with the rest of an older one".to_owned();
            Captured::Corrupt { at, device_sequence: None, why }
        }
        Ok(pixels) => {
            let (width_px, height_px) = (layout.width_px, layout.height_px);
            Captured::Frame(CapturedFrame { at, time_source, device_sequence: None, width_px, height_px, pixels })
        }
        Err(why) => Captured::Corrupt { at, device_sequence: None, why },
    }
}

fn open(id: DeviceId, mode: &Mode, settings: &CameraSettings) -> Result<(nokhwa::Camera, CameraInfo), CameraError> {
    let failed = |action| move |e: NokhwaError| explain(id, action, &e);
    let Some(format) = frame_format(mode.format) else {
        return Err(CameraError::NoSuchMode { address: id.to_string(), mode: *mode });
    };
    let rate = mode.rate_hz.round() as u32;
    let wanted = CameraFormat::new(Resolution::new(mode.width_px, mode.height_px), format, rate);
    let request = RequestedFormat::with_formats(RequestedFormatType::Exact(wanted), std::slice::from_ref(&format));
    let mut camera = nokhwa::Camera::new(CameraIndex::Index(id.0), request).map_err(failed("open"))?;
    let notes = controls::apply(&mut NokhwaControls(&mut camera), settings);
    let controls = controls::read(&NokhwaControls(&mut camera)).unwrap_or_default();
    camera.open_stream().map_err(failed("start"))?;
    let set = camera.refresh_camera_format().map_err(failed("report its format"))?;
    let Some(format) = pixel_format(set.format()) else {
        return Err(CameraError::NoSuchMode { address: id.to_string(), mode: *mode });
    };
    let mode = Mode { width_px: set.width(), height_px: set.height(), rate_hz: f64::from(set.frame_rate()), format };
    let about = camera.info();
    let info = CameraInfo {
        name: about.human_name(),
        kind: CameraKind::Nokhwa,
        address: id.to_string(),
        bus: bus(&about.misc()),
        mode,
        is_live: true,
        expected_frames: None,
        controls,
        notes,
    };
    Ok((camera, info))
}

/// nokhwa's additional text: on Linux the bus and the driver's version, elsewhere a unique name.
fn bus(misc: &str) -> Option<String> {
    let bus = if cfg!(target_os = "linux") { misc.split_once(" (").map_or(misc, |(bus, _)| bus) } else { misc };
    (!bus.is_empty()).then(|| bus.to_owned())
}

fn choose(id: DeviceId, mode: Option<&Mode>, settings: &CameraSettings) -> Result<Mode, CameraError> {
    let offered = guarded(id, "list its modes", || offered(id, settings))?;
    match mode {
        Some(m) => modes::find(&offered, m).ok_or(CameraError::NoSuchMode { address: id.to_string(), mode: *m }),
        None => modes::choose(&offered, settings).ok_or_else(|| CameraError::NoUsableMode {
            address: id.to_string(),
            offered: "others, or only at fractional rates".to_owned(),
        }),
    }
}

/// On Linux, nokhwa's list has wrong fractional rates. The list is therefore read through V4L2, without the modes that
/// nokhwa cannot set.
#[cfg(target_os = "linux")]
fn offered(id: DeviceId, settings: &CameraSettings) -> Result<Vec<Mode>, CameraError> {
    let device = super::v4l_device::open(id)?;
    let (offers, _) = super::v4l_device::offers(&device, settings)
        .map_err(|e| super::v4l_device::explain(id, "list its modes", e))?;
    let is_settable = |o: &super::v4l_device::Offer| {
        o.interval.numerator == 1 && o.fourcc != v4l::FourCC::new(b"JPEG") && o.mode.format != PixelFormat::Grey
    };
    Ok(offers.iter().filter(|o| is_settable(o)).map(|o| o.mode).collect())
}

#[cfg(not(target_os = "linux"))]
fn offered(id: DeviceId, _settings: &CameraSettings) -> Result<Vec<Mode>, CameraError> {
    describe(id).map(|(modes, _)| modes)
}

/// The modes of a camera. They can be read only from an open camera.
#[cfg(not(target_os = "linux"))]
pub fn describe(id: DeviceId) -> Result<(Vec<Mode>, Vec<Control>), CameraError> {
    let formats = FORMATS.map(|f| f.0);
    let any = RequestedFormat::with_formats(RequestedFormatType::AbsoluteHighestFrameRate, &formats);
    let mut camera = nokhwa::Camera::new(CameraIndex::Index(id.0), any).map_err(|e| explain(id, "open", &e))?;
    let formats = camera.compatible_camera_formats().map_err(|e| explain(id, "list its modes", &e))?;
    let mut modes: Vec<Mode> = formats
        .iter()
        .filter_map(|f| {
            let (width_px, height_px, rate_hz) = (f.width(), f.height(), f64::from(f.frame_rate()));
            Some(Mode { width_px, height_px, rate_hz, format: pixel_format(f.format())? })
        })
        .collect();
    modes::sort(&mut modes);
    let controls = controls::read(&NokhwaControls(&mut camera)).unwrap_or_default();
    Ok((modes, controls))
}

#[cfg(not(target_os = "linux"))]
pub fn identify() -> Result<Vec<(DeviceId, String, Option<String>)>, CameraError> {
    let cameras =
        nokhwa::query(nokhwa::utils::ApiBackend::Auto).map_err(|e| CameraError::List { why: e.to_string() })?;
    let identity =
        |c: nokhwa::utils::CameraInfo| Some((DeviceId(c.index().as_index().ok()?), c.human_name(), bus(&c.misc())));
    Ok(cameras.into_iter().filter_map(identity).collect())
}

const FORMATS: [(FrameFormat, PixelFormat); 5] = [
    (FrameFormat::MJPEG, PixelFormat::Mjpeg),
    (FrameFormat::YUYV, PixelFormat::Yuyv),
    (FrameFormat::NV12, PixelFormat::Nv12),
    (FrameFormat::RAWRGB, PixelFormat::Rgb),
    (FrameFormat::GRAY, PixelFormat::Grey),
];

fn frame_format(format: PixelFormat) -> Option<FrameFormat> {
    FORMATS.iter().find(|f| f.1 == format).map(|f| f.0)
}

fn pixel_format(format: FrameFormat) -> Option<PixelFormat> {
    FORMATS.iter().find(|f| f.0 == format).map(|f| f.1)
}

/// nokhwa's errors are texts with the system's error number at the end.
fn explain(id: DeviceId, action: &'static str, error: &NokhwaError) -> CameraError {
    let (text, address) = (error.to_string(), id.to_string());
    let has = |number: i32| text.contains(&format!("(os error {number})"));
    match () {
        () if has(16) => CameraError::Busy { address },
        () if has(2) || has(6) => CameraError::NotFound { address },
        () if has(13) || has(1) => CameraError::NotAllowed { address },
        () if has(19) => CameraError::Gone { address },
        () => CameraError::Device { address, action, why: text },
    }
}

fn device_error(id: DeviceId, action: &'static str, why: String) -> CameraError {
    CameraError::Device { address: id.to_string(), action, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_the_system_become_sentences() {
        let say = |text: &str| explain(DeviceId(3), "open", &NokhwaError::OpenStreamError(text.to_owned())).to_string();
        assert!(say("Device or resource busy (os error 16)").contains("in use by another program"));
        assert!(say("No such file or directory (os error 2)").contains("there is no camera"));
        assert!(say("Input/output error (os error 5)").contains("failed to open"));
    }
}
