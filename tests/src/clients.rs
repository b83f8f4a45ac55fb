//! The client programs that there are.

use crate::toolchain::Toolchain;

/// One client program under `tests/clients/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// The name of its directory, which is that of the client library.
    pub name: &'static str,
    /// What it is built and run with.
    pub toolchain: Toolchain,
}

/// Every client program, in the order of the reports.
pub const CLIENTS: [Client; 8] = [
    Client { name: "java-4.3.1", toolchain: Toolchain::Java },
    Client { name: "java-4.4.0", toolchain: Toolchain::Java },
    Client { name: "python-librdkafka", toolchain: Toolchain::Python },
    Client { name: "kafka-python", toolchain: Toolchain::Python },
    Client { name: "aiokafka", toolchain: Toolchain::Python },
    Client { name: "franz-go", toolchain: Toolchain::Go },
    Client { name: "sarama", toolchain: Toolchain::Go },
    Client { name: "kafkajs", toolchain: Toolchain::Node },
];
