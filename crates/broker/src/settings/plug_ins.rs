//! Classes of Java that would refuse or bound something, and cannot be loaded here.

use super::broker::Settings;

/// Settings that name such a class, and what happens without it.
const GUARDS: &[(&str, &str)] = &[
    ("alter.config.policy.class.name", "settings are changed without asking it"),
    ("authorizer.class.name", "everybody may do everything"),
    ("client.quota.callback.class", "quotas are those that were set, for the clients that they name"),
    ("create.topic.policy.class.name", "topics are created without asking it"),
];

/// A sentence for each class that somebody relies on in vain. Other classes without effect are only listed.
pub(super) fn warnings(settings: &Settings) -> impl Iterator<Item = String> {
    GUARDS.iter().filter_map(|(name, instead)| {
        let class = settings.value_of(name).filter(|class| !class.is_empty())?;
        Some(format!("'{name}' names {class}, a class of Java, which cannot be loaded here: {instead}"))
    })
}

#[cfg(test)]
mod tests {
    use super::super::Sources;

    #[test]
    fn a_policy_that_cannot_act_is_told() {
        let pairs = vec!["create.topic.policy.class.name=com.example.Names".to_owned()];
        let loaded = Sources { pairs, ..Sources::default() }.load().expect("taken");
        assert_eq!(
            loaded.warnings,
            [
                "'create.topic.policy.class.name' names com.example.Names, a class of Java, which cannot be loaded here: \
                 topics are created without asking it"
            ]
        );
        assert_eq!(loaded.without_effect, ["create.topic.policy.class.name"]);
        assert!(Sources::default().load().expect("taken").warnings.is_empty());
    }
}
