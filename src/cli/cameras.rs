//! `affectograph cameras`

use std::process::ExitCode;

use serde_json::json;

use super::args::Cameras;
use super::output::print_out;
use crate::failure::Failure;
use capture::list_devices;

pub fn run(a: &Cameras) -> Result<ExitCode, Failure> {
    let devices = list_devices()?;
    if a.json {
        let rows: Vec<_> = devices
            .iter()
            .map(|d| {
                let modes: Vec<_> = d.modes.iter().map(ToString::to_string).collect();
                json!({ "camera": d.id.to_string(), "name": d.name, "modes": modes, "problem": d.trouble })
            })
            .collect();
        print_out!("{}", json!({ "cameras": rows }));
        return Ok(ExitCode::SUCCESS);
    }
    if devices.is_empty() {
        print_out!("No camera is connected. `phantom` works without one.");
    }
    for d in devices {
        print_out!("{}  {}", d.id, d.name);
        if let Some(problem) = d.trouble {
            print_out!("    {problem}");
        }
        for mode in d.modes {
            print_out!("    {mode}");
        }
    }
    Ok(ExitCode::SUCCESS)
}
