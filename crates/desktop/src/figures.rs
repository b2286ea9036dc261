//! Numbers, times and sizes as text.

use std::time::Duration;

use session::Timestamp;

/// `22,830`
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (k, digit) in digits.chars().enumerate() {
        if k > 0 && (digits.len() - k).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 session`, `22,830 sessions`
pub fn sessions(n: usize) -> String {
    if n == 1 { "1 session".to_owned() } else { format!("{} sessions", count(n as u64)) }
}

/// `1.4 GB`. Decimal units, as for disks.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if n < 1000 {
        return format!("{n} B");
    }
    let mut value = n as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let decimals = usize::from(value < 9.95);
    format!("{value:.decimals$} {}", UNITS[unit])
}

/// `12:41`, `1:02:03`: a duration.
pub fn length(span: Duration) -> String {
    let s = span.as_secs();
    let (h, m, s) = (s / 3600, s / 60 % 60, s % 60);
    if h > 0 { format!("{h}:{m:02}:{s:02}") } else { format!("{m}:{s:02}") }
}

/// `31 h`, `12 min`, `40 s`: an approximate duration.
pub fn about(span: Duration) -> String {
    match span.as_secs() {
        s if s >= 48 * 3600 => format!("{} days", s / 86_400),
        s if s >= 3 * 3600 => format!("{} h", s / 3600),
        s if s >= 120 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

/// `820 ms`, `2.4 s`, `3:20 min`: a short duration.
pub fn span(span: Duration) -> String {
    match span.as_secs_f64() {
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 120.0 => format!("{s:.1} s"),
        _ => format!("{} min", length(span)),
    }
}

/// `00:12:41`
pub fn clock(at: Timestamp) -> String {
    let mut text = at.to_string();
    text.truncate(text.len().saturating_sub(4));
    text
}

/// `1:05`: minutes and whole seconds.
pub fn minutes(seconds: f64) -> String {
    let whole = seconds.max(0.0) as u64;
    format!("{}:{:02}", whole / 60, whole % 60)
}

/// A tick of a time axis. The distance of ticks determines the decimals.
pub fn tick(seconds: f64, step: f64) -> String {
    let sign = if seconds < -1e-9 { "−" } else { "" };
    let decimals = if step >= 0.999 {
        0
    } else if step >= 0.0999 {
        1
    } else if step >= 0.00999 {
        2
    } else {
        3
    };
    let scale = 10f64.powi(decimals);
    let total = (seconds.abs() * scale).round() / scale;
    let (h, m) = ((total / 3600.0) as u64, (total / 60.0) as u64 % 60);
    let s = total - (h * 3600 + m * 60) as f64;
    let width = if decimals == 0 { 2 } else { 3 + decimals as usize };
    let decimals = decimals as usize;
    if h > 0 { format!("{sign}{h}:{m:02}:{s:0width$.decimals$}") } else { format!("{sign}{m}:{s:0width$.decimals$}") }
}

/// `+0.42`, with the minus sign U+2212, which is as wide as the plus sign.
pub fn signed(value: f32) -> String {
    let sign = if value <= -0.005 { "−" } else { "+" };
    format!("{sign}{:.2}", value.abs())
}

/// `p = 0.012`, `p < 0.001`.
pub fn p_value(p: f64) -> String {
    if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_as_people_write_them() {
        assert_eq!(
            [0, 999, 1000, 22_830, 1_000_000].map(count),
            ["0", "999", "1,000", "22,830", "1,000,000"].map(str::to_owned)
        );
        assert_eq!([0, 1, 1_200].map(sessions), ["0 sessions", "1 session", "1,200 sessions"].map(str::to_owned));
        assert_eq!(
            [12, 1_400, 55_000_000, 999_600_000, 1_400_000_000].map(bytes),
            ["12 B", "1.4 kB", "55 MB", "1.0 GB", "1.4 GB"].map(str::to_owned)
        );
        assert_eq!(length(Duration::from_secs(3723)), "1:02:03");
        assert_eq!(length(Duration::from_secs(61)), "1:01");
        assert_eq!(about(Duration::from_secs(31 * 3600 + 5)), "31 h");
        assert_eq!(span(Duration::from_millis(2440)), "2.4 s");
        assert_eq!(clock(Timestamp::from_ns(761_203_900_000)), "00:12:41");
        assert_eq!(signed(-0.42), "−0.42");
        assert_eq!(signed(-0.001), "+0.00");
    }

    #[test]
    fn ticks_carry_the_decimals_their_distance_needs() {
        assert_eq!(tick(75.0, 15.0), "1:15");
        assert_eq!(tick(75.5, 0.5), "1:15.5");
        assert_eq!(tick(3661.25, 0.05), "1:01:01.25");
        assert_eq!(tick(59.9999, 1.0), "1:00");
        assert_eq!(tick(-1.0, 1.0), "−0:01");
        assert_eq!(p_value(0.0004), "p < 0.001");
    }
}
