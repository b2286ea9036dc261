//! The table of contents: the command line decides between the window, the commands and the participant's page.

fn main() -> std::process::ExitCode {
    affectograph::cli::run()
}
