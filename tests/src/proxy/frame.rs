//! The frames of requests, as far as a proxy looks into them.

use std::io::{self, Read};

/// Longest request that is passed on.
const REQUEST_BYTES_MAX: u32 = 100 << 20;

/// What every request begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The API's key.
    pub api: i16,
    /// The version of the request.
    pub version: i16,
    /// Its correlation id.
    pub correlation: i32,
}

/// Reads the next frame, length included.
pub(super) fn read(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; 4];
    from.read_exact(&mut frame)?;
    let length = frame.as_slice().try_into().map(u32::from_be_bytes).unwrap_or_default();
    if length > REQUEST_BYTES_MAX {
        return Err(io::Error::other(format!("a frame of {length} bytes")));
    }
    frame.resize(4 + length as usize, 0);
    let body = frame.get_mut(4..).unwrap_or_default();
    from.read_exact(body)?;
    Ok(frame)
}

/// The head of a request in its frame.
pub(super) fn head(frame: &[u8]) -> Option<Head> {
    let api = frame.get(4..6)?.try_into().ok()?;
    let version = frame.get(6..8)?.try_into().ok()?;
    let correlation = frame.get(8..12)?.try_into().ok()?;
    Some(Head {
        api: i16::from_be_bytes(api),
        version: i16::from_be_bytes(version),
        correlation: i32::from_be_bytes(correlation),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_whole_with_its_head() {
        let bytes = [0, 0, 0, 9, 0, 26, 0, 5, 0, 0, 1, 2, 77, 1];
        let frame = read(&mut bytes.as_slice()).unwrap();
        assert_eq!(frame, bytes[..13]);
        assert_eq!(head(&frame), Some(Head { api: 26, version: 5, correlation: 258 }));
        assert_eq!(head(&frame[..11]), None);
        assert!(read(&mut bytes[..12].as_ref()).is_err());
    }
}
