#!/usr/bin/env bash
# Changes one line at a time in session/, store/, analysis/ and page/clock.rs, and counts the changes that no test notices.
# Needs cargo-mutants (cargo install cargo-mutants). Arguments go to it:
#   scripts/mutants.sh                            every change: hours
#   scripts/mutants.sh --file 'src/session/*.rs'  one room
# These rooms need little from others, so they are built as a small crate of their own in target/mutants/crate: a change
# is built and tested in seconds. Component tests in tests/it/store run too, without those that fill a disk or kill a process.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
crate=target/mutants/crate
rm -rf "$crate" && mkdir -p "$crate"/{src/capture,src/page,tests/it/store}
cp -r src/session src/store src/analysis "$crate/src/"
cp src/page/clock.rs "$crate/src/page/"
cp src/capture/{frame,decode,luma}.rs "$crate/src/capture/"
cat >"$crate/src/lib.rs" <<'RUST'
pub mod analysis;
pub mod capture {
    mod decode;
    mod frame;
    mod luma;
    pub use decode::{Decoder, to_grey, to_rgb};
    pub use frame::{Frame, Pixels, SharedFrame, TimeSource};
    pub(crate) use luma::{full_chroma, full_luma};
}
#[allow(dead_code)]
mod page {
    mod clock;
}
pub mod session;
pub mod store;
RUST
cp -r tests/fixtures tests/it/store.rs tests/it/need.rs "$crate/tests/" && mv "$crate"/tests/*.rs "$crate/tests/it/"
for file in annex fixture library recording video; do cp "tests/it/store/$file.rs" "$crate/tests/it/store/"; done
sed -i -E '/^mod (disk_full|kill|damage);/d' "$crate/tests/it/store.rs"
sed -i '/fuzz/d' "$crate/src/store/mod.rs" # needs other rooms
rm -f "$crate/src/store/fuzz.rs"
printf 'mod need;\nmod store;\n' >"$crate/tests/it/main.rs"
# The same versions of the same crates, those that these rooms use.
uses='^(chrono|crc32c|crc32fast|crossbeam-channel|csv|encoding_rs|flate2|image|proptest|rand|regex|rusqlite|rustix|serde|serde_json|sha2|statrs|tempfile|thiserror|toml|turbojpeg|xxhash-rust|vader_sentiment) ='
{
  printf '[package]\nname = "affectograph"\nversion = "0.1.0"\nedition = "2024"\n[lib]\ndoctest = false\n[workspace]\n[dependencies]\n'
  sed -n '/^\[dependencies\]/,/^\[target/p' Cargo.toml | grep -E "$uses"
  printf '[dev-dependencies]\n'
  sed -n '/^\[dev-dependencies\]/,/^\[\[bench/p' Cargo.toml | grep -E "$uses"
} >"$crate/Cargo.toml"
cp Cargo.lock "$crate/"
exec cargo mutants --dir "$crate" --output target/mutants --in-place --no-shuffle --jobs 1 "$@"
