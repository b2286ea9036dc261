//! The participant window: a second process of this program, with a hidden subcommand. It shows the page and the screens
//! of the program, and stays open from set-up to the end of a session.
//!
//! The first line of its input is a [`WindowSpec`]. Each further line is a [`HostCommand`]. Each line of its output is a
//! [`HostEvent`].

use std::cell::RefCell;
use std::io::{BufRead, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;

use crossbeam_channel::{Receiver, Sender};
use serde::{Deserialize, Serialize};
use tao::dpi::LogicalSize;
use tao::event::{Event, WindowEvent};
use tao::event_loop::{ControlFlow, EventLoop, EventLoopBuilder, EventLoopProxy};
use tao::platform::run_return::EventLoopExtRunReturn;
use tao::window::{Fullscreen, Window, WindowBuilder};
use wry::WebView;

use super::host_protocol::{HostCommand, HostEvent, PageLoad};
use super::host_screen::HostScreen;
#[cfg(target_os = "linux")]
use super::layers_gtk::{Layers, paint_grey};
#[cfg(not(target_os = "linux"))]
use super::layers_plain::Layers;
use super::line_process::LineProcess;
use super::stage::Stage;
use super::view::ViewSpec;
use super::window_opening::Withdraw;
use session::monotonic_ns;

/// The hidden subcommand.
pub const PARTICIPANT_WINDOW: &str = "participant-window";

/// Events that wait to be written.
const QUEUE: usize = 8192;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct WindowSpec {
    pub view: ViewSpec,
    /// `None`: the second monitor, or a normal window if there is one monitor.
    pub monitor: Option<usize>,
    /// Whether the window fills that monitor.
    pub full_screen: bool,
    /// The screen that is shown first.
    pub screen: HostScreen,
    /// The page that is loaded at once; `None`: no page yet.
    pub load: Option<PageLoad>,
    /// Whether the window is visible at once.
    pub is_in_front: bool,
    /// The window covers the operator's view. The key chord hides it.
    pub has_chord: bool,
    pub withdraw: Option<Withdraw>,
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

    pub fn send(&mut self, command: &HostCommand) {
        let sent = serde_json::to_string(command).map_err(std::io::Error::from).and_then(|line| self.0.write(&line));
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
    {
        gtk::init()
            .map_err(|_| "the participant window found no display: set DISPLAY or WAYLAND_DISPLAY".to_owned())?;
        paint_grey();
    }
    let mut event_loop: EventLoop<LoopEvent> = EventLoopBuilder::with_user_event().build();
    let proxy = event_loop.create_proxy();
    let queue = events.clone();
    let window = open_window(&event_loop, spec.monitor, spec.full_screen)?;
    let stage = open_stage(&window, spec, Rc::new(move |event| queue.try_send(Some(event)).is_ok()), &proxy);
    // Not joined: it reads the input, which ends with the main process and not with this window.
    std::thread::Builder::new()
        .name("page-commands".into())
        .spawn(move || read_commands(&proxy))
        .map_err(|e| format!("the participant window could not start a thread: {e}"))?;

    event_loop.run_return(|event, _, flow| {
        *flow = ControlFlow::Wait;
        match event {
            // The participant cannot close the window. The operator ends the session.
            Event::WindowEvent { event: WindowEvent::CloseRequested, .. } => stage.borrow().deny_close(),
            Event::WindowEvent { event: WindowEvent::Destroyed, .. } | Event::UserEvent(LoopEvent::End) => {
                *flow = ControlFlow::Exit;
            }
            Event::WindowEvent { event: WindowEvent::Focused(has_keyboard), .. } => {
                stage.borrow_mut().keyboard_changed(has_keyboard);
            }
            Event::UserEvent(LoopEvent::Command(HostCommand::Focus)) => window.set_focus(),
            Event::UserEvent(LoopEvent::Command(command)) => stage.borrow_mut().carry_out(command),
            _ => {}
        }
    });
    stage.borrow().finish();
    Ok(())
}

#[cfg(target_os = "linux")]
fn open_stage(
    window: &Window,
    spec: WindowSpec,
    queue: super::stage::Queue,
    proxy: &EventLoopProxy<LoopEvent>,
) -> Rc<RefCell<Stage>> {
    let layers = Layers::new(window, spec.withdraw.as_ref().map(|w| w.button.as_str()));
    let mut stage = Stage::new(spec.view, layers, queue);
    stage.connect_operator_keys();
    if spec.has_chord {
        stage.connect_chord();
    }
    if let Some(withdraw) = spec.withdraw {
        let proxy = proxy.clone();
        // Fails only if the event loop has ended already.
        let send = move |command| drop(proxy.send_event(LoopEvent::Command(command)));
        stage.connect_withdraw(send, withdraw);
    }
    stage.open(spec.is_in_front);
    stage.carry_out(HostCommand::Show(spec.screen));
    spec.load.into_iter().for_each(|load| stage.carry_out(HostCommand::Load(load)));
    let stage = Rc::new(RefCell::new(stage));
    Stage::send_pictures(&stage);
    stage
}

#[cfg(not(target_os = "linux"))]
fn open_stage(
    window: &Rc<Window>,
    spec: WindowSpec,
    queue: super::stage::Queue,
    _: &EventLoopProxy<LoopEvent>,
) -> Rc<RefCell<Stage>> {
    let mut stage = Stage::new(spec.view, Layers::new(window), queue);
    stage.open(spec.is_in_front);
    stage.carry_out(HostCommand::Show(spec.screen));
    spec.load.into_iter().for_each(|load| stage.carry_out(HostCommand::Load(load)));
    Rc::new(RefCell::new(stage))
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

fn open_window(
    event_loop: &EventLoop<LoopEvent>,
    monitor: Option<usize>,
    full_screen: bool,
) -> Result<Rc<Window>, String> {
    let monitors: Vec<_> = event_loop.available_monitors().collect();
    // Never the first one by itself: the operator works there.
    let chosen = monitors.get(monitor.unwrap_or(1)).or(monitors.get(1));
    // A full window has its size before it fills the monitor. Otherwise its content would move on the screen at each return.
    let size = match chosen {
        Some(monitor) if full_screen => monitor.size().to_logical(monitor.scale_factor()),
        _ => LogicalSize::new(1000.0, 700.0),
    };
    let mut builder = WindowBuilder::new()
        .with_title("affectograph – participant")
        // Shown when its content is grey.
        .with_visible(false)
        .with_inner_size(size);
    if let Some(monitor) = chosen {
        builder = builder.with_position(monitor.position());
        if full_screen {
            let place = Fullscreen::Borderless(Some(monitor.clone()));
            builder = builder.with_decorations(false).with_fullscreen(Some(place));
        }
    }
    builder.build(event_loop).map(Rc::new).map_err(|e| format!("the participant window could not be opened: {e}"))
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
