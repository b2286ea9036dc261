//! Problems that do not stop a command.

use super::output::print_err;

/// Prints one line per problem.
pub fn print_problems(problems: &[String]) {
    problems.iter().for_each(|problem| print_err!("affectograph: {problem}"));
}
