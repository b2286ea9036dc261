//! Messages at the bottom of the window. Information fades by itself. A warning stays until the operator dismisses it.

use std::collections::VecDeque;

/// The largest number of notices that are shown.
const KEPT: usize = 3;
/// How long information is shown, and how much of that it fades.
const SHOWN_S: f64 = 10.0;
const FADING_S: f64 = 1.5;

#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    pub sentence: String,
    pub is_warning: bool,
    /// When it was first drawn, in the time of egui.
    since_s: Option<f64>,
}

/// Oldest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notices(VecDeque<Notice>);

impl Notices {
    pub fn add(&mut self, sentence: String, is_warning: bool) {
        if self.0.iter().any(|n| n.sentence == sentence) {
            return;
        }
        if self.0.len() == KEPT {
            // Information gives way before a warning does.
            let oldest = self.0.iter().position(|n| !n.is_warning).unwrap_or(0);
            self.0.remove(oldest);
        }
        self.0.push_back(Notice { sentence, is_warning, since_s: None });
    }

    pub fn dismiss(&mut self, sentence: &str) {
        self.0.retain(|n| n.sentence != sentence);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Notice> {
        self.0.iter()
    }

    /// Removes information that was shown long enough. Returns in how many seconds the next notice changes.
    pub fn advance(&mut self, now_s: f64) -> Option<f64> {
        for notice in &mut self.0 {
            notice.since_s.get_or_insert(now_s);
        }
        self.0.retain(|n| n.is_warning || n.age_s(now_s) < SHOWN_S);
        let informs = self.0.iter().filter(|n| !n.is_warning);
        let next = informs.map(|n| (SHOWN_S - FADING_S - n.age_s(now_s)).max(0.04));
        next.min_by(f64::total_cmp)
    }
}

impl Notice {
    fn age_s(&self, now_s: f64) -> f64 {
        self.since_s.map_or(0.0, |since_s| now_s - since_s)
    }

    /// 1: fully visible.
    pub fn opacity(&self, now_s: f64) -> f32 {
        if self.is_warning {
            return 1.0;
        }
        ((SHOWN_S - self.age_s(now_s)) / FADING_S).clamp(0.0, 1.0) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn information_fades_and_a_warning_stays() {
        let mut notices = Notices::default();
        notices.add("Exported.".into(), false);
        notices.add("The disk is slow.".into(), true);
        assert!((notices.advance(100.0).unwrap() - (SHOWN_S - FADING_S)).abs() < 1e-9);
        notices.advance(109.0);
        let opacities: Vec<f32> = notices.iter().map(|n| n.opacity(109.0)).collect();
        assert!(opacities[0] > 0.5 && opacities[0] < 0.8 && opacities[1] == 1.0, "{opacities:?}");
        assert_eq!(notices.advance(110.1), None);
        assert_eq!(notices.iter().map(|n| n.sentence.as_str()).collect::<Vec<_>>(), ["The disk is slow."]);
        notices.dismiss("The disk is slow.");
        assert!(notices.is_empty());
    }

    #[test]
    fn information_gives_way_before_a_warning() {
        let mut notices = Notices::default();
        notices.add("w1".into(), true);
        notices.add("i1".into(), false);
        notices.add("w2".into(), true);
        notices.add("w3".into(), true);
        assert_eq!(notices.iter().map(|n| n.sentence.as_str()).collect::<Vec<_>>(), ["w1", "w2", "w3"]);
    }
}
