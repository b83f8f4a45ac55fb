//! Expressions against RE2/J 1.8, which Apache Kafka 4.3.1 compiles them with.
//!
//! `re2j_vectors.txt` was written by a Java program. Its first line holds names. Then comes an expression in one line,
//! and in the next what RE2/J made of it: `=` and for each name whether `Matcher.matches` (1) or not (0), or `!` and the
//! description of the `PatternSyntaxException`. The expressions are the pieces of a list, and pieces of it joined at
//! random.

use ottla_model::TopicId;
use proptest::prelude::*;

use super::*;
use crate::group::TopicMetadata;

const RE2J_VECTORS: &str = include_str!("re2j_vectors.txt");

fn name(text: &str) -> TopicName {
    TopicName::new(text).unwrap()
}

fn verdict(expression: &str, names: &[TopicName]) -> String {
    match TopicPattern::compile(expression) {
        Ok(pattern) => {
            let bits = names.iter().map(|name| if pattern.matches(name) { '1' } else { '0' });
            std::iter::once('=').chain(bits).collect()
        }
        Err(invalid) => format!("!{}", invalid.description),
    }
}

#[test]
fn expressions_mean_what_they_mean_to_kafka() {
    let mut lines = RE2J_VECTORS.lines();
    let names: Vec<TopicName> = lines.next().unwrap().split(' ').map(name).collect();
    let mut count = 0;
    while let (Some(expression), Some(expected)) = (lines.next(), lines.next()) {
        assert_eq!(verdict(expression, &names), expected, "{expression}");
        count += 1;
    }
    assert!(count >= 500, "{count}");
}

#[test]
fn the_message_is_that_of_kafka() {
    let invalid = TopicPattern::compile("a**").unwrap_err();
    assert_eq!(
        invalid.to_string(),
        "SubscribedTopicRegex `a**` is not a valid regular expression: invalid nested repetition operator."
    );
}

#[test]
fn an_expression_resolves_to_the_topics_that_it_matches_whole() {
    let names = ["orders", "orders-dlq", "payments", "__consumer_offsets"];
    let topics = names.iter().zip(0u8..).map(|(text, number)| TopicMetadata {
        id: TopicId([number; 16]),
        name: name(text),
        partition_count: 1,
    });
    let image = TopicsImage::new(1, None, topics);
    let resolve = |expression| {
        let pattern = TopicPattern::compile(expression).unwrap();
        pattern.topics(&image).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(resolve("orders"), ["orders"]);
    assert_eq!(resolve("orders.*|pay"), ["orders", "orders-dlq"]);
    assert_eq!(resolve(".*"), ["__consumer_offsets", "orders", "orders-dlq", "payments"]);
    assert_eq!(resolve("x"), [""; 0]);
}

#[test]
fn what_would_take_too_much_is_refused() {
    let description = |expression: &str| TopicPattern::compile(expression).unwrap_err().description;
    assert_eq!(description("((((a{100}){100}){100}){100})"), parser::TOO_LARGE);
    assert_eq!(description("(((((((((.?){9}){9}){9}){9}){9}){9}){9}){9})"), parser::TOO_LARGE);
    assert_eq!(description(&".".repeat(32_767)), parser::TOO_LARGE);
    let nested = |depth| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    let repeated = |depth| format!("a*{}", "(?i)*".repeat(depth));
    assert!(TopicPattern::compile(&nested(parser::NESTING_MAX)).is_ok());
    assert_eq!(description(&nested(parser::NESTING_MAX + 1)), parser::TOO_DEEP);
    assert_eq!(description(&"(".repeat(32_767)), parser::TOO_DEEP);
    assert!(TopicPattern::compile(&repeated(parser::NESTING_MAX - 1)).is_ok());
    assert_eq!(description(&repeated(parser::NESTING_MAX)), parser::TOO_DEEP);
    let many: Vec<String> = (0..200).map(|number| format!("team-a.orders.{number}")).collect();
    assert!(TopicPattern::compile(&many.join("|")).unwrap().matches(&name("team-a.orders.199")));
}

proptest! {
    #[test]
    fn any_text_does_no_harm(expression in r"[a-c*+?{}(),0-9|\\\[\]^$.:?<>PpQEdwxi!&~-]{0,40}|.{0,40}") {
        if let Ok(pattern) = TopicPattern::compile(&expression) {
            let _ = pattern.matches(&name("abc"));
        }
    }

    #[test]
    fn a_quoted_name_matches_itself_alone(first in "[a-zA-Z0-9_-]{1,249}", second in "[a-zA-Z0-9_-]{1,3}") {
        let pattern = TopicPattern::compile(&format!(r"\Q{first}\E")).unwrap();
        prop_assert!(pattern.matches(&name(&first)));
        prop_assert_eq!(pattern.matches(&name(&second)), first == second);
    }
}
