//! Offers a stream to other programs.

use std::ffi::{CString, c_char, c_void};
use std::ptr::NonNull;

use super::api::PUSH_THROUGH;
use super::network::{Info, Network};
use super::{Channel, Format, LslError};

/// The formats that this program sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutletFormat {
    Float32,
    Int32,
    String,
}

impl OutletFormat {
    fn format(self) -> Format {
        match self {
            OutletFormat::Float32 => Format::Float32,
            OutletFormat::Int32 => Format::Int32,
            OutletFormat::String => Format::String,
        }
    }
}

/// A stream to offer.
#[derive(Clone, Debug)]
pub struct OutletPlan {
    pub name: String,
    pub content_type: String,
    /// The same at each start of the program, so that receivers find the stream again.
    pub source_id: String,
    pub format: OutletFormat,
    /// `None`: samples are sent when they come.
    pub rate_hz: Option<f64>,
    pub channels: Vec<Channel>,
    /// Further entries of the description, such as the software.
    pub about: Vec<(&'static str, String)>,
}

/// One sample. Its length is the number of channels.
pub enum Row<'a> {
    Floats(&'a [f32]),
    Integers(&'a [i32]),
    Texts(&'a [&'a [u8]]),
}

pub struct Outlet {
    handle: NonNull<c_void>,
    network: Network,
    plan: OutletPlan,
}

// SAFETY: liblsl's functions may be called from any thread, and `&mut self` keeps calls on one outlet apart.
unsafe impl Send for Outlet {}

impl Drop for Outlet {
    fn drop(&mut self) {
        // SAFETY: `handle` came from liblsl, is owned by this value alone and is not used again.
        unsafe { (self.network.api().lsl_destroy_outlet)(self.handle.as_ptr()) }
    }
}

/// Samples that liblsl keeps for a slow receiver: a minute at the stated rate, or 6,000.
const BUFFER_S: i32 = 60;

/// A NUL ends a text of the description early. There is none in ours.
fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', " ")).unwrap_or_default()
}

impl Outlet {
    pub fn open(plan: OutletPlan) -> Result<Outlet, LslError> {
        let network = Network::get()?;
        let api = network.api();
        let failed = || LslError::Library { stream: plan.name.clone(), doing: "offer", why: network.last_error() };
        let [name, content_type, source_id] = [&plan.name, &plan.content_type, &plan.source_id].map(|t| c_text(t));
        let channels = i32::try_from(plan.channels.len())
            .map_err(|_| LslError::Channels { stream: plan.name.clone(), channels: i32::MAX })?;
        // SAFETY: the texts end with NUL and are copied. The object is ours.
        let info = unsafe {
            let (name, content_type, source_id) = (name.as_ptr(), content_type.as_ptr(), source_id.as_ptr());
            let (rate_hz, format) = (plan.rate_hz.unwrap_or(0.0), plan.format.format().number());
            let info = (api.lsl_create_streaminfo)(name, content_type, channels, rate_hz, format, source_id);
            Info::own(network, info)
        };
        let info = info.ok_or_else(failed)?;
        describe(network, &info, &plan);
        // SAFETY: the description is valid and is copied. The first 0 leaves the size of packets to the receiver.
        let handle = unsafe { (api.lsl_create_outlet)(info.handle.as_ptr(), 0, BUFFER_S) };
        let handle = NonNull::new(handle).ok_or_else(failed)?;
        Ok(Outlet { handle, network, plan })
    }

    /// `at_local_s` is a time of liblsl's clock on this machine. Never waits for a receiver.
    pub fn push(&mut self, at_local_s: f64, row: &Row<'_>) -> Result<(), LslError> {
        let (api, outlet) = (self.network.api(), self.handle.as_ptr());
        let (length, format) = match row {
            Row::Floats(values) => (values.len(), OutletFormat::Float32),
            Row::Integers(values) => (values.len(), OutletFormat::Int32),
            Row::Texts(texts) => (texts.len(), OutletFormat::String),
        };
        if (length, format) != (self.plan.channels.len(), self.plan.format) {
            let why = format!("a sample has {length} values of {format:?}");
            return Err(LslError::Library { stream: self.plan.name.clone(), doing: "send", why });
        }
        let code = match row {
            // SAFETY: the outlet is valid, and the values are as many as it has channels, in its format.
            Row::Floats(values) => unsafe {
                (api.lsl_push_sample_ftp)(outlet, values.as_ptr(), at_local_s, PUSH_THROUGH)
            },
            // SAFETY: as above.
            Row::Integers(values) => unsafe {
                (api.lsl_push_sample_itp)(outlet, values.as_ptr(), at_local_s, PUSH_THROUGH)
            },
            Row::Texts(texts) => {
                let starts: Vec<*const c_char> = texts.iter().map(|t| t.as_ptr().cast()).collect();
                let lengths: Vec<u32> = texts.iter().map(|t| u32::try_from(t.len()).unwrap_or(u32::MAX)).collect();
                // SAFETY: as above. The lengths are those of the texts, which liblsl copies.
                unsafe {
                    (api.lsl_push_sample_buftp)(outlet, starts.as_ptr(), lengths.as_ptr(), at_local_s, PUSH_THROUGH)
                }
            }
        };
        if code == 0 {
            return Ok(());
        }
        Err(LslError::Library { stream: self.plan.name.clone(), doing: "send", why: self.network.last_error() })
    }
}

/// Writes the channels and what else is known into the description.
fn describe(network: Network, info: &Info, plan: &OutletPlan) {
    let api = network.api();
    // SAFETY: the nodes belong to the description, which outlives this function. The texts end with NUL and are copied.
    unsafe {
        let desc = (api.lsl_get_desc)(info.handle.as_ptr());
        let put = |node: *mut c_void, key: &str, value: &str| {
            (api.lsl_append_child_value)(node, c_text(key).as_ptr(), c_text(value).as_ptr());
        };
        plan.about.iter().for_each(|(key, value)| put(desc, key, value));
        let channels = (api.lsl_append_child)(desc, c"channels".as_ptr());
        for channel in &plan.channels {
            let node = (api.lsl_append_child)(channels, c"channel".as_ptr());
            put(node, "label", &channel.label);
            put(node, "unit", &channel.unit);
            put(node, "type", &channel.content_type);
        }
    }
}
