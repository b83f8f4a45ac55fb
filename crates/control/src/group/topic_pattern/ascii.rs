//! Sets of ASCII characters.

use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir};

/// A set of ASCII characters: what is left of a set of Unicode's where the text is ASCII. Bit `n` stands for
/// character `n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AsciiSet(u128);

/// The highest code point of ASCII.
const ASCII_MAX: u32 = 127;
/// From a capital letter to its small one.
const CASE_DISTANCE: u32 = 32;

/// Characters beyond ASCII that are equal to an ASCII letter when case does not matter: the sign of the unit kelvin
/// and the long s.
const FOLD_TO_ASCII: [(u32, AsciiSet); 2] = [(0x212a, AsciiSet::of(b"Kk")), (0x17f, AsciiSet::of(b"Ss"))];

impl AsciiSet {
    pub(super) const EMPTY: Self = Self(0);
    pub(super) const ALL: Self = Self(u128::MAX);
    pub(super) const CAPITALS: Self = Self::between(b'A', b'Z');
    pub(super) const SMALL: Self = Self::between(b'a', b'z');
    pub(super) const DIGITS: Self = Self::between(b'0', b'9');

    /// The characters of a text.
    pub(super) const fn of(mut text: &[u8]) -> Self {
        let mut set = Self::EMPTY;
        while let [first, rest @ ..] = text {
            set = set.union(Self::between(*first, *first));
            text = rest;
        }
        set
    }

    /// The characters from `low` to `high`, both of ASCII.
    pub(super) const fn between(low: u8, high: u8) -> Self {
        let up_to_high = u128::MAX >> (ASCII_MAX - high as u32);
        Self(up_to_high >> low << low)
    }

    /// What is in ASCII of the code points from `low` to `high`, and with `fold_case`, of those that differ from
    /// them by case.
    pub(super) fn code_points(low: u32, high: u32, fold_case: bool) -> Self {
        let set = match (u8::try_from(low), u8::try_from(high.min(ASCII_MAX))) {
            (Ok(low), Ok(high)) if low <= high => Self::between(low, high),
            _ => Self::EMPTY,
        };
        if !fold_case {
            return set;
        }
        let folded = FOLD_TO_ASCII.iter().filter(|(from, _)| (low..=high).contains(from));
        folded.fold(set.with_both_cases(), |set, (_, letters)| set.union(*letters))
    }

    /// With each letter in the other case, too.
    pub(super) const fn with_both_cases(self) -> Self {
        let to_small = (self.0 & Self::CAPITALS.0) << CASE_DISTANCE;
        let to_capital = (self.0 & Self::SMALL.0) >> CASE_DISTANCE;
        Self(self.0 | to_small | to_capital)
    }

    pub(super) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The other ASCII characters.
    pub(super) const fn negated(self) -> Self {
        Self(!self.0)
    }

    /// A tree that matches one of the characters.
    pub(super) fn tree(self) -> Hir {
        let members = (0..=127u8).filter(|character| self.0 >> character & 1 == 1);
        let ranges = members.map(|character| ClassBytesRange::new(character, character));
        Hir::class(Class::Bytes(ClassBytes::new(ranges)))
    }
}
