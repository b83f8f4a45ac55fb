//! Seeded mutations of bytes.

/// Random numbers from a seed (Steele, Lea and Flood 2014). Good enough for tests, for nothing else.
#[derive(Debug, Clone)]
pub struct SplitMix64(pub u64);

impl SplitMix64 {
    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `end`, or 0 when there is none.
    pub fn below(&mut self, end: usize) -> usize {
        let end = end.max(1) as u64;
        usize::try_from(self.next_u64() % end).unwrap_or(0)
    }
}

/// Bytes that lengths, markers and varints react to.
const BYTES: [u8; 8] = [0x00, 0x01, 0x02, 0x7f, 0x80, 0x81, 0xfe, 0xff];

/// Changes `data` a little, in one to four places: bits, bytes, numbers, cuts, copies, insertions.
pub fn mutate(random: &mut SplitMix64, data: &mut Vec<u8>) {
    for _ in 0..=random.below(4) {
        let place = random.below(data.len());
        match random.below(7) {
            0 => set(data, place, |byte| byte ^ (1 << random.below(8))),
            1 => set(data, place, |_| BYTES.get(random.below(BYTES.len())).copied().unwrap_or(0)),
            2 => set(data, place, |_| random.next_u64() as u8),
            3 => {
                let number = [i32::MIN, -2, -1, 0, 1, 0x10_0000, i32::MAX].get(random.below(7)).copied();
                for (offset, byte) in number.unwrap_or(0).to_be_bytes().into_iter().enumerate() {
                    set(data, place.saturating_add(offset), |_| byte);
                }
            }
            4 => data.truncate(place),
            5 => data.insert(place, random.next_u64() as u8),
            _ => {
                let end = place.saturating_add(random.below(16)).min(data.len());
                let copy = data.get(place..end).unwrap_or_default().to_vec();
                let at = random.below(data.len());
                data.splice(at..at, copy);
            }
        }
    }
}

fn set(data: &mut [u8], place: usize, change: impl FnOnce(u8) -> u8) {
    if let Some(byte) = data.get_mut(place) {
        *byte = change(*byte);
    }
}
