//! Authorized operations (KIP-430). Without access rules everybody may do everything that the resource knows.

/// The bit of an operation, by its number in `AclOperation`.
const fn bit(operation: u8) -> i32 {
    1 << operation
}

const READ: i32 = bit(3);
const WRITE: i32 = bit(4);
const CREATE: i32 = bit(5);
const DELETE: i32 = bit(6);
const ALTER: i32 = bit(7);
const DESCRIBE: i32 = bit(8);
const CLUSTER_ACTION: i32 = bit(9);
const DESCRIBE_CONFIGS: i32 = bit(10);
const ALTER_CONFIGS: i32 = bit(11);
const IDEMPOTENT_WRITE: i32 = bit(12);

/// What can be done to a topic.
pub(super) const TOPIC: i32 =
    READ | WRITE | CREATE | DELETE | ALTER | DESCRIBE | DESCRIBE_CONFIGS | ALTER_CONFIGS;
/// What can be done to the cluster.
pub(super) const CLUSTER: i32 =
    CREATE | ALTER | DESCRIBE | CLUSTER_ACTION | DESCRIBE_CONFIGS | ALTER_CONFIGS | IDEMPOTENT_WRITE;
/// What can be done to a group.
pub(super) const GROUP: i32 = READ | DELETE | DESCRIBE | DESCRIBE_CONFIGS | ALTER_CONFIGS;
/// What is answered when the client did not ask.
pub(super) const NOT_ASKED: i32 = i32::MIN;

/// `operations` if they were asked for.
pub(super) fn if_asked(asked: bool, operations: i32) -> i32 {
    if asked { operations } else { NOT_ASKED }
}
