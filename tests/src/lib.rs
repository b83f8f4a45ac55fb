//! Tests that drive the built broker.
//!
//! Nothing here links Ottla: the broker is a process, as it is for its users, and so are the client programs under
//! `tests/clients/`, each written in its own language with a stock client. This library starts both, passes messages
//! between them and judges the results; `tests/README.md` tells how to run it.
//!
//! The way through one run: [`selection`] knows what was asked for, [`schedule`] builds and starts the programs that
//! this needs, [`client_program`] runs one of them on its own [`broker`] and posts what it says to the [`board`],
//! [`verdict`] judges a result, and [`matrix`] writes the table.
//!
//! A kill run goes another way: [`kill`] starts and kills the broker while the clients of [`load`] write a [`history`] of
//! what they see, and [`check`] judges it together with what the broker holds in the end.

pub mod board;
pub mod broker;
pub mod check;
pub mod churn;
pub mod client_program;
pub mod clients;
pub mod copy;
pub mod history;
pub mod image;
pub mod kafka;
pub mod kill;
pub mod load;
pub mod matrix;
pub mod measure;
pub mod message;
pub mod ottla;
pub mod port;
pub mod probe;
pub mod problem;
pub mod process;
pub mod proxy;
pub mod scenarios;
pub mod schedule;
pub mod selection;
pub mod toolchain;
pub mod verdict;
pub mod workspace;
