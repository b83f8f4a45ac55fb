//! Why a broker did not do what it was asked.

use std::fmt;

use ottla_model::ErrorCode;

/// Why there is no answer, or not the one that was hoped for. Its text is one line that says what happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The broker is not there, or went away; another try may find it.
    Away(String),
    /// The broker answered with this error.
    Refused(i16, String),
    /// Nothing that another try mends.
    Other(String),
}

impl Problem {
    /// What a broker answered to `asked`, with its own words if it has any.
    pub(crate) fn refused(asked: &str, code: i16, message: Option<&str>) -> Self {
        let text = match message.filter(|message| !message.is_empty()) {
            Some(message) => format!("{asked}: {message} ({})", code_text(code)),
            None => format!("{asked}: {}", code_text(code)),
        };
        Self::Refused(code, text)
    }

    /// True when another try may succeed.
    pub(crate) fn is_retriable(&self) -> bool {
        match self {
            Self::Away(_) => true,
            Self::Refused(code, _) => is_retriable(*code),
            Self::Other(_) => false,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away(text) | Self::Refused(_, text) | Self::Other(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Problem {}

/// An error's name, as Kafka writes it.
pub(crate) fn code_text(code: i16) -> String {
    ErrorCode::from_code(code).map_or_else(|| format!("error {code}"), |error| error.name().to_owned())
}

/// True for what Kafka calls a retriable error (`RetriableException`) and that this client can meet.
pub(crate) fn is_retriable(code: i16) -> bool {
    concerns_leader(code)
        || matches!(
            ErrorCode::from_code(code),
            Some(
                ErrorCode::CorruptMessage
                    | ErrorCode::RequestTimedOut
                    | ErrorCode::NetworkException
                    | ErrorCode::NotEnoughReplicas
                    | ErrorCode::NotEnoughReplicasAfterAppend
                    | ErrorCode::CoordinatorLoadInProgress
                    | ErrorCode::CoordinatorNotAvailable
                    | ErrorCode::NotCoordinator
                    | ErrorCode::ConcurrentTransactions
                    | ErrorCode::ThrottlingQuotaExceeded
            )
        )
}

/// True when whoever answered does not serve the partition, or not yet: metadata is asked for again.
pub(crate) fn concerns_leader(code: i16) -> bool {
    matches!(
        ErrorCode::from_code(code),
        Some(
            ErrorCode::NotLeaderOrFollower
                | ErrorCode::LeaderNotAvailable
                | ErrorCode::UnknownTopicOrPartition
                | ErrorCode::UnknownTopicId
                | ErrorCode::FencedLeaderEpoch
                | ErrorCode::UnknownLeaderEpoch
                | ErrorCode::ReplicaNotAvailable
                | ErrorCode::KafkaStorageError
                | ErrorCode::OffsetNotAvailable
        )
    )
}
