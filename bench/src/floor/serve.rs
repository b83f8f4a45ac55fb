//! The process of a floor: a thread for each connection.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;

use ottla_tests::measure::bytes_of;
use ottla_tests::problem::{Doing, Problem};

use super::sink::Sink;
use super::source::Source;
use super::{SINK, SOURCE};

/// Speaks over one connection until it is closed.
pub(super) trait Service: Send + Sync + 'static {
    fn answer_all(&self, stream: TcpStream) -> std::io::Result<()>;
}

/// Serves until the process is killed. The arguments are those behind [`super::FLOOR_ARGUMENT`].
///
/// # Errors
/// The arguments are wrong, the port is taken, or the file can not be written.
pub fn serve(mut arguments: impl Iterator<Item = String>) -> Result<(), Problem> {
    let mut next = || arguments.next().ok_or_else(|| Problem::new("a floor needs more arguments"));
    let port: u16 = next()?.parse().doing("read a port")?;
    let file = next()?;
    let kind = next()?;
    let frame = bytes_of(&next()?)?;
    let service: Arc<dyn Service> = match kind.as_str() {
        SINK => Arc::new(Sink::new(Path::new(&file), frame)?),
        SOURCE => {
            let records_bytes = next()?.parse().doing("read a size")?;
            let file_bytes = next()?.parse().doing("read a size")?;
            Arc::new(Source::new(Path::new(&file), frame, records_bytes, file_bytes)?)
        }
        other => return Err(Problem::new(format!("there is no floor {other:?}"))),
    };
    let listener = TcpListener::bind(("127.0.0.1", port)).doing("listen")?;
    let mut out = std::io::stdout();
    writeln!(out, "ottla ready 127.0.0.1:{port}").and_then(|()| out.flush()).doing("say that it serves")?;
    for stream in listener.incoming() {
        let stream = stream.doing("accept a connection")?;
        stream.set_nodelay(true).doing("set TCP_NODELAY")?;
        let service = Arc::clone(&service);
        std::thread::spawn(move || service.answer_all(stream));
    }
    Ok(())
}
