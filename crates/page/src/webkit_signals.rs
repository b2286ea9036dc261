//! The signals of WebKitGTK that wry does not pass on: failed loads, dead processes and their reasons, downloads,
//! permissions, and `window.close()`.

use std::cell::Cell;
use std::rc::Rc;

use webkit2gtk::glib::object::{Cast, ObjectExt, ObjectType};
use webkit2gtk::glib::translate::IntoGlib;
use webkit2gtk::{
    DownloadExt, LoadEvent, NetworkError, PermissionRequest, PermissionRequestExt, PolicyError, URIRequestExt,
    URIResponseExt, UserMediaPermissionRequest, WebContextExt, WebProcessTerminationReason, WebResourceExt, WebViewExt,
};
use wry::WebViewExtUnix;

use super::address::{shown, with_shown_addresses};
use super::host_event_sender::HostEventSender;
use super::host_protocol::{DeniedAction, HostEvent};
use session::monotonic_ns;

const EMPTY_PAGE: &str = "the page is empty: a web view refuses some addresses, for example those with a port below 1024 \
    that is not the web's; check `page.address` in the study file";

pub(super) fn watch(view: &wry::WebView, sender: &Rc<HostEventSender>) {
    let view = view.webview();
    watch_loads(&view, sender);
    watch_process(&view, sender);
    deny_downloads(&view, sender);
    deny_permissions(&view, sender);
    deny_close(&view, sender);
    // A right click is recorded, but it opens no browser menu with "back" and "reload".
    view.connect_context_menu(|_, _, _, _| true);
    view.connect_print(|_, _| true);
}

/// The view of the program's screens: no menu, and a new process if its process dies. `has_died` is called then and returns
/// whether the view is to be loaded again.
pub(super) fn watch_screen(view: &wry::WebView, has_died: impl Fn() -> bool + 'static) {
    let view = view.webview();
    view.connect_context_menu(|_, _, _, _| true);
    view.connect_print(|_, _| true);
    view.connect_web_process_terminated(move |view, _| {
        if has_died() {
            view.reload();
        }
    });
}

pub(super) fn set_muted(view: &wry::WebView, is_muted: bool) {
    view.webview().set_is_muted(is_muted);
}

fn watch_loads(view: &webkit2gtk::WebView, sender: &Rc<HostEventSender>) {
    // After the failure of a load, WebKit reports `Finished` for it, too. The load that replaced it may have started before.
    let has_failed = Rc::new(Cell::new(false));

    let (to, failed) = (sender.clone(), has_failed.clone());
    view.connect_load_changed(move |view, event| match event {
        LoadEvent::Started => {
            failed.set(false);
            to.send(HostEvent::LoadStarted { at_ns: monotonic_ns(), url: shown(&view.uri().unwrap_or_default()) });
        }
        LoadEvent::Finished if !failed.take() => {
            let status = view.main_resource().and_then(|r| r.response()).map_or(0, |r| r.status_code());
            let url = shown(&view.uri().unwrap_or_default());
            to.send(if url == "about:blank" {
                HostEvent::LoadFailed { at_ns: monotonic_ns(), url, why: EMPTY_PAGE.to_owned() }
            } else {
                HostEvent::Loaded { at_ns: monotonic_ns(), url, status }
            });
        }
        _ => {}
    });

    let (to, failed) = (sender.clone(), has_failed.clone());
    view.connect_load_failed(move |_, event, url, error| {
        let is_interrupted =
            error.matches(NetworkError::Cancelled) || error.matches(PolicyError::FrameLoadInterruptedByPolicyChange);
        failed.set(true);
        let url = shown(url);
        if is_interrupted {
            to.send(HostEvent::LoadInterrupted { url, is_committed: event == LoadEvent::Committed });
        } else {
            let why = format!(
                "{url} could not be loaded: {}. Check the network and `page.address` in the study file",
                with_shown_addresses(error.message())
            );
            to.send(HostEvent::LoadFailed { at_ns: monotonic_ns(), url, why });
        }
        true // WebKit shows no error page to the participant
    });

    let (to, failed) = (sender.clone(), has_failed);
    view.connect_load_failed_with_tls_errors(move |_, url, _, flags| {
        failed.set(true);
        let url = shown(url);
        let why = format!("{url} could not be loaded: its certificate is not valid ({flags:?}). Install a valid one");
        to.send(HostEvent::LoadFailed { at_ns: monotonic_ns(), url, why });
        true
    });
}

fn watch_process(view: &webkit2gtk::WebView, sender: &Rc<HostEventSender>) {
    let to = sender.clone();
    view.connect_web_process_terminated(move |_, reason| {
        let why = match reason {
            WebProcessTerminationReason::Crashed => "it crashed or was killed",
            WebProcessTerminationReason::ExceededMemoryLimit => "it used too much memory",
            _ => "it was ended",
        };
        to.send(HostEvent::WebProcessDied { at_ns: monotonic_ns(), why: why.to_owned() });
    });
}

fn deny_downloads(view: &webkit2gtk::WebView, sender: &Rc<HostEventSender>) {
    let Some(context) = view.context() else { return };
    let to = sender.clone();
    context.connect_download_started(move |_, download| {
        let url = download.request().and_then(|r| r.uri()).unwrap_or_default();
        to.send_denied(DeniedAction::Download, &shown(&url));
        download.cancel();
    });
}

fn deny_permissions(view: &webkit2gtk::WebView, sender: &Rc<HostEventSender>) {
    let to = sender.clone();
    view.connect_permission_request(move |_, request: &PermissionRequest| {
        let name = match request.downcast_ref::<UserMediaPermissionRequest>() {
            Some(_) => "camera or microphone".to_owned(),
            None => request.type_().name().trim_start_matches("WebKit").to_owned(),
        };
        request.deny();
        to.send_denied(DeniedAction::Permission, &name);
        true
    });
}

/// wry removes a view when its page calls `window.close()`. Here the view stays.
fn deny_close(view: &webkit2gtk::WebView, sender: &Rc<HostEventSender>) {
    // SAFETY: the object is alive, the signal is one of its own, and the handlers were found on it.
    unsafe {
        use webkit2gtk::glib::gobject_ffi;
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
    let to = sender.clone();
    view.connect_close(move |_| to.send_denied(DeniedAction::Close, "the page tried to close its window"));
}
