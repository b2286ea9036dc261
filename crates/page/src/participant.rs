//! The participant window: a second process of this program, with a hidden subcommand, that shows only the page.
//!
//! The first line of its input is a [`WindowSpec`]. Each further line is a [`HostCommand`]. Each line of its output is a
//! [`HostEvent`].

use std::io::{BufRead, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;

use crossbeam_channel::{Receiver, Sender};
use serde::{Deserialize, Serialize};
use tao::event::{Event, WindowEvent};
use tao::event_loop::{ControlFlow, EventLoop, EventLoopBuilder, EventLoopProxy};
use tao::platform::run_return::EventLoopExtRunReturn;
use tao::window::{Fullscreen, Window, WindowBuilder};
use wry::{WebContext, WebView};

use super::host_event_sender::HostEventSender;
use super::host_protocol::{DeniedAction, HostCommand, HostEvent};
use super::line_process::LineProcess;
use super::view::{self, ViewSpec};
#[cfg(target_os = "linux")]
use super::{operator_keys, webkit_signals};
use session::monotonic_ns;

/// The hidden subcommand.
pub const PARTICIPANT_WINDOW: &str = "participant-window";

/// Events that wait to be written.
const QUEUE: usize = 8192;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WindowSpec {
    pub view: ViewSpec,
    /// `None`: the second monitor, or a normal window if there is one monitor.
    pub monitor: Option<usize>,
    /// Whether the window fills that monitor.
    pub full_screen: bool,
}

/// A handle for the window's process.
pub(super) struct ParticipantWindow(LineProcess);

impl ParticipantWindow {
    /// `display` is an X display other than this process's own. The last event of the window is `Ended`.
    pub fn start(
        program: &Path,
        display: Option<&str>,
        spec: &WindowSpec,
        events: Sender<HostEvent>,
    ) -> std::io::Result<ParticipantWindow> {
        let process = LineProcess::start(program, PARTICIPANT_WINDOW, display, move |line| match line {
            // Libraries may write to the same output. Such lines are skipped.
            Some(line) => serde_json::from_str(line).map_or(true, |event| events.send(event).is_ok()),
            None => events.send(HostEvent::Ended).is_ok(),
        })?;
        let mut window = ParticipantWindow(process);
        window.0.write(&serde_json::to_string(spec)?)?;
        Ok(window)
    }

    pub fn send(&mut self, command: HostCommand) {
        let sent = serde_json::to_string(&command).map_err(std::io::Error::from).and_then(|line| self.0.write(&line));
        if let Err(error) = sent {
            // The process has died. Its reader thread reports that.
            tracing::debug!("the participant window did not receive a command: {error}");
        }
    }

    pub fn request_end(&mut self) {
        self.0.request_end();
    }

    /// Waits for the process to end and returns how it ended. See [`LineProcess::end`].
    pub fn end(self) -> String {
        self.0.end()
    }
}

enum LoopEvent {
    Command(HostCommand),
    End,
}

/// Runs the window until its input ends.
pub fn participant_window_main() -> ExitCode {
    let mut first = String::new();
    let spec = match std::io::stdin().read_line(&mut first) {
        Ok(_) => serde_json::from_str::<WindowSpec>(&first),
        Err(error) => Err(serde_json::Error::io(error)),
    };
    let spec = match spec {
        Ok(spec) => spec,
        Err(error) => {
            tracing::error!(
                "`{PARTICIPANT_WINDOW}` is an internal command that affectograph starts itself; its input is invalid: {error}"
            );
            return ExitCode::from(2);
        }
    };
    let (events, unwritten) = crossbeam_channel::bounded(QUEUE);
    let writer = match std::thread::Builder::new().name("page-writer".into()).spawn(move || write_events(&unwritten)) {
        Ok(writer) => writer,
        Err(error) => {
            tracing::error!("the participant window could not start a thread: {error}");
            return ExitCode::FAILURE;
        }
    };
    let shown = show(spec, &events);
    if let Err(why) = &shown {
        // Fails only if the writer has ended, which means that the main process has ended.
        events.send(Some(HostEvent::CannotShow { at_ns: monotonic_ns(), why: why.clone() })).ok();
    }
    // `None` ends the writer. Dropping the sender would not, because the view's handlers may keep further senders.
    events.send(None).ok();
    // A panic of the thread was printed when it happened.
    writer.join().ok();
    if shown.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Writes events until it receives `None`.
fn write_events(unwritten: &Receiver<Option<HostEvent>>) {
    let mut out = BufWriter::new(std::io::stdout().lock());
    while let Ok(Some(event)) = unwritten.recv() {
        let written = serde_json::to_writer(&mut out, &event).map_err(std::io::Error::from).and_then(|()| {
            out.write_all(b"\n")?;
            if unwritten.is_empty() { out.flush() } else { Ok(()) }
        });
        if written.is_err() {
            return; // the main process has ended, and the input of this one too
        }
    }
}

fn show(spec: WindowSpec, events: &Sender<Option<HostEvent>>) -> Result<(), String> {
    #[cfg(target_os = "linux")]
    gtk::init().map_err(|_| "the participant window found no display: set DISPLAY or WAYLAND_DISPLAY".to_owned())?;
    let mut event_loop: EventLoop<LoopEvent> = EventLoopBuilder::with_user_event().build();
    let proxy = event_loop.create_proxy();
    let queue = events.clone();
    let sender = spec.view.event_sender(Box::new(move |event| queue.try_send(Some(event)).is_ok()));
    let window = open_window(&event_loop, spec.monitor, spec.full_screen)?;
    let mut context = WebContext::new(spec.view.data_dir.clone());
    let builder = view::builder(&mut context, &spec.view, &sender)
        .map_err(|e| format!("the page's folder could not be read: {e}. Check `page.address` in the study file"))?;
    let web_view = attach(builder, &window).map_err(|e| format!("the page could not be shown: {e}"))?;
    #[cfg(target_os = "linux")]
    webkit_signals::watch(&web_view, &sender);
    #[cfg(target_os = "linux")]
    let lamp = {
        use wry::WebViewExtUnix;
        // The operator's window takes the keyboard when it hears of the key.
        operator_keys::watch(&web_view.webview(), &sender, || {});
        operator_keys::KeyboardLamp::new(&sender)
    };
    // Not joined: it reads the input, which ends with the main process and not with this window.
    std::thread::Builder::new()
        .name("page-commands".into())
        .spawn(move || read_commands(&proxy))
        .map_err(|e| format!("the participant window could not start a thread: {e}"))?;

    event_loop.run_return(|event, _, flow| {
        *flow = ControlFlow::Wait;
        match event {
            // The participant cannot close the window. The operator ends the session.
            Event::WindowEvent { event: WindowEvent::CloseRequested, .. } => {
                sender.send_denied(DeniedAction::Close, "the participant tried to close the window");
            }
            Event::WindowEvent { event: WindowEvent::Destroyed, .. } | Event::UserEvent(LoopEvent::End) => {
                *flow = ControlFlow::Exit;
            }
            #[cfg(target_os = "linux")]
            Event::WindowEvent { event: WindowEvent::Focused(has_page), .. } => lamp.show(has_page),
            Event::UserEvent(LoopEvent::Command(HostCommand::Focus)) => window.set_focus(),
            Event::UserEvent(LoopEvent::Command(command)) => carry_out(command, &web_view, &spec.view, &sender),
            _ => {}
        }
    });
    sender.send_all_refusals();
    Ok(())
}

fn carry_out(command: HostCommand, web_view: &WebView, spec: &ViewSpec, sender: &Rc<HostEventSender>) {
    match command {
        HostCommand::Ping { id } => view::ping(web_view, spec, sender, id),
        HostCommand::Begin => view::begin(web_view, spec, sender),
        HostCommand::Questionnaire(_) | HostCommand::Calm => view::show_own(web_view, &command, sender),
        // The event loop has the window.
        HostCommand::Focus => {}
        HostCommand::Reload | HostCommand::Respawn => {
            if let Err(error) = web_view.reload() {
                let why = format!("the page could not be loaded again: {error}");
                sender.send(HostEvent::LoadFailed { at_ns: monotonic_ns(), url: String::new(), why });
            }
        }
    }
}

fn read_commands(proxy: &EventLoopProxy<LoopEvent>) {
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let Ok(command) = serde_json::from_str(&line) else { continue };
        if proxy.send_event(LoopEvent::Command(command)).is_err() {
            return;
        }
    }
    // Fails only if the event loop has ended already.
    proxy.send_event(LoopEvent::End).ok();
}

fn open_window(event_loop: &EventLoop<LoopEvent>, monitor: Option<usize>, full_screen: bool) -> Result<Window, String> {
    let monitors: Vec<_> = event_loop.available_monitors().collect();
    let chosen = match monitor {
        Some(k) => monitors.get(k).or(monitors.first()),
        None => monitors.get(1),
    };
    let mut builder = WindowBuilder::new()
        .with_title("affectograph – participant")
        .with_inner_size(tao::dpi::LogicalSize::new(1000.0, 700.0));
    if let Some(monitor) = chosen {
        builder = builder.with_position(monitor.position());
        if full_screen {
            let place = Fullscreen::Borderless(Some(monitor.clone()));
            builder = builder.with_decorations(false).with_fullscreen(Some(place));
        }
    }
    builder.build(event_loop).map_err(|e| format!("the participant window could not be opened: {e}"))
}

#[cfg(target_os = "linux")]
pub(super) fn attach(builder: wry::WebViewBuilder<'_>, window: &Window) -> Result<WebView, wry::Error> {
    use tao::platform::unix::WindowExtUnix;
    use wry::WebViewBuilderExtUnix;
    match window.default_vbox() {
        Some(place) => builder.build_gtk(place),
        None => builder.build_gtk(window.gtk_window()),
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn attach(builder: wry::WebViewBuilder<'_>, window: &Window) -> Result<WebView, wry::Error> {
    builder.build(window)
}
