//! A slot that holds the newest value. Threads share no other mutex in this program.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A new value replaces a value that was not taken. The reader always gets the newest value, and a slow reader does not
/// delay the writer.
pub struct Latest<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    slot: Mutex<Slot<T>>,
    changed: Condvar,
    taken: Condvar,
}

struct Slot<T> {
    value: Option<T>,
    is_closed: bool,
}

impl<T> Clone for Latest<T> {
    fn clone(&self) -> Self {
        Latest { shared: self.shared.clone() }
    }
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        let slot = Mutex::new(Slot { value: None, is_closed: false });
        Latest { shared: Arc::new(Shared { slot, changed: Condvar::new(), taken: Condvar::new() }) }
    }
}

/// Result of [`Latest::take`].
#[derive(Debug, PartialEq, Eq)]
pub enum Taken<T> {
    New(T),
    TimedOut,
    /// The slot is closed and empty.
    Closed,
}

impl<T> Latest<T> {
    /// Returns the value that was replaced.
    pub fn put(&self, value: T) -> Option<T> {
        let skipped = self.lock().value.replace(value);
        self.shared.changed.notify_one();
        skipped
    }

    /// Changes the value in the slot, for example to add to it instead of replacing it. `change` must not wait.
    pub fn change<R>(&self, change: impl FnOnce(&mut Option<T>) -> R) -> R {
        let changed = change(&mut self.lock().value);
        self.shared.changed.notify_one();
        changed
    }

    /// Waits until the previous value is taken, then puts this one. Returns it if the previous value is not taken in time.
    pub fn put_when_taken(&self, value: T, timeout: Duration) -> Result<(), T> {
        let deadline = Instant::now() + timeout;
        let mut slot = self.lock();
        while slot.value.is_some() && !slot.is_closed {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { return Err(value) };
            slot = self.shared.taken.wait_timeout(slot, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        slot.value = Some(value);
        drop(slot);
        self.shared.changed.notify_one();
        Ok(())
    }

    /// The newest value, if there is one that was not taken. Never waits.
    pub fn try_take(&self) -> Option<T> {
        let value = self.lock().value.take();
        self.shared.taken.notify_one();
        value
    }

    /// Waits for a value, at most `timeout`.
    pub fn take(&self, timeout: Duration) -> Taken<T> {
        let deadline = Instant::now() + timeout;
        let mut slot = self.lock();
        loop {
            if let Some(value) = slot.value.take() {
                self.shared.taken.notify_one();
                return Taken::New(value);
            }
            if slot.is_closed {
                return Taken::Closed;
            }
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { return Taken::TimedOut };
            slot = self.shared.changed.wait_timeout(slot, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Wakes readers. A value in the slot can still be taken.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.shared.changed.notify_all();
        self.shared.taken.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Slot<T>> {
        // A panic cannot leave the slot half-changed. The callers of `change` are responsible for the value itself.
        self.shared.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_wins_and_the_skipped_one_comes_back() {
        let slot = Latest::default();
        assert_eq!(slot.put(1), None);
        assert_eq!(slot.put(2), Some(1));
        assert_eq!(slot.take(Duration::ZERO), Taken::New(2));
        assert_eq!(slot.take(Duration::from_millis(1)), Taken::TimedOut);
        slot.put(3);
        slot.close();
        assert_eq!(slot.take(Duration::from_secs(9)), Taken::New(3));
        assert_eq!(slot.take(Duration::from_secs(9)), Taken::Closed);
    }

    #[test]
    fn news_are_added_to_what_nobody_took() {
        let slot: Latest<Vec<u8>> = Latest::default();
        let add = |n| slot.change(|waiting| waiting.get_or_insert_default().push(n));
        (1..=3).for_each(add);
        assert_eq!(slot.try_take(), Some(vec![1, 2, 3]));
        add(4);
        assert_eq!(slot.take(Duration::ZERO), Taken::New(vec![4]));
    }

    #[test]
    fn a_waiting_reader_is_woken() {
        let slot = Latest::default();
        let reader = slot.clone();
        let thread = std::thread::spawn(move || reader.take(Duration::from_secs(20)));
        slot.put("frame");
        assert_eq!(thread.join().unwrap(), Taken::New("frame"));
    }

    #[test]
    fn a_patient_writer_skips_nothing() {
        let slot = Latest::default();
        assert_eq!(slot.put_when_taken(0, Duration::ZERO), Ok(()));
        assert_eq!(slot.put_when_taken(1, Duration::from_millis(1)), Err(1));
        let reader = slot.clone();
        let thread =
            std::thread::spawn(move || (0..100).map(|_| reader.take(Duration::from_secs(20))).collect::<Vec<_>>());
        (1..100).for_each(|k| slot.put_when_taken(k, Duration::from_secs(20)).unwrap());
        assert_eq!(thread.join().unwrap(), (0..100).map(Taken::New).collect::<Vec<_>>());
    }
}
