//! Features of a cluster (KIP-584): what all of its brokers agree on, at a level that an operator can change.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use ottla_model::ErrorCode;

use super::Refusal;
use crate::transaction::TransactionVersion;

/// A feature that this broker knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// The new consumer protocol (`GroupVersion`).
    GroupVersion,
    /// The records of the metadata log (`MetadataVersion`). Those here are of one level.
    MetadataVersion,
    /// An epoch for every transaction, and partitions that a write adds (`TransactionVersion`, KIP-890).
    TransactionVersion,
}

/// `MetadataVersion.MINIMUM_VERSION` and `MetadataVersion.IBP_4_3_IV0`. All that a client sees is of the newest, and stays.
const METADATA_VERSIONS: RangeInclusive<i16> = 7..=30;

impl Feature {
    /// Every feature, by name.
    pub const ALL: [Self; 3] = [Self::GroupVersion, Self::MetadataVersion, Self::TransactionVersion];

    /// Kafka's name of it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::GroupVersion => "group.version",
            Self::MetadataVersion => "metadata.version",
            Self::TransactionVersion => "transaction.version",
        }
    }

    /// The levels that this broker supports. A new cluster has the newest.
    #[must_use]
    pub const fn levels(self) -> RangeInclusive<i16> {
        match self {
            Self::GroupVersion => 0..=1,
            Self::MetadataVersion => METADATA_VERSIONS,
            Self::TransactionVersion => 0..=TransactionVersion::FINALIZED.level(),
        }
    }

    /// The feature with that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|feature| feature.name() == name)
    }
}

/// The level of each feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Features([i16; Feature::ALL.len()]);

impl Default for Features {
    fn default() -> Self {
        Self(Feature::ALL.map(|feature| *feature.levels().end()))
    }
}

impl Features {
    /// The level of a feature; 0 stands for none.
    #[must_use]
    pub fn level(&self, feature: Feature) -> i16 {
        let at = Feature::ALL.iter().position(|known| *known == feature);
        at.and_then(|at| self.0.get(at)).copied().unwrap_or(0)
    }

    /// These with another level of one feature.
    #[must_use]
    pub fn with(mut self, feature: Feature, level: i16) -> Self {
        let at = Feature::ALL.iter().position(|known| *known == feature);
        if let Some(place) = at.and_then(|at| self.0.get_mut(at)) {
            *place = level;
        }
        self
    }

    /// The version of transactions.
    #[must_use]
    pub fn transaction_version(&self) -> TransactionVersion {
        TransactionVersion::from_level(self.level(Feature::TransactionVersion))
    }
}

/// Which way an operator means a level to go (`FeatureUpdate.UpgradeType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpgradeType {
    /// Upwards only.
    Upgrade,
    /// Downwards, if nothing is lost.
    SafeDowngrade,
    /// Downwards, whatever is lost.
    UnsafeDowngrade,
    /// None of these.
    Unknown,
}

/// The levels that are asked for.
pub type FeatureUpdates = BTreeMap<String, (i16, UpgradeType)>;

/// The features that change, or why none does (`FeatureControlManager.updateFeatures`). `node_id` is for the messages.
pub(super) fn changed(
    before: Features,
    updates: &FeatureUpdates,
    node_id: i32,
) -> Result<Vec<(Feature, i16)>, Refusal> {
    let mut changed = Vec::new();
    for (name, (level, upgrade_type)) in updates {
        let feature = check(before, name, *level, *upgrade_type, node_id).map_err(|message| Refusal {
            error: ErrorCode::InvalidUpdateVersion,
            message: format!("Invalid update version {level} for feature {name}. {message}"),
        })?;
        let current = before.level(feature);
        if feature == Feature::MetadataVersion && *level < current {
            return Err(metadata_downgrade(current, *level, *upgrade_type));
        }
        if current != *level {
            changed.push((feature, *level));
        }
    }
    Ok(changed)
}

fn check(
    before: Features,
    name: &str,
    level: i16,
    upgrade_type: UpgradeType,
    node_id: i32,
) -> Result<Feature, String> {
    if upgrade_type == UpgradeType::Unknown {
        return Err("The controller does not support the given upgrade type.".to_owned());
    }
    if level < 0 {
        return Err("A feature version cannot be less than 0.".to_owned());
    }
    let Some(feature) = Feature::by_name(name) else {
        if level == 0 {
            return Err(format!("Feature {name} not found."));
        }
        return Err(format!("Local controller {node_id} does not support this feature."));
    };
    let levels = feature.levels();
    if !levels.contains(&level) {
        let (oldest, newest) = levels.into_inner();
        return Err(format!("Local controller {node_id} only supports versions {oldest}-{newest}"));
    }
    match level.cmp(&before.level(feature)) {
        std::cmp::Ordering::Less if upgrade_type == UpgradeType::Upgrade => Err(
            "Can't downgrade the version of this feature without setting the upgrade type to either safe or \
             unsafe downgrade."
                .to_owned(),
        ),
        std::cmp::Ordering::Greater if upgrade_type != UpgradeType::Upgrade => {
            Err("Can't downgrade to a newer version.".to_owned())
        }
        _ => Ok(feature),
    }
}

/// Why no lower version is taken: every one of them knows less, and Kafka refuses that too.
fn metadata_downgrade(before: i16, level: i16, upgrade_type: UpgradeType) -> Refusal {
    let why = if upgrade_type == UpgradeType::UnsafeDowngrade {
        "Unsafe metadata downgrade is not supported in this version."
    } else {
        "Refusing to perform the requested downgrade because it might delete metadata information."
    };
    Refusal {
        error: ErrorCode::InvalidUpdateVersion,
        message: format!("Unsupported metadata.version downgrade from {before} to {level}. {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(name: &str, level: i16, upgrade_type: UpgradeType) -> Result<Vec<(Feature, i16)>, String> {
        let updates = FeatureUpdates::from([(name.to_owned(), (level, upgrade_type))]);
        changed(Features::default(), &updates, 1).map_err(|refusal| {
            assert_eq!(refusal.error, ErrorCode::InvalidUpdateVersion);
            refusal.message
        })
    }

    #[test]
    fn levels_move_as_kafka_lets_them() {
        use UpgradeType::{SafeDowngrade, Unknown, UnsafeDowngrade, Upgrade};
        let down = Ok(vec![(Feature::TransactionVersion, 0)]);
        assert_eq!(update("transaction.version", 0, SafeDowngrade), down);
        assert_eq!(update("transaction.version", 0, UnsafeDowngrade), down);
        assert_eq!(update("transaction.version", 2, Upgrade), Ok(Vec::new()), "nothing changes");
        for (name, level, upgrade_type, message) in [
            (
                "transaction.version",
                1,
                Upgrade,
                "Can't downgrade the version of this feature without setting",
            ),
            ("transaction.version", 3, Upgrade, "Local controller 1 only supports versions 0-2"),
            ("transaction.version", -1, Upgrade, "A feature version cannot be less than 0."),
            ("transaction.version", 1, Unknown, "The controller does not support the given upgrade type."),
            ("metadata.version", 31, Upgrade, "Local controller 1 only supports versions 7-30"),
            ("share.version", 0, SafeDowngrade, "Feature share.version not found."),
            ("share.version", 1, Upgrade, "Local controller 1 does not support this feature."),
        ] {
            let refused = update(name, level, upgrade_type).expect_err("refused");
            assert!(refused.contains(message), "{refused}");
            assert!(refused.starts_with(&format!("Invalid update version {level} for feature {name}. ")));
        }
        assert_eq!(
            update("metadata.version", 29, SafeDowngrade).expect_err("refused"),
            "Unsupported metadata.version downgrade from 30 to 29. Refusing to perform the requested downgrade because \
             it might delete metadata information."
        );
        assert!(
            update("metadata.version", 7, UnsafeDowngrade).expect_err("refused").contains("not supported")
        );
        let low = Features::default().with(Feature::GroupVersion, 0);
        let up = FeatureUpdates::from([("group.version".to_owned(), (1, SafeDowngrade))]);
        assert!(
            changed(low, &up, 1).expect_err("refused").message.ends_with("downgrade to a newer version.")
        );
    }
}
