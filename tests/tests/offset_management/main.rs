//! `docs/offset-management.md` tells the truth: every claim of it is a program, which runs here, and what the page quotes
//! is what the programs say.
//!
//! One trial a program, `java::CommitFirst.java`, one for the commands of `ottla group`, and those about the page itself.
//! With `OTTLA_TEST_BROKER=kafka` the same programs run against Apache Kafka.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the functions around the trials fail as the trials do"
)]

mod brokers;
mod page;
mod programs;
mod toolbox;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use ottla_tests::problem::Problem;
use ottla_tests::schedule::BrokerChoice;
use ottla_tests::verdict::skips_fail;
use ottla_tests::workspace::target_directory;

use page::Page;
use programs::{Language, Program};
use toolbox::Toolbox;

/// The trials that run at the same time unless the command line says otherwise. Two of them only wait for a minute.
const TRIALS_AT_ONCE: usize = 5;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or(Some(TRIALS_AT_ONCE));
    match run(&arguments) {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, Problem> {
    let page = Arc::new(Page::read()?);
    let choice = BrokerChoice::from_environment()?;
    let toolbox = Arc::new(Toolbox::new(choice, target_directory()?.join("offset-management-runs")));
    let mut trials = page_trials(&page);
    for program in programs::list()? {
        let (page, toolbox) = (Arc::clone(&page), Arc::clone(&toolbox));
        trials.push(Trial::ignorable_test(program.name(), move || {
            if let Some(missing) = program.language.toolchain().missing() {
                return skip(&missing);
            }
            let expected = page.output_of(&program.link());
            let said = toolbox.run(&program)?;
            match expected {
                Some(expected) if expected != said => Err(differs(&expected, &said)),
                _ => Ok(Completion::Completed),
            }
        }));
    }
    trials.push(commands_trial(&page, &toolbox, choice));
    trials.push(script_trial(&toolbox));
    let conclusion = libtest_mimic::run(arguments, trials);
    toolbox.stop()?;
    Ok(conclusion.exit_code())
}

fn page_trials(page: &Arc<Page>) -> Vec<Trial> {
    let (links, quotes) = (Arc::clone(page), Arc::clone(page));
    vec![
        Trial::test("page::links_every_program_once", move || fail_with(&links.wrong_links()?)),
        Trial::test("page::quotes_what_is_in_the_programs", move || fail_with(&quotes.wrong_quotes()?)),
        Trial::test("page::programs_stand_alone", || fail_with(&programs::that_need_another()?)),
    ]
}

/// The commands that take a reset back, after the program that makes one.
fn commands_trial(page: &Arc<Page>, toolbox: &Arc<Toolbox>, choice: BrokerChoice) -> Trial {
    let (page, toolbox) = (Arc::clone(page), Arc::clone(toolbox));
    Trial::ignorable_test("sh::undo.sh", move || {
        if choice == BrokerChoice::Kafka {
            return Ok(Completion::ignored_with("the commands are Ottla's own"));
        }
        if let Some(missing) = Language::Python.toolchain().missing() {
            return skip(&missing);
        }
        let reset = Program::at(Language::Python, "admin_reset.py")?;
        toolbox.run_with(&reset, &["orders"])?;
        let undo = Program::at(Language::Shell, "undo.sh")?;
        let said = page::without_times(&toolbox.run_with(&undo, &["orders"])?);
        let expected = page.output_of(&undo.link()).map(|expected| page::without_times(&expected));
        match expected {
            Some(expected) if expected == said => Ok(Completion::Completed),
            expected => Err(differs(&expected.unwrap_or_default(), &said)),
        }
    })
}

/// The way in which a reader starts a Java program, which is not how they are started here.
fn script_trial(toolbox: &Arc<Toolbox>) -> Trial {
    let toolbox = Arc::clone(toolbox);
    Trial::ignorable_test("run::Offset.java", move || {
        if let Some(missing) = Language::Java.toolchain().missing() {
            return skip(&missing);
        }
        toolbox.run_as_a_reader(&Program::at(Language::Java, "Offset.java")?)?;
        Ok(Completion::Completed)
    })
}

fn skip(missing: &str) -> Result<Completion, Failed> {
    if skips_fail() {
        return Err(format!("{missing}, which CI does not allow").into());
    }
    Ok(Completion::ignored_with(missing.to_owned()))
}

fn fail_with(faults: &[String]) -> Result<(), Failed> {
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

fn differs(expected: &str, said: &str) -> Failed {
    format!("the page says that it prints\n{expected}\nand it printed\n{said}").into()
}
