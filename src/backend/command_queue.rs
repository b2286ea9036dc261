//! The queue of commands from the window to a thread. Commands come from a person, so there are few. A repeated command
//! (a moving slider, a playing session) replaces the waiting one. The queue has a bound, which holds for a thread that
//! hangs.

use std::time::Duration;

use session::{Latest, Taken};

/// More commands than a person gives while a camera or a disk hangs.
const COMMANDS_WAITING: usize = 256;
const LONG: Duration = Duration::from_secs(3600);

/// The notice for a command that a thread did not take.
pub(super) const BUSY: &str = "The program waits for a camera, a disk or a page, and the last command was not carried out. \
    Repeat it when the screen responds.";

pub(super) trait QueuedCommand {
    /// Whether the older command is no longer needed.
    fn replaces(&self, older: &Self) -> bool;
}

pub(super) struct CommandQueue<T>(Latest<Vec<T>>);

impl<T> Clone for CommandQueue<T> {
    fn clone(&self) -> Self {
        CommandQueue(self.0.clone())
    }
}

impl<T> Default for CommandQueue<T> {
    fn default() -> Self {
        CommandQueue(Latest::default())
    }
}

impl<T: QueuedCommand> CommandQueue<T> {
    /// Never blocks. `false`: the queue is full and the command was not added.
    #[must_use]
    pub(super) fn push(&self, command: T) -> bool {
        self.0.change(|waiting| {
            let waiting = waiting.get_or_insert_default();
            waiting.retain(|older| !command.replaces(older));
            let has_room = waiting.len() < COMMANDS_WAITING;
            if has_room {
                waiting.push(command);
            }
            has_room
        })
    }

    /// All waiting commands, oldest first. Waits at most `patience` for the first one.
    pub(super) fn take(&self, patience: Duration) -> Taken<Vec<T>> {
        self.0.take(patience)
    }

    /// The waiting commands that `is_wanted` accepts, oldest first. The others go on waiting.
    pub(super) fn take_those(&self, is_wanted: impl Fn(&T) -> bool) -> Vec<T> {
        self.0.change(|waiting| {
            let (wanted, others) = waiting.take().unwrap_or_default().into_iter().partition(is_wanted);
            *waiting = Some(others).filter(|others: &Vec<T>| !others.is_empty());
            wanted
        })
    }

    /// One after the other, until [`CommandQueue::close`]: for a thread that does nothing else.
    pub(super) fn each(&self) -> impl Iterator<Item = T> {
        let mut taken = Vec::new().into_iter();
        std::iter::from_fn(move || {
            loop {
                if let Some(command) = taken.next() {
                    return Some(command);
                }
                match self.take(LONG) {
                    Taken::New(commands) => taken = commands.into_iter(),
                    Taken::TimedOut => {}
                    Taken::Closed => return None,
                }
            }
        })
    }

    /// Commands that were added before are still carried out.
    pub(super) fn close(&self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    enum Test {
        Slider(u32),
        Press(u32),
    }

    impl QueuedCommand for Test {
        fn replaces(&self, older: &Self) -> bool {
            matches!((self, older), (Test::Slider(_), Test::Slider(_)))
        }
    }

    #[test]
    fn a_thread_that_hangs_costs_a_bounded_number_of_orders() {
        let commands = CommandQueue::default();
        for k in 0..100_000 {
            assert!(commands.push(Test::Slider(k)));
        }
        let taken = (0..1000).filter(|k| commands.push(Test::Press(*k))).count();
        assert_eq!(taken, COMMANDS_WAITING - 1);
        commands.close();
        let all: Vec<Test> = commands.each().collect();
        assert_eq!(all.len(), COMMANDS_WAITING);
        assert_eq!(all[..3], [Test::Slider(99_999), Test::Press(0), Test::Press(1)]);
        assert_eq!(commands.each().count(), 0);
    }

    #[test]
    fn some_orders_are_taken_before_the_others() {
        let commands = CommandQueue::default();
        for order in [Test::Press(1), Test::Slider(2), Test::Press(3)] {
            assert!(commands.push(order));
        }
        let presses = commands.take_those(|order| matches!(order, Test::Press(_)));
        assert_eq!(presses, [Test::Press(1), Test::Press(3)]);
        assert_eq!(commands.take(Duration::ZERO), Taken::New(vec![Test::Slider(2)]));
        assert!(commands.take_those(|_| true).is_empty());
        assert_eq!(commands.take(Duration::ZERO), Taken::TimedOut, "an empty list is no order");
    }

    #[test]
    fn orders_reach_a_thread_in_order() {
        let commands = CommandQueue::default();
        let theirs = commands.clone();
        let thread = std::thread::spawn(move || theirs.each().collect::<Vec<Test>>());
        for k in 0..1000 {
            while !commands.push(Test::Press(k)) {
                std::thread::yield_now();
            }
        }
        commands.close();
        assert_eq!(thread.join().unwrap(), (0..1000).map(Test::Press).collect::<Vec<_>>());
    }
}
