//! The web view itself, the same in both placements: what it loads, what it may do, and what it tells.

use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use web_assets::RECORDER_JS;
use wry::{NewWindowResponse, WebContext, WebView, WebViewBuilder};

use super::address::{AddressError, Origins, PageAddress, SCHEME, shown, with_shown_addresses};
use super::fixation;
use super::gate::{Gate, Refusal};
use super::host_protocol::{Denied, Note};
use super::serve::LocalFolder;
use session::monotonic_ns;

/// What a view is made of; crosses to the participant window's process as one line of JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ViewSpec {
    pub address: PageAddress,
    pub mask: Vec<String>,
    pub allow: Vec<String>,
    pub data_dir: Option<PathBuf>,
    /// The sentence below the cross that is shown before the page; `None`: the page is shown at once.
    pub fixation: Option<String>,
    /// Begins each message of the recording script.
    token: String,
    /// Opens the recording script's ping.
    key: String,
}

impl ViewSpec {
    /// Checks what can be checked before anything is shown.
    pub fn new(
        address: PageAddress,
        mask: Vec<String>,
        allow: Vec<String>,
        data_dir: Option<PathBuf>,
    ) -> Result<ViewSpec, AddressError> {
        Origins::new(&address, &allow)?;
        Ok(ViewSpec { address, mask, allow, data_dir, fixation: None, token: secret(), key: secret() })
    }

    fn script(&self) -> String {
        let config = json!({"token": self.token, "key": self.key, "mask": self.mask});
        RECORDER_JS.replace("__CONFIG__", &config.to_string())
    }
}

/// 128 bits that no page can guess: the standard library seeds each thread's hash keys from the system.
fn secret() -> String {
    let half = || RandomState::new().hash_one(monotonic_ns());
    format!("{:016x}{:016x}", half(), half())
}

/// Tells the sequencer, as far as the gate lets it. Lives on the view's thread.
pub(super) struct Teller {
    gate: RefCell<Gate>,
    /// Whether the study's page is shown: from then on no way leads back to the cross.
    has_begun: Cell<bool>,
    /// False where there is no room; never waits, because the page's every move waits for this thread.
    send: Box<dyn Fn(Note) -> bool>,
}

impl Teller {
    pub fn new(spec: &ViewSpec, send: Box<dyn Fn(Note) -> bool>) -> Rc<Teller> {
        let (gate, has_begun) = (RefCell::new(Gate::new(spec.token.clone())), Cell::new(spec.fixation.is_none()));
        Rc::new(Teller { gate, has_begun, send })
    }

    pub fn tell(&self, note: Note) {
        if !(self.send)(note) {
            self.gate.borrow_mut().tally.add(Refusal::QueueFull, 1, monotonic_ns());
        }
    }

    fn message(&self, text: &str) {
        let arrived_ns = monotonic_ns();
        let passed = self.gate.borrow_mut().pass(text, arrived_ns).map(str::to_owned);
        if let Some(json) = passed {
            self.tell(Note::Message { arrived_ns, json });
        }
        self.tell_refusals(arrived_ns);
    }

    /// Refused things are told as the page's events, and limited like them.
    pub fn denied(&self, what: Denied, detail: &str) {
        let at_ns = monotonic_ns();
        if self.gate.borrow_mut().pass_denied(at_ns) {
            self.tell(Note::Happened { at_ns, what, detail: detail.to_owned() });
        }
    }

    pub fn tell_refusals(&self, now_ns: i64) {
        let due = self.gate.borrow_mut().tally.due(now_ns);
        self.retell(due);
    }

    /// All of them, at the end.
    pub fn tell_all_refusals(&self) {
        let all = self.gate.borrow_mut().tally.all();
        self.retell(all);
    }

    fn retell(&self, refusals: Vec<super::gate::Refusals>) {
        for refusals in refusals {
            if !(self.send)(Note::Refused(refusals)) {
                // Counted on, so that it is told once there is room.
                let mut gate = self.gate.borrow_mut();
                gate.tally.put_back(refusals);
            }
        }
    }
}

/// A view yet without a window. `Err` where its folder cannot be read.
pub(super) fn builder<'a>(
    context: &'a mut WebContext,
    spec: &ViewSpec,
    teller: &Rc<Teller>,
) -> std::io::Result<WebViewBuilder<'a>> {
    let mut builder = WebViewBuilder::new_with_web_context(context)
        // Without a folder of its own nothing stays: no participant meets what another one left.
        .with_incognito(spec.data_dir.is_none())
        .with_devtools(false)
        .with_initialization_script_for_main_only(spec.script(), true)
        .with_url(match &spec.fixation {
            Some(_) => fixation::URL.to_owned(),
            None => spec.address.start_url(),
        });
    if let Some(sentence) = spec.fixation.clone() {
        builder = builder.with_custom_protocol(fixation::SCHEME.into(), move |_, _| fixation::respond(&sentence));
    }
    if let PageAddress::Folder { folder, .. } = &spec.address {
        let folder = LocalFolder::new(folder)?;
        builder = builder.with_custom_protocol(SCHEME.into(), move |_, request| folder.respond(&request));
    }
    let to = teller.clone();
    builder = builder.with_ipc_handler(move |request| to.message(request.body()));
    let to = teller.clone();
    if let Ok(origins) = Origins::new(&spec.address, &spec.allow) {
        builder = builder.with_navigation_handler(move |url| {
            let is_allowed = origins.allows(&url) || fixation::is_fixation(&url) && !to.has_begun.get();
            if !is_allowed {
                to.denied(Denied::Navigation, &shown(&url));
            }
            is_allowed
        });
    } else {
        // The spec was checked when it was made; a spec that is wrong all the same shows nothing.
        builder = builder.with_navigation_handler(|_| false);
    }
    let to = teller.clone();
    builder = builder.with_new_window_req_handler(move |url, _| {
        to.denied(Denied::Window, &shown(&url));
        NewWindowResponse::Deny
    });
    let to = teller.clone();
    builder = builder.with_download_started_handler(move |url, _| {
        // On Linux it comes too late for some downloads: see `watch`.
        if cfg!(not(target_os = "linux")) {
            to.denied(Denied::Download, &shown(&url));
        }
        false
    });
    #[cfg(not(target_os = "linux"))]
    {
        let to = teller.clone();
        builder = builder.with_permission_handler(|_| wry::PermissionResponse::Deny).with_on_page_load_handler(
            move |event, url| match event {
                wry::PageLoadEvent::Started => to.tell(Note::LoadStarted { at_ns: monotonic_ns() }),
                wry::PageLoadEvent::Finished => {
                    to.tell(Note::Loaded { at_ns: monotonic_ns(), url: shown(&url), status: 0 });
                }
            },
        );
    }
    Ok(builder)
}

/// Asks the page for its time.
pub(super) fn ping(view: &WebView, spec: &ViewSpec, teller: &Teller, id: u64) {
    let script = format!("__affectographPing('{}',{id})", spec.key);
    teller.tell_refusals(monotonic_ns());
    teller.tell(Note::PingSent { id, sent_ns: monotonic_ns() });
    // A page that is gone does not answer, which the sequencer notices.
    let _unanswered = view.evaluate_script(&script);
}

/// From the cross to the study's page.
pub(super) fn begin(view: &WebView, spec: &ViewSpec, teller: &Teller) {
    teller.has_begun.set(true);
    if let Err(error) = view.load_url(&spec.address.start_url()) {
        let why = format!("the page cannot be loaded: {}", with_shown_addresses(&error.to_string()));
        teller.tell(Note::LoadFailed { at_ns: monotonic_ns(), url: String::new(), why });
    }
}

/// What wry does not tell: failed loads, dead processes, and why.
#[cfg(target_os = "linux")]
pub(super) fn watch(view: &WebView, teller: &Rc<Teller>) {
    use webkit2gtk::glib::object::{Cast, ObjectType};
    use webkit2gtk::glib::translate::IntoGlib;
    use webkit2gtk::{
        DownloadExt, LoadEvent, NetworkError, PermissionRequest, PermissionRequestExt, PolicyError, URIRequestExt,
        URIResponseExt, UserMediaPermissionRequest, WebContextExt, WebResourceExt, WebViewExt,
    };
    use wry::WebViewExtUnix;

    let view = view.webview();
    // WebKit ends a failed load like any other.
    let has_failed = Rc::new(Cell::new(false));

    let (to, failed) = (teller.clone(), has_failed.clone());
    view.connect_load_changed(move |view, event| match event {
        LoadEvent::Started => {
            failed.set(false);
            to.tell(Note::LoadStarted { at_ns: monotonic_ns() });
        }
        LoadEvent::Finished if !failed.get() => {
            let status = view.main_resource().and_then(|r| r.response()).map_or(0, |r| r.status_code());
            let url = shown(&view.uri().unwrap_or_default());
            to.tell(if url == "about:blank" {
                let why = "the page is empty: a web view refuses some addresses, for example those with a port below \
                    1024 that is not the web's; check `page.address`";
                Note::LoadFailed { at_ns: monotonic_ns(), url, why: why.to_owned() }
            } else {
                Note::Loaded { at_ns: monotonic_ns(), url, status }
            });
        }
        _ => {}
    });

    let (to, failed) = (teller.clone(), has_failed.clone());
    view.connect_load_failed(move |_, _, url, error| {
        let is_ours =
            error.matches(NetworkError::Cancelled) || error.matches(PolicyError::FrameLoadInterruptedByPolicyChange);
        failed.set(true);
        if is_ours {
            // Refused by us (and told as such), or overtaken by another load: the page that is there stays.
            to.tell(Note::Loaded { at_ns: monotonic_ns(), url: shown(url), status: 0 });
        } else {
            let url = shown(url);
            let why = format!(
                "{url} cannot be loaded: {}. Check the network and `page.address`",
                with_shown_addresses(error.message())
            );
            to.tell(Note::LoadFailed { at_ns: monotonic_ns(), url, why });
        }
        true // the participant sees no technical error page
    });

    let (to, failed) = (teller.clone(), has_failed);
    view.connect_load_failed_with_tls_errors(move |_, url, _, flags| {
        failed.set(true);
        let url = shown(url);
        let why = format!("{url} cannot be loaded: its certificate is not valid ({flags:?})");
        to.tell(Note::LoadFailed { at_ns: monotonic_ns(), url, why });
        true
    });

    let to = teller.clone();
    view.connect_web_process_terminated(move |_, reason| {
        let why = match reason {
            webkit2gtk::WebProcessTerminationReason::Crashed => "it crashed or was killed",
            webkit2gtk::WebProcessTerminationReason::ExceededMemoryLimit => "it used too much memory",
            _ => "it was ended",
        };
        to.tell(Note::WebProcessDied { at_ns: monotonic_ns(), why: why.to_owned() });
    });

    if let Some(context) = view.context() {
        let to = teller.clone();
        context.connect_download_started(move |_, download| {
            let url = download.request().and_then(|r| r.uri()).unwrap_or_default();
            to.denied(Denied::Download, &shown(&url));
            download.cancel();
        });
    }

    let to = teller.clone();
    view.connect_permission_request(move |_, request: &PermissionRequest| {
        let name = match request.downcast_ref::<UserMediaPermissionRequest>() {
            Some(_) => "camera or microphone".to_owned(),
            None => request.type_().name().trim_start_matches("WebKit").to_owned(),
        };
        use webkit2gtk::glib::object::ObjectExt;
        request.deny();
        to.denied(Denied::Permission, &name);
        true
    });

    // wry takes a view away when its page says `window.close()`; ours stay.
    // SAFETY: a live object, one of its own signals, and handlers that are really there.
    unsafe {
        use webkit2gtk::glib::gobject_ffi;
        use webkit2gtk::glib::object::ObjectExt;
        let signal = gobject_ffi::g_signal_lookup(c"close".as_ptr(), view.type_().into_glib());
        let nothing = std::ptr::null_mut();
        loop {
            let (object, by_signal) = (view.as_ptr().cast(), gobject_ffi::G_SIGNAL_MATCH_ID);
            let handler = gobject_ffi::g_signal_handler_find(
                object,
                by_signal,
                signal,
                0,
                std::ptr::null_mut(),
                nothing,
                nothing,
            );
            if handler == 0 {
                break;
            }
            gobject_ffi::g_signal_handler_disconnect(object, handler);
        }
    }
    let to = teller.clone();
    view.connect_close(move |_| to.denied(Denied::Close, "the page tried to close its window"));

    // The participant's right click is recorded, but opens no browser menu with "back" and "reload".
    view.connect_context_menu(|_, _, _, _| true);
    view.connect_print(|_, _| true);
}
