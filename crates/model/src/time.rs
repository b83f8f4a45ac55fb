//! Time and randomness as arguments.

use std::time::Duration;

use crate::Presence;

/// Wall clock time, in milliseconds since the Unix epoch. May jump; used for what is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct WallMillis(pub i64);

/// Time since some fixed moment of this process. Never goes back; used for every timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Monotonic(pub Duration);

impl Monotonic {
    /// The moment `millis` milliseconds later; a negative number counts as 0.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        let millis = u64::try_from(millis).unwrap_or(0);
        Self(self.0.saturating_add(Duration::from_millis(millis)))
    }

    /// Time from `earlier` to `self`, or zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// A source of random numbers.
pub trait Random {
    /// The next 128 random bits.
    fn next_u128(&mut self) -> u128;
}

/// All that a state machine may know of the world at one moment.
pub struct Env<'a> {
    /// Wall clock.
    pub wall: WallMillis,
    /// Wall clock as far as things may expire by it: never ahead of what the monotonic clock allows, so that a clock
    /// which is set forward deletes nothing.
    pub expiry_wall: WallMillis,
    /// Monotonic clock.
    pub monotonic: Monotonic,
    /// Randomness.
    pub random: &'a mut dyn Random,
    /// Who was seen lately.
    pub presence: &'a dyn Presence,
}

impl Env<'_> {
    /// A random (version 4) UUID in its usual text form, as Kafka appends it to member ids.
    pub fn uuid(&mut self) -> String {
        let bits = self.random.next_u128();
        let bits = (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            (bits >> 96) as u32,
            (bits >> 80) as u16,
            (bits >> 64) as u16,
            (bits >> 48) as u16,
            bits & 0xffff_ffff_ffff
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(u128);
    impl Random for Fixed {
        fn next_u128(&mut self) -> u128 {
            self.0
        }
    }

    #[test]
    fn uuid_has_version_and_variant() {
        for bits in [0, u128::MAX] {
            let mut random = Fixed(bits);
            let mut env = Env {
                wall: WallMillis(0),
                expiry_wall: WallMillis(0),
                monotonic: Monotonic::default(),
                random: &mut random,
                presence: &crate::Unseen,
            };
            let text = env.uuid();
            assert_eq!(text.len(), 36);
            assert_eq!(text.as_bytes()[14], b'4');
            assert!(b"89ab".contains(&text.as_bytes()[19]));
        }
    }
}
