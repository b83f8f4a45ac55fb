//! Writes the corpus of the fuzz targets: for every API the smallest body of its oldest version and a full one
//! of its newest, each in a frame's content, and a few streams of frames.
//!
//!     cargo run -p ottla-wire --example corpus -- crates/wire/corpus

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use ottla_wire::fuzz::{Fill, sample_request};
use ottla_wire::{api_keys, api_name, flexible_from, private_keys, versions};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = env::args().nth(1).ok_or("usage: corpus DIRECTORY")?;
    let requests = Path::new(&directory).join("request");
    let frames = Path::new(&directory).join("frame");
    fs::create_dir_all(&requests)?;
    fs::create_dir_all(&frames)?;
    let full = Fill {
        elements: 2,
        text: "text",
        byte: 1,
        nulls: false,
        known_tags: true,
        unknown_tags: 1,
        ..Fill::default()
    };
    for key in api_keys().chain(private_keys()) {
        let (name, range) = api_name(key).zip(versions(key)).ok_or("listed")?;
        let smallest = content(key, *range.start(), &Fill::default()).ok_or("listed")?;
        let largest = content(key, *range.end(), &full).ok_or("listed")?;
        fs::write(requests.join(format!("{key:02}-{name}-v{}-smallest", range.start())), &smallest)?;
        fs::write(requests.join(format!("{key:02}-{name}-v{}-full", range.end())), &largest)?;
        if [0, 18].contains(&key) {
            // The first byte chooses the size of the pieces in which the rest arrives.
            let stream = [&[6], &framed(&smallest)[..], &framed(&[]), &framed(&largest)].concat();
            fs::write(frames.join(format!("{name}-twice")), stream)?;
        }
    }
    fs::write(frames.join("negative"), [0, 0xff, 0xff, 0xff, 0xff, 0])?;
    fs::write(frames.join("too-large"), [0, 0x7f, 0xff, 0xff, 0xff, 0])?;
    fs::write(frames.join("cut"), [3, 0, 0, 0, 9, 1, 2, 3])?;
    Ok(())
}

/// A request header without a client id, and a body.
fn content(key: i16, version: i16, fill: &Fill<'_>) -> Option<Vec<u8>> {
    let mut content = [key.to_be_bytes(), version.to_be_bytes()].concat();
    content.extend([0, 0, 0, 1, 0xff, 0xff]);
    if version >= flexible_from(key)? {
        content.push(0);
    }
    content.extend(sample_request(key, version, fill)?.bytes);
    Some(content)
}

fn framed(content: &[u8]) -> Vec<u8> {
    let length = i32::try_from(content.len()).unwrap_or(i32::MAX);
    [&length.to_be_bytes(), content].concat()
}
