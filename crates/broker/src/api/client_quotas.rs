//! DescribeClientQuotas and AlterClientQuotas (KIP-546).

use std::collections::BTreeMap;

use bytes::Bytes;
use kafka_protocol::messages::describe_client_quotas_request::ComponentData;
use kafka_protocol::messages::{
    AlterClientQuotasRequest, AlterClientQuotasResponse, DescribeClientQuotasRequest,
    DescribeClientQuotasResponse, alter_client_quotas_request as asked,
    alter_client_quotas_response as altered, describe_client_quotas_response as described,
};
use ottla_control::catalog::{EntityKind, Match, QuotaAlteration, QuotaEntity, QuotaValues};
use ottla_model::ErrorCode;

use super::call::{Call, Closed, Started};
use super::text::text;
use crate::shard::TopicError;

/// `DescribeClientQuotasRequest.MATCH_TYPE_EXACT` and so on.
const EXACT: i8 = 0;
const DEFAULT: i8 = 1;
const SPECIFIED: i8 = 2;

/// DescribeClientQuotas.
pub(super) fn describe(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: DescribeClientQuotasRequest = call.decode(body)?;
    let quotas = call.shard.client_quotas();
    let found = filter(&request.components)
        .and_then(|filter| Ok(quotas.matching(&filter, request.strict)?.into_iter().map(entry).collect()));
    let response = DescribeClientQuotasResponse::default();
    let response = match found {
        Ok(entries) => response.with_error_message(Some(text(""))).with_entries(Some(entries)),
        Err(refusal) => response
            .with_error_code(refusal.error.code())
            .with_error_message(Some(text(&refusal.message)))
            .with_entries(None),
    };
    call.ready(&response)
}

/// How entities have to be, in the words of `ClientQuotasImage.describe` where that is not clear.
fn filter(components: &[ComponentData]) -> Result<BTreeMap<EntityKind, Match>, TopicError> {
    let refuse = |error, message: String| Err(TopicError { error, message });
    let invalid = |message: String| refuse(ErrorCode::InvalidRequest, message);
    let mut filter = BTreeMap::new();
    for component in components {
        let name = component.entity_type.as_str();
        if name.is_empty() {
            return invalid("Invalid empty entity type.".to_owned());
        }
        let Some(kind) = EntityKind::by_name(name) else {
            return refuse(ErrorCode::UnsupportedVersion, format!("Unsupported entity type {name}"));
        };
        let wanted = match (component.match_type, &component._match) {
            (EXACT, Some(wanted)) => Match::Exact(wanted.to_string()),
            (DEFAULT, None) => Match::Default,
            (SPECIFIED, None) => Match::Specified,
            (EXACT, None) => {
                return invalid(
                    "Request specified MATCH_TYPE_EXACT, but set match string to null.".to_owned(),
                );
            }
            (DEFAULT | SPECIFIED, Some(_)) => {
                let wanted = if component.match_type == DEFAULT { "DEFAULT" } else { "SPECIFIED" };
                return invalid(format!(
                    "Request specified MATCH_TYPE_{wanted}, but also specified a match string."
                ));
            }
            (other, _) => return invalid(format!("Unknown match type {other}")),
        };
        if filter.insert(kind, wanted).is_some() {
            return invalid(format!("Entity type {name} cannot appear more than once in the filter."));
        }
    }
    Ok(filter)
}

fn entry((entity, values): (&QuotaEntity, &QuotaValues)) -> described::EntryData {
    let parts = entity.iter().map(|(kind, name)| {
        described::EntityData::default()
            .with_entity_type(text(kind.name()))
            .with_entity_name(name.as_deref().map(text))
    });
    let values = values
        .iter()
        .map(|(key, value)| described::ValueData::default().with_key(text(key.name())).with_value(*value));
    described::EntryData::default().with_entity(parts.collect()).with_values(values.collect())
}

/// AlterClientQuotas.
pub(super) fn alter(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: AlterClientQuotasRequest = call.decode(body)?;
    let alterations: Vec<_> = request.entries.iter().map(alteration).collect();
    Ok(Started::changing(async move {
        let entities: Vec<_> = alterations.iter().map(|alteration| alteration.entity.clone()).collect();
        let results = call.shard.alter_quotas(alterations, request.validate_only).await;
        // One that is named twice is told once, with what was said last.
        let told: BTreeMap<_, _> = entities.into_iter().zip(results).collect();
        let entries = told.into_iter().map(answer).collect();
        call.answer(&AlterClientQuotasResponse::default().with_entries(entries))
    }))
}

/// Of a kind that is named twice, as of a value, the last counts.
fn alteration(entry: &asked::EntryData) -> QuotaAlteration {
    let parts = entry.entity.iter().map(|part| {
        let name = part.entity_name.as_ref().map(ToString::to_string);
        (part.entity_type.to_string(), name)
    });
    let ops = entry.ops.iter().map(|op| (op.key.to_string(), (!op.remove).then_some(op.value)));
    QuotaAlteration { entity: parts.collect(), ops: ops.collect() }
}

fn answer(
    (entity, result): (BTreeMap<String, Option<String>>, Result<(), TopicError>),
) -> altered::EntryData {
    let parts = entity.iter().map(|(kind, name)| {
        altered::EntityData::default()
            .with_entity_type(text(kind))
            .with_entity_name(name.as_deref().map(text))
    });
    let entry = altered::EntryData::default().with_error_message(None).with_entity(parts.collect());
    match result {
        Ok(()) => entry,
        Err(refusal) => {
            entry.with_error_code(refusal.error.code()).with_error_message(Some(text(&refusal.message)))
        }
    }
}
