//! Problems that do not stop a command.

/// Prints one line per problem.
pub fn print_problems(problems: &[String]) {
    problems.iter().for_each(|problem| eprintln!("affectograph: {problem}"));
}
