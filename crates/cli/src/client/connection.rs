//! One connection, which speaks with a broker in the versions that both know.

use std::io;
use std::time::Duration;

use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::{ApiKey, ApiVersionsRequest};
use kafka_protocol::protocol::{Request, StrBytes};
use ottla_model::ErrorCode;
use ottla_wire::api_name;
use ottla_wire::client::{Client, ClientError};

use super::problem::Problem;
use super::versions::spoken;

/// The versions of ApiVersions that are tried: the first in which a client names its software (KIP-511), and the first.
const API_VERSIONS_VERSIONS: [i16; 2] = [3, 0];

/// How long connecting, and every answer, may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// One connection to one broker.
#[derive(Debug)]
pub(crate) struct Connection {
    address: String,
    client: Client,
    served: Vec<ApiVersion>,
}

/// A request that was sent and has no answer yet.
#[derive(Debug)]
#[must_use]
pub(crate) struct Sent {
    correlation_id: i32,
    version: i16,
}

impl Connection {
    /// Connects and asks what the broker serves.
    pub(crate) fn open(address: &str) -> Result<Self, Problem> {
        Self::open_within(address, TIMEOUT)
    }

    /// The same, where every step may take so long.
    pub(crate) fn open_within(address: &str, timeout: Duration) -> Result<Self, Problem> {
        let mut refusal = None;
        for version in API_VERSIONS_VERSIONS {
            let mut client = connect(address, timeout)?;
            let request = match version {
                0 => ApiVersionsRequest::default(),
                _ => ApiVersionsRequest::default()
                    .with_client_software_name(StrBytes::from_static_str("ottla"))
                    .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION"))),
            };
            match client.send(version, &request) {
                Ok(answer) if answer.error_code == 0 => {
                    return Ok(Self { address: address.to_owned(), client, served: answer.api_keys });
                }
                Ok(answer) => {
                    refusal = Some(Problem::refused(address, answer.error_code, None));
                }
                // A broker that does not know the version answers as in the first one.
                Err(ClientError::Malformed(_)) if version > 0 => {}
                Err(error) => {
                    let why = in_words(&error, timeout);
                    return Err(Problem::Away(format!("{address} does not answer as a Kafka does: {why}")));
                }
            }
        }
        Err(refusal.unwrap_or_else(|| Problem::Other(format!("{address} does not answer as a Kafka does"))))
    }

    /// Changes how long an answer may take.
    pub(super) fn set_timeout(&self, timeout: Duration) -> Result<(), Problem> {
        self.client.set_timeout(timeout).map_err(|error| Problem::Other(error.to_string()))
    }

    /// The highest version of an API that both speak.
    fn version(&self, key: ApiKey) -> Result<i16, Problem> {
        let ours = spoken(key);
        let name = api_name(key as i16).unwrap_or_default();
        let served = self.served.iter().find(|api| api.api_key == key as i16);
        let Some(served) = served else {
            let text = format!("{} does not serve {name}", self.address);
            return Err(Problem::Refused(ErrorCode::UnsupportedVersion.code(), text));
        };
        let version = served.max_version.min(*ours.end());
        if version < served.min_version || version < *ours.start() {
            let text = format!("{} serves {name} only in versions that ottla does not speak", self.address);
            return Err(Problem::Refused(ErrorCode::UnsupportedVersion.code(), text));
        }
        Ok(version)
    }

    /// True when the broker serves this version of an API, or a later one.
    pub(crate) fn serves(&self, key: ApiKey, version: i16) -> bool {
        self.version(key).is_ok_and(|common| common >= version)
    }

    /// Sends a request and waits for its answer.
    pub(crate) fn send<R: Request>(&mut self, request: &R) -> Result<R::Response, Problem> {
        let sent = self.post(request)?;
        self.receive::<R>(sent)
    }

    /// Sends a request without waiting.
    pub(crate) fn post<R: Request>(&mut self, request: &R) -> Result<Sent, Problem> {
        let version = self.version(api_key::<R>()?)?;
        let posted = self.client.post(version, request);
        let correlation_id = posted.map_err(|error| self.failed::<R>(&error))?;
        Ok(Sent { correlation_id, version })
    }

    /// Waits for the answer to what was sent.
    pub(crate) fn receive<R: Request>(&mut self, sent: Sent) -> Result<R::Response, Problem> {
        let received = self.client.receive::<R>(sent.version, sent.correlation_id);
        received.map_err(|error| self.failed::<R>(&error))
    }

    fn failed<R: Request>(&self, error: &ClientError) -> Problem {
        let name = api_name(R::KEY).unwrap_or_default();
        let text = format!("{} was asked {name}: {}", self.address, in_words(error, TIMEOUT));
        match error {
            ClientError::Io(_) | ClientError::Closed => Problem::Away(text),
            _ => Problem::Other(text),
        }
    }
}

fn api_key<R: Request>() -> Result<ApiKey, Problem> {
    ApiKey::try_from(R::KEY).map_err(|()| Problem::Other(format!("there is no API with the key {}", R::KEY)))
}

fn connect(address: &str, timeout: Duration) -> Result<Client, Problem> {
    let wrong = |error: ClientError| {
        let why = in_words(&error, timeout);
        match error {
            ClientError::Io(error) if error.kind() == io::ErrorKind::InvalidInput => {
                Problem::Other(format!("'{address}' is no address; write HOST:PORT, such as localhost:9092"))
            }
            _ => Problem::Away(format!("cannot connect to {address}: {why}; is a broker running there?")),
        }
    };
    let client = Client::connect_within(address, timeout).map_err(wrong)?;
    Ok(client)
}

fn in_words(error: &ClientError, timeout: Duration) -> String {
    match error {
        ClientError::Io(io) if matches!(io.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
            format!("no answer within {} seconds", timeout.as_secs())
        }
        ClientError::Io(io) => io.to_string(),
        error => error.to_string(),
    }
}
