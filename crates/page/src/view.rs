//! The web view, the same in both placements: what it loads, what it may do, and which events it sends.

use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use web_assets::RECORDER_JS;
use wry::{NewWindowResponse, WebContext, WebView, WebViewBuilder};

use super::address::{AddressError, Origins, PageAddress, SCHEME, shown, with_shown_addresses};
use super::fixation;
use super::host_event_sender::HostEventSender;
use super::host_protocol::{DeniedAction, HostEvent};
use super::serve::LocalFolder;
use session::monotonic_ns;

/// The settings of a view. The participant window's process receives them as one line of JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ViewSpec {
    pub address: PageAddress,
    pub mask: Vec<String>,
    pub allow: Vec<String>,
    pub data_dir: Option<PathBuf>,
    /// The sentence below the cross that is shown before the page. `None`: the page is shown at once.
    pub fixation: Option<String>,
    /// Each message of the recording script begins with it.
    token: String,
    /// The recording script answers a ping only with this key.
    key: String,
}

impl ViewSpec {
    /// Checks the addresses before anything is shown.
    pub fn new(
        address: PageAddress,
        mask: Vec<String>,
        allow: Vec<String>,
        data_dir: Option<PathBuf>,
    ) -> Result<ViewSpec, AddressError> {
        Origins::new(&address, &allow)?;
        Ok(ViewSpec { address, mask, allow, data_dir, fixation: None, token: secret(), key: secret() })
    }

    /// The same view, with or without a cross before the page.
    pub fn with_fixation(self, fixation: Option<String>) -> ViewSpec {
        ViewSpec { fixation, ..self }
    }

    /// A sender for the events of this view.
    pub fn event_sender(&self, queue: Box<dyn Fn(HostEvent) -> bool>) -> Rc<HostEventSender> {
        HostEventSender::new(self.token.clone(), self.fixation.is_none(), queue)
    }

    fn script(&self) -> String {
        let config = json!({"token": self.token, "key": self.key, "mask": self.mask});
        RECORDER_JS.replace("__CONFIG__", &config.to_string())
    }
}

/// 128 bits that a page cannot guess. The standard library seeds each thread's hash keys from the system.
fn secret() -> String {
    let half = || RandomState::new().hash_one(monotonic_ns());
    format!("{:016x}{:016x}", half(), half())
}

/// A view without a window. `Err`: the page's folder could not be read.
pub(super) fn builder<'a>(
    context: &'a mut WebContext,
    spec: &ViewSpec,
    sender: &Rc<HostEventSender>,
) -> std::io::Result<WebViewBuilder<'a>> {
    let mut builder = WebViewBuilder::new_with_web_context(context)
        // Without a data folder nothing is kept, so no participant sees what another one left.
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
    let to = sender.clone();
    builder = builder.with_ipc_handler(move |request| to.send_message(request.body()));
    let to = sender.clone();
    if let Ok(origins) = Origins::new(&spec.address, &spec.allow) {
        builder = builder.with_navigation_handler(move |url| {
            let is_allowed = origins.allows(&url) || fixation::is_fixation(&url) && !to.has_begun();
            if !is_allowed {
                to.send_denied(DeniedAction::Navigation, &shown(&url));
            }
            is_allowed
        });
    } else {
        // Not reached: `ViewSpec::new` has checked the origins. With invalid origins no page is shown.
        builder = builder.with_navigation_handler(|_| false);
    }
    let to = sender.clone();
    builder = builder.with_new_window_req_handler(move |url, _| {
        to.send_denied(DeniedAction::Window, &shown(&url));
        NewWindowResponse::Deny
    });
    let to = sender.clone();
    builder = builder.with_download_started_handler(move |url, _| {
        // On Linux this is called too late for some downloads. `watch` handles them.
        if cfg!(not(target_os = "linux")) {
            to.send_denied(DeniedAction::Download, &shown(&url));
        }
        false
    });
    #[cfg(not(target_os = "linux"))]
    {
        let to = sender.clone();
        builder = builder.with_permission_handler(|_| wry::PermissionResponse::Deny).with_on_page_load_handler(
            move |event, url| match event {
                wry::PageLoadEvent::Started => to.send(HostEvent::LoadStarted { at_ns: monotonic_ns() }),
                wry::PageLoadEvent::Finished => {
                    to.send(HostEvent::Loaded { at_ns: monotonic_ns(), url: shown(&url), status: 0 });
                }
            },
        );
    }
    Ok(builder)
}

/// Asks the page for the time of its clock.
pub(super) fn ping(view: &WebView, spec: &ViewSpec, sender: &HostEventSender, id: u64) {
    let script = format!("__affectographPing('{}',{id})", spec.key);
    sender.send_due_refusals(monotonic_ns());
    sender.send(HostEvent::PingSent { id, sent_ns: monotonic_ns() });
    // If this fails, the page does not answer, and the sequencer handles that.
    view.evaluate_script(&script).ok();
}

/// Replaces the cross by the study's page.
pub(super) fn begin(view: &WebView, spec: &ViewSpec, sender: &HostEventSender) {
    sender.set_begun();
    if let Err(error) = view.load_url(&spec.address.start_url()) {
        let why = format!("the page could not be loaded: {}", with_shown_addresses(&error.to_string()));
        sender.send(HostEvent::LoadFailed { at_ns: monotonic_ns(), url: String::new(), why });
    }
}
