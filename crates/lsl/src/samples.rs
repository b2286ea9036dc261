//! Samples as they were sent, and their values as the session stores them.

/// The number formats of Lab Streaming Layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Float32,
    Double64,
    String,
    Int32,
    Int16,
    Int8,
    Int64,
}

impl Format {
    pub const ALL: [Format; 7] =
        [Format::Float32, Format::Double64, Format::String, Format::Int32, Format::Int16, Format::Int8, Format::Int64];

    /// The number in liblsl's headers.
    pub(crate) fn number(self) -> i32 {
        match self {
            Format::Float32 => 1,
            Format::Double64 => 2,
            Format::String => 3,
            Format::Int32 => 4,
            Format::Int16 => 5,
            Format::Int8 => 6,
            Format::Int64 => 7,
        }
    }

    pub(crate) fn of_number(number: i32) -> Option<Format> {
        Self::ALL.into_iter().find(|format| format.number() == number)
    }

    /// The name in a stream's XML.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Float32 => "float32",
            Format::Double64 => "double64",
            Format::String => "string",
            Format::Int32 => "int32",
            Format::Int16 => "int16",
            Format::Int8 => "int8",
            Format::Int64 => "int64",
        }
    }

    /// How many 32-bit floats hold one value of this format. Two floats hold 48 bits: see [`split`]. 0: texts.
    pub fn floats_per_value(self) -> usize {
        match self {
            Format::Float32 | Format::Int16 | Format::Int8 => 1,
            Format::Double64 | Format::Int32 | Format::Int64 => 2,
            Format::String => 0,
        }
    }
}

/// Values of all channels of one sample after another.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Every format but 64-bit integers and texts fits a 64-bit float exactly.
    Numbers(Vec<f64>),
    Integers(Vec<i64>),
    /// May hold any byte, NUL included.
    Texts(Vec<Vec<u8>>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    /// The sender's time of each sample, as sent.
    pub stamps_s: Vec<f64>,
    pub values: Values,
    pub channels: usize,
    pub format: Format,
}

impl Samples {
    pub fn len(&self) -> usize {
        self.stamps_s.len()
    }

    pub fn is_empty(&self) -> bool {
        self.stamps_s.is_empty()
    }

    /// Appends the numbers of one sample to `to`, one or two floats for each. Returns how many of them the floats do not hold
    /// exactly. Texts have no numbers.
    pub fn put_floats(&self, row: usize, to: &mut Vec<f32>) -> u64 {
        let range = row * self.channels..(row + 1) * self.channels;
        let is_split = self.format.floats_per_value() == 2;
        let mut inexact = 0;
        let mut put = |(high, rest, is_exact): (f32, f32, bool)| {
            to.push(high);
            if is_split {
                to.push(rest);
            }
            inexact += u64::from(!is_exact);
        };
        match &self.values {
            Values::Numbers(numbers) => numbers[range].iter().for_each(|n| put(split(*n))),
            Values::Integers(integers) => integers[range].iter().for_each(|n| put(split_integer(*n))),
            Values::Texts(_) => {}
        }
        inexact
    }

    pub fn texts(&self, row: usize) -> &[Vec<u8>] {
        match &self.values {
            Values::Texts(texts) => &texts[row * self.channels..(row + 1) * self.channels],
            _ => &[],
        }
    }
}

/// The nearest 32-bit float, what it leaves, and whether the sum of both is exactly `number`.
pub fn split(number: f64) -> (f32, f32, bool) {
    let high = number as f32;
    if !high.is_finite() {
        return (high, 0.0, !number.is_finite());
    }
    let rest = (number - f64::from(high)) as f32;
    (high, rest, f64::from(high) + f64::from(rest) == number)
}

fn split_integer(number: i64) -> (f32, f32, bool) {
    let high = number as f32;
    // A float of this size is an integer.
    let rest = (i128::from(number) - high as i128) as f32;
    (high, rest, high as i128 + rest as i128 == i128::from(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn two_floats_hold_every_32_bit_integer_and_48_bits_of_any_number(
            small in any::<i32>(), large in -(1i64 << 47)..1i64 << 47, any in any::<i64>(), number in -1e30f64..1e30
        ) {
            for n in [i64::from(small), large] {
                let (high, rest, is_exact) = split_integer(n);
                prop_assert!(is_exact && f64::from(high) + f64::from(rest) == n as f64, "{n}");
                prop_assert_eq!(split(n as f64), (high, rest, true));
            }
            let (high, rest, is_exact) = split_integer(any);
            let sum = high as i128 + rest as i128;
            prop_assert_eq!(is_exact, sum == i128::from(any));
            prop_assert!((sum - i128::from(any)).unsigned_abs() <= 1 << 15);
            let (high, rest, _) = split(number);
            prop_assert!((f64::from(high) + f64::from(rest) - number).abs() <= number.abs() * 2f64.powi(-47));
        }
    }

    #[test]
    fn what_no_float_holds_is_said() {
        assert_eq!(split(1e300), (f32::INFINITY, 0.0, false));
        assert_eq!(split(f64::INFINITY), (f32::INFINITY, 0.0, true));
        let (high, rest, is_exact) = split(f64::NAN);
        assert!(high.is_nan() && rest == 0.0 && is_exact);
        assert!(!split(0.1).2 && split(0.25).2);
        for format in Format::ALL {
            assert_eq!(Format::of_number(format.number()), Some(format));
        }
        assert_eq!((Format::of_number(0), Format::of_number(8)), (None, None));
    }
}
