//! What a broker without an authorizer, without delegation tokens and without SCRAM users answers to who asks for
//! these, as Kafka does (`AclApis`, `KafkaApis.allowTokenRequests`, `ScramImage`).

use std::collections::BTreeMap;

use bytes::Bytes;
use kafka_protocol::messages::create_acls_response::AclCreationResult;
use kafka_protocol::messages::delete_acls_response::DeleteAclsFilterResult;
use kafka_protocol::messages::describe_user_scram_credentials_response::DescribeUserScramCredentialsResult;
use kafka_protocol::messages::{
    CreateAclsRequest, CreateAclsResponse, CreateDelegationTokenRequest, CreateDelegationTokenResponse,
    DeleteAclsRequest, DeleteAclsResponse, DescribeAclsRequest, DescribeAclsResponse,
    DescribeDelegationTokenRequest, DescribeDelegationTokenResponse, DescribeUserScramCredentialsRequest,
    DescribeUserScramCredentialsResponse, ExpireDelegationTokenRequest, ExpireDelegationTokenResponse,
    RenewDelegationTokenRequest, RenewDelegationTokenResponse,
};
use ottla_model::ErrorCode;

use super::call::{Call, Closed, Started};
use super::text::text;

/// Since this version the answer names who asked for the token (KIP-373).
const NAMES_REQUESTER: i16 = 3;
/// Who everybody is without authentication (`KafkaPrincipal.ANONYMOUS`).
const PRINCIPAL_TYPE: &str = "User";
const PRINCIPAL_NAME: &str = "ANONYMOUS";
/// In place of a time.
const NO_TIME: i64 = -1;

const NO_AUTHORIZER: &str = "No Authorizer is configured.";

/// DescribeAcls.
pub(super) fn describe_acls(call: Call, body: Bytes) -> Result<Started, Closed> {
    let _request: DescribeAclsRequest = call.decode(body)?;
    let response = DescribeAclsResponse::default()
        .with_error_code(ErrorCode::SecurityDisabled.code())
        .with_error_message(Some(text("No Authorizer is configured on the broker")));
    call.ready(&response)
}

/// CreateAcls.
pub(super) fn create_acls(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: CreateAclsRequest = call.decode(body)?;
    let results = request.creations.iter().map(|_| {
        AclCreationResult::default()
            .with_error_code(ErrorCode::SecurityDisabled.code())
            .with_error_message(Some(text(NO_AUTHORIZER)))
    });
    call.ready(&CreateAclsResponse::default().with_results(results.collect()))
}

/// DeleteAcls.
pub(super) fn delete_acls(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: DeleteAclsRequest = call.decode(body)?;
    let results = request.filters.iter().map(|_| {
        DeleteAclsFilterResult::default()
            .with_error_code(ErrorCode::SecurityDisabled.code())
            .with_error_message(Some(text(NO_AUTHORIZER)))
    });
    call.ready(&DeleteAclsResponse::default().with_filter_results(results.collect()))
}

/// A connection without authentication may not ask for tokens.
const NOT_ALLOWED: ErrorCode = ErrorCode::DelegationTokenRequestNotAllowed;

/// CreateDelegationToken.
pub(super) fn create_token(call: Call, body: Bytes) -> Result<Started, Closed> {
    let _request: CreateDelegationTokenRequest = call.decode(body)?;
    let mut response = CreateDelegationTokenResponse::default()
        .with_error_code(NOT_ALLOWED.code())
        .with_principal_type(text(PRINCIPAL_TYPE))
        .with_principal_name(text(PRINCIPAL_NAME))
        .with_issue_timestamp_ms(NO_TIME)
        .with_expiry_timestamp_ms(NO_TIME)
        .with_max_timestamp_ms(NO_TIME);
    if call.version() >= NAMES_REQUESTER {
        response.token_requester_principal_type = text(PRINCIPAL_TYPE);
        response.token_requester_principal_name = text(PRINCIPAL_NAME);
    }
    call.ready(&response)
}

/// RenewDelegationToken.
pub(super) fn renew_token(call: Call, body: Bytes) -> Result<Started, Closed> {
    let _request: RenewDelegationTokenRequest = call.decode(body)?;
    let response = RenewDelegationTokenResponse::default()
        .with_error_code(NOT_ALLOWED.code())
        .with_expiry_timestamp_ms(NO_TIME);
    call.ready(&response)
}

/// ExpireDelegationToken.
pub(super) fn expire_token(call: Call, body: Bytes) -> Result<Started, Closed> {
    let _request: ExpireDelegationTokenRequest = call.decode(body)?;
    let response = ExpireDelegationTokenResponse::default()
        .with_error_code(NOT_ALLOWED.code())
        .with_expiry_timestamp_ms(NO_TIME);
    call.ready(&response)
}

/// DescribeDelegationToken.
pub(super) fn describe_tokens(call: Call, body: Bytes) -> Result<Started, Closed> {
    let _request: DescribeDelegationTokenRequest = call.decode(body)?;
    call.ready(&DescribeDelegationTokenResponse::default().with_error_code(NOT_ALLOWED.code()))
}

/// DescribeUserScramCredentials: nobody has any.
pub(super) fn describe_scram(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: DescribeUserScramCredentialsRequest = call.decode(body)?;
    let mut times: BTreeMap<&str, u32> = BTreeMap::new();
    for user in request.users.iter().flatten() {
        let seen = times.entry(&user.name).or_default();
        *seen = seen.saturating_add(1);
    }
    let results = times.into_iter().map(|(name, times)| {
        let (error, message) = if times == 1 {
            let message = format!("Attempt to describe a user credential that does not exist: {name}");
            (ErrorCode::ResourceNotFound, message)
        } else {
            let message = format!(
                "Cannot describe SCRAM credentials for the same user twice in a single request: {name}"
            );
            (ErrorCode::DuplicateResource, message)
        };
        DescribeUserScramCredentialsResult::default()
            .with_user(text(name))
            .with_error_code(error.code())
            .with_error_message(Some(text(&message)))
    });
    let response = DescribeUserScramCredentialsResponse::default()
        .with_error_message(Some(text("")))
        .with_results(results.collect());
    call.ready(&response)
}
