//! The zigzag varints of records.

use bytes::{Buf, BufMut};

/// Bytes of the longest varint of 64 bits.
const BYTES_MAX: u32 = 10;

pub(super) fn write(value: i64, into: &mut impl BufMut) {
    let mut left = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while left >= 0x80 {
        into.put_u8(u8::try_from(left & 0x7f).unwrap_or_default() | 0x80);
        left >>= 7;
    }
    into.put_u8(u8::try_from(left).unwrap_or_default());
}

pub(super) fn read(from: &mut impl Buf) -> Option<i64> {
    let mut value = 0u64;
    for place in 0..BYTES_MAX {
        let byte = from.try_get_u8().ok()?;
        value |= u64::from(byte & 0x7f).checked_shl(place * 7)?;
        if byte & 0x80 == 0 {
            let magnitude = (value >> 1).cast_signed();
            return Some(magnitude ^ -(value & 1).cast_signed());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_round_trip() {
        for value in [0, 1, -1, 63, 64, -64, -65, i64::from(i32::MAX), i64::MIN, i64::MAX] {
            let mut bytes = Vec::new();
            write(value, &mut bytes);
            let mut rest = bytes.as_slice();
            assert_eq!((read(&mut rest), rest.len()), (Some(value), 0));
        }
        let mut bytes = Vec::new();
        write(-3, &mut bytes);
        assert_eq!(bytes, [5]);
    }

    #[test]
    fn a_varint_without_end_is_none() {
        assert_eq!(read(&mut [0xff; 11].as_slice()), None);
        assert_eq!(read(&mut [0x80].as_slice()), None);
    }
}
