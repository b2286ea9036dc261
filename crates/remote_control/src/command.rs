//! One line of the protocol.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::LONGEST_LINE;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Start,
    Stop,
    /// Look for streams again.
    Update,
    SelectAll,
    SelectNone,
    FileName(FileName),
}

/// What the next recording is of. Each part is empty if the command does not name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileName {
    pub participant: String,
    pub session: String,
    /// The other parts, such as `root`, `template`, `task` and `run`, as `name:value`.
    pub others: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadCommand {
    #[error(
        "`{0}` is no command. The commands are start, stop, update, select all, select none, and filename {{participant:sub-01}} {{session:1}}"
    )]
    Unknown(String),
    #[error("`{0}` is not a part of a file name. Write {{participant:sub-01}} {{session:1}}")]
    Part(String),
    #[error("the line is longer than {LONGEST_LINE} bytes, or is not UTF-8 text")]
    NoText,
}

/// Parts of a command in an error are shortened to this, without control characters.
const SHOWN_CHARS: usize = 60;

impl FromStr for Command {
    type Err = BadCommand;

    fn from_str(line: &str) -> Result<Command, BadCommand> {
        let line = line.trim();
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["start"] => Ok(Command::Start),
            ["stop"] => Ok(Command::Stop),
            ["update"] => Ok(Command::Update),
            ["select", "all"] => Ok(Command::SelectAll),
            ["select", "none"] => Ok(Command::SelectNone),
            ["filename", ..] => line["filename".len()..].parse().map(Command::FileName),
            _ => Err(BadCommand::Unknown(shown(line))),
        }
    }
}

impl FromStr for FileName {
    type Err = BadCommand;

    /// `{root:C:\Data\} {participant:sub-01} {session:1}`. A value may contain colons and spaces, and no brace.
    fn from_str(text: &str) -> Result<FileName, BadCommand> {
        let mut name = FileName::default();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let part = || BadCommand::Part(shown(rest));
            let (inside, after) = rest.strip_prefix('{').and_then(|r| r.split_once('}')).ok_or_else(part)?;
            let (key, value) = inside.split_once(':').ok_or_else(part)?;
            let (key, value) = (key.trim(), value.trim());
            if key.is_empty() || key.contains(['{', '}']) || value.contains('{') {
                return Err(part());
            }
            match key {
                "participant" => value.clone_into(&mut name.participant),
                "session" => value.clone_into(&mut name.session),
                _ => name.others.push(format!("{key}:{value}")),
            }
            rest = after.trim_start();
        }
        Ok(name)
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Command::Start => f.write_str("start"),
            Command::Stop => f.write_str("stop"),
            Command::Update => f.write_str("update"),
            Command::SelectAll => f.write_str("select all"),
            Command::SelectNone => f.write_str("select none"),
            Command::FileName(name) => {
                f.write_str("filename")?;
                let own = [("participant", &name.participant), ("session", &name.session)];
                own.iter().filter(|(_, v)| !v.is_empty()).try_for_each(|(key, v)| write!(f, " {{{key}:{v}}}"))?;
                name.others.iter().try_for_each(|part| write!(f, " {{{part}}}"))
            }
        }
    }
}

fn shown(text: &str) -> String {
    let mut short: String =
        text.chars().take(SHOWN_CHARS).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().count() > SHOWN_CHARS {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_commands_of_labrecorder_are_read() {
        assert_eq!("start\r\n".parse(), Ok(Command::Start));
        assert_eq!(" select  all ".parse(), Ok(Command::SelectAll));
        let line =
            r"filename {root:C:\Data\my lab\} {template:exp%n\%p_block_%b.xdf} {run:2} {participant:P003} {session: 4}";
        let Ok(Command::FileName(name)) = line.parse() else { panic!("{line}") };
        assert_eq!((name.participant.as_str(), name.session.as_str()), ("P003", "4"));
        assert_eq!(name.others, [r"root:C:\Data\my lab\", r"template:exp%n\%p_block_%b.xdf", "run:2"]);
        assert_eq!("filename".parse(), Ok(Command::FileName(FileName::default())));
    }

    #[test]
    fn what_is_no_command_is_refused_with_what_was_sent() {
        for bad in ["", "Start", "POST / HTTP/1.1", "start now", "select", "select one", "\u{1b}[2J"] {
            let e = bad.parse::<Command>().unwrap_err();
            assert!(matches!(e, BadCommand::Unknown(_)) && !e.to_string().contains('\u{1b}'), "{bad}");
        }
        for bad in
            ["filename x", "filename {participant}", "filename {participant:a", "filename {a:{b:c}}", "filename {:a}"]
        {
            assert!(matches!(bad.parse::<Command>(), Err(BadCommand::Part(_))), "{bad}");
        }
        assert!("x".repeat(500).parse::<Command>().unwrap_err().to_string().len() < 300);
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_refused_and_what_is_read_is_written_back(line in ".{0,120}|filename( \\{[a-z]{0,4}:[a-z: ]{0,6}\\}){0,4}") {
            if let Ok(command) = line.parse::<Command>() {
                prop_assert_eq!(command.to_string().parse::<Command>(), Ok(command));
            }
        }
    }
}
