//! `cargo xtask fuzz TARGET SECONDS`: fuzzing with the stable compiler, as in fuzz/README.md.

use crate::repository;

pub fn run(arguments: &[String]) -> Result<(), String> {
    let [target, seconds] = arguments else { return Err("Usage: cargo xtask fuzz TARGET SECONDS".to_owned()) };
    let seconds: u32 = seconds.parse().map_err(|_| format!("{seconds} is not a number of seconds"))?;
    let root = repository::root()?;
    if !root.join(format!("fuzz/fuzz_targets/{target}.rs")).is_file() {
        return Err(format!("{target} is not a fuzz target: the targets are in fuzz/fuzz_targets/"));
    }
    let built = root.join("fuzz/target/debug");
    repository::run(repository::command(root.join("fuzz/build"))?.args([target, "seeds"]))?;
    repository::run(&mut repository::command(built.join("seeds"))?)?;
    let mut fuzzer = repository::command(built.join(target))?;
    fuzzer.args([format!("-max_total_time={seconds}"), "-max_len=8192".to_owned()]);
    repository::run(fuzzer.arg(root.join("fuzz/corpus").join(target)))
}
