//! The participant window: this same program, run once more with a hidden subcommand, shows the page and nothing else.
//!
//! The first line to the window says what to show, each further one is an order; each line from it is a note.

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

use super::host_protocol::{Denied, Note, Order};
use super::line_process::LineProcess;
use super::view::{self, Teller, ViewSpec};
use session::monotonic_ns;

/// The hidden subcommand.
pub const PARTICIPANT_WINDOW: &str = "participant-window";

/// Notes that wait to be written.
const QUEUE: usize = 8192;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WindowSpec {
    pub view: ViewSpec,
    /// `None`: the second monitor, or a plain window where there is one monitor.
    pub monitor: Option<usize>,
}

/// Our side of it.
pub(super) struct ParticipantWindow(LineProcess);

impl ParticipantWindow {
    /// `display` is an X display other than ours. The last note of the window is `Gone`.
    pub fn start(
        program: &Path,
        display: Option<&str>,
        spec: &WindowSpec,
        notes: Sender<Note>,
    ) -> std::io::Result<ParticipantWindow> {
        let process = LineProcess::start(program, PARTICIPANT_WINDOW, display, move |line| match line {
            // Libraries may write to its output as well; such lines are not ours.
            Some(line) => serde_json::from_str(line).map_or(true, |note| notes.send(note).is_ok()),
            None => notes.send(Note::Gone).is_ok(),
        })?;
        let mut window = ParticipantWindow(process);
        window.0.write(&serde_json::to_string(spec)?)?;
        Ok(window)
    }

    /// A window that takes no orders is about to be found dead by its reader.
    pub fn order(&mut self, order: Order) {
        let _dead = serde_json::to_string(&order).map_err(std::io::Error::from).and_then(|line| self.0.write(&line));
    }

    /// Asks it to end.
    pub fn ask_to_end(&mut self) {
        self.0.ask_to_end();
    }

    /// Waits for its end, a little, and says how it ended.
    pub fn end(self) -> String {
        self.0.end()
    }
}

enum Incoming {
    Order(Order),
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
                "`{PARTICIPANT_WINDOW}` is started by affectograph itself, which then says what to show: {error}"
            );
            return ExitCode::from(2);
        }
    };
    let (notes, unwritten) = crossbeam_channel::bounded(QUEUE);
    let writer = match std::thread::Builder::new().name("page-writer".into()).spawn(move || write_notes(&unwritten)) {
        Ok(writer) => writer,
        Err(error) => {
            tracing::error!("the participant window cannot start a thread: {error}");
            return ExitCode::FAILURE;
        }
    };
    let shown = show(spec, &notes);
    if let Err(why) = &shown {
        let _nobody_reads = notes.send(Some(Note::CannotShow { at_ns: monotonic_ns(), why: why.clone() }));
    }
    // Said and not shown by dropping the sender: the view may keep its handlers, each with a sender, beyond its end.
    let _nobody_reads = notes.send(None);
    let _its_panic_was_printed = writer.join();
    if shown.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Until there is no note any more.
fn write_notes(unwritten: &Receiver<Option<Note>>) {
    let mut out = BufWriter::new(std::io::stdout().lock());
    while let Ok(Some(note)) = unwritten.recv() {
        let written = serde_json::to_writer(&mut out, &note).map_err(std::io::Error::from).and_then(|()| {
            out.write_all(b"\n")?;
            if unwritten.is_empty() { out.flush() } else { Ok(()) }
        });
        if written.is_err() {
            return; // nobody reads: our input has ended too
        }
    }
}

fn show(spec: WindowSpec, notes: &Sender<Option<Note>>) -> Result<(), String> {
    #[cfg(target_os = "linux")]
    gtk::init().map_err(|_| "the participant window finds no display: set DISPLAY or WAYLAND_DISPLAY".to_owned())?;
    let mut event_loop: EventLoop<Incoming> = EventLoopBuilder::with_user_event().build();
    let proxy = event_loop.create_proxy();
    let send = notes.clone();
    let teller = Teller::new(&spec.view, Box::new(move |note| send.try_send(Some(note)).is_ok()));
    let window = open_window(&event_loop, spec.monitor)?;
    let mut context = WebContext::new(spec.view.data_dir.clone());
    let builder = view::builder(&mut context, &spec.view, &teller)
        .map_err(|e| format!("the page's folder cannot be read: {e}"))?;
    let web_view = attach(builder, &window).map_err(|e| format!("the page cannot be shown: {e}"))?;
    #[cfg(target_os = "linux")]
    view::watch(&web_view, &teller);
    // Not joined: it waits for our input, which ends with the program that started us, not with us.
    std::thread::Builder::new()
        .name("page-orders".into())
        .spawn(move || read_orders(&proxy))
        .map_err(|e| format!("the participant window cannot start a thread: {e}"))?;

    event_loop.run_return(|event, _, flow| {
        *flow = ControlFlow::Wait;
        match event {
            // The participant cannot leave; the operator ends the session.
            Event::WindowEvent { event: WindowEvent::CloseRequested, .. } => {
                teller.denied(Denied::Close, "the participant tried to close the window");
            }
            Event::WindowEvent { event: WindowEvent::Destroyed, .. } | Event::UserEvent(Incoming::End) => {
                *flow = ControlFlow::Exit;
            }
            Event::UserEvent(Incoming::Order(order)) => obey(order, &web_view, &spec.view, &teller),
            _ => {}
        }
    });
    teller.tell_all_refusals();
    Ok(())
}

fn obey(order: Order, web_view: &WebView, spec: &ViewSpec, teller: &Rc<Teller>) {
    match order {
        Order::Ping { id } => view::ping(web_view, spec, teller, id),
        Order::Begin => view::begin(web_view, spec, teller),
        Order::Reload | Order::Respawn => {
            if let Err(error) = web_view.reload() {
                let why = format!("the page cannot be loaded again: {error}");
                teller.tell(Note::LoadFailed { at_ns: monotonic_ns(), url: String::new(), why });
            }
        }
    }
}

fn read_orders(proxy: &EventLoopProxy<Incoming>) {
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        let Ok(order) = serde_json::from_str(&line) else { continue };
        if proxy.send_event(Incoming::Order(order)).is_err() {
            return;
        }
    }
    let _ended_already = proxy.send_event(Incoming::End);
}

fn open_window(event_loop: &EventLoop<Incoming>, monitor: Option<usize>) -> Result<Window, String> {
    let monitors: Vec<_> = event_loop.available_monitors().collect();
    let chosen = match monitor {
        Some(k) => monitors.get(k).or(monitors.first()),
        None => monitors.get(1),
    };
    let mut builder = WindowBuilder::new()
        .with_title("affectograph – participant")
        .with_inner_size(tao::dpi::LogicalSize::new(1000.0, 700.0));
    if let Some(monitor) = chosen {
        builder = builder
            .with_position(monitor.position())
            .with_decorations(false)
            .with_fullscreen(Some(Fullscreen::Borderless(Some(monitor.clone()))));
    }
    builder.build(event_loop).map_err(|e| format!("the participant window cannot be opened: {e}"))
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
