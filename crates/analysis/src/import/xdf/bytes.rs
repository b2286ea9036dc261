//! A reader of numbers in a slice. Reading beyond its end is an error.

/// The reason why bytes could not be read, as the end of a sentence.
pub(super) type ReadError = &'static str;

#[derive(Clone, Copy)]
pub(super) struct Bytes<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    pub(super) fn take(&mut self, n: usize) -> Result<&'a [u8], ReadError> {
        let (taken, rest) = self.rest.split_at_checked(n).ok_or("a chunk ends too early")?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], ReadError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(super) fn u8(&mut self) -> Result<u8, ReadError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    pub(super) fn u16(&mut self) -> Result<u16, ReadError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, ReadError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn f64(&mut self) -> Result<f64, ReadError> {
        Ok(f64::from_le_bytes(self.array()?))
    }

    /// A length. The first byte is the number of the bytes that follow: 1, 4 or 8.
    pub(super) fn length(&mut self) -> Result<usize, ReadError> {
        let length = match self.u8()? {
            1 => u64::from(self.u8()?),
            4 => u64::from(self.u32()?),
            8 => u64::from_le_bytes(self.array()?),
            _ => return Err("a length does not have 1, 4 or 8 bytes"),
        };
        usize::try_from(length).map_err(|_| "a length is larger than the memory")
    }
}
