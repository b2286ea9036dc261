//! What the participant window shows: carries out the commands of the program on the page, the screens and the curtain.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use wry::{WebContext, WebViewBuilder};

use super::curtain::{Change, Curtain, Layer};
use super::deaths::Deaths;
use super::fixation;
use super::host_event_sender::HostEventSender;
use super::host_protocol::{HostCommand, HostEvent, PageLoad};
use super::host_screen::{self, GREY, HostAnswer, HostScreen};
#[cfg(target_os = "linux")]
use super::layers_gtk::Layers;
#[cfg(not(target_os = "linux"))]
use super::layers_plain::Layers;
#[cfg(target_os = "linux")]
use super::operator_keys::{self, KeyboardLamp};
use super::timer;
use super::view::{self, ViewSpec};
#[cfg(target_os = "linux")]
use super::webkit_signals;
#[cfg(target_os = "linux")]
use super::window_opening::Withdraw;
use session::{Latest, monotonic_ns};

/// A page that has loaded is drawn within this time. WebKit does not report when.
pub(super) const DRAWN_AFTER: Duration = Duration::from_millis(120);
const PICTURE_INTERVAL: Duration = Duration::from_secs(1);

/// Takes the events of the window. Returns `false` if there is no room.
pub(super) type Queue = Rc<dyn Fn(HostEvent) -> bool>;

pub(super) struct Stage {
    spec: ViewSpec,
    shared: Rc<Shared>,
    page: Option<Page>,
    /// Whether the window has the keyboard.
    has_keyboard: bool,
    context: WebContext,
}

struct Page {
    spec: ViewSpec,
    sender: Rc<HostEventSender>,
    is_preview: bool,
    #[cfg(target_os = "linux")]
    lamp: KeyboardLamp,
    // Dropped after the view, which `Layers` owns and drops before.
    _context: WebContext,
}

/// What the handlers of the views need.
struct Shared {
    layers: Layers,
    curtain: Curtain,
    queue: Queue,
    /// The addresses of the load that began last, and of the page that has loaded last.
    loading_url: RefCell<String>,
    page_url: RefCell<String>,
    /// The screen that the screens' view serves. WebKit may ask for it on another thread.
    screen: Latest<HostScreen>,
    /// Of the process of the screens.
    screen_deaths: RefCell<Deaths>,
}

/// What an event of the page changes for the curtain.
enum PageChange {
    LoadBegan(String),
    Loaded(String),
    /// A part of the page has arrived, and the rest does not come.
    Stopped(String),
    Died,
}

impl PageChange {
    fn of(event: &HostEvent) -> Option<PageChange> {
        match event {
            HostEvent::LoadStarted { url, .. } => Some(PageChange::LoadBegan(url.clone())),
            HostEvent::Loaded { url, status, .. } if *status < 400 => Some(PageChange::Loaded(url.clone())),
            HostEvent::LoadInterrupted { url, is_committed: true } => Some(PageChange::Stopped(url.clone())),
            HostEvent::WebProcessDied { .. } => Some(PageChange::Died),
            _ => None,
        }
    }
}

impl Shared {
    fn send(&self, event: HostEvent) {
        if !(self.queue)(event) {
            tracing::warn!("an event of the participant window was lost, because the program did not read");
        }
    }

    fn update(&self) {
        let Change { top, is_page_seen } = self.curtain.change();
        top.into_iter().for_each(|top| self.layers.raise(top));
        let at_ns = monotonic_ns();
        match is_page_seen {
            Some(true) => self.send(HostEvent::Revealed { at_ns, url: self.page_url.borrow().clone() }),
            Some(false) => self.send(HostEvent::Covered { at_ns }),
            None => {}
        }
    }

    /// Covers the page until the next load has ended.
    fn cover_page(&self) {
        self.curtain.page_is_not_ready();
        self.update();
    }

    fn set_front(&self, is_in_front: bool) {
        self.layers.set_front(is_in_front);
        self.curtain.set_front(is_in_front);
        self.update();
    }

    /// Shows the page once it is drawn, unless another load begins before.
    fn page_is_loaded(self: &Rc<Self>, url: String) {
        let is_cross = fixation::is_fixation(&url);
        self.page_url.replace(url);
        let load = self.curtain.running_load();
        let shared = self.clone();
        let show = move || {
            shared.curtain.page_is_ready(load);
            shared.update();
        };
        // The cross and the view behind it have the same grey, so it need not be drawn yet.
        if is_cross { show() } else { timer::after(DRAWN_AFTER, show) }
    }

    fn page_changed(self: &Rc<Self>, change: PageChange) {
        match change {
            PageChange::LoadBegan(url) => {
                self.loading_url.replace(url);
                self.curtain.page_load_begins();
            }
            PageChange::Loaded(url) => self.page_is_loaded(url),
            // The page stopped its own load, if no other load has begun.
            PageChange::Stopped(url) if url == *self.loading_url.borrow() => self.page_is_loaded(url),
            PageChange::Stopped(_) => {}
            PageChange::Died => self.cover_page(),
        }
    }

    fn screen_is_loaded(self: &Rc<Self>) {
        let load = self.curtain.screen_load();
        let shared = self.clone();
        timer::after(DRAWN_AFTER, move || {
            shared.curtain.screen_is_ready(load);
            shared.update();
        });
    }

    /// The process of the screens has died. Returns whether its view is to be loaded again.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only WebKitGTK reports it"))]
    fn screen_died(&self) -> bool {
        self.curtain.screen_is_not_ready();
        self.update();
        let is_loaded_again = self.screen_deaths.borrow_mut().is_one_more_allowed(monotonic_ns());
        if is_loaded_again {
            tracing::warn!("the process of the participant's screen ended; the screen is loaded again");
        } else {
            let times = self.screen_deaths.borrow().count();
            self.screen_failed(&format!("the process of the screen ended {times} times within a minute"));
        }
        is_loaded_again
    }

    fn screen_failed(&self, why: &str) {
        // The next request for this screen tries again.
        self.screen.try_take();
        self.send(HostEvent::ScreenFailed { why: why.to_owned() });
    }
}

fn set_background(view: &wry::WebView, (red, green, blue): (u8, u8, u8)) {
    if let Err(error) = view.set_background_color((red, green, blue, 255)) {
        tracing::warn!("the page keeps the background of the part before it: {error}");
    }
}

impl Stage {
    pub fn new(spec: ViewSpec, layers: Layers, queue: Queue) -> Stage {
        let shared = Rc::new(Shared {
            layers,
            curtain: Curtain::new(),
            queue,
            loading_url: RefCell::default(),
            page_url: RefCell::default(),
            screen: Latest::default(),
            screen_deaths: RefCell::default(),
        });
        Stage { spec, shared, page: None, has_keyboard: false, context: WebContext::new(None) }
    }

    pub fn open(&self, is_in_front: bool) {
        self.shared.layers.open(is_in_front);
        self.shared.curtain.set_front(is_in_front);
    }

    pub fn carry_out(&mut self, command: HostCommand) {
        match command {
            HostCommand::Ping { id } => self.ping(id),
            HostCommand::Begin => self.begin(),
            HostCommand::Questionnaire(_) | HostCommand::Calm | HostCommand::Closing => self.show_own(&command),
            HostCommand::Reload => self.reload(),
            HostCommand::Load(load) => self.load(load),
            HostCommand::Unload => self.unload(),
            HostCommand::Show(screen) => self.show(screen),
            HostCommand::ShowPage => {
                self.shared.curtain.want(Layer::Page);
                self.shared.update();
            }
            HostCommand::SetFront(is_in_front) => self.shared.set_front(is_in_front),
            // The program carries out the one itself, and the event loop, which has the window, the other.
            HostCommand::Respawn { .. } | HostCommand::Focus => {}
        }
    }

    /// Sends the counts of refused messages that were not sent yet.
    pub fn finish(&self) {
        if let Some(page) = &self.page {
            page.sender.send_all_refusals();
        }
    }

    pub fn deny_close(&self) {
        if let Some(page) = &self.page {
            let who = "the participant tried to close the window";
            page.sender.send_denied(super::host_protocol::DeniedAction::Close, who);
        }
    }

    fn ping(&self, id: u64) {
        if let Some(page) = &self.page {
            self.shared.layers.on_page(|view| view::ping(view, &page.spec, &page.sender, id));
        }
    }

    /// The window got the keyboard, or lost it.
    pub fn keyboard_changed(&mut self, has_keyboard: bool) {
        self.has_keyboard = has_keyboard;
        #[cfg(target_os = "linux")]
        self.page.iter().for_each(|page| page.lamp.show(has_keyboard));
    }

    fn begin(&mut self) {
        let Some(page) = &self.page else { return };
        self.shared.cover_page();
        self.shared.layers.on_page(|view| {
            // A page without a background of its own is white. Only the program's pages are grey.
            set_background(view, if page.spec.is_calm() { GREY } else { (255, 255, 255) });
            view::begin(view, &page.spec, &page.sender);
        });
    }

    /// Shows a page of the program in the page's view.
    fn show_own(&mut self, command: &HostCommand) {
        let Some(page) = &self.page else { return };
        self.shared.cover_page();
        self.shared.layers.on_page(|view| {
            set_background(view, GREY);
            view::show_own(view, command, &page.sender);
        });
    }

    fn reload(&self) {
        let Some(page) = &self.page else { return };
        self.shared.cover_page();
        // The view keeps its address after a crash.
        if let Some(Err(error)) = self.shared.layers.on_page(wry::WebView::reload) {
            let why = format!("the page could not be loaded again: {error}");
            page.sender.send(HostEvent::LoadFailed { at_ns: monotonic_ns(), url: String::new(), why });
        }
        if !page.is_preview {
            self.shared.curtain.want(Layer::Page);
        }
    }

    fn load(&mut self, load: PageLoad) {
        self.remove_page();
        let is_preview = load.is_preview;
        let spec = self.spec.clone().with_load(load);
        let shared = self.shared.clone();
        let sender = spec.event_sender(Box::new(move |event| {
            let change = PageChange::of(&event);
            // First the event: a page is loaded before it is seen.
            let is_taken = (shared.queue)(event);
            change.into_iter().for_each(|change| shared.page_changed(change));
            is_taken
        }));
        let mut context = WebContext::new(spec.data_dir.clone());
        let built = view::builder(&mut context, &spec, &sender)
            .map_err(|e| format!("the page's folder could not be read: {e}. Check `page.address` in the study file"))
            .and_then(|builder| {
                let (red, green, blue) = GREY;
                let builder = match spec.begins_grey() {
                    true => builder.with_background_color((red, green, blue, 255)),
                    false => builder,
                };
                self.shared
                    .layers
                    .set_page(builder, is_preview)
                    .map_err(|e| format!("the page could not be shown: {e}"))
            });
        if let Err(why) = built {
            self.shared.send(HostEvent::CannotShow { at_ns: monotonic_ns(), why });
            return;
        }
        #[cfg(target_os = "linux")]
        self.shared.layers.on_page(|view| {
            webkit_signals::watch(view, &sender);
            webkit_signals::set_muted(view, is_preview);
            operator_keys::watch_unused(&wry::WebViewExtUnix::webview(view), &sender);
        });
        #[cfg(target_os = "linux")]
        let lamp = KeyboardLamp::new(&sender);
        #[cfg(target_os = "linux")]
        lamp.show(self.has_keyboard);
        self.page = Some(Page {
            spec,
            sender,
            is_preview,
            #[cfg(target_os = "linux")]
            lamp,
            _context: context,
        });
        if !is_preview {
            self.shared.curtain.want(Layer::Page);
        }
        self.shared.update();
    }

    fn unload(&mut self) {
        self.remove_page();
        self.shared.send(HostEvent::Unloaded);
    }

    fn remove_page(&mut self) {
        self.shared.cover_page();
        self.shared.layers.remove_page();
        if let Some(page) = self.page.take() {
            page.sender.send_all_refusals();
        }
    }

    fn show(&mut self, screen: HostScreen) {
        if screen == HostScreen::Grey {
            self.shared.curtain.want(Layer::Curtain);
            self.shared.update();
            return;
        }
        self.shared.curtain.want(Layer::Screen);
        if self.shared.screen.change(|shown| shown.as_ref() == Some(&screen)) {
            self.shared.update();
            return;
        }
        self.shared.screen.put(screen);
        self.shared.curtain.screen_is_not_ready();
        self.shared.update();
        let loaded = match self.shared.layers.on_screen(|view| view.load_url(host_screen::URL)) {
            Some(loaded) => loaded,
            None => self.open_screens(),
        };
        if let Err(error) = loaded {
            self.shared.screen_failed(&error.to_string());
        }
    }

    /// Opens the view of the program's screens. Its content is the newest screen.
    fn open_screens(&mut self) -> Result<(), wry::Error> {
        let (red, green, blue) = GREY;
        let screen = self.shared.screen.clone();
        let answers = Rc::downgrade(&self.shared);
        let builder = WebViewBuilder::new_with_web_context(&mut self.context)
            .with_incognito(true)
            .with_devtools(false)
            .with_background_color((red, green, blue, 255))
            .with_custom_protocol(host_screen::SCHEME.into(), move |_, _| {
                screen.change(|shown| shown.get_or_insert(HostScreen::Grey).respond())
            })
            .with_ipc_handler(move |request| {
                let (Some(shared), Some(answer)) = (answers.upgrade(), HostAnswer::parse(request.body())) else {
                    return;
                };
                if answer == HostAnswer::GoesOn {
                    shared.curtain.want(Layer::Page);
                    shared.update();
                }
                shared.send(HostEvent::Answered(answer));
            })
            .with_navigation_handler(|url| url == host_screen::URL)
            .with_new_window_req_handler(|_, _| wry::NewWindowResponse::Deny);
        let loaded = Rc::downgrade(&self.shared);
        let builder = builder.with_on_page_load_handler(move |event, _| {
            if let (wry::PageLoadEvent::Finished, Some(shared)) = (event, loaded.upgrade()) {
                shared.screen_is_loaded();
            }
        });
        self.shared.layers.set_screen(builder.with_url(host_screen::URL))?;
        #[cfg(target_os = "linux")]
        self.shared.layers.on_screen(|view| {
            let shared = Rc::downgrade(&self.shared);
            webkit_signals::watch_screen(view, move || shared.upgrade().is_some_and(|shared| shared.screen_died()));
        });
        Ok(())
    }
}

#[cfg(target_os = "linux")]
impl Stage {
    /// The operator's keys work in the whole window, also while it is grey.
    pub fn connect_operator_keys(&self) {
        let shared = Rc::downgrade(&self.shared);
        let report = move |at_ns, key| {
            if let Some(shared) = shared.upgrade() {
                shared.send(HostEvent::OperatorKey { at_ns, key });
            }
        };
        // The operator's window takes the keyboard when it hears of the key.
        self.shared.layers.watch_keys(report, || {});
    }

    /// The key chord hides the window, so that the operator's view is seen.
    pub fn connect_chord(&self) {
        let shared = Rc::downgrade(&self.shared);
        self.shared.layers.connect_chord(move || {
            if let Some(shared) = shared.upgrade() {
                shared.set_front(false);
                shared.send(HostEvent::OperatorViewShown);
            }
        });
    }

    /// The participant's button asks, in front of the page, whether to stop.
    pub fn connect_withdraw(&self, commands: impl Fn(HostCommand) + 'static, withdraw: Withdraw) {
        let Withdraw { question, stop, go_on, .. } = withdraw;
        let screen = HostScreen::Withdraw { question, stop, go_on };
        self.shared.layers.connect_withdraw(move || commands(HostCommand::Show(screen.clone())));
    }

    /// Sends a small picture of what the participant sees, once a second; in set-up, of the page that follows.
    pub fn send_pictures(stage: &Rc<RefCell<Stage>>) {
        let stage = Rc::downgrade(stage);
        timer::every(PICTURE_INTERVAL, move || match stage.upgrade() {
            Some(stage) => {
                stage.borrow().send_picture();
                true
            }
            None => false,
        });
    }

    fn send_picture(&self) {
        use webkit2gtk::{SnapshotOptions, SnapshotRegion, WebViewExt};
        use wry::WebViewExtUnix;
        let shared = self.shared.clone();
        let send = move |jpeg: Option<Vec<u8>>| {
            use base64::{Engine, engine::general_purpose::STANDARD};
            if let Some(jpeg) = jpeg {
                // A picture that finds no room is not missed: the next one follows.
                (shared.queue)(HostEvent::Picture { jpeg: STANDARD.encode(jpeg) });
            }
        };
        if self.page.as_ref().is_some_and(|page| page.is_preview) {
            let nothing: Option<&gtk::gio::Cancellable> = None;
            self.shared.layers.on_page(|view| {
                view.webview().snapshot(SnapshotRegion::Visible, SnapshotOptions::empty(), nothing, move |drawn| {
                    send(drawn.ok().and_then(|surface| super::picture::of_surface(&surface)));
                });
            });
        } else if let Some(window) = self.shared.layers.gdk_window() {
            send(super::picture::of_window(&window));
        }
    }
}
