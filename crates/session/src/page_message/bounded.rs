//! Values with limits. The parser refuses a value beyond its limit.

use serde::{Deserialize, Deserializer, Serialize, de};

/// A string of at most `MAX` UTF-16 units. JavaScript counts in the same unit.
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

/// A finite number.
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
