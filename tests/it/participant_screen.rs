//! The participant's screen from set-up to the end: one window, in which nothing but grey, the program's screens and the
//! page is ever seen.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use affectograph::page::{
    HostAnswer, HostScreen, OperatorKey, PageAddress, PageEvent, PageHost, PageSession, PageSpec, Placement,
    WindowEvent, WindowOpening, is_fixation,
};
use affectograph::session::Clock;
use crossbeam_channel::{Receiver, bounded};

use super::screen::{self, Display};
use crate::need::need_program;

const PATIENCE: Duration = Duration::from_secs(40);
/// The size to which each frame of a screen recording is reduced, by taking single pixels.
const WIDTH: usize = 128;
const HEIGHT: usize = 80;

/// A screen recording at 60 Hz. A film of it, with all pixels and five pictures a second, is beside the screenshots.
pub(super) struct ScreenRecording {
    ffmpeg: Child,
    file: PathBuf,
}

impl ScreenRecording {
    /// Of the only monitor. `None`: FFmpeg is missing. The reason is printed.
    pub fn start(display: &Display, name: &str) -> Option<ScreenRecording> {
        ScreenRecording::start_of(&display.name, "1280x800", name)
    }

    /// Of a part of a display, as FFmpeg names both: `:1+1280,0` and `1024x768`.
    pub fn start_of(part: &str, size: &str, name: &str) -> Option<ScreenRecording> {
        need_program("ffmpeg")?;
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let ffmpeg = Command::new("ffmpeg")
            .args(["-y", "-loglevel", "error", "-f", "x11grab", "-draw_mouse", "0", "-framerate", "60"])
            .args(["-video_size", size, "-i", part])
            .args([
                "-filter_complex",
                &format!("split[a][b];[a]scale={WIDTH}:{HEIGHT}:flags=neighbor[raw];[b]fps=5[film]"),
            ])
            .args(["-map", "[raw]", "-f", "rawvideo", "-pix_fmt", "rgb24"])
            .arg(&file)
            .args(["-map", "[film]", "-c:v", "mjpeg", "-q:v", "4"])
            .arg(screen::file(name).with_extension("avi"))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(1500));
        Some(ScreenRecording { ffmpeg, file })
    }

    /// The frames, each as its pixels.
    pub fn stop(mut self) -> Vec<Vec<[u8; 3]>> {
        self.ffmpeg.stdin.take().unwrap().write_all(b"q").unwrap();
        self.ffmpeg.wait().unwrap();
        let bytes = std::fs::read(&self.file).unwrap();
        let frames: Vec<Vec<[u8; 3]>> =
            bytes.chunks_exact(WIDTH * HEIGHT * 3).map(|f| f.as_chunks::<3>().0.to_vec()).collect();
        assert!(frames.len() > 60, "{} frames", frames.len());
        frames
    }
}

/// The grey of the screens, or a text or a button on it. Neither white nor black is one.
pub(super) fn is_of_screens([r, g, b]: [u8; 3]) -> bool {
    let (low, high) = (r.min(g).min(b), r.max(g).max(b));
    high - low <= 16 && low >= 0x28 && high <= 0xea
}

pub(super) fn is_grey([r, g, b]: [u8; 3]) -> bool {
    r.abs_diff(0xc9) <= 2 && g.abs_diff(0xc9) <= 2 && b.abs_diff(0xc6) <= 2
}

/// The background of `calm.html`.
pub(super) fn is_of_page([r, g, b]: [u8; 3]) -> bool {
    r.abs_diff(0x20) <= 4 && g.abs_diff(0x40) <= 4 && b.abs_diff(0x60) <= 4
}

/// Asserts that every pixel of every frame is of a screen or of the page. Returns the number of frames that are grey for
/// the most part, and of those that are the page.
pub(super) fn check_colours(frames: &[Vec<[u8; 3]>]) -> (usize, usize) {
    let (mut grey, mut page) = (0, 0);
    for (k, frame) in frames.iter().enumerate() {
        let other = frame.iter().find(|p| !is_of_screens(**p) && !is_of_page(**p));
        assert_eq!(other, None, "frame {k} of {} has a pixel of another colour", frames.len());
        grey += usize::from(frame.iter().filter(|p| is_grey(**p)).count() * 10 > frame.len() * 8);
        page += usize::from(frame.iter().all(|p| is_of_page(*p)));
    }
    (grey, page)
}

/// Asserts that the page is seen once, from its first to its last frame without an interruption, with screens of the program
/// before and after it.
pub(super) fn check_order(frames: &[Vec<[u8; 3]>]) {
    let is_page = |frame: &Vec<[u8; 3]>| frame.iter().all(|p| is_of_page(*p));
    let first = frames.iter().position(is_page).expect("the page");
    let last = frames.iter().rposition(is_page).expect("the page");
    let of_screens = |frame: &Vec<[u8; 3]>| frame.iter().all(|p| is_of_screens(*p));
    assert!(first > 0 && frames[..first].iter().all(of_screens), "before the page");
    assert!(frames[first..=last].iter().all(is_page), "the page is interrupted");
    assert!(last + 60 < frames.len() && frames[last + 1..].iter().all(of_screens), "after the page");
}

fn spec(display: &Display, file: &str, waits_after_crash: bool) -> PageSpec {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages");
    PageSpec {
        address: PageAddress::parse(file, &folder).unwrap(),
        placement: Placement::ParticipantWindow {
            monitor: Some(0),
            full_screen: true,
            program: Some(PathBuf::from(env!("CARGO_BIN_EXE_affectograph"))),
            display: Some(display.name.clone()),
        },
        mask: Vec::new(),
        allow: Vec::new(),
        data_dir: None,
        questionnaires: Vec::new(),
        closing: String::new(),
        condition: None,
        waits_after_crash,
    }
}

fn sentence(text: &str) -> HostScreen {
    HostScreen::Sentence { sentence: text.to_owned(), hint: None }
}

fn opening(is_in_front: bool) -> WindowOpening {
    WindowOpening { screen: sentence("Bitte warten."), is_in_front, has_chord: true, withdraw: None }
}

fn attach(host: &PageHost, fixation: Option<&str>, is_preview: bool) -> Receiver<PageEvent> {
    let (out, events) = bounded(8192);
    let fixation = fixation.map(str::to_owned);
    let (questionnaire, condition) = (None, None);
    host.attach(PageSession { clock: Clock::start(), out, fixation, questionnaire, condition, is_preview });
    events
}

fn wait<T>(events: &Receiver<T>, what: &str, is_it: impl Fn(&T) -> bool) -> Vec<T>
where
    T: std::fmt::Debug,
{
    let deadline = Instant::now() + PATIENCE;
    let mut seen = Vec::new();
    while let Ok(event) = events.recv_deadline(deadline) {
        let is_last = is_it(&event);
        seen.push(event);
        if is_last {
            return seen;
        }
    }
    panic!("{what} did not arrive; these events arrived: {seen:#?}");
}

fn is_shown(event: &PageEvent) -> bool {
    matches!(event, PageEvent::Record(r) if r.kind == "shown")
}

/// On a text. What is selected would have another colour than a screen of the program.
fn double_click(display: &Display, (x, y): (u32, u32)) {
    display.xdotool(&format!("mousemove {x} {y} click --repeat 2 --delay 60 1 sleep 0.5"));
}

/// The number of visits that `calm.html` finds in its storage.
fn visits(events: &[PageEvent]) -> Vec<u64> {
    let of = |e: &PageEvent| match e {
        PageEvent::Record(r) if r.kind == "mark" => r.data.get("data")?.get("count")?.as_u64(),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

#[test]
fn nothing_but_grey_and_the_page_is_seen_from_waiting_to_closing() {
    let Some(display) = Display::open() else { return };
    let (to, _window_events) = bounded(64);
    let host = PageHost::open(spec(&display, "calm.html", false), opening(true), to).unwrap();
    // Set-up: the page is loaded behind the waiting screen.
    let rehearsal = attach(&host, None, true);
    wait(&rehearsal, "the preview", |e| matches!(e, PageEvent::Loaded { .. }));
    std::thread::sleep(Duration::from_secs(2));
    display.screenshot("participant_1_waiting.png");
    let preview = host.picture().try_take().expect("a picture of the page behind the screen");
    std::fs::write(display.screenshot("unused.png").with_file_name("participant_1_preview.jpg"), &preview).unwrap();
    let preview = image::load_from_memory(&preview).unwrap().to_rgb8();
    let middle = preview.get_pixel(preview.width() / 2, preview.height() / 2).0;
    assert!(is_of_page(middle), "the preview shows {middle:?}");

    let Some(recording) = ScreenRecording::start(&display, "participant_screen.rgb") else { return };
    // A participant who waits presses what there is to press. The page behind the screen gets nothing.
    rehearsal.try_iter().for_each(drop);
    double_click(&display, (640, 400));
    let pressed = |e: &PageEvent| matches!(e, PageEvent::Record(r) if ["click", "dblclick", "pointerdown"].contains(&r.kind.as_str()));
    assert!(!rehearsal.try_iter().any(|e| pressed(&e)), "the page of set-up takes input");
    host.detach();
    wait(&rehearsal, "the end of set-up", |e| *e == PageEvent::Closed);
    let session = attach(&host, Some("Bitte auf das Kreuz schauen."), false);
    let mut seen = wait(&session, "the cross", |e| matches!(e, PageEvent::Loaded { url, .. } if is_fixation(url)));
    std::thread::sleep(Duration::from_secs(1));
    display.screenshot("participant_2_cross.png");
    host.stage().unwrap().begin();
    seen.extend(wait(&session, "the page", |e| matches!(e, PageEvent::Loaded { url, .. } if !is_fixation(url))));
    seen.extend(wait(&session, "the page on the screen", is_shown));
    std::thread::sleep(Duration::from_millis(2500));
    display.screenshot("participant_3_page.png");
    let mirror = host.picture().try_take().expect("a picture of the window");
    let mirror = image::load_from_memory(&mirror).unwrap().to_rgb8();
    let middle = mirror.get_pixel(mirror.width() / 2, mirror.height() / 2).0;
    assert!(is_of_page(middle), "the operator's picture shows {middle:?}");
    host.show(sentence("Danke. Das war alles."));
    host.detach();
    seen.extend(wait(&session, "the end", |e| *e == PageEvent::Closed));
    std::thread::sleep(Duration::from_millis(1000));
    double_click(&display, (640, 400));
    display.screenshot("participant_4_closing.png");
    let frames = recording.stop();
    let (grey, page) = check_colours(&frames);
    println!("{} frames: {grey} grey, {page} of the page", frames.len());
    assert!(grey > 60 && page > 60, "{grey} grey, {page} of the page");
    // The page of the recording finds nothing of the page of set-up.
    assert_eq!(visits(&seen), [1], "{seen:#?}");
    let last = frames.last().unwrap();
    assert!(last.iter().filter(|p| is_grey(**p)).count() * 10 > last.len() * 8, "the closing screen is the last");
    host.close().unwrap();
}

/// With one monitor, the participant's window is hidden in set-up.
#[test]
fn the_operator_sees_the_page_of_set_up_while_it_is_on_no_screen() {
    let Some(display) = Display::open() else { return };
    let (to, _window_events) = bounded(64);
    let host = PageHost::open(spec(&display, "calm.html", false), opening(false), to).unwrap();
    let rehearsal = attach(&host, None, true);
    wait(&rehearsal, "the preview", |e| matches!(e, PageEvent::Loaded { .. }));
    let deadline = Instant::now() + PATIENCE;
    let size = loop {
        std::thread::sleep(Duration::from_millis(500));
        let picture = host.picture().try_take().map(|jpeg| image::load_from_memory(&jpeg).unwrap().to_rgb8());
        let middle = picture.as_ref().map(|p| p.get_pixel(p.width() / 2, p.height() / 2).0);
        match picture {
            Some(picture) if middle.is_some_and(is_of_page) => break picture.dimensions(),
            _ => assert!(Instant::now() < deadline, "the operator's picture shows {middle:?}"),
        }
    };
    assert_eq!(size, (640, 400), "a page that fills the screen of 1280 × 800 pixels");
    let screen = image::open(display.screenshot("participant_0_set_up.png")).unwrap().to_rgb8();
    assert!(!screen.pixels().any(|p| is_of_page(p.0)), "the page is on the screen");
    // The page of the recording is shown in the participant's window, as if there had been no preview.
    host.detach();
    wait(&rehearsal, "the end of set-up", |e| *e == PageEvent::Closed);
    host.set_front(true);
    let session = attach(&host, None, false);
    wait(&session, "the page on the screen", is_shown);
    std::thread::sleep(Duration::from_secs(1));
    let screen = image::open(display.screenshot("participant_0_page.png")).unwrap().to_rgb8();
    assert!(is_of_page(screen.get_pixel(640, 400).0), "{:?}", screen.get_pixel(640, 400));
    host.close().unwrap();
}

#[test]
fn the_participant_agrees_and_the_operator_comes_back_by_the_chord() {
    let Some(display) = Display::open() else { return };
    let (to, events) = bounded(64);
    let host = PageHost::open(spec(&display, "calm.html", false), opening(false), to).unwrap();
    std::thread::sleep(Duration::from_secs(2));
    let is_visible = || {
        let mut search = Command::new("xdotool");
        search.args(["search", "--onlyvisible", "--name", "participant"]).env("DISPLAY", &display.name);
        search.output().unwrap().status.success()
    };
    assert!(!is_visible(), "in set-up the operator's view is seen");
    let button = "Ich stimme zu".to_owned();
    let text = "Eine Kamera nimmt Ihr Gesicht auf.\n\nSie können jederzeit aufhören.".to_owned();
    host.show(HostScreen::Consent { text, button, initials: Some("Ihre Initialen".to_owned()) });
    host.set_front(true);
    std::thread::sleep(Duration::from_secs(3));
    assert!(is_visible());
    let unselected = image::open(display.screenshot("participant_5_consent.png")).unwrap();
    double_click(&display, (300, 68));
    let clicked = image::open(display.screenshot("participant_5_double_click.png")).unwrap();
    assert!(clicked == unselected, "the consent text is selected");
    // Without initials the button does nothing. Tab goes to the field, then to the button.
    display.xdotool("key Tab Tab space sleep 0.5");
    assert!(events.try_recv().is_err(), "no consent without initials");
    display.xdotool("key shift+Tab sleep 0.2 key Tab sleep 0.2");
    display.xdotool("mousemove 640 273 click 1 sleep 0.3");
    display.xdotool("type --delay 60 A.B.");
    display.screenshot("participant_6_initials.png");
    display.xdotool("key Tab sleep 0.2 key space");
    let agreed = wait(&events, "the consent", |e| matches!(e, WindowEvent::Answered(_)));
    assert_eq!(agreed.last(), Some(&WindowEvent::Answered(HostAnswer::Agreed { typed: Some("A.B.".into()) })));
    host.show(sentence("Bitte warten."));
    std::thread::sleep(Duration::from_secs(1));
    display.xdotool("key ctrl+shift+F12");
    wait(&events, "the operator's view", |e| *e == WindowEvent::OperatorViewShown);
    std::thread::sleep(Duration::from_millis(500));
    assert!(!is_visible(), "the participant window is hidden");
    host.set_front(true);
    std::thread::sleep(Duration::from_millis(800));
    assert!(is_visible(), "and comes back");
    host.close().unwrap();
}

#[test]
fn a_crashed_page_waits_for_the_operator_if_the_study_wants_it() {
    let Some(display) = Display::open() else { return };
    let (to, _events) = bounded(64);
    let host = PageHost::open(spec(&display, "calm.html", true), opening(true), to).unwrap();
    let session = attach(&host, None, false);
    wait(&session, "the page on the screen", is_shown);
    std::thread::sleep(Duration::from_millis(500));
    let Some(recording) = ScreenRecording::start(&display, "participant_crash.rgb") else { return };
    super::page::kill_all("WebKitWebProcess");
    let died = wait(&session, "the crash", |e| matches!(e, PageEvent::ProcessDied { .. }));
    assert!(matches!(died.last(), Some(PageEvent::ProcessDied { is_restarted: false, .. })), "{died:?}");
    host.show(sentence("Bitte warten."));
    std::thread::sleep(Duration::from_secs(3));
    display.screenshot("participant_7_crashed.png");
    assert!(!session.try_iter().any(|e| matches!(e, PageEvent::Loaded { .. })), "it came back by itself");
    host.reload();
    wait(&session, "the page again", is_shown);
    std::thread::sleep(Duration::from_secs(1));
    let (grey, page) = check_colours(&recording.stop());
    assert!(grey > 60 && page > 30, "{grey} grey, {page} of the page");
    // The window's own process, too.
    super::page::kill_all("participant-window");
    wait(&session, "the window's death", |e| matches!(e, PageEvent::ProcessDied { is_restarted: false, .. }));
    std::thread::sleep(Duration::from_secs(3));
    assert!(!session.try_iter().any(|e| matches!(e, PageEvent::Loaded { .. })), "it came back by itself");
    host.reload();
    wait(&session, "the page in the new window", is_shown);
    host.detach();
    wait(&session, "the end", |e| *e == PageEvent::Closed);
    host.close().unwrap();
}

/// The kinds of the records that say whether the participant sees the page.
fn seen(events: &[PageEvent]) -> Vec<&str> {
    let of = |e: &'_ PageEvent| match e {
        PageEvent::Record(r) => ["shown", "hidden"].into_iter().find(|kind| r.kind == *kind),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

#[test]
fn a_page_that_is_loaded_again_while_it_loads_is_not_seen_half_drawn() {
    let Some(display) = Display::open() else { return };
    let (to, _events) = bounded(64);
    let host = PageHost::open(spec(&display, "calm.html", false), opening(true), to).unwrap();
    let session = attach(&host, None, false);
    wait(&session, "the page on the screen", is_shown);
    std::thread::sleep(Duration::from_millis(500));
    let Some(recording) = ScreenRecording::start(&display, "participant_reload.rgb") else { return };
    let mut events = Vec::new();
    for k in 0..8 {
        host.reload();
        std::thread::sleep(Duration::from_millis(20 + 30 * k));
        host.stage().unwrap().begin();
        events.extend(wait(&session, "the page again", is_shown));
        std::thread::sleep(Duration::from_millis(200));
    }
    let (grey, page) = check_colours(&recording.stop());
    assert!(grey > 8 && page > 60, "{grey} grey, {page} of the page");
    let seen = seen(&events);
    assert!(seen.chunks(2).all(|pair| pair == ["hidden", "shown"]), "{seen:?}");
    host.close().unwrap();
}

#[test]
fn a_page_behind_a_screen_or_the_operators_view_is_stored_as_hidden() {
    let Some(display) = Display::open() else { return };
    let (to, window_events) = bounded(64);
    let host = PageHost::open(spec(&display, "calm.html", true), opening(true), to).unwrap();
    let session = attach(&host, None, false);
    wait(&session, "the page on the screen", is_shown);
    // The next part begins behind the waiting screen.
    host.show(sentence("Bitte warten."));
    wait(&session, "the waiting screen", |e| matches!(e, PageEvent::Record(r) if r.kind == "hidden"));
    host.stage().unwrap().begin();
    wait(&session, "the next part", |e| matches!(e, PageEvent::Loaded { .. }));
    std::thread::sleep(Duration::from_secs(1));
    assert!(!session.try_iter().any(|e| is_shown(&e)), "it is behind the screen");
    host.show_page();
    wait(&session, "the page in front of it", is_shown);
    // The operator's view covers the page.
    std::thread::sleep(Duration::from_millis(500));
    display.xdotool("key ctrl+shift+F12");
    wait(&window_events, "the operator's view", |e| *e == WindowEvent::OperatorViewShown);
    wait(&session, "the end of the page", |e| matches!(e, PageEvent::Record(r) if r.kind == "hidden"));
    host.stage().unwrap().begin();
    wait(&session, "the next part", |e| matches!(e, PageEvent::Loaded { .. }));
    std::thread::sleep(Duration::from_secs(1));
    assert!(!session.try_iter().any(|e| is_shown(&e)), "it is behind the operator's view");
    host.set_front(true);
    wait(&session, "the page in front", is_shown);
    host.close().unwrap();
}

#[test]
fn the_operators_keys_work_while_a_screen_has_the_keyboard() {
    let Some(display) = Display::open() else { return };
    let (to, _events) = bounded(64);
    let host = PageHost::open(spec(&display, "calm.html", false), opening(true), to).unwrap();
    let session = attach(&host, None, false);
    wait(&session, "the page on the screen", is_shown);
    let press = |keys: &str, key: OperatorKey| {
        std::thread::sleep(Duration::from_millis(1000));
        display.xdotool(&format!("key {keys}"));
        wait(&session, keys, |e| matches!(e, PageEvent::OperatorKey { key: pressed, .. } if *pressed == key));
    };
    press("ctrl+1", OperatorKey::Digit(1));
    host.show(HostScreen::Grey);
    press("ctrl+2", OperatorKey::Digit(2));
    host.show(sentence("Bitte warten."));
    press("ctrl+3", OperatorKey::Digit(3));
    press("F6", OperatorKey::Return);
    host.close().unwrap();
}

#[test]
fn a_window_that_ended_for_good_comes_back_when_the_page_is_loaded_again() {
    let Some(display) = Display::open() else { return };
    let (to, _events) = bounded(64);
    let host = PageHost::open(spec(&display, "calm.html", false), opening(true), to).unwrap();
    let session = attach(&host, None, false);
    loop {
        wait(&session, "the page on the screen", is_shown);
        super::page::kill_all("participant-window");
        let died = wait(&session, "the window's death", |e| matches!(e, PageEvent::ProcessDied { .. }));
        if matches!(died.last(), Some(PageEvent::ProcessDied { is_restarted: false, .. })) {
            break;
        }
    }
    host.reload();
    wait(&session, "the page in the new window", is_shown);
    host.close().unwrap();
}

#[test]
fn screens_that_keep_dying_are_given_up_and_reported() {
    let Some(display) = Display::open() else { return };
    let (to, events) = bounded(64);
    // Without a page, the only web process is that of the screens.
    let host = PageHost::open(spec(&display, "calm.html", false), opening(true), to).unwrap();
    std::thread::sleep(Duration::from_secs(3));
    let deadline = Instant::now() + PATIENCE;
    let why = loop {
        assert!(Instant::now() < deadline, "the screens were loaded again and again");
        super::page::kill_all("WebKitWebProcess");
        if let Ok(WindowEvent::Failed(why)) = events.recv_timeout(Duration::from_secs(1)) {
            break why;
        }
    };
    assert!(why.contains("grey"), "{why}");
    // The next screen is tried again.
    host.show(sentence("Danke."));
    std::thread::sleep(Duration::from_secs(3));
    display.screenshot("participant_8_screen_again.png");
    assert!(events.try_recv().is_err());
    host.close().unwrap();
}
