//! `docs/configuration.md` says what the tables of settings say.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::PathBuf;

#[test]
fn the_page_is_made_from_the_tables() {
    let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let made = ottla_broker::settings_document();
    if std::env::var_os("OTTLA_WRITE_DOCUMENTS").is_some() {
        std::fs::write(&page, &made).unwrap();
    }
    let written = std::fs::read_to_string(&page).unwrap();
    assert!(written == made, "make it again, as its head says");
}
