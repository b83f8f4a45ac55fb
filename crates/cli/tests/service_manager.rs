//! `ottla serve` under a service manager: sockets that it opens, and what it is told.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use kafka_protocol::messages::MetadataRequest;
use ottla_wire::client::Client;
use rustix::process::{Pid, Signal, kill_process};

/// Killed when the test fails.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_socket_is_taken_over_and_the_manager_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let manager = UnixDatagram::bind(directory.path().join("notify")).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    // Clients that come before the broker wait in the socket's queue.
    let early = std::thread::spawn(move || {
        let mut client = Client::connect(address.to_string()).unwrap();
        client.send(9, &MetadataRequest::default().with_topics(None)).unwrap()
    });

    // The shell puts the socket where a service manager would: descriptor 3.
    let script = "exec 3<&0 </dev/null; export LISTEN_PID=$$; exec \"$0\" serve --memory";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_ottla")]).env_clear().current_dir(directory.path());
    command.env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", "OUTSIDE");
    command.env("KAFKA_LISTENERS", "OUTSIDE://:9092");
    command.env("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "OUTSIDE:PLAINTEXT");
    command.env("KAFKA_ADVERTISED_LISTENERS", "OUTSIDE://broker.example:19092");
    command.env("NOTIFY_SOCKET", directory.path().join("notify"));
    let output = command.stdin(Stdio::from(std::os::fd::OwnedFd::from(socket))).stdout(Stdio::null());
    let mut service = Service(output.stderr(Stdio::null()).spawn().unwrap());

    assert_eq!(told(&manager), "READY=1");
    let metadata = early.join().unwrap();
    let broker = metadata.brokers.first().unwrap();
    assert_eq!((broker.host.as_str(), broker.port), ("broker.example", 19092));
    kill_process(Pid::from_child(&service.0), Signal::TERM).unwrap();
    assert_eq!(told(&manager), "STOPPING=1");
    assert!(service.0.wait().unwrap().success());
}

fn told(manager: &UnixDatagram) -> String {
    let mut buffer = [0; 256];
    let length =
        manager.recv(&mut buffer).unwrap_or_else(|error| panic!("the manager heard nothing: {error}"));
    String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).trim().to_owned()
}
