//! What a broker without access rules, tokens and users says of them.

use kafka_protocol::messages::create_acls_request::AclCreation;
use kafka_protocol::messages::delete_acls_request::DeleteAclsFilter;
use kafka_protocol::messages::describe_user_scram_credentials_request::UserName;
use kafka_protocol::messages::{
    CreateAclsRequest, CreateDelegationTokenRequest, DeleteAclsRequest, DescribeAclsRequest,
    DescribeDelegationTokenRequest, DescribeUserScramCredentialsRequest, ExpireDelegationTokenRequest,
    RenewDelegationTokenRequest,
};
use kafka_protocol::protocol::StrBytes;
use ottla_model::ErrorCode;

use crate::support::*;

#[test]
fn there_is_no_authorizer() {
    let broker = broker();
    let mut client = client(&broker);
    let disabled = ErrorCode::SecurityDisabled.code();
    for version in 1..=3 {
        let filter = DescribeAclsRequest::default()
            .with_resource_type_filter(1)
            .with_pattern_type_filter(1)
            .with_operation(1)
            .with_permission_type(1);
        let described = client.send(version, &filter).unwrap();
        assert_eq!(described.error_code, disabled);
        assert_eq!(described.error_message.as_deref(), Some("No Authorizer is configured on the broker"));
        let acl = AclCreation::default().with_resource_pattern_type(3);
        let created =
            client.send(version, &CreateAclsRequest::default().with_creations(vec![acl; 2])).unwrap();
        assert_eq!(created.results.len(), 2);
        assert_eq!(created.results[1].error_code, disabled);
        let filter = DeleteAclsFilter::default().with_pattern_type_filter(1);
        let deleted = client.send(version, &DeleteAclsRequest::default().with_filters(vec![filter])).unwrap();
        assert_eq!(deleted.filter_results[0].error_code, disabled);
        assert_eq!(deleted.filter_results[0].error_message.as_deref(), Some("No Authorizer is configured."));
    }
}

#[test]
fn there_are_no_tokens() {
    let broker = broker();
    let mut client = client(&broker);
    let not_allowed = ErrorCode::DelegationTokenRequestNotAllowed.code();
    let created = client.send(3, &CreateDelegationTokenRequest::default()).unwrap();
    assert_eq!((created.error_code, created.expiry_timestamp_ms), (not_allowed, -1));
    assert_eq!(created.token_requester_principal_name.as_str(), "ANONYMOUS");
    assert_eq!(client.send(2, &RenewDelegationTokenRequest::default()).unwrap().error_code, not_allowed);
    assert_eq!(client.send(2, &ExpireDelegationTokenRequest::default()).unwrap().error_code, not_allowed);
    assert_eq!(client.send(3, &DescribeDelegationTokenRequest::default()).unwrap().error_code, not_allowed);
}

#[test]
fn nobody_has_scram_credentials() {
    let broker = broker();
    let mut client = client(&broker);
    let all = DescribeUserScramCredentialsRequest::default().with_users(None);
    let response = client.send(0, &all).unwrap();
    assert_eq!((response.error_code, response.results.len()), (0, 0));
    let user = |name: &str| UserName::default().with_name(StrBytes::from_string(name.to_owned()));
    let some = DescribeUserScramCredentialsRequest::default().with_users(Some(vec![
        user("b"),
        user("a"),
        user("b"),
    ]));
    let response = client.send(0, &some).unwrap();
    let told: Vec<_> = response.results.iter().map(|told| (told.user.as_str(), told.error_code)).collect();
    let (missing, twice) = (ErrorCode::ResourceNotFound.code(), ErrorCode::DuplicateResource.code());
    assert_eq!(told, [("a", missing), ("b", twice)]);
}
