//! The streams on the network.

use std::ffi::c_void;
use std::path::Path;
use std::ptr::{NonNull, null_mut};
use std::time::Duration;

use super::error::MAX_CHANNELS;
use super::library::{Loaded, library, text};
use super::{Format, LslError};

/// liblsl, loaded. All copies are the same.
#[derive(Clone, Copy)]
pub struct Network(&'static Loaded);

/// What a stream says of itself before it is received.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamIdentity {
    pub name: String,
    /// Such as `EEG`. May be empty.
    pub content_type: String,
    /// Of the device, if the sender states one. Stays the same when the sender is restarted.
    pub source_id: String,
    /// Of this run of the sender.
    pub uid: String,
    pub host: String,
    /// liblsl's own: which streams see each other.
    pub lsl_session: String,
    pub channels: i32,
    pub format: Format,
    /// `None`: samples come when they come.
    pub rate_hz: Option<f64>,
    /// The sender's clock when the stream was made.
    pub created_at_s: f64,
}

impl StreamIdentity {
    /// Whether another stream is this one, sent again after its sender was lost.
    pub fn is_successor(&self, other: &StreamIdentity) -> bool {
        let is_named_alike = self.name == other.name && self.content_type == other.content_type;
        let is_same_device =
            if self.source_id.is_empty() { self.host == other.host } else { self.source_id == other.source_id };
        is_named_alike && is_same_device
    }

    /// Why the samples of another stream do not fit into this one's. `None`: they do.
    pub fn difference_of(&self, other: &StreamIdentity) -> Option<String> {
        if (self.channels, self.format) != (other.channels, other.format) {
            let form = |s: &StreamIdentity| format!("{} channels of {}", s.channels, s.format.as_str());
            return Some(format!("it has {} and had {}", form(other), form(self)));
        }
        if !is_same_rate(self.rate_hz, other.rate_hz) {
            let rate =
                |s: &StreamIdentity| s.rate_hz.map_or_else(|| "no fixed rate".to_owned(), |hz| format!("{hz} Hz"));
            return Some(format!("it has {} and had {}", rate(other), rate(self)));
        }
        None
    }
}

/// Some senders state a measured rate, which differs a little at each start.
fn is_same_rate(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-3 * a,
        (None, None) => true,
        _ => false,
    }
}

/// A stream that was found. It can be received with [`Inlet::connect`](super::Inlet::connect).
pub struct FoundStream {
    pub identity: StreamIdentity,
    pub(crate) info: Info,
}

/// Owns a `lsl_streaminfo`.
pub(crate) struct Info {
    pub handle: NonNull<c_void>,
    network: Network,
}

// SAFETY: the object is plain data of its owner. liblsl keeps no reference to it and has no thread-local state for it.
unsafe impl Send for Info {}

impl Drop for Info {
    fn drop(&mut self) {
        // SAFETY: `handle` came from liblsl, is owned by this value alone and is not used again.
        unsafe { (self.network.api().lsl_destroy_streaminfo)(self.handle.as_ptr()) }
    }
}

impl Info {
    /// # Safety
    /// `handle` is null or a `lsl_streaminfo` that nobody else destroys.
    pub(crate) unsafe fn own(network: Network, handle: *mut c_void) -> Option<Info> {
        Some(Info { handle: NonNull::new(handle)?, network })
    }

    /// The stream's XML, whole.
    pub(crate) fn xml(&self) -> String {
        let api = self.network.api();
        // SAFETY: `handle` is valid. The returned string is ours, ends with NUL, and is freed by liblsl's own function.
        unsafe {
            let raw = (api.lsl_get_xml)(self.handle.as_ptr());
            let xml = text(raw);
            if !raw.is_null() {
                (api.lsl_destroy_string)(raw);
            }
            xml
        }
    }

    fn identity(&self) -> Result<StreamIdentity, LslError> {
        let (api, info) = (self.network.api(), self.handle.as_ptr());
        // SAFETY: `info` is a valid stream description. Its strings live as long as it does and are copied here.
        let (name, channels, format) = unsafe {
            (text((api.lsl_get_name)(info)), (api.lsl_get_channel_count)(info), (api.lsl_get_channel_format)(info))
        };
        if !(1..=MAX_CHANNELS).contains(&channels) {
            return Err(LslError::Channels { stream: name, channels });
        }
        let Some(known) = Format::of_number(format) else {
            return Err(LslError::UnknownFormat { stream: name, format });
        };
        // SAFETY: as above.
        unsafe {
            let rate_hz = (api.lsl_get_nominal_srate)(info);
            Ok(StreamIdentity {
                name,
                content_type: text((api.lsl_get_type)(info)),
                source_id: text((api.lsl_get_source_id)(info)),
                uid: text((api.lsl_get_uid)(info)),
                host: text((api.lsl_get_hostname)(info)),
                lsl_session: text((api.lsl_get_session_id)(info)),
                channels,
                format: known,
                rate_hz: Some(rate_hz).filter(|hz| hz.is_finite() && *hz > 0.0),
                created_at_s: (api.lsl_get_created_at)(info),
            })
        }
    }
}

/// More streams than a laboratory has.
const MOST_STREAMS: usize = 1024;

impl Network {
    /// Loads liblsl at the first call.
    pub fn get() -> Result<Network, LslError> {
        library().map(Network)
    }

    pub(crate) fn api(self) -> &'static super::api::Api {
        &self.0.api
    }

    /// The path of the library, or only its name if the system's loader found it.
    pub fn library_path(self) -> &'static Path {
        &self.0.path
    }

    /// The library's version and build, as it states them.
    pub fn library_info(self) -> String {
        // SAFETY: the function takes nothing and returns a string that lives as long as the library.
        unsafe { text((self.api().lsl_library_info)()) }
    }

    /// liblsl's clock on this machine.
    pub fn local_clock_s(self) -> f64 {
        // SAFETY: the function takes nothing and only reads a clock.
        unsafe { (self.api().lsl_local_clock)() }
    }

    /// liblsl's message about the last failed call of this thread.
    pub(crate) fn last_error(self) -> String {
        // SAFETY: the function takes nothing. The string is valid until the thread's next failure and is copied here.
        unsafe { text((self.api().lsl_last_error)()) }
    }

    /// The streams that answer within `wait`. Takes that long. liblsl recommends at least 0.5 s. A stream that states an
    /// impossible form is left out, and its error is returned beside the others.
    pub fn streams(self, wait: Duration) -> Result<(Vec<FoundStream>, Vec<LslError>), LslError> {
        let mut handles = vec![null_mut::<c_void>(); MOST_STREAMS];
        // SAFETY: the buffer has the stated number of places.
        let found =
            unsafe { (self.api().lsl_resolve_all)(handles.as_mut_ptr(), MOST_STREAMS as u32, wait.as_secs_f64()) };
        let found = usize::try_from(found).map_err(|_| LslError::Library {
            stream: "all streams".to_owned(),
            doing: "look for",
            why: self.last_error(),
        })?;
        let (mut streams, mut refused) = (Vec::new(), Vec::new());
        for handle in handles.into_iter().take(found) {
            // SAFETY: liblsl filled this place and leaves the object to the caller.
            let Some(info) = (unsafe { Info::own(self, handle) }) else { continue };
            match info.identity() {
                Ok(identity) => streams.push(FoundStream { identity, info }),
                Err(e) => refused.push(e),
            }
        }
        streams.sort_by(|a, b| (&a.identity.name, &a.identity.uid).cmp(&(&b.identity.name, &b.identity.uid)));
        Ok((streams, refused))
    }
}
