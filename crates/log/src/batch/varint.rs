//! Variable-length integers, zig-zag encoded (`ByteUtils.readVarint`, `readVarlong`).

/// Most bytes of a 32-bit number.
const VARINT_BYTES_MAX: u32 = 5;
/// Most bytes of a 64-bit number.
const VARLONG_BYTES_MAX: u32 = 10;

/// Reads a 32-bit number from a source of bytes. `None` when the source ends or the number is too long.
pub(super) fn read_varint(next: impl FnMut() -> Option<u8>) -> Option<i32> {
    // Kafka drops the bits above 32 of the fifth byte, and so does the cast.
    let raw = read(next, VARINT_BYTES_MAX)? as u32;
    Some(((raw >> 1) as i32) ^ -((raw & 1) as i32))
}

/// Reads a 64-bit number from a source of bytes. `None` when the source ends or the number is too long.
pub(super) fn read_varlong(next: impl FnMut() -> Option<u8>) -> Option<i64> {
    let raw = read(next, VARLONG_BYTES_MAX)?;
    Some(((raw >> 1) as i64) ^ -((raw & 1) as i64))
}

fn read(mut next: impl FnMut() -> Option<u8>, bytes_max: u32) -> Option<u64> {
    let mut raw = 0u64;
    for place in 0..bytes_max {
        let byte = next()?;
        raw |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some(raw);
        }
    }
    None
}

/// Appends a 32-bit number.
pub(super) fn write_varint(value: i32, into: &mut Vec<u8>) {
    write_varlong(i64::from(value), into);
}

/// Appends a 64-bit number.
pub(super) fn write_varlong(value: i64, into: &mut Vec<u8>) {
    let mut raw = ((value << 1) ^ (value >> 63)) as u64;
    while raw >= 0x80 {
        into.push((raw as u8) | 0x80);
        raw >>= 7;
    }
    into.push(raw as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn varlong(bytes: &[u8]) -> Option<i64> {
        let mut bytes = bytes.iter().copied();
        read_varlong(|| bytes.next())
    }

    fn varint(bytes: &[u8]) -> Option<i32> {
        let mut bytes = bytes.iter().copied();
        read_varint(|| bytes.next())
    }

    #[test]
    fn numbers_round_trip() {
        for value in [0, -1, 1, 63, 64, -64, -65, 8191, 8192, i64::from(i32::MAX), i64::MIN, i64::MAX] {
            let mut bytes = Vec::new();
            write_varlong(value, &mut bytes);
            assert_eq!(varlong(&bytes), Some(value));
            if let Ok(small) = i32::try_from(value) {
                assert_eq!(varint(&bytes), Some(small));
            }
        }
        let mut bytes = Vec::new();
        write_varint(-1, &mut bytes);
        assert_eq!(bytes, [1]);
    }

    #[test]
    fn endless_and_cut_numbers_are_none() {
        assert_eq!(varint(&[0x80; 5]), None);
        assert_eq!(varint(&[0xff, 0xff, 0xff, 0xff, 0x0f]), Some(i32::MIN));
        assert_eq!(varlong(&[0x80; 10]), None);
        assert_eq!(varlong(&[0x80]), None);
        assert_eq!(varint(&[]), None);
    }
}
