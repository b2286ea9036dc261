//! Writes the whole inputs that the targets begin with: `fuzz/corpus/TARGET/seed_N`.

// The instrumented library calls libFuzzer's counters, so it is linked with them here too.
use libfuzzer_sys as _;

fn main() -> std::io::Result<()> {
    for (target, _) in affectograph::fuzz_bodies::ALL {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        std::fs::create_dir_all(&folder)?;
        for (k, seed) in affectograph::fuzz_bodies::seeds(target).iter().enumerate() {
            std::fs::write(folder.join(format!("seed_{k}")), seed)?;
        }
    }
    Ok(())
}
