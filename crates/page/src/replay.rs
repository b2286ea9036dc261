//! The replay window: a process that draws a recorded page with rrweb at the playhead of the review.
//!
//! Its input is a line with a [`ReplaySpec`], one line per rrweb event, an empty line, and then one line per
//! [`ReplayMoment`]. Each line of its output is a [`PlayerMessage`]. Recorded pages are not trusted: rrweb draws them in
//! a frame without scripts. The frame inherits the content policy of this document, which forbids all requests, so the
//! recorded site is not contacted.

use std::borrow::Cow;
use std::io::{BufRead, Write};
use std::path::Path;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tao::event::{Event, WindowEvent};
use tao::event_loop::{ControlFlow, EventLoop, EventLoopBuilder, EventLoopProxy};
use tao::platform::run_return::EventLoopExtRunReturn;
use tao::window::WindowBuilder;
use web_assets::REPLAY_JS;
use wry::http::{Response, header};
use wry::{NewWindowResponse, WebContext, WebView, WebViewBuilder};

use super::line_process::LineProcess;
use super::participant::attach;
use session::Timestamp;

/// The hidden subcommand.
pub const REPLAY_WINDOW: &str = "replay-window";

const SCHEME: &str = "replay";
const PAGE: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Page</title>
<style>
  html, body { height: 100%; margin: 0; overflow: hidden; background: #1d2023; color: #c4c9ce; font: 16px system-ui, sans-serif }
  .replayer-wrapper { transform-origin: 0 0 }
  iframe { border: 0; background: white }
  #status { position: fixed; inset: 45% 10% auto; margin: 0; text-align: center }
</style>
<p id="status">Reading the page …</p>
<div id="stage" hidden></div>
<script src="replay.js"></script>
</html>
"#;
/// Pictures and fonts that were recorded inline are shown. Everything else is blocked.
const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; \
    img-src data: blob:; font-src data:; media-src data:; form-action 'none'; base-uri 'none'";
/// The size of the window if the size of the recorded page is not known.
const DEFAULT_SIZE_PX: (f64, f64) = (1000.0, 700.0);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReplaySpec {
    /// The session, for the window's title.
    pub title: String,
}

/// The position of the playhead.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplayMoment {
    pub at_ms: f64,
    pub is_playing: bool,
    pub rate: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ReplayEvent {
    /// The player has loaded this many events.
    Ready(u64),
    /// The page is drawn as it was at this time.
    Shown { at_ms: f64 },
    /// The page cannot be replayed. The text is a message for the user.
    Problem(String),
    /// The window is closed. The last event.
    Closed,
}

/// A message of the player (`client/src/replay-view.ts`), and a line of the window's output.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PlayerMessage {
    Ready(u64),
    ShownMs(f64),
    Problem(String),
}

/// A handle for the window's process.
pub struct ReplayWindow(LineProcess);

impl ReplayWindow {
    /// `events` are rrweb's, ordered by time. Their timestamps are replaced by those of the session clock.
    pub fn start<'a>(
        program: &Path,
        display: Option<&str>,
        spec: &ReplaySpec,
        events: impl Iterator<Item = (Timestamp, &'a Map<String, Value>)>,
        mut send: impl FnMut(ReplayEvent) + Send + 'static,
    ) -> std::io::Result<ReplayWindow> {
        let process = LineProcess::start(program, REPLAY_WINDOW, display, move |line| {
            match line.map(serde_json::from_str) {
                Some(Ok(PlayerMessage::Ready(events))) => send(ReplayEvent::Ready(events)),
                Some(Ok(PlayerMessage::ShownMs(at_ms))) => send(ReplayEvent::Shown { at_ms }),
                Some(Ok(PlayerMessage::Problem(why))) => send(ReplayEvent::Problem(why)),
                // Libraries may write to the same output. Such lines are skipped.
                Some(Err(_)) => {}
                None => send(ReplayEvent::Closed),
            }
            true
        })?;
        let mut window = ReplayWindow(process);
        window.0.write(&serde_json::to_string(spec)?)?;
        for (at, event) in events {
            let mut event = event.clone();
            event.insert("timestamp".into(), (at.as_secs_f64() * 1e3).into());
            window.0.write(&serde_json::to_string(&event)?)?;
        }
        window.0.write("")?;
        Ok(window)
    }

    pub fn show(&mut self, moment: ReplayMoment) {
        let sent = serde_json::to_string(&moment).map_err(std::io::Error::from).and_then(|line| self.0.write(&line));
        if let Err(error) = sent {
            // The window is closed: `ReplayEvent::Closed` reports that.
            tracing::debug!("the replay window did not receive a position: {error}");
        }
    }

    pub fn end(self) {
        let status = self.0.end();
        tracing::debug!("the replay window ended: {status}");
    }
}

enum LoopEvent {
    /// All events, as one JSON array, and the size of the recorded page.
    Recorded(String, Option<(f64, f64)>),
    /// The player is loaded.
    Ready,
    Moment(ReplayMoment),
    End,
}

/// Runs the window until its input ends or the user closes it.
pub fn replay_window_main() -> ExitCode {
    let mut first = String::new();
    let spec = match std::io::stdin().read_line(&mut first) {
        Ok(_) => serde_json::from_str::<ReplaySpec>(&first),
        Err(error) => Err(serde_json::Error::io(error)),
    };
    let spec = match spec {
        Ok(spec) => spec,
        Err(error) => {
            tracing::error!(
                "`{REPLAY_WINDOW}` is an internal command that affectograph starts itself; its input is invalid: {error}"
            );
            return ExitCode::from(2);
        }
    };
    match show(&spec) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            write_message(&PlayerMessage::Problem(why));
            ExitCode::FAILURE
        }
    }
}

fn write_message(message: &PlayerMessage) {
    if let Ok(line) = serde_json::to_string(message) {
        // Fails only if the program that started this process has ended. Then the input ends, too.
        writeln!(std::io::stdout(), "{line}").ok();
    }
}

fn show(spec: &ReplaySpec) -> Result<(), String> {
    #[cfg(target_os = "linux")]
    gtk::init().map_err(|_| "the replay window found no display: set DISPLAY or WAYLAND_DISPLAY".to_owned())?;
    let mut event_loop: EventLoop<LoopEvent> = EventLoopBuilder::with_user_event().build();
    let proxy = event_loop.create_proxy();
    let window = WindowBuilder::new()
        .with_title(format!("affectograph – page of {}", spec.title))
        .with_inner_size(tao::dpi::LogicalSize::new(DEFAULT_SIZE_PX.0, DEFAULT_SIZE_PX.1))
        // A click in the program's window must not cover it.
        .with_always_on_top(true)
        .build(&event_loop)
        .map_err(|e| format!("the replay window could not be opened: {e}"))?;
    let input_proxy = proxy.clone();
    // Not joined: it reads the input, which ends with the main process and not with this window.
    std::thread::Builder::new()
        .name("replay-commands".into())
        .spawn(move || read_input(&input_proxy))
        .map_err(|e| format!("the replay window could not start a thread: {e}"))?;
    let mut context = WebContext::new(None);
    let mut web_view = None;
    let mut problem = None;
    let (mut is_ready, mut newest) = (false, None);
    event_loop.run_return(|event, _, flow| {
        *flow = ControlFlow::Wait;
        match event {
            Event::WindowEvent { event: WindowEvent::CloseRequested | WindowEvent::Destroyed, .. }
            | Event::UserEvent(LoopEvent::End) => *flow = ControlFlow::Exit,
            Event::UserEvent(LoopEvent::Recorded(events, size_px)) => {
                if let Some((width, height)) = size_px {
                    // At most 720 × 560 px, so that the program's window stays visible.
                    let scale = (720.0 / width).min(560.0 / height).min(1.0);
                    window.set_inner_size(tao::dpi::LogicalSize::new(width * scale, height * scale));
                }
                match attach(builder(&mut context, events, proxy.clone()), &window) {
                    Ok(view) => web_view = Some(view),
                    Err(error) => {
                        problem = Some(format!("the recorded page could not be shown: {error}"));
                        *flow = ControlFlow::Exit;
                    }
                }
            }
            Event::UserEvent(LoopEvent::Ready) => {
                is_ready = true;
                show_moment(web_view.as_ref(), newest);
            }
            Event::UserEvent(LoopEvent::Moment(moment)) => {
                newest = Some(moment);
                if is_ready {
                    show_moment(web_view.as_ref(), newest);
                }
            }
            _ => {}
        }
    });
    problem.map_or(Ok(()), Err)
}

fn show_moment(view: Option<&WebView>, moment: Option<ReplayMoment>) {
    if let (Some(view), Some(Ok(text))) = (view, moment.map(|m| serde_json::to_string(&m))) {
        // Fails only if the view is closing.
        view.evaluate_script(&format!("globalThis.showAt?.({text})")).ok();
    }
}

fn builder(context: &mut WebContext, events: String, proxy: EventLoopProxy<LoopEvent>) -> WebViewBuilder<'_> {
    WebViewBuilder::new_with_web_context(context)
        .with_incognito(true)
        .with_devtools(false)
        .with_url(format!("{SCHEME}://localhost/"))
        .with_custom_protocol(SCHEME.into(), move |_, request| match request.uri().path() {
            "/" => respond("text/html; charset=utf-8", Cow::Borrowed(PAGE.as_bytes())),
            "/replay.js" => respond("text/javascript; charset=utf-8", Cow::Borrowed(REPLAY_JS.as_bytes())),
            "/events.json" => respond("application/json", Cow::Owned(events.clone().into_bytes())),
            _ => Response::builder().status(404).body(Cow::Borrowed(&[][..])).unwrap_or_default(),
        })
        .with_ipc_handler(move |request| {
            // Only the player sends messages. Scripts of the recorded page do not run.
            let Ok(message) = serde_json::from_str::<PlayerMessage>(request.body()) else { return };
            if matches!(message, PlayerMessage::Ready(_)) {
                // Fails only if the event loop has ended already.
                proxy.send_event(LoopEvent::Ready).ok();
            }
            write_message(&message);
        })
        .with_navigation_handler(|url| url == format!("{SCHEME}://localhost/") || url == "about:blank")
        .with_new_window_req_handler(|_, _| NewWindowResponse::Deny)
        .with_download_started_handler(|_, _| false)
}

fn respond(kind: &str, body: Cow<'static, [u8]>) -> Response<Cow<'static, [u8]>> {
    let response = Response::builder()
        .header(header::CONTENT_TYPE, kind)
        .header(header::CACHE_CONTROL, "no-store")
        .header("Content-Security-Policy", POLICY)
        .body(body);
    // Does not fail with these headers. An empty response would be a failed load.
    response.unwrap_or_default()
}

fn read_input(proxy: &EventLoopProxy<LoopEvent>) {
    let mut lines = std::io::stdin().lock().lines().map_while(Result::ok);
    let mut events = String::from("[");
    let mut size_px = None;
    for line in lines.by_ref().take_while(|line| !line.is_empty()) {
        size_px = size_px.or_else(|| page_size_px(&line));
        if events.len() > 1 {
            events.push(',');
        }
        events.push_str(&line);
    }
    events.push(']');
    if proxy.send_event(LoopEvent::Recorded(events, size_px)).is_err() {
        return;
    }
    for line in lines {
        let Ok(moment) = serde_json::from_str(&line) else { continue };
        if proxy.send_event(LoopEvent::Moment(moment)).is_err() {
            return;
        }
    }
    // Fails only if the event loop has ended already.
    proxy.send_event(LoopEvent::End).ok();
}

/// The page size in rrweb's event of type 4 (`Meta`).
fn page_size_px(event: &str) -> Option<(f64, f64)> {
    #[derive(Deserialize)]
    struct Meta {
        #[serde(rename = "type")]
        kind: u64,
        data: Size,
    }
    #[derive(Deserialize)]
    struct Size {
        width: f64,
        height: f64,
    }
    let meta = serde_json::from_str::<Meta>(event).ok().filter(|m| m.kind == 4)?;
    let Size { width, height } = meta.data;
    let is_sane = (50.0..20_000.0).contains(&width) && (50.0..20_000.0).contains(&height);
    is_sane.then_some((width, height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_takes_the_size_of_the_page_where_it_is_sane() {
        let meta = |kind: u64, width: f64| {
            serde_json::json!({"type": kind, "data": {"href": "x", "width": width, "height": 720}}).to_string()
        };
        assert_eq!(page_size_px(&meta(4, 1280.0)), Some((1280.0, 720.0)));
        assert_eq!(page_size_px(&meta(3, 1280.0)), None);
        assert_eq!(page_size_px(&meta(4, 1e9)), None);
        assert_eq!(page_size_px("{"), None);
    }
}
