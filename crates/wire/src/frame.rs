//! Cuts frames from the stream of bytes of a connection.

use std::fmt;

use bytes::{Bytes, BytesMut};

/// What [`FrameReader::buffer_mut`] offers when nothing is known of the next frame.
const READ_BYTES: usize = 8 * 1024;

/// The least that is worth a system call.
const READ_BYTES_MIN: usize = READ_BYTES / 4;

/// The most that is reserved for a frame of which little has arrived yet, unless the peer has delivered a frame
/// of that size before. A peer that announces 100 MiB and sends nothing more costs this much.
const GROWTH_STEP_BYTES: usize = 64 * 1024;

/// How many frames of the size of the last ones are read along with the next.
const FRAMES_AHEAD: usize = 3;

/// The four bytes of length in front of a frame.
const PREFIX_BYTES: usize = 4;

/// Cuts frames (four bytes of length, then as many bytes) from what a socket delivers.
///
/// There is no socket inside: the caller reads into [`FrameReader::buffer_mut`] and calls
/// [`FrameReader::next`] until it has no more frames.
///
/// Memory follows what arrived, not what was announced: the buffer at most doubles, or grows to the size of
/// frames that this peer has delivered before, so that a producer's stream of 1 MiB batches is read without
/// moving bytes.
#[derive(Debug)]
pub struct FrameReader {
    buffer: BytesMut,
    frame_bytes_max: usize,
    /// About the size of the recent large frames of this peer, in bytes.
    delivered_bytes: usize,
}

/// A length that no frame may have. The connection cannot be used any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameError {
    /// A negative length.
    Negative(i32),
    /// A length beyond the limit.
    TooLarge {
        /// The length that was announced.
        frame_bytes: usize,
        /// The limit.
        frame_bytes_max: usize,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Negative(length) => write!(f, "negative frame length {length}"),
            Self::TooLarge { frame_bytes, frame_bytes_max } => {
                write!(f, "frame of {frame_bytes} bytes, over the limit of {frame_bytes_max}")
            }
        }
    }
}

impl std::error::Error for FrameError {}

impl FrameReader {
    /// A reader that refuses frames of more than `frame_bytes_max` bytes (Kafka's `socket.request.max.bytes`).
    #[must_use]
    pub fn new(frame_bytes_max: usize) -> Self {
        Self { buffer: BytesMut::new(), frame_bytes_max, delivered_bytes: 0 }
    }

    /// Changes the limit for the frames to come, such as after the peer has authenticated.
    pub fn set_frame_bytes_max(&mut self, frame_bytes_max: usize) {
        self.frame_bytes_max = frame_bytes_max;
    }

    /// The buffer to read into, with free capacity. Only append to it.
    pub fn buffer_mut(&mut self) -> &mut BytesMut {
        let have = self.buffer.len();
        let free = self.buffer.capacity().saturating_sub(have);
        match self.announced() {
            Ok(Some(frame_bytes)) => {
                let missing = frame_bytes.saturating_add(PREFIX_BYTES).saturating_sub(have).max(1);
                let missing = missing.min(have.max(self.delivered_bytes).max(GROWTH_STEP_BYTES));
                if free < missing {
                    self.buffer.reserve(missing.saturating_add(self.ahead_bytes()));
                }
            }
            // What is left of a buffer is used up before a new one is made: small frames follow each other
            // closely, and the ones that are being answered still hold the front of it.
            _ if free < READ_BYTES_MIN => {
                let expected = self.delivered_bytes.saturating_add(self.ahead_bytes());
                self.buffer.reserve(expected.clamp(READ_BYTES, GROWTH_STEP_BYTES));
            }
            _ => {}
        }
        &mut self.buffer
    }

    /// Room behind the next frame: a read that leaves some unused has found all that there was, and one that finds
    /// several frames saves the reads, and the writes of answers, that each would have cost.
    fn ahead_bytes(&self) -> usize {
        self.delivered_bytes.saturating_mul(FRAMES_AHEAD).clamp(READ_BYTES_MIN, GROWTH_STEP_BYTES)
    }

    /// The next whole frame, without its length; `None` when more bytes must arrive first.
    ///
    /// # Errors
    /// [`FrameError`] as soon as the length is there, before any memory is taken for the frame.
    #[allow(clippy::should_implement_trait)] // Not an iterator: `None` is not the end.
    pub fn next(&mut self) -> Result<Option<Bytes>, FrameError> {
        let Some(frame_bytes) = self.announced()? else { return Ok(None) };
        let whole = frame_bytes.saturating_add(PREFIX_BYTES);
        if self.buffer.len() < whole {
            return Ok(None);
        }
        self.delivered_bytes = whole.max(self.delivered_bytes / 2);
        // A large frame that ends where the buffer ends takes the whole memory along, so that it is freed with
        // the frame and not held by an idle connection.
        let taken = if whole == self.buffer.len() && whole > READ_BYTES {
            std::mem::take(&mut self.buffer)
        } else {
            self.buffer.split_to(whole)
        };
        let mut frame = taken.freeze();
        let _ = frame.split_to(PREFIX_BYTES);
        Ok(Some(frame))
    }

    /// True when no byte of an unfinished frame is left, so that an end of the stream is a clean one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// The bytes that have arrived and belong to no whole frame yet, or to one that was not taken.
    #[must_use]
    pub fn buffered_bytes(&self) -> usize {
        self.buffer.len()
    }

    /// The announced size of the frame that has begun to arrive, in bytes; 0 when none has.
    #[must_use]
    pub fn awaited_bytes(&self) -> usize {
        self.announced().ok().flatten().unwrap_or(0)
    }

    /// The length of the frame at the front of the buffer, when its four bytes are there.
    fn announced(&self) -> Result<Option<usize>, FrameError> {
        let Some(prefix) = self.buffer.first_chunk::<PREFIX_BYTES>() else { return Ok(None) };
        let length = i32::from_be_bytes(*prefix);
        let Ok(frame_bytes) = usize::try_from(length) else { return Err(FrameError::Negative(length)) };
        if frame_bytes > self.frame_bytes_max {
            return Err(FrameError::TooLarge { frame_bytes, frame_bytes_max: self.frame_bytes_max });
        }
        Ok(Some(frame_bytes))
    }
}
