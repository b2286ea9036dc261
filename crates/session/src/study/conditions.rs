//! `[[conditions]]` and `[assignment]`: named conditions, and the balanced random order in which participants get them.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::ParticipantId;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyCondition {
    /// 1 to 60 characters. The page gets it as `affectograph.condition`.
    pub name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "AssignmentKeys")]
pub struct AssignmentSettings {
    /// The same seed gives the same order. 0: the seed follows from a secret of the library.
    pub seed: u64,
    /// How often each condition occurs in a block. `None`: as often as [`AssignmentSettings::repeats`] says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_repeats: Option<u32>,
}

/// The keys of `[assignment]` in a file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AssignmentKeys {
    seed: u64,
    block_repeats: Option<u32>,
    /// Of studies for earlier servers. Without an effect.
    #[serde(rename = "block_size")]
    _block_size: IgnoredAny,
}

impl From<AssignmentKeys> for AssignmentSettings {
    fn from(keys: AssignmentKeys) -> AssignmentSettings {
        AssignmentSettings { seed: keys.seed, block_repeats: keys.block_repeats }
    }
}

impl AssignmentSettings {
    /// How often each condition occurs in a block. Twice if the study does not say it: with two conditions and once, the
    /// operator would know every second condition before it is drawn.
    pub fn repeats(&self) -> u32 {
        self.block_repeats.unwrap_or(2).max(1)
    }

    /// These settings with a seed. A study that names none gets one that follows from the secret and from its name.
    pub fn seeded(&self, secret: u64, study: &str) -> AssignmentSettings {
        let mixed = || study.bytes().fold(secret, |seed, byte| SplitMix64(seed ^ u64::from(byte)).next());
        AssignmentSettings { seed: if self.seed == 0 { mixed() } else { self.seed }, ..self.clone() }
    }

    /// The condition of the next participant. `taken` are the conditions of the participants so far, in any order.
    ///
    /// The random order consists of blocks. Each block has each condition equally often. A condition that was taken is
    /// crossed out at its first place, also if the operator chose it by hand. The next condition is the first place that is
    /// left. So the groups stay equal within one block, and a place that became free is filled again.
    fn next<'a>(&self, conditions: &'a [StudyCondition], taken: &[&str]) -> Option<&'a str> {
        if conditions.is_empty() {
            return None;
        }
        let count = |condition: &StudyCondition| taken.iter().filter(|name| **name == condition.name).count();
        let mut left: Vec<usize> = conditions.iter().map(count).collect();
        let mut random = SplitMix64(self.seed);
        loop {
            for k in self.block(conditions.len(), &mut random) {
                match &mut left[k] {
                    0 => return Some(&conditions[k].name),
                    crossed_out => *crossed_out -= 1,
                }
            }
        }
    }

    /// The numbers of the conditions in one block, shuffled by Fisher and Yates.
    fn block(&self, conditions: usize, random: &mut SplitMix64) -> Vec<usize> {
        let mut block: Vec<usize> = (0..conditions * self.repeats() as usize).map(|k| k % conditions).collect();
        for k in (1..block.len()).rev() {
            block.swap(k, random.below(k as u64 + 1) as usize);
        }
        block
    }
}

/// The conditions of a study, and who has which one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConditionTable {
    pub conditions: Vec<StudyCondition>,
    pub assignment: AssignmentSettings,
    pub taken: Vec<(ParticipantId, String)>,
}

impl ConditionTable {
    /// The condition that a participant has. A condition that was removed from the study is none.
    pub fn kept(&self, participant: &ParticipantId) -> Option<&str> {
        let is_known = |name: &str| self.conditions.iter().any(|c| c.name == name);
        let own = self.taken.iter().find(|(id, name)| id == participant && is_known(name));
        own.map(|(_, name)| name.as_str())
    }

    /// The condition that a participant has, or would get now. `None`: the study has no conditions.
    pub fn proposed(&self, participant: &ParticipantId) -> Option<&str> {
        self.kept(participant).or_else(|| {
            let others = self.taken.iter().filter(|(id, _)| id != participant).map(|(_, name)| name.as_str());
            self.assignment.next(&self.conditions, &others.collect::<Vec<_>>())
        })
    }
}

/// SplitMix64 of Steele, Lea and Flood (2014). Ten lines of our own, because the order of a study must not change with the
/// version of a library.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 to `end` − 1, each equally often: values beyond the last whole multiple of `end` are drawn again.
    fn below(&mut self, end: u64) -> u64 {
        let beyond = u64::MAX - u64::MAX % end;
        loop {
            let drawn = self.next();
            if drawn < beyond {
                return drawn % end;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn conditions(n: usize) -> Vec<StudyCondition> {
        (0..n).map(|k| StudyCondition { name: format!("c{k}"), description: String::new() }).collect()
    }

    fn order(settings: &AssignmentSettings, conditions: &[StudyCondition], people: usize) -> Vec<String> {
        let mut taken: Vec<String> = Vec::new();
        for _ in 0..people {
            let so_far: Vec<&str> = taken.iter().map(String::as_str).collect();
            let next = settings.next(conditions, &so_far).unwrap().to_owned();
            taken.push(next);
        }
        taken
    }

    #[test]
    fn the_generator_is_the_published_one() {
        let mut random = SplitMix64(1_234_567);
        assert_eq!([random.next(), random.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn an_order_is_random_and_the_same_every_time() {
        let (settings, conditions) = (AssignmentSettings { seed: 7, block_repeats: None }, conditions(3));
        let first = order(&settings, &conditions, 30);
        assert_eq!(order(&settings, &conditions, 30), first);
        assert_ne!(order(&AssignmentSettings { seed: 8, ..settings }, &conditions, 30), first);
        assert!(first.chunks(6).any(|block| block != &first[..6]), "each block is shuffled anew: {first:?}");
        assert_eq!(AssignmentSettings::default().next(&[], &[]), None);
    }

    #[test]
    fn without_a_seed_each_library_and_study_has_an_order_of_its_own() {
        let (open, conditions) = (AssignmentSettings::default(), conditions(2));
        let orders: Vec<Vec<String>> = [(1, "demo"), (2, "demo"), (1, "demo2"), (1, "omed")]
            .map(|(secret, study)| order(&open.seeded(secret, study), &conditions, 60))
            .into();
        assert!((1..orders.len()).all(|k| !orders[..k].contains(&orders[k])), "{orders:?}");
        assert_eq!(order(&open.seeded(1, "demo"), &conditions, 60), orders[0]);
        let named = AssignmentSettings { seed: 7, block_repeats: None };
        assert_eq!(named.seeded(1, "demo"), named);
    }

    #[test]
    fn the_last_condition_of_the_first_two_is_not_known_in_advance() {
        let second = |seed| order(&AssignmentSettings { seed, block_repeats: None }, &conditions(2), 2);
        let orders: Vec<_> = (1..50).map(second).collect();
        assert!(orders.iter().any(|two| two[0] == two[1]) && orders.iter().any(|two| two[0] != two[1]));
    }

    proptest! {
        #[test]
        fn every_block_is_balanced(seed: u64, n in 1usize..6, repeats in 1u32..4, blocks in 1usize..5) {
            let conditions = conditions(n);
            let settings = AssignmentSettings { seed, block_repeats: Some(repeats) };
            let length = n * repeats as usize;
            let order = order(&settings, &conditions, length * blocks);
            for block in order.chunks(length) {
                for c in &conditions {
                    prop_assert_eq!(block.iter().filter(|name| **name == c.name).count(), repeats as usize);
                }
            }
        }

        #[test]
        fn choices_by_hand_are_balanced_out(seed: u64, by_hand in proptest::collection::vec(0usize..3, 0..12)) {
            let conditions = conditions(3);
            let settings = AssignmentSettings { seed, block_repeats: Some(1) };
            let mut taken: Vec<String> = by_hand.iter().map(|k| conditions[*k].name.clone()).collect();
            let most = conditions.iter().map(|c| taken.iter().filter(|t| **t == c.name).count()).max().unwrap_or(0);
            for _ in taken.len()..3 * most.max(1) {
                let so_far: Vec<&str> = taken.iter().map(String::as_str).collect();
                taken.push(settings.next(&conditions, &so_far).unwrap().to_owned());
            }
            for c in &conditions {
                prop_assert_eq!(taken.iter().filter(|t| **t == c.name).count(), most.max(1));
            }
        }
    }
}
