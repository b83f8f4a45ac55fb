//! DescribeCluster: this one broker.

use bytes::Bytes;
use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::{BrokerId, DescribeClusterRequest, DescribeClusterResponse};
use kafka_protocol::protocol::StrBytes;
use ottla_model::ErrorCode;

use super::call::{Call, Closed, Started};
use super::operations;
use super::text::text;

/// `EndpointType`; controllers answer on no listener of a broker.
const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

pub(super) fn handle(call: Call, body: Bytes) -> Result<Started, Closed> {
    let request: DescribeClusterRequest = call.decode(body)?;
    if call.version() >= 1 && request.endpoint_type != BROKERS {
        let (error, message) = if request.endpoint_type == CONTROLLERS {
            let message = "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER";
            (ErrorCode::MismatchedEndpointType, message.to_owned())
        } else {
            (
                ErrorCode::UnsupportedEndpointType,
                format!("Unsupported endpoint type {}", request.endpoint_type),
            )
        };
        let refused = DescribeClusterResponse::default()
            .with_error_code(error.code())
            .with_error_message(Some(StrBytes::from_string(message)));
        return call.ready(&refused);
    }
    let settings = call.shard.settings();
    let node = BrokerId(settings.node_id);
    let (host, port) = &call.client.advertised;
    let broker = DescribeClusterBroker::default()
        .with_broker_id(node)
        .with_host(StrBytes::from_string(host.to_string()))
        .with_port(i32::from(*port))
        .with_rack(settings.broker_rack.as_deref().map(text));
    let asked = request.include_cluster_authorized_operations;
    let response = DescribeClusterResponse::default()
        .with_cluster_id(StrBytes::from_string(call.shard.cluster_id().to_owned()))
        .with_controller_id(node)
        .with_brokers(vec![broker])
        .with_cluster_authorized_operations(operations::if_asked(asked, operations::CLUSTER));
    call.ready(&response)
}
