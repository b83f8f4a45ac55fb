//! Schemas of the requests that a broker's listener answers.
//!
//! Made by `examples/schemas.rs` from the message schemas of kafka-clients 4.3.1, which is under the
//! Apache License 2.0. Not edited by hand.

use super::text::{Message, NEVER, message};

pub(super) const REQUESTS: [Message; 77] = [
    message(
        0,
        "Produce",
        3..=13,
        9,
        "TransactionalId:string? Acks:int16 TimeoutMs:int32 TopicData:[Name:string@3-12 TopicId:uuid@13+ \
         PartitionData:[Index:int32 Records:records?]]",
    ),
    message(
        1,
        "Fetch",
        4..=18,
        12,
        "ClusterId:string?#0@12+ ReplicaId:int32@4-14 ReplicaState:(ReplicaId:int32@15+ \
         ReplicaEpoch:int64@15+)#1@15+ MaxWaitMs:int32 MinBytes:int32 MaxBytes:int32 IsolationLevel:int8 \
         SessionId:int32@7+ SessionEpoch:int32@7+ Topics:[Topic:string@4-12 TopicId:uuid@13+ \
         Partitions:[Partition:int32 CurrentLeaderEpoch:int32@9+ FetchOffset:int64 \
         LastFetchedEpoch:int32@12+ LogStartOffset:int64@5+ PartitionMaxBytes:int32 \
         ReplicaDirectoryId:uuid#0@17+ HighWatermark:int64#1@18+]] \
         ForgottenTopicsData:[Topic:string@7-12 TopicId:uuid@13+ Partitions:[int32]@7+]@7+ \
         RackId:string@11+",
    ),
    message(
        2,
        "ListOffsets",
        1..=11,
        6,
        "ReplicaId:int32 IsolationLevel:int8@2+ Topics:[Name:string Partitions:[PartitionIndex:int32 \
         CurrentLeaderEpoch:int32@4+ Timestamp:int64]] TimeoutMs:int32@10+",
    ),
    message(
        3,
        "Metadata",
        0..=13,
        9,
        "Topics:[TopicId:uuid@10+ Name:string?10+]?1+ AllowAutoTopicCreation:bool@4+ \
         IncludeClusterAuthorizedOperations:bool@8-10 IncludeTopicAuthorizedOperations:bool@8+",
    ),
    message(
        8,
        "OffsetCommit",
        2..=10,
        8,
        "GroupId:string GenerationIdOrMemberEpoch:int32 MemberId:string GroupInstanceId:string?@7+ \
         RetentionTimeMs:int64@2-4 Topics:[Name:string@2-9 TopicId:uuid@10+ \
         Partitions:[PartitionIndex:int32 CommittedOffset:int64 CommittedLeaderEpoch:int32@6+ \
         CommittedMetadata:string?]]",
    ),
    message(
        9,
        "OffsetFetch",
        1..=10,
        6,
        "GroupId:string@1-7 Topics:[Name:string@1-7 PartitionIndexes:[int32]@1-7]?2+@1-7 \
         Groups:[GroupId:string@8+ MemberId:string?@9+ MemberEpoch:int32@9+ Topics:[Name:string@8-9 \
         TopicId:uuid@10+ PartitionIndexes:[int32]@8+]?@8+]@8+ RequireStable:bool@7+",
    ),
    message(10, "FindCoordinator", 0..=6, 3, "Key:string@0-3 KeyType:int8@1+ CoordinatorKeys:[string]@4+"),
    message(
        11,
        "JoinGroup",
        0..=9,
        6,
        "GroupId:string SessionTimeoutMs:int32 RebalanceTimeoutMs:int32@1+ MemberId:string \
         GroupInstanceId:string?@5+ ProtocolType:string Protocols:[Name:string Metadata:bytes] \
         Reason:string?@8+",
    ),
    message(
        12,
        "Heartbeat",
        0..=4,
        4,
        "GroupId:string GenerationId:int32 MemberId:string GroupInstanceId:string?@3+",
    ),
    message(
        13,
        "LeaveGroup",
        0..=5,
        4,
        "GroupId:string MemberId:string@0-2 Members:[MemberId:string@3+ GroupInstanceId:string?@3+ \
         Reason:string?@5+]@3+",
    ),
    message(
        14,
        "SyncGroup",
        0..=5,
        4,
        "GroupId:string GenerationId:int32 MemberId:string GroupInstanceId:string?@3+ \
         ProtocolType:string?@5+ ProtocolName:string?@5+ Assignments:[MemberId:string Assignment:bytes]",
    ),
    message(15, "DescribeGroups", 0..=6, 5, "Groups:[string] IncludeAuthorizedOperations:bool@3+"),
    message(16, "ListGroups", 0..=5, 3, "StatesFilter:[string]@4+ TypesFilter:[string]@5+"),
    message(17, "SaslHandshake", 0..=1, NEVER, "Mechanism:string"),
    message(18, "ApiVersions", 0..=4, 3, "ClientSoftwareName:string@3+ ClientSoftwareVersion:string@3+"),
    message(
        19,
        "CreateTopics",
        2..=7,
        5,
        "Topics:[Name:string NumPartitions:int32 ReplicationFactor:int16 \
         Assignments:[PartitionIndex:int32 BrokerIds:[int32]] Configs:[Name:string Value:string?]] \
         timeoutMs:int32 validateOnly:bool",
    ),
    message(
        20,
        "DeleteTopics",
        1..=6,
        4,
        "Topics:[Name:string?@6+ TopicId:uuid@6+]@6+ TopicNames:[string]@1-5 TimeoutMs:int32",
    ),
    message(
        21,
        "DeleteRecords",
        0..=2,
        2,
        "Topics:[Name:string Partitions:[PartitionIndex:int32 Offset:int64]] TimeoutMs:int32",
    ),
    message(
        22,
        "InitProducerId",
        0..=6,
        2,
        "TransactionalId:string? TransactionTimeoutMs:int32 ProducerId:int64@3+ ProducerEpoch:int16@3+ \
         Enable2Pc:bool@6+ KeepPreparedTxn:bool@6+",
    ),
    message(
        23,
        "OffsetForLeaderEpoch",
        2..=4,
        4,
        "ReplicaId:int32@3+ Topics:[Topic:string Partitions:[Partition:int32 CurrentLeaderEpoch:int32 \
         LeaderEpoch:int32]]",
    ),
    message(
        24,
        "AddPartitionsToTxn",
        0..=5,
        3,
        "Transactions:[TransactionalId:string@4+ ProducerId:int64@4+ ProducerEpoch:int16@4+ \
         VerifyOnly:bool@4+ Topics:[Name:string Partitions:[int32]]@4+]@4+ \
         V3AndBelowTransactionalId:string@0-3 V3AndBelowProducerId:int64@0-3 \
         V3AndBelowProducerEpoch:int16@0-3 V3AndBelowTopics:[Name:string Partitions:[int32]]@0-3",
    ),
    message(
        25,
        "AddOffsetsToTxn",
        0..=4,
        3,
        "TransactionalId:string ProducerId:int64 ProducerEpoch:int16 GroupId:string",
    ),
    message(
        26,
        "EndTxn",
        0..=5,
        3,
        "TransactionalId:string ProducerId:int64 ProducerEpoch:int16 Committed:bool",
    ),
    message(
        27,
        "WriteTxnMarkers",
        1..=2,
        1,
        "Markers:[ProducerId:int64 ProducerEpoch:int16 TransactionResult:bool Topics:[Name:string \
         PartitionIndexes:[int32]] CoordinatorEpoch:int32 TransactionVersion:int8@2+]",
    ),
    message(
        28,
        "TxnOffsetCommit",
        0..=5,
        3,
        "TransactionalId:string GroupId:string ProducerId:int64 ProducerEpoch:int16 \
         GenerationId:int32@3+ MemberId:string@3+ GroupInstanceId:string?@3+ Topics:[Name:string \
         Partitions:[PartitionIndex:int32 CommittedOffset:int64 CommittedLeaderEpoch:int32@2+ \
         CommittedMetadata:string?]]",
    ),
    message(
        29,
        "DescribeAcls",
        1..=3,
        2,
        "ResourceTypeFilter:int8 ResourceNameFilter:string? PatternTypeFilter:int8 \
         PrincipalFilter:string? HostFilter:string? Operation:int8 PermissionType:int8",
    ),
    message(
        30,
        "CreateAcls",
        1..=3,
        2,
        "Creations:[ResourceType:int8 ResourceName:string ResourcePatternType:int8 Principal:string \
         Host:string Operation:int8 PermissionType:int8]",
    ),
    message(
        31,
        "DeleteAcls",
        1..=3,
        2,
        "Filters:[ResourceTypeFilter:int8 ResourceNameFilter:string? PatternTypeFilter:int8 \
         PrincipalFilter:string? HostFilter:string? Operation:int8 PermissionType:int8]",
    ),
    message(
        32,
        "DescribeConfigs",
        1..=4,
        4,
        "Resources:[ResourceType:int8 ResourceName:string ConfigurationKeys:[string]?] \
         IncludeSynonyms:bool IncludeDocumentation:bool@3+",
    ),
    message(
        33,
        "AlterConfigs",
        0..=2,
        2,
        "Resources:[ResourceType:int8 ResourceName:string Configs:[Name:string Value:string?]] \
         ValidateOnly:bool",
    ),
    message(
        34,
        "AlterReplicaLogDirs",
        1..=2,
        2,
        "Dirs:[Path:string Topics:[Name:string Partitions:[int32]]]",
    ),
    message(35, "DescribeLogDirs", 1..=5, 2, "Topics:[Topic:string Partitions:[int32]]?"),
    message(36, "SaslAuthenticate", 0..=2, 2, "AuthBytes:bytes"),
    message(
        37,
        "CreatePartitions",
        0..=3,
        2,
        "Topics:[Name:string Count:int32 Assignments:[BrokerIds:[int32]]?] TimeoutMs:int32 \
         ValidateOnly:bool",
    ),
    message(
        38,
        "CreateDelegationToken",
        1..=3,
        2,
        "OwnerPrincipalType:string?@3+ OwnerPrincipalName:string?@3+ Renewers:[PrincipalType:string \
         PrincipalName:string] MaxLifetimeMs:int64",
    ),
    message(39, "RenewDelegationToken", 1..=2, 2, "Hmac:bytes RenewPeriodMs:int64"),
    message(40, "ExpireDelegationToken", 1..=2, 2, "Hmac:bytes ExpiryTimePeriodMs:int64"),
    message(41, "DescribeDelegationToken", 1..=3, 2, "Owners:[PrincipalType:string PrincipalName:string]?"),
    message(42, "DeleteGroups", 0..=2, 2, "GroupsNames:[string]"),
    message(
        43,
        "ElectLeaders",
        0..=2,
        2,
        "ElectionType:int8@1+ TopicPartitions:[Topic:string Partitions:[int32]]? TimeoutMs:int32",
    ),
    message(
        44,
        "IncrementalAlterConfigs",
        0..=1,
        1,
        "Resources:[ResourceType:int8 ResourceName:string Configs:[Name:string ConfigOperation:int8 \
         Value:string?]] ValidateOnly:bool",
    ),
    message(
        45,
        "AlterPartitionReassignments",
        0..=1,
        0,
        "TimeoutMs:int32 AllowReplicationFactorChange:bool@1+ Topics:[Name:string \
         Partitions:[PartitionIndex:int32 Replicas:[int32]?]]",
    ),
    message(
        46,
        "ListPartitionReassignments",
        0..=0,
        0,
        "TimeoutMs:int32 Topics:[Name:string PartitionIndexes:[int32]]?",
    ),
    message(
        47,
        "OffsetDelete",
        0..=0,
        NEVER,
        "GroupId:string Topics:[Name:string Partitions:[PartitionIndex:int32]]",
    ),
    message(
        48,
        "DescribeClientQuotas",
        0..=1,
        1,
        "Components:[EntityType:string MatchType:int8 Match:string?] Strict:bool",
    ),
    message(
        49,
        "AlterClientQuotas",
        0..=1,
        1,
        "Entries:[Entity:[EntityType:string EntityName:string?] Ops:[Key:string Value:float64 \
         Remove:bool]] ValidateOnly:bool",
    ),
    message(50, "DescribeUserScramCredentials", 0..=0, 0, "Users:[Name:string]?"),
    message(
        51,
        "AlterUserScramCredentials",
        0..=0,
        0,
        "Deletions:[Name:string Mechanism:int8] Upsertions:[Name:string Mechanism:int8 Iterations:int32 \
         Salt:bytes SaltedPassword:bytes]",
    ),
    message(55, "DescribeQuorum", 0..=2, 0, "Topics:[TopicName:string Partitions:[PartitionIndex:int32]]"),
    message(
        57,
        "UpdateFeatures",
        0..=2,
        0,
        "timeoutMs:int32 FeatureUpdates:[Feature:string MaxVersionLevel:int16 AllowDowngrade:bool@0-0 \
         UpgradeType:int8@1+] ValidateOnly:bool@1+",
    ),
    message(
        60,
        "DescribeCluster",
        0..=2,
        0,
        "IncludeClusterAuthorizedOperations:bool EndpointType:int8@1+ IncludeFencedBrokers:bool@2+",
    ),
    message(61, "DescribeProducers", 0..=0, 0, "Topics:[Name:string PartitionIndexes:[int32]]"),
    message(64, "UnregisterBroker", 0..=0, 0, "BrokerId:int32"),
    message(65, "DescribeTransactions", 0..=0, 0, "TransactionalIds:[string]"),
    message(
        66,
        "ListTransactions",
        0..=2,
        0,
        "StateFilters:[string] ProducerIdFilters:[int64] DurationFilter:int64@1+ \
         TransactionalIdPattern:string?@2+",
    ),
    message(
        68,
        "ConsumerGroupHeartbeat",
        0..=1,
        0,
        "GroupId:string MemberId:string MemberEpoch:int32 InstanceId:string? RackId:string? \
         RebalanceTimeoutMs:int32 SubscribedTopicNames:[string]? SubscribedTopicRegex:string?@1+ \
         ServerAssignor:string? TopicPartitions:[TopicId:uuid Partitions:[int32]]?",
    ),
    message(69, "ConsumerGroupDescribe", 0..=1, 0, "GroupIds:[string] IncludeAuthorizedOperations:bool"),
    message(71, "GetTelemetrySubscriptions", 0..=0, 0, "ClientInstanceId:uuid"),
    message(
        72,
        "PushTelemetry",
        0..=0,
        0,
        "ClientInstanceId:uuid SubscriptionId:int32 Terminating:bool CompressionType:int8 Metrics:bytes",
    ),
    message(74, "ListConfigResources", 0..=1, 0, "ResourceTypes:[int8]@1+"),
    message(
        75,
        "DescribeTopicPartitions",
        0..=0,
        0,
        "Topics:[Name:string] ResponsePartitionLimit:int32 Cursor:(TopicName:string \
         PartitionIndex:int32)?",
    ),
    message(
        76,
        "ShareGroupHeartbeat",
        1..=1,
        0,
        "GroupId:string MemberId:string MemberEpoch:int32 RackId:string? SubscribedTopicNames:[string]?",
    ),
    message(77, "ShareGroupDescribe", 1..=1, 0, "GroupIds:[string] IncludeAuthorizedOperations:bool"),
    message(
        78,
        "ShareFetch",
        1..=2,
        0,
        "GroupId:string? MemberId:string? ShareSessionEpoch:int32 MaxWaitMs:int32 MinBytes:int32 \
         MaxBytes:int32 MaxRecords:int32 BatchSize:int32 ShareAcquireMode:int8@2+ IsRenewAck:bool@2+ \
         Topics:[TopicId:uuid Partitions:[PartitionIndex:int32 AcknowledgementBatches:[FirstOffset:int64 \
         LastOffset:int64 AcknowledgeTypes:[int8]]]] ForgottenTopicsData:[TopicId:uuid \
         Partitions:[int32]]",
    ),
    message(
        79,
        "ShareAcknowledge",
        1..=2,
        0,
        "GroupId:string? MemberId:string? ShareSessionEpoch:int32 IsRenewAck:bool@2+ \
         Topics:[TopicId:uuid Partitions:[PartitionIndex:int32 AcknowledgementBatches:[FirstOffset:int64 \
         LastOffset:int64 AcknowledgeTypes:[int8]]]]",
    ),
    message(
        80,
        "AddRaftVoter",
        0..=1,
        0,
        "ClusterId:string? TimeoutMs:int32 VoterId:int32 VoterDirectoryId:uuid Listeners:[Name:string \
         Host:string Port:uint16] AckWhenCommitted:bool@1+",
    ),
    message(81, "RemoveRaftVoter", 0..=0, 0, "ClusterId:string? VoterId:int32 VoterDirectoryId:uuid"),
    message(
        83,
        "InitializeShareGroupState",
        0..=0,
        0,
        "GroupId:string Topics:[TopicId:uuid Partitions:[Partition:int32 StateEpoch:int32 \
         StartOffset:int64]]",
    ),
    message(
        84,
        "ReadShareGroupState",
        0..=0,
        0,
        "GroupId:string Topics:[TopicId:uuid Partitions:[Partition:int32 LeaderEpoch:int32]]",
    ),
    message(
        85,
        "WriteShareGroupState",
        0..=1,
        0,
        "GroupId:string Topics:[TopicId:uuid Partitions:[Partition:int32 StateEpoch:int32 \
         LeaderEpoch:int32 StartOffset:int64 DeliveryCompleteCount:int32@1+ \
         StateBatches:[FirstOffset:int64 LastOffset:int64 DeliveryState:int8 DeliveryCount:int16]]]",
    ),
    message(
        86,
        "DeleteShareGroupState",
        0..=0,
        0,
        "GroupId:string Topics:[TopicId:uuid Partitions:[Partition:int32]]",
    ),
    message(
        87,
        "ReadShareGroupStateSummary",
        0..=1,
        0,
        "GroupId:string Topics:[TopicId:uuid Partitions:[Partition:int32 LeaderEpoch:int32]]",
    ),
    message(
        88,
        "StreamsGroupHeartbeat",
        0..=0,
        0,
        "GroupId:string MemberId:string MemberEpoch:int32 EndpointInformationEpoch:int32 \
         InstanceId:string? RackId:string? RebalanceTimeoutMs:int32 Topology:(Epoch:int32 \
         Subtopologies:[SubtopologyId:string SourceTopics:[string] SourceTopicRegex:[string] \
         StateChangelogTopics:[Name:string Partitions:int32 ReplicationFactor:int16 \
         TopicConfigs:[Key:string Value:string]] RepartitionSinkTopics:[string] \
         RepartitionSourceTopics:[Name:string Partitions:int32 ReplicationFactor:int16 \
         TopicConfigs:[Key:string Value:string]] CopartitionGroups:[SourceTopics:[int16] \
         SourceTopicRegex:[int16] RepartitionSourceTopics:[int16]]])? ActiveTasks:[SubtopologyId:string \
         Partitions:[int32]]? StandbyTasks:[SubtopologyId:string Partitions:[int32]]? \
         WarmupTasks:[SubtopologyId:string Partitions:[int32]]? ProcessId:string? \
         UserEndpoint:(Host:string Port:uint16)? ClientTags:[Key:string Value:string]? \
         TaskOffsets:[SubtopologyId:string Partition:int32 Offset:int64]? \
         TaskEndOffsets:[SubtopologyId:string Partition:int32 Offset:int64]? ShutdownApplication:bool",
    ),
    message(89, "StreamsGroupDescribe", 0..=0, 0, "GroupIds:[string] IncludeAuthorizedOperations:bool"),
    message(
        90,
        "DescribeShareGroupOffsets",
        0..=1,
        0,
        "Groups:[GroupId:string Topics:[TopicName:string Partitions:[int32]]?]",
    ),
    message(
        91,
        "AlterShareGroupOffsets",
        0..=0,
        0,
        "GroupId:string Topics:[TopicName:string Partitions:[PartitionIndex:int32 StartOffset:int64]]",
    ),
    message(92, "DeleteShareGroupOffsets", 0..=0, 0, "GroupId:string Topics:[TopicName:string]"),
];
