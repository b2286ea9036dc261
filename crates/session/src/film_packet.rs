//! A packet of a film: the compressed data of one picture, and its place in the file.

/// In the order of decoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilmPacket {
    /// Position in the film's file, in bytes from its start.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
    /// CRC-32 of the bytes, as in zip and PNG.
    pub checksum: u32,
    /// Time of display on the film's own clock.
    pub film_ns: i64,
    /// Decoding can begin here. Pictures that are displayed before this one may need earlier packets.
    pub is_key: bool,
}

/// The order of display of a film's packets.
#[derive(Clone, Debug, Default)]
pub struct FilmOrder {
    /// Position in the order of display, for each packet.
    ranks: Vec<usize>,
    /// Packets at which decoding can begin.
    keys: Vec<usize>,
}

impl FilmOrder {
    /// `None` if two packets have the same time, or if decoding cannot begin at the first packet.
    pub fn of(packets: &[FilmPacket]) -> Option<FilmOrder> {
        let mut by_time: Vec<usize> = (0..packets.len()).collect();
        by_time.sort_by_key(|k| packets[*k].film_ns);
        let is_unique = by_time.windows(2).all(|pair| packets[pair[0]].film_ns < packets[pair[1]].film_ns);
        let mut ranks = vec![0; packets.len()];
        by_time.iter().enumerate().for_each(|(rank, packet)| ranks[*packet] = rank);
        let keys: Vec<usize> = (0..packets.len()).filter(|k| packets[*k].is_key).collect();
        (is_unique && keys.first() == Some(&0)).then_some(FilmOrder { ranks, keys })
    }

    pub fn rank(&self, packet: usize) -> Option<usize> {
        self.ranks.get(packet).copied()
    }

    /// The last key packet from which this packet can be decoded. A picture that is displayed before a key picture and decoded
    /// after it may depend on pictures before the key picture.
    pub fn start_for(&self, packet: usize) -> usize {
        let rank = self.ranks[packet];
        let until = self.keys.partition_point(|key| *key <= packet);
        self.keys[..until].iter().rev().find(|key| self.ranks[**key] <= rank).copied().unwrap_or(0)
    }

    /// The key packet before this one.
    pub fn key_before(&self, key: usize) -> Option<usize> {
        self.keys[..self.keys.partition_point(|k| *k < key)].last().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(shown_at: &[i64], keys: &[usize]) -> Vec<FilmPacket> {
        let packet = |(k, ns): (usize, &i64)| FilmPacket {
            offset: 0,
            length: 1,
            checksum: 0,
            film_ns: *ns,
            is_key: keys.contains(&k),
        };
        shown_at.iter().enumerate().map(packet).collect()
    }

    #[test]
    fn a_leading_picture_starts_at_the_key_before() {
        // The pictures 4 and 5 are decoded after the key picture 3 and displayed before it.
        let order = FilmOrder::of(&packets(&[0, 20, 10, 50, 30, 40, 60], &[0, 3])).unwrap();
        assert_eq!((0..7).map(|k| order.rank(k).unwrap()).collect::<Vec<_>>(), [0, 2, 1, 5, 3, 4, 6]);
        assert_eq!((0..7).map(|k| order.start_for(k)).collect::<Vec<_>>(), [0, 0, 0, 3, 0, 0, 3]);
        assert_eq!((order.key_before(3), order.key_before(0), order.rank(7)), (Some(0), None, None));
    }

    #[test]
    fn films_without_a_clear_order_have_none() {
        assert!(FilmOrder::of(&packets(&[0, 10, 10], &[0])).is_none(), "two packets at one time");
        assert!(FilmOrder::of(&packets(&[0, 10], &[1])).is_none(), "nothing to begin with");
        assert!(FilmOrder::of(&[]).is_none());
    }
}
