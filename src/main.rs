use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|a| a == affectograph::page::PARTICIPANT_WINDOW) {
        return affectograph::page::participant_window_main();
    }
    ExitCode::SUCCESS
}
