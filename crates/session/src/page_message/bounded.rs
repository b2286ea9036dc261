//! Values that a page may send only within bounds: what lies outside is refused while it is parsed.

use serde::{Deserialize, Deserializer, Serialize, de};

/// A string of at most `MAX` UTF-16 units, the unit in which the page counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.encode_utf16().count() > MAX {
            return Err(de::Error::custom(format!("a text is longer than {MAX} characters")));
        }
        Ok(Text(text))
    }
}

/// A number that is one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Finite(f64);

impl Finite {
    pub fn get(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Finite {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        if number.is_finite() { Ok(Finite(number)) } else { Err(de::Error::custom("a number is not finite")) }
    }
}
