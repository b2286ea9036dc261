//! Decompresses files of events (`.csv.gz`, `.xdfz`) in memory, up to a limit.

use std::io::Read;

use flate2::bufread::GzDecoder;

const MAGIC: &[u8] = &[0x1f, 0x8b];

/// Recognised by its first bytes, independent of the file name.
pub(super) fn is_gzip(content: &[u8]) -> bool {
    content.starts_with(MAGIC)
}

#[derive(Debug, PartialEq)]
pub(super) struct Unpacked {
    pub bytes: Vec<u8>,
    /// Why the content is incomplete: the compressed file is cut off or damaged.
    pub damage: Option<String>,
}

/// Decompresses all members. `None` if the result is larger than `most_bytes`: a small file can expand without limit.
pub(super) fn unpack_gzip(content: &[u8], most_bytes: u64) -> Option<Unpacked> {
    let (mut bytes, mut rest, mut damage) = (Vec::new(), content, None);
    while is_gzip(rest) && damage.is_none() {
        let mut decoder = GzDecoder::new(rest);
        let room = (most_bytes + 1).saturating_sub(bytes.len() as u64);
        if let Err(problem) = (&mut decoder).take(room).read_to_end(&mut bytes) {
            damage = Some(match problem.kind() {
                std::io::ErrorKind::UnexpectedEof => "the compressed file is cut off".to_owned(),
                _ => format!("the compressed file is damaged ({problem})"),
            });
        }
        if bytes.len() as u64 > most_bytes {
            return None;
        }
        rest = decoder.into_inner();
        // Tapes and some programs pad with zeros.
        rest = &rest[rest.iter().take_while(|b| **b == 0).count()..];
    }
    if damage.is_none() && !rest.is_empty() {
        damage = Some(format!("{} bytes that are no gzip follow the compressed file", rest.len()));
    }
    Some(Unpacked { bytes, damage })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;
    use std::io::Write;

    const MOST: u64 = 1 << 20;

    fn packed(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn members_follow_each_other_and_zeros_fill_up() {
        let two = [packed(b"onset,"), packed(b"kind\n"), vec![0; 512]].concat();
        assert_eq!(unpack_gzip(&two, MOST), Some(Unpacked { bytes: b"onset,kind\n".to_vec(), damage: None }));
    }

    #[test]
    fn what_is_cut_off_or_damaged_is_said_and_the_rest_kept() {
        let content: Vec<u8> = (0..20_000u32).flat_map(|k| (k.wrapping_mul(2_654_435_761)).to_le_bytes()).collect();
        let whole = packed(&content);
        let cut = unpack_gzip(&whole[..whole.len() / 2], MOST).unwrap();
        assert!(!cut.bytes.is_empty() && content.starts_with(&cut.bytes));
        assert!(cut.damage.unwrap().contains("cut off"));
        let mut wrong = whole.clone();
        let checksum = wrong.len() - 6;
        wrong[checksum] ^= 1;
        assert!(unpack_gzip(&wrong, MOST).unwrap().damage.unwrap().contains("damaged"));
        let more = unpack_gzip(&[&whole[..], b"rubbish"].concat(), MOST).unwrap();
        assert!(more.damage.unwrap().contains("7 bytes"));
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let bomb = packed(&vec![0; 10 << 20]);
        assert!(bomb.len() < 20_000);
        assert_eq!(unpack_gzip(&bomb, MOST), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            unpack_gzip(&[&[0x1f, 0x8b, 8][..], &bytes].concat(), MOST);
        }
    }
}
