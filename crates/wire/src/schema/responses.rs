//! Schemas of the responses that a broker's listener answers.
//!
//! Made by `examples/schemas.rs` from the message schemas of kafka-clients 4.3.1, which is under the
//! Apache License 2.0. Not edited by hand.

use super::text::{Message, NEVER, message};

pub(super) const RESPONSES: [Message; 77] = [
    message(
        0,
        "Produce",
        3..=13,
        9,
        "Responses:[Name:string@3-12 TopicId:uuid@13+ PartitionResponses:[Index:int32 ErrorCode:int16 \
         BaseOffset:int64 LogAppendTimeMs:int64 LogStartOffset:int64@5+ \
         RecordErrors:[BatchIndex:int32@8+ BatchIndexErrorMessage:string?@8+]@8+ ErrorMessage:string?@8+ \
         CurrentLeader:(LeaderId:int32@10+ LeaderEpoch:int32@10+)#0@10+]] ThrottleTimeMs:int32 \
         NodeEndpoints:[NodeId:int32@10+ Host:string@10+ Port:int32@10+ Rack:string?@10+]#0@10+",
    ),
    message(
        1,
        "Fetch",
        4..=18,
        12,
        "ThrottleTimeMs:int32 ErrorCode:int16@7+ SessionId:int32@7+ Responses:[Topic:string@4-12 \
         TopicId:uuid@13+ Partitions:[PartitionIndex:int32 ErrorCode:int16 HighWatermark:int64 \
         LastStableOffset:int64 LogStartOffset:int64@5+ DivergingEpoch:(Epoch:int32@12+ \
         EndOffset:int64@12+)#0@12+ CurrentLeader:(LeaderId:int32@12+ LeaderEpoch:int32@12+)#1@12+ \
         SnapshotId:(EndOffset:int64 Epoch:int32)#2@12+ AbortedTransactions:[ProducerId:int64 \
         FirstOffset:int64]? PreferredReadReplica:int32@11+ Records:records?]] \
         NodeEndpoints:[NodeId:int32@16+ Host:string@16+ Port:int32@16+ Rack:string?@16+]#0@16+",
    ),
    message(
        2,
        "ListOffsets",
        1..=11,
        6,
        "ThrottleTimeMs:int32@2+ Topics:[Name:string Partitions:[PartitionIndex:int32 ErrorCode:int16 \
         Timestamp:int64 Offset:int64 LeaderEpoch:int32@4+]]",
    ),
    message(
        3,
        "Metadata",
        0..=13,
        9,
        "ThrottleTimeMs:int32@3+ Brokers:[NodeId:int32 Host:string Port:int32 Rack:string?@1+] \
         ClusterId:string?@2+ ControllerId:int32@1+ Topics:[ErrorCode:int16 Name:string?12+ \
         TopicId:uuid@10+ IsInternal:bool@1+ Partitions:[ErrorCode:int16 PartitionIndex:int32 \
         LeaderId:int32 LeaderEpoch:int32@7+ ReplicaNodes:[int32] IsrNodes:[int32] \
         OfflineReplicas:[int32]@5+] TopicAuthorizedOperations:int32@8+] \
         ClusterAuthorizedOperations:int32@8-10 ErrorCode:int16@13+",
    ),
    message(
        8,
        "OffsetCommit",
        2..=10,
        8,
        "ThrottleTimeMs:int32@3+ Topics:[Name:string@2-9 TopicId:uuid@10+ \
         Partitions:[PartitionIndex:int32 ErrorCode:int16]]",
    ),
    message(
        9,
        "OffsetFetch",
        1..=10,
        6,
        "ThrottleTimeMs:int32@3+ Topics:[Name:string@1-7 Partitions:[PartitionIndex:int32@1-7 \
         CommittedOffset:int64@1-7 CommittedLeaderEpoch:int32@5-7 Metadata:string?@1-7 \
         ErrorCode:int16@1-7]@1-7]@1-7 ErrorCode:int16@2-7 Groups:[GroupId:string@8+ \
         Topics:[Name:string@8-9 TopicId:uuid@10+ Partitions:[PartitionIndex:int32@8+ \
         CommittedOffset:int64@8+ CommittedLeaderEpoch:int32@8+ Metadata:string?@8+ \
         ErrorCode:int16@8+]@8+]@8+ ErrorCode:int16@8+]@8+",
    ),
    message(
        10,
        "FindCoordinator",
        0..=6,
        3,
        "ThrottleTimeMs:int32@1+ ErrorCode:int16@0-3 ErrorMessage:string?@1-3 NodeId:int32@0-3 \
         Host:string@0-3 Port:int32@0-3 Coordinators:[Key:string@4+ NodeId:int32@4+ Host:string@4+ \
         Port:int32@4+ ErrorCode:int16@4+ ErrorMessage:string?@4+]@4+",
    ),
    message(
        11,
        "JoinGroup",
        0..=9,
        6,
        "ThrottleTimeMs:int32@2+ ErrorCode:int16 GenerationId:int32 ProtocolType:string?@7+ \
         ProtocolName:string?7+ Leader:string SkipAssignment:bool@9+ MemberId:string \
         Members:[MemberId:string GroupInstanceId:string?@5+ Metadata:bytes]",
    ),
    message(12, "Heartbeat", 0..=4, 4, "ThrottleTimeMs:int32@1+ ErrorCode:int16"),
    message(
        13,
        "LeaveGroup",
        0..=5,
        4,
        "ThrottleTimeMs:int32@1+ ErrorCode:int16 Members:[MemberId:string@3+ GroupInstanceId:string?@3+ \
         ErrorCode:int16@3+]@3+",
    ),
    message(
        14,
        "SyncGroup",
        0..=5,
        4,
        "ThrottleTimeMs:int32@1+ ErrorCode:int16 ProtocolType:string?@5+ ProtocolName:string?@5+ \
         Assignment:bytes",
    ),
    message(
        15,
        "DescribeGroups",
        0..=6,
        5,
        "ThrottleTimeMs:int32@1+ Groups:[ErrorCode:int16 ErrorMessage:string?@6+ GroupId:string \
         GroupState:string ProtocolType:string ProtocolData:string Members:[MemberId:string \
         GroupInstanceId:string?@4+ ClientId:string ClientHost:string MemberMetadata:bytes \
         MemberAssignment:bytes] AuthorizedOperations:int32@3+]",
    ),
    message(
        16,
        "ListGroups",
        0..=5,
        3,
        "ThrottleTimeMs:int32@1+ ErrorCode:int16 Groups:[GroupId:string ProtocolType:string \
         GroupState:string@4+ GroupType:string@5+]",
    ),
    message(17, "SaslHandshake", 0..=1, NEVER, "ErrorCode:int16 Mechanisms:[string]"),
    message(
        18,
        "ApiVersions",
        0..=4,
        3,
        "ErrorCode:int16 ApiKeys:[ApiKey:int16 MinVersion:int16 MaxVersion:int16] \
         ThrottleTimeMs:int32@1+ SupportedFeatures:[Name:string@3+ MinVersion:int16@3+ \
         MaxVersion:int16@3+]#0@3+ FinalizedFeaturesEpoch:int64#1@3+ FinalizedFeatures:[Name:string@3+ \
         MaxVersionLevel:int16@3+ MinVersionLevel:int16@3+]#2@3+ ZkMigrationReady:bool#3@3+",
    ),
    message(
        19,
        "CreateTopics",
        2..=7,
        5,
        "ThrottleTimeMs:int32 Topics:[Name:string TopicId:uuid@7+ ErrorCode:int16 ErrorMessage:string? \
         TopicConfigErrorCode:int16#0@5+ NumPartitions:int32@5+ ReplicationFactor:int16@5+ \
         Configs:[Name:string@5+ Value:string?@5+ ReadOnly:bool@5+ ConfigSource:int8@5+ \
         IsSensitive:bool@5+]?@5+]",
    ),
    message(
        20,
        "DeleteTopics",
        1..=6,
        4,
        "ThrottleTimeMs:int32 Responses:[Name:string?6+ TopicId:uuid@6+ ErrorCode:int16 \
         ErrorMessage:string?@5+]",
    ),
    message(
        21,
        "DeleteRecords",
        0..=2,
        2,
        "ThrottleTimeMs:int32 Topics:[Name:string Partitions:[PartitionIndex:int32 LowWatermark:int64 \
         ErrorCode:int16]]",
    ),
    message(
        22,
        "InitProducerId",
        0..=6,
        2,
        "ThrottleTimeMs:int32 ErrorCode:int16 ProducerId:int64 ProducerEpoch:int16 \
         OngoingTxnProducerId:int64@6+ OngoingTxnProducerEpoch:int16@6+",
    ),
    message(
        23,
        "OffsetForLeaderEpoch",
        2..=4,
        4,
        "ThrottleTimeMs:int32 Topics:[Topic:string Partitions:[ErrorCode:int16 Partition:int32 \
         LeaderEpoch:int32 EndOffset:int64]]",
    ),
    message(
        24,
        "AddPartitionsToTxn",
        0..=5,
        3,
        "ThrottleTimeMs:int32 ErrorCode:int16@4+ ResultsByTransaction:[TransactionalId:string@4+ \
         TopicResults:[Name:string ResultsByPartition:[PartitionIndex:int32 \
         PartitionErrorCode:int16]]@4+]@4+ ResultsByTopicV3AndBelow:[Name:string \
         ResultsByPartition:[PartitionIndex:int32 PartitionErrorCode:int16]]@0-3",
    ),
    message(25, "AddOffsetsToTxn", 0..=4, 3, "ThrottleTimeMs:int32 ErrorCode:int16"),
    message(
        26,
        "EndTxn",
        0..=5,
        3,
        "ThrottleTimeMs:int32 ErrorCode:int16 ProducerId:int64@5+ ProducerEpoch:int16@5+",
    ),
    message(
        27,
        "WriteTxnMarkers",
        1..=2,
        1,
        "Markers:[ProducerId:int64 Topics:[Name:string Partitions:[PartitionIndex:int32 \
         ErrorCode:int16]]]",
    ),
    message(
        28,
        "TxnOffsetCommit",
        0..=5,
        3,
        "ThrottleTimeMs:int32 Topics:[Name:string Partitions:[PartitionIndex:int32 ErrorCode:int16]]",
    ),
    message(
        29,
        "DescribeAcls",
        1..=3,
        2,
        "ThrottleTimeMs:int32 ErrorCode:int16 ErrorMessage:string? Resources:[ResourceType:int8 \
         ResourceName:string PatternType:int8 Acls:[Principal:string Host:string Operation:int8 \
         PermissionType:int8]]",
    ),
    message(
        30,
        "CreateAcls",
        1..=3,
        2,
        "ThrottleTimeMs:int32 Results:[ErrorCode:int16 ErrorMessage:string?]",
    ),
    message(
        31,
        "DeleteAcls",
        1..=3,
        2,
        "ThrottleTimeMs:int32 FilterResults:[ErrorCode:int16 ErrorMessage:string? \
         MatchingAcls:[ErrorCode:int16 ErrorMessage:string? ResourceType:int8 ResourceName:string \
         PatternType:int8 Principal:string Host:string Operation:int8 PermissionType:int8]]",
    ),
    message(
        32,
        "DescribeConfigs",
        1..=4,
        4,
        "ThrottleTimeMs:int32 Results:[ErrorCode:int16 ErrorMessage:string? ResourceType:int8 \
         ResourceName:string Configs:[Name:string Value:string? ReadOnly:bool ConfigSource:int8 \
         IsSensitive:bool Synonyms:[Name:string Value:string? Source:int8] ConfigType:int8@3+ \
         Documentation:string?@3+]]",
    ),
    message(
        33,
        "AlterConfigs",
        0..=2,
        2,
        "ThrottleTimeMs:int32 Responses:[ErrorCode:int16 ErrorMessage:string? ResourceType:int8 \
         ResourceName:string]",
    ),
    message(
        34,
        "AlterReplicaLogDirs",
        1..=2,
        2,
        "ThrottleTimeMs:int32 Results:[TopicName:string Partitions:[PartitionIndex:int32 \
         ErrorCode:int16]]",
    ),
    message(
        35,
        "DescribeLogDirs",
        1..=5,
        2,
        "ThrottleTimeMs:int32 ErrorCode:int16@3+ Results:[ErrorCode:int16 LogDir:string \
         Topics:[Name:string Partitions:[PartitionIndex:int32 PartitionSize:int64 OffsetLag:int64 \
         IsFutureKey:bool]] TotalBytes:int64@4+ UsableBytes:int64@4+ IsCordoned:bool@5+]",
    ),
    message(
        36,
        "SaslAuthenticate",
        0..=2,
        2,
        "ErrorCode:int16 ErrorMessage:string? AuthBytes:bytes SessionLifetimeMs:int64@1+",
    ),
    message(
        37,
        "CreatePartitions",
        0..=3,
        2,
        "ThrottleTimeMs:int32 Results:[Name:string ErrorCode:int16 ErrorMessage:string?]",
    ),
    message(
        38,
        "CreateDelegationToken",
        1..=3,
        2,
        "ErrorCode:int16 PrincipalType:string PrincipalName:string TokenRequesterPrincipalType:string@3+ \
         TokenRequesterPrincipalName:string@3+ IssueTimestampMs:int64 ExpiryTimestampMs:int64 \
         MaxTimestampMs:int64 TokenId:string Hmac:bytes ThrottleTimeMs:int32",
    ),
    message(
        39,
        "RenewDelegationToken",
        1..=2,
        2,
        "ErrorCode:int16 ExpiryTimestampMs:int64 ThrottleTimeMs:int32",
    ),
    message(
        40,
        "ExpireDelegationToken",
        1..=2,
        2,
        "ErrorCode:int16 ExpiryTimestampMs:int64 ThrottleTimeMs:int32",
    ),
    message(
        41,
        "DescribeDelegationToken",
        1..=3,
        2,
        "ErrorCode:int16 Tokens:[PrincipalType:string PrincipalName:string \
         TokenRequesterPrincipalType:string@3+ TokenRequesterPrincipalName:string@3+ \
         IssueTimestamp:int64 ExpiryTimestamp:int64 MaxTimestamp:int64 TokenId:string Hmac:bytes \
         Renewers:[PrincipalType:string PrincipalName:string]] ThrottleTimeMs:int32",
    ),
    message(42, "DeleteGroups", 0..=2, 2, "ThrottleTimeMs:int32 Results:[GroupId:string ErrorCode:int16]"),
    message(
        43,
        "ElectLeaders",
        0..=2,
        2,
        "ThrottleTimeMs:int32 ErrorCode:int16@1+ ReplicaElectionResults:[Topic:string \
         PartitionResult:[PartitionId:int32 ErrorCode:int16 ErrorMessage:string?]]",
    ),
    message(
        44,
        "IncrementalAlterConfigs",
        0..=1,
        1,
        "ThrottleTimeMs:int32 Responses:[ErrorCode:int16 ErrorMessage:string? ResourceType:int8 \
         ResourceName:string]",
    ),
    message(
        45,
        "AlterPartitionReassignments",
        0..=1,
        0,
        "ThrottleTimeMs:int32 AllowReplicationFactorChange:bool@1+ ErrorCode:int16 ErrorMessage:string? \
         Responses:[Name:string Partitions:[PartitionIndex:int32 ErrorCode:int16 ErrorMessage:string?]]",
    ),
    message(
        46,
        "ListPartitionReassignments",
        0..=0,
        0,
        "ThrottleTimeMs:int32 ErrorCode:int16 ErrorMessage:string? Topics:[Name:string \
         Partitions:[PartitionIndex:int32 Replicas:[int32] AddingReplicas:[int32] \
         RemovingReplicas:[int32]]]",
    ),
    message(
        47,
        "OffsetDelete",
        0..=0,
        NEVER,
        "ErrorCode:int16 ThrottleTimeMs:int32 Topics:[Name:string Partitions:[PartitionIndex:int32 \
         ErrorCode:int16]]",
    ),
    message(
        48,
        "DescribeClientQuotas",
        0..=1,
        1,
        "ThrottleTimeMs:int32 ErrorCode:int16 ErrorMessage:string? Entries:[Entity:[EntityType:string \
         EntityName:string?] Values:[Key:string Value:float64]]?",
    ),
    message(
        49,
        "AlterClientQuotas",
        0..=1,
        1,
        "ThrottleTimeMs:int32 Entries:[ErrorCode:int16 ErrorMessage:string? Entity:[EntityType:string \
         EntityName:string?]]",
    ),
    message(
        50,
        "DescribeUserScramCredentials",
        0..=0,
        0,
        "ThrottleTimeMs:int32 ErrorCode:int16 ErrorMessage:string? Results:[User:string ErrorCode:int16 \
         ErrorMessage:string? CredentialInfos:[Mechanism:int8 Iterations:int32]]",
    ),
    message(
        51,
        "AlterUserScramCredentials",
        0..=0,
        0,
        "ThrottleTimeMs:int32 Results:[User:string ErrorCode:int16 ErrorMessage:string?]",
    ),
    message(
        55,
        "DescribeQuorum",
        0..=2,
        0,
        "ErrorCode:int16 ErrorMessage:string?@2+ Topics:[TopicName:string \
         Partitions:[PartitionIndex:int32 ErrorCode:int16 ErrorMessage:string?@2+ LeaderId:int32 \
         LeaderEpoch:int32 HighWatermark:int64 CurrentVoters:[ReplicaId:int32 ReplicaDirectoryId:uuid@2+ \
         LogEndOffset:int64 LastFetchTimestamp:int64@1+ LastCaughtUpTimestamp:int64@1+] \
         Observers:[ReplicaId:int32 ReplicaDirectoryId:uuid@2+ LogEndOffset:int64 \
         LastFetchTimestamp:int64@1+ LastCaughtUpTimestamp:int64@1+]]] Nodes:[NodeId:int32@2+ \
         Listeners:[Name:string@2+ Host:string@2+ Port:uint16@2+]@2+]@2+",
    ),
    message(
        57,
        "UpdateFeatures",
        0..=2,
        0,
        "ThrottleTimeMs:int32 ErrorCode:int16 ErrorMessage:string? Results:[Feature:string \
         ErrorCode:int16 ErrorMessage:string?]@0-1",
    ),
    message(
        60,
        "DescribeCluster",
        0..=2,
        0,
        "ThrottleTimeMs:int32 ErrorCode:int16 ErrorMessage:string? EndpointType:int8@1+ ClusterId:string \
         ControllerId:int32 Brokers:[BrokerId:int32 Host:string Port:int32 Rack:string? \
         IsFenced:bool@2+] ClusterAuthorizedOperations:int32",
    ),
    message(
        61,
        "DescribeProducers",
        0..=0,
        0,
        "ThrottleTimeMs:int32 Topics:[Name:string Partitions:[PartitionIndex:int32 ErrorCode:int16 \
         ErrorMessage:string? ActiveProducers:[ProducerId:int64 ProducerEpoch:int32 LastSequence:int32 \
         LastTimestamp:int64 CoordinatorEpoch:int32 CurrentTxnStartOffset:int64]]]",
    ),
    message(64, "UnregisterBroker", 0..=0, 0, "ThrottleTimeMs:int32 ErrorCode:int16 ErrorMessage:string?"),
    message(
        65,
        "DescribeTransactions",
        0..=0,
        0,
        "ThrottleTimeMs:int32 TransactionStates:[ErrorCode:int16 TransactionalId:string \
         TransactionState:string TransactionTimeoutMs:int32 TransactionStartTimeMs:int64 \
         ProducerId:int64 ProducerEpoch:int16 Topics:[Topic:string Partitions:[int32]]]",
    ),
    message(
        66,
        "ListTransactions",
        0..=2,
        0,
        "ThrottleTimeMs:int32 ErrorCode:int16 UnknownStateFilters:[string] \
         TransactionStates:[TransactionalId:string ProducerId:int64 TransactionState:string]",
    ),
    message(
        68,
        "ConsumerGroupHeartbeat",
        0..=1,
        0,
        "ThrottleTimeMs:int32 ErrorCode:int16 ErrorMessage:string? MemberId:string? MemberEpoch:int32 \
         HeartbeatIntervalMs:int32 Assignment:(TopicPartitions:[TopicId:uuid Partitions:[int32]])?",
    ),
    message(
        69,
        "ConsumerGroupDescribe",
        0..=1,
        0,
        "ThrottleTimeMs:int32 Groups:[ErrorCode:int16 ErrorMessage:string? GroupId:string \
         GroupState:string GroupEpoch:int32 AssignmentEpoch:int32 AssignorName:string \
         Members:[MemberId:string InstanceId:string? RackId:string? MemberEpoch:int32 ClientId:string \
         ClientHost:string SubscribedTopicNames:[string] SubscribedTopicRegex:string? \
         Assignment:(TopicPartitions:[TopicId:uuid TopicName:string Partitions:[int32]]) \
         TargetAssignment:(TopicPartitions:[TopicId:uuid TopicName:string Partitions:[int32]]) \
         MemberType:int8@1+] AuthorizedOperations:int32]",
    ),
    message(
        71,
        "GetTelemetrySubscriptions",
        0..=0,
        0,
        "ThrottleTimeMs:int32 ErrorCode:int16 ClientInstanceId:uuid SubscriptionId:int32 \
         AcceptedCompressionTypes:[int8] PushIntervalMs:int32 TelemetryMaxBytes:int32 \
         DeltaTemporality:bool RequestedMetrics:[string]",
    ),
    message(72, "PushTelemetry", 0..=0, 0, "ThrottleTimeMs:int32 ErrorCode:int16"),
    message(
        74,
        "ListConfigResources",
        0..=1,
        0,
        "ThrottleTimeMs:int32 ErrorCode:int16 ConfigResources:[ResourceName:string ResourceType:int8@1+]",
    ),
    message(
        75,
        "DescribeTopicPartitions",
        0..=0,
        0,
        "ThrottleTimeMs:int32 Topics:[ErrorCode:int16 Name:string? TopicId:uuid IsInternal:bool \
         Partitions:[ErrorCode:int16 PartitionIndex:int32 LeaderId:int32 LeaderEpoch:int32 \
         ReplicaNodes:[int32] IsrNodes:[int32] EligibleLeaderReplicas:[int32]? LastKnownElr:[int32]? \
         OfflineReplicas:[int32]] TopicAuthorizedOperations:int32] NextCursor:(TopicName:string \
         PartitionIndex:int32)?",
    ),
    message(
        76,
        "ShareGroupHeartbeat",
        1..=1,
        0,
        "ThrottleTimeMs:int32 ErrorCode:int16 ErrorMessage:string? MemberId:string? MemberEpoch:int32 \
         HeartbeatIntervalMs:int32 Assignment:(TopicPartitions:[TopicId:uuid Partitions:[int32]])?",
    ),
    message(
        77,
        "ShareGroupDescribe",
        1..=1,
        0,
        "ThrottleTimeMs:int32 Groups:[ErrorCode:int16 ErrorMessage:string? GroupId:string \
         GroupState:string GroupEpoch:int32 AssignmentEpoch:int32 AssignorName:string \
         Members:[MemberId:string RackId:string? MemberEpoch:int32 ClientId:string ClientHost:string \
         SubscribedTopicNames:[string] Assignment:(TopicPartitions:[TopicId:uuid TopicName:string \
         Partitions:[int32]])] AuthorizedOperations:int32]",
    ),
    message(
        78,
        "ShareFetch",
        1..=2,
        0,
        "ThrottleTimeMs:int32 ErrorCode:int16 ErrorMessage:string? AcquisitionLockTimeoutMs:int32 \
         Responses:[TopicId:uuid Partitions:[PartitionIndex:int32 ErrorCode:int16 ErrorMessage:string? \
         AcknowledgeErrorCode:int16 AcknowledgeErrorMessage:string? CurrentLeader:(LeaderId:int32 \
         LeaderEpoch:int32) Records:records AcquiredRecords:[FirstOffset:int64 LastOffset:int64 \
         DeliveryCount:int16]]] NodeEndpoints:[NodeId:int32 Host:string Port:int32 Rack:string?]",
    ),
    message(
        79,
        "ShareAcknowledge",
        1..=2,
        0,
        "ThrottleTimeMs:int32 ErrorCode:int16 ErrorMessage:string? AcquisitionLockTimeoutMs:int32@2+ \
         Responses:[TopicId:uuid Partitions:[PartitionIndex:int32 ErrorCode:int16 ErrorMessage:string? \
         CurrentLeader:(LeaderId:int32 LeaderEpoch:int32)]] NodeEndpoints:[NodeId:int32 Host:string \
         Port:int32 Rack:string?]",
    ),
    message(80, "AddRaftVoter", 0..=1, 0, "ThrottleTimeMs:int32 ErrorCode:int16 ErrorMessage:string?"),
    message(81, "RemoveRaftVoter", 0..=0, 0, "ThrottleTimeMs:int32 ErrorCode:int16 ErrorMessage:string?"),
    message(
        83,
        "InitializeShareGroupState",
        0..=0,
        0,
        "Results:[TopicId:uuid Partitions:[Partition:int32 ErrorCode:int16 ErrorMessage:string?]]",
    ),
    message(
        84,
        "ReadShareGroupState",
        0..=0,
        0,
        "Results:[TopicId:uuid Partitions:[Partition:int32 ErrorCode:int16 ErrorMessage:string? \
         StateEpoch:int32 StartOffset:int64 StateBatches:[FirstOffset:int64 LastOffset:int64 \
         DeliveryState:int8 DeliveryCount:int16]]]",
    ),
    message(
        85,
        "WriteShareGroupState",
        0..=1,
        0,
        "Results:[TopicId:uuid Partitions:[Partition:int32 ErrorCode:int16 ErrorMessage:string?]]",
    ),
    message(
        86,
        "DeleteShareGroupState",
        0..=0,
        0,
        "Results:[TopicId:uuid Partitions:[Partition:int32 ErrorCode:int16 ErrorMessage:string?]]",
    ),
    message(
        87,
        "ReadShareGroupStateSummary",
        0..=1,
        0,
        "Results:[TopicId:uuid Partitions:[Partition:int32 ErrorCode:int16 ErrorMessage:string? \
         StateEpoch:int32 LeaderEpoch:int32 StartOffset:int64 DeliveryCompleteCount:int32@1+]]",
    ),
    message(
        88,
        "StreamsGroupHeartbeat",
        0..=0,
        0,
        "ThrottleTimeMs:int32 ErrorCode:int16 ErrorMessage:string? MemberId:string MemberEpoch:int32 \
         HeartbeatIntervalMs:int32 AcceptableRecoveryLag:int32 TaskOffsetIntervalMs:int32 \
         Status:[StatusCode:int8 StatusDetail:string]? ActiveTasks:[SubtopologyId:string \
         Partitions:[int32]]? StandbyTasks:[SubtopologyId:string Partitions:[int32]]? \
         WarmupTasks:[SubtopologyId:string Partitions:[int32]]? EndpointInformationEpoch:int32 \
         PartitionsByUserEndpoint:[UserEndpoint:(Host:string Port:uint16) ActivePartitions:[Topic:string \
         Partitions:[int32]] StandbyPartitions:[Topic:string Partitions:[int32]]]?",
    ),
    message(
        89,
        "StreamsGroupDescribe",
        0..=0,
        0,
        "ThrottleTimeMs:int32 Groups:[ErrorCode:int16 ErrorMessage:string? GroupId:string \
         GroupState:string GroupEpoch:int32 AssignmentEpoch:int32 Topology:(Epoch:int32 \
         Subtopologies:[SubtopologyId:string SourceTopics:[string] RepartitionSinkTopics:[string] \
         StateChangelogTopics:[Name:string Partitions:int32 ReplicationFactor:int16 \
         TopicConfigs:[Key:string Value:string]] RepartitionSourceTopics:[Name:string Partitions:int32 \
         ReplicationFactor:int16 TopicConfigs:[Key:string Value:string]]]?)? Members:[MemberId:string \
         MemberEpoch:int32 InstanceId:string? RackId:string? ClientId:string ClientHost:string \
         TopologyEpoch:int32 ProcessId:string UserEndpoint:(Host:string Port:uint16)? \
         ClientTags:[Key:string Value:string] TaskOffsets:[SubtopologyId:string Partition:int32 \
         Offset:int64] TaskEndOffsets:[SubtopologyId:string Partition:int32 Offset:int64] \
         Assignment:(ActiveTasks:[SubtopologyId:string Partitions:[int32]] \
         StandbyTasks:[SubtopologyId:string Partitions:[int32]] WarmupTasks:[SubtopologyId:string \
         Partitions:[int32]]) TargetAssignment:(ActiveTasks:[SubtopologyId:string Partitions:[int32]] \
         StandbyTasks:[SubtopologyId:string Partitions:[int32]] WarmupTasks:[SubtopologyId:string \
         Partitions:[int32]]) IsClassic:bool] AuthorizedOperations:int32]",
    ),
    message(
        90,
        "DescribeShareGroupOffsets",
        0..=1,
        0,
        "ThrottleTimeMs:int32 Groups:[GroupId:string Topics:[TopicName:string TopicId:uuid \
         Partitions:[PartitionIndex:int32 StartOffset:int64 LeaderEpoch:int32 Lag:int64@1+ \
         ErrorCode:int16 ErrorMessage:string?]] ErrorCode:int16 ErrorMessage:string?]",
    ),
    message(
        91,
        "AlterShareGroupOffsets",
        0..=0,
        0,
        "ThrottleTimeMs:int32 ErrorCode:int16 ErrorMessage:string? Responses:[TopicName:string \
         TopicId:uuid Partitions:[PartitionIndex:int32 ErrorCode:int16 ErrorMessage:string?]]",
    ),
    message(
        92,
        "DeleteShareGroupOffsets",
        0..=0,
        0,
        "ThrottleTimeMs:int32 ErrorCode:int16 ErrorMessage:string? Responses:[TopicName:string \
         TopicId:uuid ErrorCode:int16 ErrorMessage:string?]",
    ),
];
