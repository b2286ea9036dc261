//! The rows of the stream `skin` as a table: nanoseconds, then the fields.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use pulse::SkinRow;
use session::{Timestamp, skin};

pub type Values = (Timestamp, [f32; skin::FIELDS]);

pub fn write(path: &Path, values: &[Values]) -> Result<(), Box<dyn Error>> {
    let mut text = String::new();
    for (at, fields) in values {
        write!(text, "{}", at.as_ns())?;
        fields.iter().try_for_each(|v| write!(text, " {v}"))?;
        text.push('\n');
    }
    Ok(std::fs::write(path, text)?)
}

pub fn read(path: &Path) -> Result<Vec<SkinRow>, Box<dyn Error>> {
    let text = std::fs::read_to_string(path)?;
    let row = |line: &str| -> Result<SkinRow, Box<dyn Error>> {
        let (at, fields) = line.split_once(' ').ok_or("an empty line")?;
        let fields = fields.split(' ').map(str::parse).collect::<Result<Vec<f32>, _>>()?;
        if fields.len() != skin::FIELDS {
            return Err(format!("{}: {} fields", path.display(), fields.len()).into());
        }
        Ok(SkinRow::new(Timestamp::from_ns(at.parse()?), |k| fields[k]))
    };
    text.lines().map(row).collect()
}
