//! A slot that holds the newest thing. The only mutex between threads in this house.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Putting replaces what nobody took yet: the reader always gets the newest, and a slow reader slows nobody down.
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

/// What [`Latest::take`] found.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken<T> {
    New(T),
    TimedOut,
    /// Closed, and nothing is left in it.
    Closed,
}

impl<T> Latest<T> {
    /// Returns what was there and is now skipped.
    pub fn put(&self, value: T) -> Option<T> {
        let skipped = self.lock().value.replace(value);
        self.shared.changed.notify_one();
        skipped
    }

    /// Changes what waits to be taken, so that news can be added to it instead of replacing it. `change` must not wait.
    pub fn change<R>(&self, change: impl FnOnce(&mut Option<T>) -> R) -> R {
        let changed = change(&mut self.lock().value);
        self.shared.changed.notify_one();
        changed
    }

    /// Waits until the last value was taken and only then puts this one; gives it back where nobody took in time.
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

    /// The newest value if one came since the last call; never waits.
    pub fn try_take(&self) -> Option<T> {
        let value = self.lock().value.take();
        self.shared.taken.notify_one();
        value
    }

    /// Waits for a value at most `timeout`.
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

    /// Wakes readers; what is still in the slot can be taken.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.shared.changed.notify_all();
        self.shared.taken.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Slot<T>> {
        // A panicking holder cannot leave the slot itself half-changed; what `change` is given is its caller's matter.
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
