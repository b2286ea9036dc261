//! Assigns each sample to a part of a clock that was changed.
//!
//! The samples are in the order of their arrival, and the parts are in the order of time. The assignment is the cheapest path
//! through the parts. A time outside the times of its part costs the distance. A time that goes back within a part costs the
//! difference. If another path costs the same, the assignment of the samples that differ is unknown.

use super::clock::Part;

/// The cost of a doubtful part, which has only one or two offsets. Its samples must save more than this.
const DOUBT_S: f64 = 5.0;
/// Paths whose costs differ by less are equal.
const EQUAL_S: f64 = 1e-3;
/// Parts that give times closer than this agree. The choice then does not matter.
const SAME_S: f64 = 1e-3;
const IMPOSSIBLE_S: f64 = 1e9;

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Assigned {
    pub(super) part: Vec<usize>,
    /// Samples that could also belong to another part, and the seconds by which that would move them.
    pub(super) unsure: Vec<(usize, f64)>,
}

/// `samples` are the times on the stream's clock and the places in the file, in the order of the file. There is at least one
/// part.
pub(super) fn assigned(samples: &[(f64, usize)], parts: &[Part]) -> Assigned {
    if parts.len() < 2 || samples.is_empty() {
        return Assigned { part: vec![0; samples.len()], unsure: Vec::new() };
    }
    let any_place = Paths { samples, parts, places: vec![(0, usize::MAX); parts.len()] };
    let in_file_order = Paths { samples, parts, places: file_places(samples, parts) };
    let (any_place_cost, any_place) = any_place.cheapest();
    // If the recorder wrote in the order of arrival, the order of the file is additional evidence. Other programs write stream
    // by stream.
    let (in_file_order_cost, in_file_order) = in_file_order.cheapest();
    if in_file_order_cost <= any_place_cost + EQUAL_S { in_file_order } else { any_place }
}

/// The first and the last place in the file of the samples of each part.
fn file_places(samples: &[(f64, usize)], parts: &[Part]) -> Vec<(usize, usize)> {
    let first = samples.iter().map(|s| s.1).min().unwrap_or(0);
    let last = samples.iter().map(|s| s.1).max().unwrap_or(0);
    let is_mixed = |k: usize| first < parts[k].last_place && last > parts[k + 1].first_places.0;
    let changes = || (0..parts.len() - 1).filter(|k| is_mixed(*k));
    let place = |k: usize| {
        let from = changes().filter(|c| *c < k).map(|c| parts[c].last_place).max();
        // After the second offset, because samples are written a little after their arrival.
        let to = changes().filter(|c| *c >= k).map(|c| parts[c + 1].first_places.1).min();
        (from.unwrap_or(0), to.unwrap_or(usize::MAX))
    };
    (0..parts.len()).map(place).collect()
}

/// All paths of the samples through the parts.
struct Paths<'a> {
    samples: &'a [(f64, usize)],
    parts: &'a [Part],
    places: Vec<(usize, usize)>,
}

impl Paths<'_> {
    fn cost(&self, sample: usize, part: usize) -> f64 {
        let (at_s, place) = self.samples[sample];
        let (from, to) = self.places[part];
        self.parts[part].distance_s(at_s) + if place < from || place > to { IMPOSSIBLE_S } else { 0.0 }
    }

    /// The cost of the change to a part.
    fn entry(&self, part: usize) -> f64 {
        if self.parts[part].is_doubtful { DOUBT_S } else { 0.0 }
    }

    /// The seconds by which the time goes back from the previous sample.
    fn back(&self, sample: usize) -> f64 {
        (self.samples[sample - 1].0 - self.samples[sample].0).max(0.0)
    }

    /// The cost of the cheapest path, and its assignment. Compares it with paths of equal cost.
    fn cheapest(&self) -> (f64, Assigned) {
        let (samples, parts) = (self.samples.len(), self.parts.len());
        // The cost of the cheapest path to each sample in each part.
        let mut cost = Vec::with_capacity(samples * parts);
        cost.extend((0..parts).map(|p| self.cost(0, p) + self.entry(p)));
        for k in 1..samples {
            let mut cheapest = f64::INFINITY;
            for p in 0..parts {
                let before = cost[(k - 1) * parts + p];
                let path = (before + self.back(k)).min(cheapest + self.entry(p));
                cost.push(path + self.cost(k, p));
                cheapest = cheapest.min(before);
            }
        }
        let total = cost[(samples - 1) * parts..].iter().copied().fold(f64::INFINITY, f64::min);
        let mut assigned = Assigned { part: vec![0; samples], unsure: Vec::new() };
        let mut onward = vec![0.0; parts];
        for k in (0..samples).rev() {
            let through = |p: usize, onward: &[f64]| cost[k * parts + p] + onward[p];
            let best = (0..parts).min_by(|a, b| through(*a, &onward).total_cmp(&through(*b, &onward))).unwrap_or(0);
            assigned.part[k] = best;
            let as_cheap = (0..parts).filter(|p| through(*p, &onward) <= total + EQUAL_S);
            let by_s = as_cheap.map(|p| self.apart_s(k, best, p)).fold(0.0, f64::max);
            assigned.unsure.extend((by_s > SAME_S).then_some((k, by_s)));
            if k > 0 {
                onward = self.onward_before(k, &onward);
            }
        }
        assigned.unsure.reverse();
        (total, assigned)
    }

    /// The cost of the cheapest path after the sample before `sample`, for each part of that sample.
    fn onward_before(&self, sample: usize, onward: &[f64]) -> Vec<f64> {
        let mut before = vec![0.0; onward.len()];
        let mut cheapest = f64::INFINITY;
        for p in (0..onward.len()).rev() {
            let here = self.cost(sample, p) + onward[p];
            before[p] = cheapest.min(here + self.back(sample));
            cheapest = cheapest.min(here + self.entry(p));
        }
        before
    }

    /// The difference of a sample's times in two parts.
    fn apart_s(&self, sample: usize, one: usize, other: usize) -> f64 {
        let at_s = self.samples[sample].0;
        (self.parts[one].to_recorder_s(at_s) - self.parts[other].to_recorder_s(at_s)).abs()
    }
}

#[cfg(test)]
mod tests {
    use super::super::clock::{Offset, stream_clock};
    use super::*;

    /// The parts of a clock with an offset every five seconds, from the count, the first time and the offset of each part.
    fn parts(of: &[(usize, f64, f64)]) -> Vec<Part> {
        let each = of.iter().flat_map(|(n, from_s, v)| (0..*n).map(move |k| (from_s + 5.0 * k as f64, *v)));
        let offsets = each.enumerate().map(|(k, (at_s, offset_s))| Offset { at_s, offset_s, place: 100 * k });
        stream_clock(&offsets.collect::<Vec<_>>()).unwrap().parts
    }

    /// Samples after all offsets, as in test files and in files of converters.
    fn at(times: &[f64]) -> Vec<(f64, usize)> {
        times.iter().map(|t| (*t, 1_000_000)).collect()
    }

    #[test]
    fn a_reset_is_seen_from_the_times_alone() {
        let parts = parts(&[(4, 1000.0, -999.0), (4, 3.0, 18.0)]);
        let found = assigned(&at(&[999.0, 1010.0, 1019.0, 1.0, 3.5, 12.0, 40.0]), &parts);
        assert_eq!((found.part, found.unsure), (vec![0, 0, 0, 1, 1, 1, 1], vec![]));
        assert_eq!(assigned(&at(&[3.5]), &parts).part, [1]);
        assert_eq!(assigned(&at(&[1001.0]), &parts).part, [0]);
    }

    #[test]
    fn a_clock_that_was_put_back_overlaps_itself() {
        // Ten minutes, then 50 s back.
        let parts = parts(&[(120, 0.0, 0.0), (120, 550.0, 50.0)]);
        let found = assigned(&at(&[10.0, 300.0, 590.0, 555.0, 600.0, 900.0]), &parts);
        assert_eq!((found.part, found.unsure), (vec![0, 0, 0, 1, 1, 1], vec![]));
        // The clock showed this time twice, and no other sample shows which time it is.
        let found = assigned(&at(&[10.0, 570.0, 900.0]), &parts);
        assert_eq!(found.unsure, [(1, 50.0)]);
        // Also at the end, and alone.
        assert_eq!(assigned(&at(&[10.0, 570.0]), &parts).unsure, [(1, 50.0)]);
        assert_eq!(assigned(&at(&[570.0]), &parts).unsure, [(0, 50.0)]);
    }

    #[test]
    fn the_order_of_the_file_decides_where_it_is_that_of_time() {
        let parts = parts(&[(120, 0.0, 0.0), (120, 550.0, 50.0)]);
        let place_at = |recorder_s: f64| (recorder_s * 20.0) as usize + 1;
        let written = |second: f64| [(10.0, place_at(10.0)), (570.0, place_at(second)), (900.0, place_at(950.0))];
        let (early, late) = (assigned(&written(570.0), &parts), assigned(&written(620.0), &parts));
        assert_eq!((early.part, early.unsure), (vec![0, 0, 1], vec![]));
        assert_eq!((late.part, late.unsure), (vec![0, 1, 1], vec![]));
    }

    #[test]
    fn within_a_small_step_nobody_can_tell() {
        let parts = parts(&[(20, 0.0, 0.0), (20, 103.0, -3.0)]);
        let found = assigned(&at(&[50.0, 94.0, 99.0, 104.0, 150.0]), &parts);
        assert_eq!(found.part.len(), 5);
        assert_eq!(found.unsure, [(2, 3.0)]);
    }

    #[test]
    fn a_doubtful_part_needs_samples_of_its_own() {
        // Only the last offset shows that the clock was set back by 14 s. It may be an outlier.
        let parts = parts(&[(20, 0.0, 0.0), (1, 86.0, 14.0)]);
        assert_eq!((parts.len(), parts[1].is_doubtful), (2, true));
        let found = assigned(&at(&[10.0, 84.0, 88.0, 97.0, 99.0]), &parts);
        assert_eq!((found.part, found.unsure), (vec![0; 5], vec![]));
        assert_eq!(assigned(&at(&[10.0, 84.0, 98.0, 87.0]), &parts).part, [0, 0, 0, 1]);
    }
}
