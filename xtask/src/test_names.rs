//! Checks that the tests exist that docs/robustness.md names in the last column of its tables.

use std::collections::BTreeSet;
use std::path::Path;

/// The document, from the root of the repository.
pub const DOCUMENT: &str = "docs/robustness.md";

/// One line for each name of a Rust test whose parts are not all in one file, as folder, file, module or function, and for each
/// title of a test of the client library that no test file contains. `files` are the files of the repository.
pub fn problems(text: &str, root: &Path, files: &[&str]) -> Result<Vec<String>, String> {
    let (mut sources, mut client) = (Vec::new(), String::new());
    for file in files {
        let read = || std::fs::read_to_string(root.join(file)).map_err(|e| format!("{file}: {e}"));
        if file.ends_with(".rs") {
            let mut known: BTreeSet<String> = declared(&read()?).into_iter().collect();
            known.extend(file.trim_end_matches(".rs").split('/').map(str::to_owned));
            sources.push(known);
        } else if file.ends_with(".test.ts") {
            client += &read()?.replace("\\'", "'");
        }
    }
    let is_in = |known: &BTreeSet<String>, name: &str| name.split("::").all(|part| part == "*" || known.contains(part));
    let is_missing = |name: &str| !sources.iter().any(|known| is_in(known, name));
    let mut problems = Vec::new();
    for (line, tests) in last_columns(text) {
        problems.extend(
            names(tests)
                .filter(|name| is_missing(name))
                .map(|name| format!("{DOCUMENT}:{line}: `{name}` is not a test")),
        );
        let is_unknown = |title: &&str| !client.contains(title.trim_end_matches([' ', '…']));
        problems.extend(
            titles(tests).filter(is_unknown).map(|title| format!("{DOCUMENT}:{line}: \"{title}\" is not a test")),
        );
    }
    Ok(problems)
}

/// The last column of each row of a table, with its line.
fn last_columns(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let rows = text.lines().enumerate().filter(|(_, line)| line.starts_with('|'));
    rows.map(|(at, line)| (at + 1, line.trim_end().trim_end_matches('|').rsplit(" | ").next().unwrap_or_default()))
}

/// The names of functions and modules.
fn declared(source: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let behind =
        |word| source.split(word).skip(1).map(move |rest: &str| rest.chars().take_while(|c| is_part(*c)).collect());
    behind("fn ").chain(behind("mod ")).collect()
}

/// The names of Rust tests: `store::damage::a_changed_record_is_named`. Names that end with `…` are left out.
fn names(tests: &str) -> impl Iterator<Item = &str> {
    let is_path = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || "_:*".contains(c));
    tests.split('`').skip(1).step_by(2).filter(is_path).filter(|name| name.contains('_'))
}

/// The titles of tests of the client library: `start.test.ts`: "a silent server: start and stop end in time …".
fn titles(tests: &str) -> impl Iterator<Item = &str> {
    let tests = if tests.contains(".test.ts`") { tests } else { "" };
    tests.split('"').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_its_test_is_a_problem() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("store_damage.rs"), "mod tests {\n    fn a_record_is_named() {}\n}\n")
            .unwrap();
        let text = "`no_table`\n| kind | test |\n| --- | --- |\n| `not_this` | `store_damage::tests::a_record_is_named`, \
            `store_damage::tests::*` |\n| x | `a_record_is_lost`, `start.test.ts`: \"a visitor's answer is …\", \"a visitor's answer is lost\", \
            \"every answer of a visitor was lost\", `other_file::a_record_is_named` |\n";
        std::fs::write(folder.path().join("other_file.rs"), "fn another() {}").unwrap();
        std::fs::write(folder.path().join("start.test.ts"), "test('a visitor\\'s answer is kept', () => {});").unwrap();
        let found = problems(text, folder.path(), &["store_damage.rs", "other_file.rs", "start.test.ts"]).unwrap();
        assert_eq!(
            found,
            [
                "docs/robustness.md:5: `a_record_is_lost` is not a test",
                "docs/robustness.md:5: `other_file::a_record_is_named` is not a test",
                "docs/robustness.md:5: \"a visitor's answer is lost\" is not a test",
                "docs/robustness.md:5: \"every answer of a visitor was lost\" is not a test"
            ]
        );
    }
}
