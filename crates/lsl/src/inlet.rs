//! Receives one stream.

use std::ffi::{c_char, c_ulong, c_void};
use std::ptr::{NonNull, null_mut};
use std::time::Duration;

use super::network::{Info, Network};
use super::{Description, Format, FoundStream, LslError, Samples, StreamIdentity, Values};

/// liblsl's error codes.
const TIMED_OUT: i32 = -1;
const LOST: i32 = -2;

/// Samples that liblsl keeps for the receiver: six minutes at the stated rate, or 36,000. The thread of an inlet takes them
/// every 10 ms. An inlet that is destroyed drops what it keeps.
const BUFFER_S: i32 = 360;
/// liblsl uses the packets that the sender prefers.
const CHUNK: i32 = 0;
/// liblsl reconnects a broken connection. This keeps samples that arrived before the break.
const RECOVERS: i32 = 1;
/// Numbers that one call takes at most.
const NUMBERS_AT_ONCE: usize = 8_192;
/// Texts that one call takes at most. liblsl allocates each, also those that stay empty.
const TEXTS_AT_ONCE: usize = 64;

/// One measurement of the sender's clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClockMeasurement {
    /// What must be added to the sender's clock to get liblsl's clock on this machine.
    pub offset_s: f64,
    /// The largest error: the round trip of the best answer.
    pub uncertainty_s: f64,
    /// The sender's clock at the measurement.
    pub remote_s: f64,
}

pub struct Inlet {
    handle: NonNull<c_void>,
    network: Network,
    identity: StreamIdentity,
    description: Description,
    buffers: Buffers,
    stamps_s: Vec<f64>,
}

enum Buffers {
    Numbers(Vec<f64>),
    Integers(Vec<i64>),
    Texts(Vec<*mut c_char>, Vec<u32>),
}

impl Buffers {
    fn places(&self) -> usize {
        match self {
            Buffers::Numbers(b) => b.len(),
            Buffers::Integers(b) => b.len(),
            Buffers::Texts(b, _) => b.len(),
        }
    }
}

// SAFETY: liblsl's functions may be called from any thread. `&mut self` and ownership keep calls on one inlet apart. The
// pointers in `Buffers` are null between calls.
unsafe impl Send for Inlet {}

impl Drop for Inlet {
    fn drop(&mut self) {
        // SAFETY: `handle` came from liblsl, is owned by this value alone and is not used again.
        unsafe { (self.network.api().lsl_destroy_inlet)(self.handle.as_ptr()) }
    }
}

impl Inlet {
    /// Connects and reads the description. No sample is received before [`Inlet::open`].
    pub fn connect(found: &FoundStream, timeout: Duration) -> Result<Inlet, LslError> {
        let network = Network::get()?;
        let api = network.api();
        let identity = found.identity.clone();
        let stream = identity.name.clone();
        // SAFETY: the description is valid. liblsl copies it.
        let handle = unsafe { (api.lsl_create_inlet)(found.info.handle.as_ptr(), BUFFER_S, CHUNK, RECOVERS) };
        let Some(handle) = NonNull::new(handle) else {
            return Err(LslError::Library { stream, doing: "connect to", why: network.last_error() });
        };
        let channels = identity.channels as usize;
        let rows = |most: usize| (most / channels).max(1) * channels;
        let buffers = match identity.format {
            Format::String => {
                let places = rows(TEXTS_AT_ONCE);
                Buffers::Texts(vec![null_mut(); places], vec![0; places])
            }
            Format::Int64 => Buffers::Integers(vec![0; rows(NUMBERS_AT_ONCE)]),
            _ => Buffers::Numbers(vec![0.0; rows(NUMBERS_AT_ONCE)]),
        };
        let description = Description { channels: Vec::new(), xml: String::new() };
        let stamps_s = vec![0.0; buffers.places() / channels];
        let mut inlet = Inlet { handle, network, identity, description, buffers, stamps_s };
        let mut code = 0;
        // SAFETY: the inlet is valid. The returned description is ours.
        let info = unsafe {
            Info::own(network, (api.lsl_get_fullinfo)(handle.as_ptr(), timeout.as_secs_f64(), &raw mut code))
        };
        inlet.check(code, "reading its description", timeout)?;
        let info = info.ok_or_else(|| inlet.failed("describe"))?;
        inlet.description = Description::parse(&inlet.identity.name, &info.xml(), inlet.identity.channels)?;
        Ok(inlet)
    }

    pub fn identity(&self) -> &StreamIdentity {
        &self.identity
    }

    pub fn description(&self) -> &Description {
        &self.description
    }

    /// From now on, samples are received.
    pub fn open(&mut self, timeout: Duration) -> Result<(), LslError> {
        let mut code = 0;
        // SAFETY: the inlet is valid.
        unsafe {
            (self.network.api().lsl_open_stream)(self.handle.as_ptr(), timeout.as_secs_f64(), &raw mut code);
        }
        self.check(code, "opening it", timeout)
    }

    /// The newest measurement of the sender's clock. liblsl measures every 2 s. The first call waits for the first one.
    pub fn measure_clock(&mut self, timeout: Duration) -> Result<ClockMeasurement, LslError> {
        let (mut remote_s, mut uncertainty_s, mut code) = (0.0, 0.0, 0);
        // SAFETY: the inlet and the three places are valid.
        let offset_s = unsafe {
            (self.network.api().lsl_time_correction_ex)(
                self.handle.as_ptr(),
                &raw mut remote_s,
                &raw mut uncertainty_s,
                timeout.as_secs_f64(),
                &raw mut code,
            )
        };
        self.check(code, "measuring its clock", timeout)?;
        Ok(ClockMeasurement { offset_s, uncertainty_s, remote_s })
    }

    /// Whether liblsl has connected to another run of the sender since the last call. Samples of it follow half a second later.
    pub fn was_reset(&mut self) -> bool {
        // SAFETY: the inlet is valid.
        unsafe { (self.network.api().lsl_was_clock_reset)(self.handle.as_ptr()) != 0 }
    }

    /// The samples that have arrived; none if there are none. Does not wait.
    pub fn pull(&mut self) -> Result<Samples, LslError> {
        let channels = self.identity.channels as usize;
        let places = self.buffers.places();
        let (mut code, inlet, api) = (0, self.handle.as_ptr(), self.network.api());
        let (all, rows) = (places as c_ulong, self.stamps_s.len() as c_ulong);
        let stamps = self.stamps_s.as_mut_ptr();
        // SAFETY, of the three calls: the inlet is valid, and the buffers have the stated numbers of places. liblsl fills at
        // most these.
        let (values, written) = match &mut self.buffers {
            Buffers::Numbers(buffer) => {
                // SAFETY: see above.
                let n = unsafe {
                    (api.lsl_pull_chunk_d)(inlet, buffer.as_mut_ptr(), stamps, all, rows, 0.0, &raw mut code)
                } as usize;
                (Values::Numbers(buffer[..n.min(places)].to_vec()), n)
            }
            Buffers::Integers(buffer) => {
                // SAFETY: see above.
                let n = unsafe {
                    (api.lsl_pull_chunk_l)(inlet, buffer.as_mut_ptr(), stamps, all, rows, 0.0, &raw mut code)
                } as usize;
                (Values::Integers(buffer[..n.min(places)].to_vec()), n)
            }
            Buffers::Texts(texts, lengths) => {
                // SAFETY: see above.
                let n = unsafe {
                    let to = (texts.as_mut_ptr(), lengths.as_mut_ptr());
                    (api.lsl_pull_chunk_buf)(inlet, to.0, to.1, stamps, all, rows, 0.0, &raw mut code)
                } as usize;
                (Values::Texts(taken_texts(self.network, texts, lengths, n)), n)
            }
        };
        self.check(code, "receiving it", Duration::ZERO)?;
        let stamps_s = self.stamps_s[..(written / channels).min(self.stamps_s.len())].to_vec();
        Ok(Samples { stamps_s, values, channels, format: self.identity.format })
    }

    fn failed(&self, doing: &'static str) -> LslError {
        LslError::Library { stream: self.identity.name.clone(), doing, why: self.network.last_error() }
    }

    fn check(&self, code: i32, doing: &'static str, timeout: Duration) -> Result<(), LslError> {
        let stream = || self.identity.name.clone();
        match code {
            0 => Ok(()),
            TIMED_OUT => Err(LslError::TimedOut { stream: stream(), doing, seconds: timeout.as_secs() }),
            LOST => Err(LslError::Lost { stream: stream() }),
            _ => Err(self.failed("receive")),
        }
    }
}

/// Copies `count` texts and frees all that liblsl allocated, also the unused ones.
fn taken_texts(network: Network, texts: &mut [*mut c_char], lengths: &[u32], count: usize) -> Vec<Vec<u8>> {
    let mut taken = Vec::new();
    for (k, (text, length)) in texts.iter_mut().zip(lengths).enumerate() {
        let raw = std::mem::replace(text, null_mut());
        if raw.is_null() {
            continue;
        }
        if k < count {
            // SAFETY: liblsl wrote `length` bytes there.
            taken.push(unsafe { std::slice::from_raw_parts(raw.cast::<u8>(), *length as usize) }.to_vec());
        }
        // SAFETY: liblsl allocated it for the caller, and no pointer to it is left.
        unsafe { (network.api().lsl_destroy_string)(raw) }
    }
    taken
}
