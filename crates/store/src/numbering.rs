//! How the records of a stream get their numbers.

/// In a stream that its source numbers, the recorder's own records have numbers from here on.
pub const RECORDER_SEQ_0: u64 = 1 << 62;

/// Assigns the numbers of one stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Numbering {
    next: u64,
    is_source_numbered: bool,
}

impl Numbering {
    /// For a stream that a source may number: all numbers from `next` on are free. The recorder does not use the source's
    /// numbers.
    pub(super) fn after(next: u64) -> Self {
        Numbering { next: next.max(RECORDER_SEQ_0), is_source_numbered: true }
    }

    pub(super) fn take(&mut self, seq: Option<u64>) -> u64 {
        match seq {
            Some(seq) => {
                if !self.is_source_numbered {
                    *self = Numbering { next: RECORDER_SEQ_0, is_source_numbered: true };
                }
                seq
            }
            None => {
                let seq = self.next;
                self.next += 1;
                seq
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorders_numbers_keep_clear_of_a_sources() {
        let mut own = Numbering::default();
        assert_eq!([own.take(None), own.take(None)], [0, 1]);
        let mut remote = Numbering::default();
        assert_eq!([remote.take(Some(7)), remote.take(None), remote.take(Some(8))], [7, RECORDER_SEQ_0, 8]);
    }
}
