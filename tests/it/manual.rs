//! The manual and `affectograph --help` never disagree: each command and each option that a document names exists.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Options of other programs that documents name.
const OTHERS: [&str; 1] = ["--splitting"];

/// The options of each command: `serve key` is a command of its own. The empty name has the options without a command.
type Commands = BTreeMap<String, BTreeSet<String>>;

fn help(command: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_affectograph")).args(command).arg("--help").output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The names in the list `Commands:` of a help text.
fn listed(help: &str) -> Vec<String> {
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = list.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

/// The options in the list `Options:` of a help text, with their short forms.
fn options(help: &str) -> BTreeSet<String> {
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    lines.flat_map(|line| line.split([' ', ',']).filter(|word| word.starts_with('-')).map(str::to_owned)).collect()
}

fn commands() -> Commands {
    let top = help(&[]);
    let mut found = Commands::from([(String::new(), options(&top))]);
    for name in listed(&top) {
        let text = help(&[&name]);
        for below in listed(&text) {
            found.insert(format!("{name} {below}"), options(&help(&[&name, &below])));
        }
        found.insert(name, options(&text));
    }
    found
}

/// The documents of users. Decisions and the changelog name options of their time.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![root.join("README.md"), root.join("SECURITY.md"), root.join("client/README.md")];
    for folder in ["docs", "docs/integrations"] {
        let files = std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        found.extend(files.filter(|file| file.extension().is_some_and(|ending| ending == "md")));
    }
    found.sort();
    found
}

/// Lines of fenced blocks, and texts in backquotes, with their line numbers. A line that ends in `\` goes on in the next one.
fn code(text: &str) -> Vec<(usize, String)> {
    let (mut found, mut is_fenced, mut begun) = (Vec::new(), false, String::new());
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
        } else if is_fenced {
            begun.push_str(line.trim_end_matches('\\'));
            if !line.ends_with('\\') {
                found.push((at + 1, std::mem::take(&mut begun)));
            }
        } else {
            found.extend(line.split('`').skip(1).step_by(2).map(|piece| (at + 1, piece.to_owned())));
        }
    }
    found
}

/// What is wrong with a piece of code.
fn problems(piece: &str, commands: &Commands) -> Vec<String> {
    let all: BTreeSet<&str> = commands.values().flatten().map(String::as_str).collect();
    let Some(line) = invocation(piece) else {
        let words = piece.split_whitespace().take_while(|_| piece.starts_with("--"));
        let named = words.filter_map(option).filter(|name| !all.contains(name) && !OTHERS.contains(name));
        return named.map(|name| format!("no command has the option {name}")).collect();
    };
    let words: Vec<&str> = line.split_whitespace().collect();
    let Some(first) = words.first().filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase())) else {
        return missing_options("", &words, commands);
    };
    let two = words.get(1).map(|second| format!("{first} {second}")).filter(|name| commands.contains_key(name));
    let name = two.unwrap_or_else(|| (*first).to_owned());
    if commands.contains_key(&name) {
        missing_options(&name, &words, commands)
    } else {
        vec![format!("`affectograph {name}` is not a command")]
    }
}

fn missing_options(name: &str, words: &[&str], commands: &Commands) -> Vec<String> {
    let named = words.iter().filter_map(|word| option(word)).filter(|option| !commands[name].contains(*option));
    named.map(|option| format!("`affectograph {name}` has no option {option}")).collect()
}

/// What follows `affectograph`, without the explanation behind two spaces or a `#`.
fn invocation(piece: &str) -> Option<&str> {
    let rest = match piece.trim_start().strip_prefix("affectograph") {
        Some(rest) => rest,
        // With a variable before it.
        None => piece.trim_start().strip_prefix("AFFECTOGRAPH_").and_then(|rest| rest.split_once(" affectograph"))?.1,
    };
    let rest = if rest.is_empty() { rest } else { rest.strip_prefix(' ')? };
    if rest.starts_with(' ') {
        return Some("");
    }
    let end = rest.find("  ").or_else(|| rest.find(" #")).unwrap_or(rest.len());
    Some(&rest[..end])
}

/// `--sessions` in `[--sessions=DIR]`.
fn option(word: &str) -> Option<&str> {
    let word = word.trim_start_matches(['[', '(']);
    let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(word.len());
    Some(&word[..end]).filter(|name| name.starts_with("--") && name.len() > 2)
}

#[test]
fn each_command_and_option_in_the_documents_exists() {
    let commands = commands();
    assert!(commands["record"].contains("--camera") && commands["serve key"].contains("--origin"), "{commands:?}");
    let mut found = Vec::new();
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        for (line, piece) in code(&text) {
            let problems = problems(&piece, &commands);
            found.extend(problems.iter().map(|problem| format!("{}:{line}: {problem}", document.display())));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn each_command_is_in_the_documents() {
    let text: String = documents().iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let is_missing = |name: &&String| {
        let last = name.rsplit(' ').next().unwrap_or(name);
        // `affectograph serve revoke-key`, `revoke-token`; `affectograph cameras | models`
        ![format!("affectograph {name}"), format!("`{last}`"), format!("| {name}")]
            .iter()
            .any(|form| text.contains(form))
    };
    let commands = commands();
    let missing: Vec<_> = commands.keys().filter(|name| !name.is_empty()).filter(is_missing).collect();
    assert!(missing.is_empty(), "no document names {missing:?}");
}

#[test]
fn a_wrong_name_is_found() {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let commands = Commands::from([
        (String::new(), set(&["--sessions"])),
        ("serve".to_owned(), set(&["--address"])),
        ("serve key".to_owned(), set(&["--origin"])),
    ]);
    for right in [
        "affectograph",
        "affectograph serve key --origin X  makes --nothing",
        "[--sessions DIR]",
        "affectograph --sessions X",
    ] {
        assert_eq!(problems(right, &commands), Vec::<String>::new(), "{right}");
    }
    for wrong in
        ["affectograph record", "affectograph serve --origin X", "--orgin", "AFFECTOGRAPH_LOG=debug affectograph --x"]
    {
        assert_eq!(problems(wrong, &commands).len(), 1, "{wrong}");
    }
    assert_eq!(code("`a`\n```\nb \\\n c\n```\n"), [(1, "a".to_owned()), (4, "b  c".to_owned())]);
}
