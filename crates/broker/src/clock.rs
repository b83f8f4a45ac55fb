//! The real clocks and randomness, handed to everything below as arguments.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use ottla_model::{Monotonic, Random, WallMillis};

/// Where a shard takes time from; tests put their own in its place.
pub(crate) trait Clock: Send + Sync + std::fmt::Debug {
    /// Wall clock.
    fn wall(&self) -> WallMillis;
    /// Monotonic clock.
    fn monotonic(&self) -> Monotonic;
}

/// What both clocks say, read once for all that is decided together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// Wall clock.
    pub(crate) wall: WallMillis,
    /// Monotonic clock.
    pub(crate) monotonic: Monotonic,
}

impl Moment {
    /// Reads both clocks.
    pub(crate) fn now(clock: &dyn Clock) -> Self {
        Self { wall: clock.wall(), monotonic: clock.monotonic() }
    }
}

/// What both clocks said when a shard was opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Started(Moment);

impl Started {
    /// Reads both clocks.
    pub(crate) fn now(clock: &dyn Clock) -> Self {
        Self(Moment::now(clock))
    }

    /// The wall clock as it would be if nobody had set it since.
    pub(crate) fn steady(&self, now: Monotonic) -> WallMillis {
        let elapsed = i64::try_from(now.since(self.0.monotonic).as_millis()).unwrap_or(i64::MAX);
        WallMillis(self.0.wall.0.saturating_add(elapsed))
    }

    /// The wall clock as far as things may expire by it: it never runs ahead of the monotonic clock, so that a clock
    /// that is set forward deletes nothing. At start it is believed.
    pub(crate) fn expiry(&self, wall: WallMillis, monotonic: Monotonic) -> WallMillis {
        WallMillis(wall.0.min(self.steady(monotonic).0))
    }
}

/// The clocks of this machine.
#[derive(Debug)]
pub(crate) struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// Clocks whose monotonic time starts now.
    pub(crate) fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> WallMillis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        WallMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic(self.started.elapsed())
    }
}

/// Random bits from the operating system, stretched by a counter-based generator (SplitMix64) so that ids do not cost
/// a system call each. Ids need to be unique, not secret.
#[derive(Debug)]
pub(crate) struct SystemRandom {
    state: u128,
}

impl SystemRandom {
    /// A generator with a seed of its own.
    pub(crate) fn new() -> Self {
        let mut seed = [0u8; 16];
        if getrandom::fill(&mut seed).is_err() {
            // Without entropy at start the clock still makes ids differ from one process to the next.
            let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
            seed = (wall ^ (u128::from(std::process::id()) << 96)).to_le_bytes();
        }
        Self { state: u128::from_le_bytes(seed) }
    }

    fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        let folded = (self.state >> 64) as u64 ^ self.state as u64;
        let mixed = (folded ^ (folded >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Random for SystemRandom {
    fn next_u128(&mut self) -> u128 {
        (u128::from(self.next_u64()) << 64) | u128::from(self.next_u64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ() {
        let mut random = SystemRandom::new();
        let ids: std::collections::HashSet<u128> = (0..10_000).map(|_| random.next_u128()).collect();
        assert_eq!(ids.len(), 10_000);
    }
}
