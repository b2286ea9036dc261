//! Prints the page `docs/streams.md`. `cargo xtask streams` calls it.

fn main() -> std::io::Result<()> {
    use std::io::Write;
    std::io::stdout().write_all(session::stream_reference().as_bytes())
}
