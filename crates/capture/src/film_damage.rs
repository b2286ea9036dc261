//! Determines the frames of a video file that a fault has damaged.
//!
//! A picture that is decoded from a damaged one is damaged, too. A fault therefore lasts until the next key frame. FFmpeg
//! reports a fault before the damaged frame, and does not name the frame. The frames that are left out may begin a few
//! frames too early, but never too late.

/// Its input is every frame in display order.
#[derive(Debug, Default)]
pub struct FilmDamage {
    max_lead_frames: u64,
    why: Option<String>,
    /// Number of frames since the newest fault.
    since_fault: u64,
}

impl FilmDamage {
    pub fn new(max_lead_frames: u64) -> FilmDamage {
        FilmDamage { max_lead_frames, ..FilmDamage::default() }
    }

    /// Registers a frame. `fault` was reported since the previous one. Returns why the frame may be damaged.
    pub fn frame(&mut self, is_key: bool, fault: Option<String>) -> Option<&str> {
        match (fault, &self.why) {
            (Some(fault), why) => {
                self.since_fault = 0;
                if why.is_none() {
                    self.why = Some(fault);
                }
            }
            (None, Some(_)) => {
                self.since_fault += 1;
                if is_key && self.since_fault > self.max_lead_frames {
                    self.why = None;
                }
            }
            (None, None) => {}
        }
        self.why.as_deref()
    }

    pub fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spoilt(max_lead_frames: u64, key_every: usize, faults: &[usize], frames: usize) -> Vec<usize> {
        let mut damage = FilmDamage::new(max_lead_frames);
        let fault = |k| faults.contains(&k).then(|| "bad".to_owned());
        (0..frames).filter(|k| damage.frame(k.is_multiple_of(key_every), fault(*k)).is_some()).collect()
    }

    #[test]
    fn a_fault_lasts_until_the_next_key_frame() {
        assert_eq!(spoilt(0, 10, &[14], 30), (14..20).collect::<Vec<_>>());
        assert_eq!(spoilt(0, 1, &[3, 7], 10), [3, 7], "each picture stands for itself");
        assert_eq!(spoilt(4, 10, &[14], 40), (14..20).collect::<Vec<_>>());
        // The fault may concern a frame after the key frame.
        assert_eq!(spoilt(4, 10, &[18], 40), (18..30).collect::<Vec<_>>());
        assert_eq!(spoilt(0, 10, &[], 30), Vec::<usize>::new());
    }

    proptest! {
        /// Wherever a frame is bad, and however much before it that is told, neither it nor what is made from it passes.
        #[test]
        fn no_spoilt_frame_passes(
            ahead in 0u64..12, key_every in 1usize..40, bad in 12usize..200, told_before in 0usize..12,
        ) {
            prop_assume!(told_before as u64 <= ahead);
            let left_out = spoilt(ahead, key_every, &[bad - told_before], 300);
            let until = (bad + 1..300).find(|k| k.is_multiple_of(key_every)).unwrap_or(300);
            for k in bad..until {
                prop_assert!(left_out.contains(&k), "{k}");
            }
            prop_assert!(left_out.iter().all(|k| *k + told_before >= bad && *k < until + ahead as usize + key_every));
        }
    }
}
