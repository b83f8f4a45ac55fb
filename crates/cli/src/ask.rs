//! Asking a running Ottla through its private APIs, and showing what it answers.

use std::error::Error;
use std::io::{self, Write};
use std::time::Duration;

use bytes::BytesMut;
use clap::Args;
use kafka_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use kafka_protocol::protocol::StrBytes;
use ottla_broker::private::Question;
use ottla_wire::client::{Client, ClientError};
use ottla_wire::private::{SOFTWARE_NAME, decode_answer};
use ottla_wire::{api_name, check_response};
use serde::Serialize;

/// The version of ApiVersions that the broker is asked in: the first in which a client names its software (KIP-511).
const API_VERSIONS_VERSION: i16 = 3;

/// The version of the private APIs that this command speaks.
const VERSION: i16 = 0;

/// How long connecting and an answer may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Which broker is asked.
#[derive(Debug, Clone, Args)]
pub(crate) struct Bootstrap {
    /// The broker to ask, or several, with commas between them: the first that answers is asked
    #[arg(short, long, value_name = "HOST:PORT", default_value = "127.0.0.1:9092", env = "OTTLA_BOOTSTRAP")]
    pub(crate) bootstrap: String,
}

impl Bootstrap {
    /// The addresses, one by one.
    pub(crate) fn addresses(&self) -> Vec<String> {
        let addresses = self.bootstrap.split(',').map(str::trim).filter(|address| !address.is_empty());
        addresses.map(str::to_owned).collect()
    }
}

/// A connection to an Ottla.
#[derive(Debug)]
pub(crate) struct Broker {
    address: String,
    client: Client,
    served: ApiVersionsResponse,
}

impl Broker {
    /// Connects and asks what the broker serves.
    pub(crate) fn connect(bootstrap: &Bootstrap) -> Result<Self, Box<dyn Error>> {
        let mut outcome = Err("no broker is named; write --bootstrap HOST:PORT".into());
        for address in bootstrap.addresses() {
            outcome = Self::connect_to(address);
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    fn connect_to(address: String) -> Result<Self, Box<dyn Error>> {
        let mut client = Client::connect(&*address).map_err(|error| match error {
            ClientError::Io(error) => {
                format!("cannot connect to {address}: {error}; is a broker running there?")
            }
            error => format!("cannot connect to {address}: {error}"),
        })?;
        client.set_timeout(TIMEOUT).map_err(|error| error.to_string())?;
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str(SOFTWARE_NAME))
            .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
        let served = client
            .send(API_VERSIONS_VERSION, &request)
            .map_err(|error| no_ottla(&address, &in_words(&error)))?;
        Ok(Self { address, client, served })
    }

    /// Asks, and gives the document that comes back.
    pub(crate) fn ask<Q: Question>(&mut self, question: &Q) -> Result<Q::Document, Box<dyn Error>> {
        let name = api_name(Q::KEY).unwrap_or_default();
        let served = self.served.api_keys.iter().find(|api| api.api_key == Q::KEY);
        if !served.is_some_and(|api| (api.min_version..=api.max_version).contains(&VERSION)) {
            return Err(no_ottla(&self.address, &format!("it does not serve {name}")).into());
        }
        let mut body = BytesMut::new();
        question.encode(VERSION, &mut body).map_err(|error| format!("cannot ask: {error}"))?;
        let failed = |error: ClientError| format!("{} was asked {name}: {}", self.address, in_words(&error));
        let answer = self.client.send_body(Q::KEY, VERSION, &body).map_err(failed)?;
        check_response(Q::KEY, VERSION, &answer).map_err(|error| failed(error.into()))?;
        let answer = decode_answer(&answer).map_err(|error| failed(error.into()))?;
        if answer.error.is_error() {
            let message = answer.error_message.as_deref().unwrap_or("it does not say why");
            return Err(format!("{message} ({})", answer.error).into());
        }
        let document = answer.document.unwrap_or_default();
        let newer = |error| {
            format!("{} answered {name} in a way that this ottla does not know: {error}", self.address)
        };
        Ok(serde_json::from_slice(&document).map_err(newer)?)
    }
}

fn in_words(error: &ClientError) -> String {
    match error {
        ClientError::Io(io) if matches!(io.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
            format!("no answer within {} seconds", TIMEOUT.as_secs())
        }
        error => error.to_string(),
    }
}

fn no_ottla(address: &str, why: &dyn std::fmt::Display) -> String {
    format!("{address} is not an Ottla, or one that is too old for this command: {why}")
}

/// The environment, as far as its names are text. Values that are none have a mark where bytes could not be read, which
/// settings refuse but for free text.
pub(crate) fn environment() -> Vec<(String, String)> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
    };
    std::env::vars_os().filter_map(text).collect()
}

/// `KEY=VALUE`, as an argument.
pub(crate) fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) =
        text.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or("it must be KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Prints a document as JSON, for programs.
pub(crate) fn print_json(document: &impl Serialize) -> Result<(), Box<dyn Error>> {
    let mut text = serde_json::to_string_pretty(document)?;
    text.push('\n');
    print(&text)
}

/// Prints to standard output. Whoever reads it may have seen enough (`ottla … | head`), which is no failure.
pub(crate) fn print(text: &str) -> Result<(), Box<dyn Error>> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
