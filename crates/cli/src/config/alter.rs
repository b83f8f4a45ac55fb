//! Changes settings (IncrementalAlterConfigs, KIP-339).

use kafka_protocol::messages::IncrementalAlterConfigsRequest;
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use ottla_model::ErrorCode;

use super::resource::Resource;
use crate::client::{Cluster, Problem, text};

/// A change of one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    key: String,
    operation: Operation,
    value: Option<String>,
}

/// `AlterConfigOp.OpType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Set = 0,
    Delete = 1,
    Append = 2,
    Subtract = 3,
}

impl Change {
    /// Sets a value.
    pub(crate) fn set(key: String, value: String) -> Self {
        Self { key, operation: Operation::Set, value: Some(value) }
    }

    /// Takes a setting away.
    pub(crate) fn delete(key: String) -> Self {
        Self { key, operation: Operation::Delete, value: None }
    }

    /// Adds to a list.
    pub(crate) fn append(key: String, value: String) -> Self {
        Self { key, operation: Operation::Append, value: Some(value) }
    }

    /// Takes out of a list.
    pub(crate) fn subtract(key: String, value: String) -> Self {
        Self { key, operation: Operation::Subtract, value: Some(value) }
    }
}

/// Changes settings, all or none.
pub(crate) fn alter(
    cluster: &mut Cluster,
    resource: &Resource,
    changes: &[Change],
    dry_run: bool,
) -> Result<(), Problem> {
    let of = |change: &Change| {
        AlterableConfig::default()
            .with_name(text(&change.key))
            .with_config_operation(change.operation as i8)
            .with_value(change.value.as_deref().map(text))
    };
    let asked = AlterConfigsResource::default()
        .with_resource_type(resource.code())
        .with_resource_name(text(resource.name()))
        .with_configs(changes.iter().map(of).collect());
    let request =
        IncrementalAlterConfigsRequest::default().with_resources(vec![asked]).with_validate_only(dry_run);
    let answer = resource.connection(cluster)?.send(&request)?;
    let failed = answer.responses.into_iter().find(|response| response.error_code != 0);
    failed.map_or(Ok(()), |failed| match ErrorCode::from_code(failed.error_code) {
        Some(ErrorCode::UnknownTopicOrPartition) => {
            Err(Problem::Other(format!("there is no {}", resource.words())))
        }
        _ => {
            let asked = format!("the settings of {} stay as they are", resource.words());
            Err(Problem::refused(&asked, failed.error_code, failed.error_message.as_deref()))
        }
    })
}
