//! `affectograph triggers`: the serial ports, and how late triggers are at one.

use std::process::ExitCode;

use serde_json::json;

use super::args::{Triggers, TriggersAction, TriggersTest};
use super::output::{print_err, print_out};
use crate::failure::Failure;
use serial::{Latency, Port, list, measure_latency};

pub fn run(a: &Triggers) -> Result<ExitCode, Failure> {
    match &a.action {
        Some(TriggersAction::Test(test)) => measure(test, a.json || test.json),
        None => list_ports(a.json),
    }
}

fn list_ports(is_json: bool) -> Result<ExitCode, Failure> {
    let ports = list()?;
    if is_json {
        let rows: Vec<_> = ports.iter().map(|port| json!({ "path": port.path, "about": port.about })).collect();
        print_out!("{}", json!({ "ports": rows }));
        return Ok(ExitCode::SUCCESS);
    }
    if ports.is_empty() {
        print_out!("This computer has no serial port.");
    }
    ports.iter().for_each(|port| print_out!("{}  {}", port.path, port.about));
    Ok(ExitCode::SUCCESS)
}

fn measure(test: &TriggersTest, is_json: bool) -> Result<ExitCode, Failure> {
    let (name, latency) = match &test.port {
        Some(path) => {
            if !is_json {
                print_err!("Each of {} bytes must come back from {path} within 1 s …", test.count);
            }
            let name = format!("{path} at {} baud", test.baud_rate);
            (name, measure_latency(Port::open(path, test.baud_rate)?, test.count as usize)?)
        }
        None => ("a pseudo terminal".to_owned(), without_device(test)?),
    };
    let quantiles = [0.05, 0.5, 0.95, 1.0].map(|share| latency.quantile_ms(share));
    if is_json {
        let [low, median, high, longest] = quantiles;
        let told = json!({
            "port": name, "sent": test.count, "lost": latency.lost,
            "median_ms": median, "p5_ms": low, "p95_ms": high, "longest_ms": longest,
        });
        print_out!("{told}");
    } else {
        print_out!("{}", told(&name, &latency, test.count, quantiles));
    }
    Ok(if latency.lost == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn told(name: &str, latency: &Latency, sent: u32, quantiles: [Option<f64>; 4]) -> String {
    let [Some(low), Some(median), Some(high), Some(longest)] = quantiles else {
        return format!(
            "{name}: none of {sent} bytes came back. Connect pins 2 and 3 of the plug, or let the device answer with what it gets."
        );
    };
    let lost = if latency.lost == 0 { "none".to_owned() } else { latency.lost.to_string() };
    format!(
        "{name}: there and back in {median:.3} ms (median), 90 % between {low:.3} and {high:.3} ms, longest {longest:.3} ms; \
         {lost} of {sent} bytes lost"
    )
}

#[cfg(unix)]
fn without_device(test: &TriggersTest) -> Result<Latency, Failure> {
    let device = serial::PseudoPort::open()?.echoing()?;
    Ok(measure_latency(Port::open(device.path(), test.baud_rate)?, test.count as usize)?)
}

#[cfg(not(unix))]
fn without_device(_test: &TriggersTest) -> Result<Latency, Failure> {
    Err("This system has no pseudo terminals. Name a port.".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_is_one_sentence() {
        let latency = Latency { round_trips_ms: vec![1.0, 1.5, 9.0], lost: 1 };
        let quantiles = [0.05, 0.5, 0.95, 1.0].map(|share| latency.quantile_ms(share));
        assert_eq!(
            told("COM3 at 9600 baud", &latency, 4, quantiles),
            "COM3 at 9600 baud: there and back in 1.500 ms (median), 90 % between 1.000 and 9.000 ms, longest 9.000 ms; \
             1 of 4 bytes lost"
        );
        assert!(told("COM3", &Latency::default(), 2, [None; 4]).contains("none of 2 bytes came back"));
    }
}
