//! Ports with pseudo terminals.

use std::path::Path;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};

use super::*;
use session::{Clock, Timestamp};

const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, PartialEq)]
enum Seen {
    Received {
        bytes: Vec<u8>,
        uncertainty_ns: i64,
    },
    Lost,
    NotThere,
    Back,
    /// Byte and error.
    Sent(u8, Option<NotSent>),
    Reset(Option<NotSent>),
    Ended,
}

struct Scene {
    threads: PortThreads,
    seen: Receiver<(Timestamp, Seen)>,
}

impl Scene {
    fn open(path: &str, pulse_ms: Option<u64>) -> Scene {
        let (to, seen) = bounded(100_000);
        let (clock, out) = (Clock::start(), to.clone());
        let input: InputSink = Box::new(move |event| {
            let (at, what) = match event {
                InputEvent::Received { bytes, at, uncertainty_ns } => {
                    (at, Seen::Received { bytes: bytes.to_vec(), uncertainty_ns })
                }
                InputEvent::Lost { at, .. } => (at, Seen::Lost),
                InputEvent::NotThere { at, .. } => (at, Seen::NotThere),
                InputEvent::Back { at } => (at, Seen::Back),
                InputEvent::Ended { at } => (at, Seen::Ended),
            };
            to.send((at, what)).unwrap();
        });
        let output: OutputSink = Box::new(move |event| {
            let (at, what) = match event {
                OutputEvent::Sent { trigger, at, error, .. } => (at, Seen::Sent(trigger.byte, error)),
                OutputEvent::Reset { at, error, .. } => (at, Seen::Reset(error)),
            };
            out.send((at, what)).unwrap();
        });
        let port = Port::open(path, 115_200).unwrap();
        let pulse = pulse_ms.map(Duration::from_millis);
        let threads = PortThreads::start((path, 115_200), Some(port), pulse, clock, (input, output)).unwrap();
        Scene { threads, seen }
    }

    #[track_caller]
    fn next(&self) -> (Timestamp, Seen) {
        self.seen.recv_timeout(PATIENCE).expect("nothing happened")
    }

    fn send(&self, byte: u8) -> bool {
        let trigger = Trigger { byte, label: "x".to_owned(), of: "marker", event_at: Timestamp::ZERO };
        self.threads.sender().send(trigger).is_ok()
    }
}

#[test]
fn bytes_come_in_their_order_and_each_read_states_its_uncertainty() {
    let mut port = PseudoPort::open().unwrap();
    port.device().write(&[9]).unwrap_or_else(|e| panic!("{e}"));
    let mut scene = Scene::open(port.path(), None);
    let all: Vec<u8> = (0..=255).collect();
    for byte in &all {
        port.device().write(&[*byte]).unwrap();
    }
    let (mut bytes, mut last) = (Vec::new(), Timestamp::from_ns(i64::MIN));
    while bytes.last() != Some(&255) {
        let (at, seen) = scene.next();
        let Seen::Received { bytes: some, uncertainty_ns } = seen else { panic!("{seen:?}") };
        // The read before found nothing, or took all.
        assert!(uncertainty_ns >= 0 && at - Duration::from_nanos(uncertainty_ns as u64) >= last, "{uncertainty_ns}");
        bytes.extend(some);
        last = at;
    }
    // A byte from before the port was opened may have been kept by the system.
    let kept = usize::from(bytes[0] == 9);
    assert_eq!(bytes[kept..], all);
    scene.threads.stop();
    assert_eq!(scene.next().1, Seen::Ended);
}

#[test]
fn a_pulse_is_a_byte_and_a_zero_and_a_later_byte_replaces_an_earlier_one() {
    let mut port = PseudoPort::open().unwrap();
    let mut scene = Scene::open(port.path(), Some(30));
    assert!(scene.send(7));
    assert_eq!(port.device().read_at_least(2, PATIENCE), [7, 0]);
    let ((sent, first), (ended, second)) = (scene.next(), scene.next());
    assert_eq!((first, second), (Seen::Sent(7, None), Seen::Reset(None)));
    assert!(ended.since_ns(sent) >= 30_000_000, "a pulse is never shorter");
    assert!(scene.send(255) && scene.send(0) && scene.send(128));
    assert_eq!(port.device().read_at_least(4, PATIENCE), [255, 0, 128, 0]);
    scene.threads.stop();

    let mut scene = Scene::open(port.path(), Some(1_000));
    assert!(scene.send(3));
    assert_eq!(port.device().read_at_least(1, PATIENCE), [3]);
    scene.threads.stop();
    assert_eq!(port.device().read_at_least(1, PATIENCE), [0], "the end of the recording ends the pulse");

    let scene = Scene::open(port.path(), None);
    assert!(scene.send(5) && scene.send(6));
    assert_eq!(port.device().read_at_least(2, PATIENCE), [5, 6]);
    drop(scene);
    assert_eq!(port.device().read_within(Duration::from_millis(50)), [0; 0]);
}

#[test]
fn a_device_that_takes_no_bytes_delays_nobody() {
    let mut port = PseudoPort::open().unwrap();
    let mut scene = Scene::open(port.path(), None);
    let (mut sent, mut refused, until) = (0_usize, 0_usize, Instant::now() + PATIENCE);
    let blocked = loop {
        assert!(Instant::now() < until, "{sent} bytes were taken");
        if scene.send(1) {
            sent += 1;
        } else {
            refused += 1;
            std::thread::sleep(Duration::from_millis(1));
        }
        if let Some((_, Seen::Sent(_, Some(why)))) =
            scene.seen.try_iter().find(|(_, s)| matches!(s, Seen::Sent(_, Some(_))))
        {
            break why;
        }
    };
    assert_eq!(blocked, NotSent::Blocked);
    // What comes is still received.
    port.device().write(&[42]).unwrap();
    loop {
        assert!(Instant::now() < until, "nothing was received ({refused} bytes found no room)");
        if let Seen::Received { bytes, .. } = scene.next().1 {
            assert_eq!(bytes, [42]);
            break;
        }
    }
    while !port.device().read_within(Duration::from_millis(50)).is_empty() {}
    while !scene.send(2) {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(port.device().read_at_least(1, PATIENCE).last(), Some(&2));
    scene.threads.stop();
}

fn link(to: &str, at: &Path) {
    std::fs::remove_file(at).ok();
    std::os::unix::fs::symlink(to, at).unwrap();
}

#[test]
fn a_port_that_was_unplugged_is_found_again() {
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("port");
    let mut port = PseudoPort::open().unwrap();
    link(port.path(), &path);
    let mut scene = Scene::open(path.to_str().unwrap(), Some(5));
    port.device().write(&[1]).unwrap();
    assert!(matches!(scene.next().1, Seen::Received { .. }));
    // Another test may get the number of a pseudo terminal that is closed.
    std::fs::remove_file(&path).unwrap();
    drop(port);
    assert_eq!((scene.next().1, scene.next().1), (Seen::Lost, Seen::NotThere));
    assert!(scene.send(4));
    assert_eq!(scene.next().1, Seen::Sent(4, Some(NotSent::Gone)));

    let mut port = PseudoPort::open().unwrap();
    link(port.path(), &path);
    assert_eq!(scene.next().1, Seen::Back);
    port.device().write(&[2]).unwrap();
    let (_, seen) = scene.next();
    assert!(matches!(&seen, Seen::Received { bytes, .. } if *bytes == [2]), "{seen:?}");
    assert!(scene.send(6));
    assert_eq!(port.device().read_at_least(2, PATIENCE), [6, 0]);
    scene.threads.stop();
}

#[test]
fn a_port_that_cannot_be_opened_says_why() {
    let error = |path: &str| Port::open(path, 9_600).err().unwrap();
    let missing = error("/dev/affectograph-has-no-such-port");
    assert!(matches!(missing, PortError::NotThere { .. }) && missing.to_string().contains("is not there"), "{missing}");
    let tmp = tempfile::NamedTempFile::new().unwrap();
    let file = error(tmp.path().to_str().unwrap());
    assert!(matches!(file, PortError::NotASerialPort { .. }), "{file}");
    assert!(matches!(error(std::env::temp_dir().to_str().unwrap()), PortError::NotASerialPort { .. }));
    let port = PseudoPort::open().unwrap();
    let first = Port::open(port.path(), 9_600).unwrap();
    let busy = error(port.path());
    assert!(matches!(busy, PortError::Busy { .. }), "{busy}");
    drop(first);
    Port::open(port.path(), 9_600).unwrap();
}

#[test]
fn a_round_trip_is_measured_and_lost_bytes_are_counted() {
    let echo = PseudoPort::open().unwrap().echoing().unwrap();
    let latency = measure_latency(Port::open(echo.path(), 115_200).unwrap(), 20).unwrap();
    assert_eq!((latency.round_trips_ms.len(), latency.lost), (20, 0));
    let [low, median, high] = [0.0, 0.5, 1.0].map(|share| latency.quantile_ms(share).unwrap());
    assert!(0.0 < low && low <= median && median <= high);
    let silent = PseudoPort::open().unwrap();
    let latency = measure_latency(Port::open(silent.path(), 115_200).unwrap(), 2).unwrap();
    assert_eq!((latency.lost, latency.quantile_ms(0.5)), (2, None));
}
