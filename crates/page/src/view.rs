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
use super::host_page;
use super::host_protocol::{DeniedAction, HostCommand, HostEvent, PageLoad};
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
    /// HTML of the questionnaires, by number.
    #[serde(default)]
    pub questionnaires: Vec<String>,
    /// The sentence of the closing screen.
    #[serde(default)]
    pub closing: String,
    /// The program's own page that is shown now instead of the study's.
    #[serde(default)]
    own_page: Option<String>,
    /// For the study's page.
    #[serde(default)]
    pub condition: Option<String>,
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
        Ok(ViewSpec {
            address,
            mask,
            allow,
            data_dir,
            fixation: None,
            questionnaires: Vec::new(),
            closing: String::new(),
            own_page: None,
            condition: None,
            token: secret(),
            key: secret(),
        })
    }

    /// The same view, with what it shows first.
    pub fn with_load(self, load: PageLoad) -> ViewSpec {
        let PageLoad { fixation, own_page, condition, is_preview: _ } = load;
        ViewSpec { fixation, own_page, condition, ..self }
    }

    /// Whether the program's own pages come first: they are grey.
    pub fn begins_grey(&self) -> bool {
        self.fixation.is_some() || host_page::is_host_page(&self.first_url())
    }

    /// Whether the study has no page of its own.
    pub fn is_calm(&self) -> bool {
        matches!(self.address, PageAddress::Calm)
    }

    /// A sender for the events of this view.
    pub fn event_sender(&self, queue: Box<dyn Fn(HostEvent) -> bool>) -> Rc<HostEventSender> {
        HostEventSender::new(self.token.clone(), self.fixation.is_none(), queue)
    }

    fn first_url(&self) -> String {
        match (&self.fixation, &self.own_page) {
            (Some(_), _) => fixation::URL.to_owned(),
            (None, Some(own)) => own.clone(),
            (None, None) => self.address.start_url(),
        }
    }

    fn unused_keys_script(&self) -> String {
        include_str!("unused_keys.js").replace("__TOKEN__", &self.token)
    }

    fn script(&self) -> String {
        let condition = self.condition.as_deref();
        let config = json!({"token": self.token, "key": self.key, "mask": self.mask, "condition": condition});
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
        .with_initialization_script_for_main_only(spec.unused_keys_script(), true)
        .with_url(spec.first_url());
    if let Some(sentence) = spec.fixation.clone() {
        builder = builder.with_custom_protocol(fixation::SCHEME.into(), move |_, _| fixation::respond(&sentence));
    }
    let (questionnaires, closing) = (spec.questionnaires.clone(), spec.closing.clone());
    builder = builder.with_custom_protocol(host_page::SCHEME.into(), move |_, request| {
        host_page::respond(&request, &questionnaires, &closing)
    });
    if let PageAddress::Folder { folder, .. } = &spec.address {
        let folder = LocalFolder::new(folder)?;
        builder = builder.with_custom_protocol(SCHEME.into(), move |_, request| folder.respond(&request));
    }
    let to = sender.clone();
    builder = builder.with_ipc_handler(move |request| to.send_message(request.body()));
    let to = sender.clone();
    to.set_own_page(Some(spec.first_url()).filter(|url| host_page::is_host_page(url)));
    if let Ok(origins) = Origins::new(&spec.address, &spec.allow) {
        builder = builder.with_navigation_handler(move |url| {
            let is_allowed = to.may_navigate(&url, &origins);
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
                wry::PageLoadEvent::Started => {
                    to.send(HostEvent::LoadStarted { at_ns: monotonic_ns(), url: shown(&url) })
                }
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
    let url = spec.address.start_url();
    sender.set_own_page(Some(url.clone()).filter(|url| host_page::is_host_page(url)));
    if let Err(error) = view.load_url(&url) {
        let why = format!("the page could not be loaded: {}", with_shown_addresses(&error.to_string()));
        sender.send(HostEvent::LoadFailed { at_ns: monotonic_ns(), url: String::new(), why });
    }
}

impl PageLoad {
    /// A cross if there is a sentence for it, else the questionnaire if there is one, else the study's page.
    pub fn new(
        fixation: Option<String>,
        questionnaire: Option<usize>,
        condition: Option<String>,
        is_preview: bool,
    ) -> PageLoad {
        let own_page = questionnaire.filter(|_| fixation.is_none()).map(host_page::questionnaire_url);
        PageLoad { fixation, own_page, condition, is_preview }
    }

    /// Remembers what is shown from now on.
    pub fn go_on(&mut self, command: &HostCommand) {
        match command {
            HostCommand::Begin => (self.fixation, self.own_page) = (None, None),
            HostCommand::Questionnaire(_) | HostCommand::Calm | HostCommand::Closing => {
                (self.fixation, self.own_page) = (None, own_url(command));
            }
            _ => {}
        }
    }
}

/// The address of one of the program's own pages.
fn own_url(command: &HostCommand) -> Option<String> {
    match command {
        HostCommand::Questionnaire(number) => Some(host_page::questionnaire_url(*number)),
        HostCommand::Calm => Some(host_page::CALM.to_owned()),
        HostCommand::Closing => Some(host_page::CLOSING.to_owned()),
        _ => None,
    }
}

/// Shows a questionnaire, the calm screen or the closing screen.
pub(super) fn show_own(view: &WebView, command: &HostCommand, sender: &HostEventSender) {
    let Some(url) = own_url(command) else { return };
    sender.set_begun();
    sender.set_own_page(Some(url.clone()));
    if let Err(error) = view.load_url(&url) {
        let why = format!("the questionnaire could not be shown: {error}");
        sender.send(HostEvent::LoadFailed { at_ns: monotonic_ns(), url, why });
    }
}
