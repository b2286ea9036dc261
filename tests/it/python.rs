//! Reference results from packages of PyPI. `./test` installs them into `build/test-venv`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::need::need;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A Python that can import `modules`: `$AFFECTOGRAPH_TEST_PYTHON`, else the one in `build/test-venv`. `None`:
/// there is none, and the reason is printed.
pub fn python(modules: &[&str]) -> Option<PathBuf> {
    let from_env = std::env::var_os("AFFECTOGRAPH_TEST_PYTHON").map(PathBuf::from);
    let python = from_env.unwrap_or_else(|| root().join("build/test-venv/bin/python"));
    let imports = format!("import {}", modules.join(", "));
    let tried = match Command::new(&python).args(["-c", &imports]).output() {
        Ok(tried) if tried.status.success() => Ok(python),
        Ok(tried) => {
            let why = String::from_utf8_lossy(&tried.stderr);
            Err(format!("{} cannot `{imports}`: {}", python.display(), why.lines().last().unwrap_or_default()))
        }
        Err(e) => Err(format!("{} does not run ({e}); ./test installs it", python.display())),
    };
    need(&format!("Python with {}", modules.join(", ")), tried)
}

/// Runs `tests/python/<script>` with `input` as JSON on standard input. Returns the JSON that it prints.
pub fn ask(python: &Path, script: &str, input: &Value) -> Value {
    let mut child = Command::new(python)
        .arg(root().join("tests/python").join(script))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut to = child.stdin.take().unwrap();
    let text = input.to_string();
    let writer = std::thread::Builder::new().name("python input".into()).spawn(move || to.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let written = writer.unwrap().join().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {said}");
    written.unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{script} printed no JSON ({e}): {said}"))
}
