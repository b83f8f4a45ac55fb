//! A broker inside a Rust test.

use ottla_broker::Broker;

#[test]
fn an_order_arrives() -> Result<(), Box<dyn std::error::Error>> {
    let broker = Broker::builder().memory().set("num.partitions", "3")?.start()?;
    let bootstrap = broker.address().to_string();
    assert!(service_under_test(&bootstrap)?);
    // The broker stops when it is dropped.
    Ok(())
}

/// Stands for the code that a test is about.
fn service_under_test(bootstrap: &str) -> std::io::Result<bool> {
    let connected = std::net::TcpStream::connect(bootstrap)?;
    Ok(connected.peer_addr()?.to_string() == bootstrap)
}
