//! The replay window: a recorded page, drawn again by rrweb in a process of its own, at the playhead of review.
//!
//! The first line to it is a [`ReplaySpec`], then one rrweb event a line, an empty line, and from then on a
//! [`ReplayMoment`] a line; each line from it is a [`ReplayNote`]. What was recorded is hostile: rrweb draws it into a
//! frame without scripts, and the policy of our own document, which that frame inherits, lets nothing be fetched, so
//! that watching tells the recorded site nothing.

use std::borrow::Cow;
use std::io::BufRead;
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
  #told { position: fixed; inset: 45% 10% auto; margin: 0; text-align: center }
</style>
<p id="told">Reading the page …</p>
<div id="stage" hidden></div>
<script src="replay.js"></script>
</html>
"#;
/// Pictures and fonts that were recorded inline are shown, everything else stays away.
const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; \
    img-src data: blob:; font-src data:; media-src data:; form-action 'none'; base-uri 'none'";
/// Where the size of the recorded page is not known.
const USUAL_PX: (f64, f64) = (1000.0, 700.0);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReplaySpec {
    /// Whose page it is, for the window's title.
    pub title: String,
}

/// Where the playhead stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplayMoment {
    pub at_ms: f64,
    pub is_playing: bool,
    pub rate: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ReplayNote {
    /// The page stands; so many events are known.
    Ready(u64),
    /// What was asked for is drawn.
    Shown { at_ms: f64 },
    /// It cannot be replayed: a sentence.
    Problem(String),
    /// The window is gone. The last note.
    Closed,
}

/// What the window writes.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Told {
    Ready(u64),
    ShownMs(f64),
    Problem(String),
}

/// Our side of it.
pub struct ReplayWindow(LineProcess);

impl ReplayWindow {
    /// `events` are rrweb's, by time; their own timestamps give way to those of the session's clock.
    pub fn start<'a>(
        program: &Path,
        display: Option<&str>,
        spec: &ReplaySpec,
        events: impl Iterator<Item = (Timestamp, &'a Map<String, Value>)>,
        mut tell: impl FnMut(ReplayNote) + Send + 'static,
    ) -> std::io::Result<ReplayWindow> {
        let process = LineProcess::start(program, REPLAY_WINDOW, display, move |line| {
            match line.map(serde_json::from_str) {
                Some(Ok(Told::Ready(events))) => tell(ReplayNote::Ready(events)),
                Some(Ok(Told::ShownMs(at_ms))) => tell(ReplayNote::Shown { at_ms }),
                Some(Ok(Told::Problem(why))) => tell(ReplayNote::Problem(why)),
                // Libraries may write to its output as well; such lines are not ours.
                Some(Err(_)) => {}
                None => tell(ReplayNote::Closed),
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

    /// A window that takes no orders tells that it is closed.
    pub fn show(&mut self, moment: ReplayMoment) {
        let _closed = serde_json::to_string(&moment).map_err(std::io::Error::from).and_then(|line| self.0.write(&line));
    }

    pub fn end(self) {
        let _how = self.0.end();
    }
}

enum Incoming {
    /// All events, as one JSON array, and the size of the recorded page.
    Recorded(String, Option<(f64, f64)>),
    /// The player stands.
    Ready,
    Moment(ReplayMoment),
    End,
}

/// Runs the window until its input ends or somebody closes it.
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
                "`{REPLAY_WINDOW}` is started by affectograph itself, which then says what to show: {error}"
            );
            return ExitCode::from(2);
        }
    };
    match show(&spec) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            tell(&Told::Problem(why));
            ExitCode::FAILURE
        }
    }
}

fn tell(told: &Told) {
    // Nobody reads any more where this fails, and the input ends too.
    if let Ok(line) = serde_json::to_string(told) {
        println!("{line}");
    }
}

fn show(spec: &ReplaySpec) -> Result<(), String> {
    #[cfg(target_os = "linux")]
    gtk::init().map_err(|_| "the replay window finds no display: set DISPLAY or WAYLAND_DISPLAY".to_owned())?;
    let mut event_loop: EventLoop<Incoming> = EventLoopBuilder::with_user_event().build();
    let proxy = event_loop.create_proxy();
    let window = WindowBuilder::new()
        .with_title(format!("affectograph – page of {}", spec.title))
        .with_inner_size(tao::dpi::LogicalSize::new(USUAL_PX.0, USUAL_PX.1))
        // A click on a curve must not bury it.
        .with_always_on_top(true)
        .build(&event_loop)
        .map_err(|e| format!("the replay window cannot be opened: {e}"))?;
    let orders = proxy.clone();
    // Not joined: it waits for our input, which ends with the program that started us, not with us.
    std::thread::Builder::new()
        .name("replay-orders".into())
        .spawn(move || read_orders(&orders))
        .map_err(|e| format!("the replay window cannot start a thread: {e}"))?;
    let mut context = WebContext::new(None);
    let mut web_view = None;
    let mut problem = None;
    let (mut is_ready, mut newest) = (false, None);
    event_loop.run_return(|event, _, flow| {
        *flow = ControlFlow::Wait;
        match event {
            Event::WindowEvent { event: WindowEvent::CloseRequested | WindowEvent::Destroyed, .. }
            | Event::UserEvent(Incoming::End) => *flow = ControlFlow::Exit,
            Event::UserEvent(Incoming::Recorded(events, size_px)) => {
                if let Some((width, height)) = size_px {
                    // A little of the recorded size, so that the instrument's own window stays in sight.
                    let scale = (720.0 / width).min(560.0 / height).min(1.0);
                    window.set_inner_size(tao::dpi::LogicalSize::new(width * scale, height * scale));
                }
                match attach(builder(&mut context, events, proxy.clone()), &window) {
                    Ok(view) => web_view = Some(view),
                    Err(error) => {
                        problem = Some(format!("the page cannot be shown: {error}"));
                        *flow = ControlFlow::Exit;
                    }
                }
            }
            Event::UserEvent(Incoming::Ready) => {
                is_ready = true;
                ask(web_view.as_ref(), newest);
            }
            Event::UserEvent(Incoming::Moment(moment)) => {
                newest = Some(moment);
                if is_ready {
                    ask(web_view.as_ref(), newest);
                }
            }
            _ => {}
        }
    });
    problem.map_or(Ok(()), Err)
}

fn ask(view: Option<&WebView>, moment: Option<ReplayMoment>) {
    if let (Some(view), Some(Ok(text))) = (view, moment.map(|m| serde_json::to_string(&m))) {
        // A view that does not hear it is about to end.
        let _unheard = view.evaluate_script(&format!("globalThis.showAt?.({text})"));
    }
}

fn builder(context: &mut WebContext, events: String, proxy: EventLoopProxy<Incoming>) -> WebViewBuilder<'_> {
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
            // The player's own words: what was recorded runs no scripts.
            let Ok(told) = serde_json::from_str::<Told>(request.body()) else { return };
            if matches!(told, Told::Ready(_)) {
                let _ending_already = proxy.send_event(Incoming::Ready);
            }
            tell(&told);
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
    // Cannot fail with the headers above; an empty answer is a failed load.
    response.unwrap_or_default()
}

fn read_orders(proxy: &EventLoopProxy<Incoming>) {
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
    if proxy.send_event(Incoming::Recorded(events, size_px)).is_err() {
        return;
    }
    for line in lines {
        let Ok(moment) = serde_json::from_str(&line) else { continue };
        if proxy.send_event(Incoming::Moment(moment)).is_err() {
            return;
        }
    }
    let _ended_already = proxy.send_event(Incoming::End);
}

/// What rrweb's event of type 4 tells.
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
