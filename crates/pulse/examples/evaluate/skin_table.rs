//! Rows of the stream `skin` from tables.

use std::error::Error;
use std::path::Path;

use pulse::{Patch, SkinRow};
use session::{Timestamp, skin};

/// Nanoseconds, then the fields.
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

/// Clips of patches of skin. Their colours are tables; there is no face to follow.
pub fn patches(folder: &Path) -> Result<Vec<SkinRow>, Box<dyn Error>> {
    let table = |name: &str| {
        let path = folder.join(name);
        if path.exists() { super::reference::columns(&path) } else { Ok(Vec::new()) }
    };
    let tables = [table("forehead_rgb.csv")?, table("leftcheek_rgb.csv")?, table("rightcheek_rgb.csv")?];
    let longest = tables.iter().max_by_key(|t| t.len()).ok_or("no table of colours")?;
    let patch = |table: &Vec<Vec<f64>>, k: usize| match table.get(k) {
        Some(row) => Patch { rgb: [row[1], row[2], row[3]], pixels: 600.0, clipped_share: 0.0 },
        None => Patch::MISSING,
    };
    let row = |k: usize| SkinRow {
        at: Timestamp::from_secs_f64(longest[k][0]),
        skin: tables.each_ref().map(|table| patch(table, k)),
        background: Patch::MISSING,
        face_px: [0.0; 2],
        inter_ocular_px: 100.0,
        mouth_openness: 0.0,
    };
    Ok((0..longest.len()).map(row).collect())
}
