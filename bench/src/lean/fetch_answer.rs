//! Reads answers to Fetch as they arrive, without keeping the records.

use ottla_tests::problem::Problem;

use super::wire::{LENGTH_BYTES, Reader};

/// What an answer says next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The answer begins; this is its correlation id and its session.
    Begin { correlation: i32, session: i32 },
    /// A partition, and how many bytes of records follow.
    Partition { index: i32, records_bytes: usize },
    /// A part that tells nothing.
    Nothing,
    /// The answer ends.
    End,
}

/// Where in an answer the next byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    #[default]
    Head,
    Topic {
        topics: usize,
    },
    Partition {
        topics: usize,
        partitions: usize,
    },
    AfterRecords {
        topics: usize,
        partitions: usize,
    },
    Tail,
}

/// Reads answers of version 12, one after the other.
#[derive(Debug, Clone, Default)]
pub(super) struct AnswerReader {
    stage: Stage,
    /// Bytes of the answer that are still to come.
    left: usize,
}

impl AnswerReader {
    /// Reads the next part from the bytes that are there: what it says, and how many bytes it had. `None` when it is not
    /// there as a whole. The records behind a partition are the caller's to skip, with [`Self::skipped`].
    pub(super) fn next(&mut self, bytes: &[u8]) -> Result<Option<(Part, usize)>, Problem> {
        let mut reader = Reader::new(bytes);
        let Some((part, stage)) = self.part(&mut reader)? else { return Ok(None) };
        if self.stage == Stage::Head {
            let length = bytes.first_chunk().map_or(0, |length| u32::from_be_bytes(*length));
            self.left = usize::try_from(length).unwrap_or(usize::MAX).saturating_add(LENGTH_BYTES);
        }
        self.stage = stage;
        self.skipped(reader.read())?;
        if part == Part::End && self.left != 0 {
            return Err(Problem::new(format!("the answer to a Fetch has {} bytes too many", self.left)));
        }
        Ok(Some((part, reader.read())))
    }

    /// So many bytes of the answer are gone.
    pub(super) fn skipped(&mut self, count: usize) -> Result<(), Problem> {
        let left = self.left.checked_sub(count);
        self.left = left.ok_or_else(|| Problem::new("the answer to a Fetch is longer than it says"))?;
        Ok(())
    }

    fn part(&self, reader: &mut Reader<'_>) -> Result<Option<(Part, Stage)>, Problem> {
        match self.stage {
            Stage::Head => head(reader).transpose(),
            Stage::Topic { topics: 0 } => Ok(Some((Part::Nothing, Stage::Tail))),
            Stage::Topic { topics } => Ok(topic(reader, topics)),
            Stage::Partition { topics, partitions: 0 } => {
                let end = || Some((Part::Nothing, Stage::Topic { topics: topics.saturating_sub(1) }));
                Ok(reader.tags().and_then(|()| end()))
            }
            Stage::Partition { topics, partitions } => partition(reader, topics, partitions).transpose(),
            Stage::AfterRecords { topics, partitions } => {
                let next = Stage::Partition { topics, partitions: partitions.saturating_sub(1) };
                Ok(reader.tags().map(|()| (Part::Nothing, next)))
            }
            Stage::Tail => Ok(reader.tags().map(|()| (Part::End, Stage::Head))),
        }
    }
}

fn head(reader: &mut Reader<'_>) -> Option<Result<(Part, Stage), Problem>> {
    reader.skip(LENGTH_BYTES)?;
    let correlation = reader.i32()?;
    reader.tags()?;
    // The throttle time.
    reader.i32()?;
    let code = reader.i16()?;
    let session = reader.i32()?;
    let topics = reader.count()?;
    Some(match code {
        0 => Ok((Part::Begin { correlation, session }, Stage::Topic { topics })),
        code => Err(Problem::new(format!("a Fetch was refused with the error code {code}"))),
    })
}

fn topic(reader: &mut Reader<'_>, topics: usize) -> Option<(Part, Stage)> {
    let name_bytes = reader.count()?;
    reader.skip(name_bytes)?;
    let partitions = reader.count()?;
    Some((Part::Nothing, Stage::Partition { topics, partitions }))
}

fn partition(
    reader: &mut Reader<'_>,
    topics: usize,
    partitions: usize,
) -> Option<Result<(Part, Stage), Problem>> {
    let index = reader.i32()?;
    let code = reader.i16()?;
    // The high watermark, the last stable offset, the start of the log.
    reader.skip(3 * 8)?;
    for _ in 0..reader.count()? {
        reader.skip(2 * 8)?;
        reader.tags()?;
    }
    // Which replica to read.
    reader.i32()?;
    let records_bytes = reader.count()?;
    Some(match code {
        0 => Ok((Part::Partition { index, records_bytes }, Stage::AfterRecords { topics, partitions })),
        code => Err(Problem::new(format!("partition {index} was not fetched: error code {code}"))),
    })
}
