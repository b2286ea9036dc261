//! A reader that never reads beyond its bytes.

/// Why bytes could not be read; a sentence's end.
pub(super) type Torn = &'static str;

#[derive(Clone, Copy)]
pub(super) struct Bytes<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    pub(super) fn take(&mut self, n: usize) -> Result<&'a [u8], Torn> {
        let (taken, rest) = self.rest.split_at_checked(n).ok_or("a chunk ends too early")?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Torn> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Torn> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(super) fn u16(&mut self) -> Result<u16, Torn> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, Torn> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn f64(&mut self) -> Result<f64, Torn> {
        Ok(f64::from_le_bytes(self.array()?))
    }

    /// A count with the number of its own bytes before it.
    pub(super) fn length(&mut self) -> Result<usize, Torn> {
        let length = match self.u8()? {
            1 => u64::from(self.u8()?),
            4 => u64::from(self.u32()?),
            8 => u64::from_le_bytes(self.array()?),
            _ => return Err("a length has neither 1 nor 4 nor 8 bytes"),
        };
        usize::try_from(length).map_err(|_| "a length is beyond all memory")
    }
}
