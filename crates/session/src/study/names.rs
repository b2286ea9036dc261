//! The letters of names in a study file.

/// For keys of the study file.
pub(super) fn is_of_key(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

/// For names of questionnaires and their items, which become cells of tables.
pub(super) fn is_short_name(name: &str) -> bool {
    is_name(name, 40, is_of_key)
}

/// At most `longest` of these letters.
pub(super) fn is_name(name: &str, longest: usize, may_have: fn(char) -> bool) -> bool {
    (1..=longest).contains(&name.len()) && name.chars().all(may_have)
}
