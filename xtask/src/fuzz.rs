//! `cargo xtask fuzz TARGET SECONDS`: what fuzz/README.md describes for the stable compiler.

use crate::repository;

pub fn run(arguments: &[String]) -> Result<(), String> {
    let [target, seconds] = arguments else { return Err("cargo xtask fuzz TARGET SECONDS".to_owned()) };
    let seconds: u32 = seconds.parse().map_err(|_| format!("{seconds} is not a number of seconds"))?;
    let root = repository::root()?;
    if !root.join(format!("fuzz/fuzz_targets/{target}.rs")).is_file() {
        return Err(format!("{target} is no target: fuzz/fuzz_targets/ holds them"));
    }
    let built = root.join("fuzz/target/debug");
    repository::run(repository::command(root.join("fuzz/build"))?.args([target, "seeds"]))?;
    repository::run(&mut repository::command(built.join("seeds"))?)?;
    let mut fuzzer = repository::command(built.join(target))?;
    fuzzer.args([format!("-max_total_time={seconds}"), "-max_len=8192".to_owned()]);
    repository::run(fuzzer.arg(root.join("fuzz/corpus").join(target)))
}
