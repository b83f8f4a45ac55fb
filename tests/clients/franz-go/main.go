// The scenarios of tests/clients/SCENARIOS.md with franz-go.
package main

import (
	"os"

	"ottla/harness"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "churn" {
		churn(os.Args[2:])
		return
	}
	harness.Main([]harness.Scenario{
		{Name: "payload_variety", Run: payloadVariety},
		{Name: "timestamps", Run: timestamps},
		{Name: "dense_offsets", Run: denseOffsets},
		{Name: "resume_after_stop", Run: resumeAfterStop},
		{Name: "auto_commit", Run: autoCommit},
		{Name: "manual_commit_sync", Run: manualCommitSync},
		{Name: "manual_commit_async", Run: manualCommitAsync},
		{Name: "reset_earliest", Run: resetEarliest},
		{Name: "reset_latest", Run: resetLatest},
		{Name: "reset_none", Run: resetNone},
		{Name: "reset_by_duration", Run: resetByDuration},
		{Name: "reset_out_of_range", Run: resetOutOfRange},
		{Name: "seek_positions", Run: seekPositions},
		{Name: "seek_to_time", Run: seekToTime},
		{Name: "external_offsets", Run: externalOffsets},
		{Name: "assign_range", Run: assignRange},
		{Name: "assign_roundrobin", Run: assignRoundRobin},
		{Name: "assign_cooperative_sticky", Run: assignCooperativeSticky},
		{Name: "member_dies", Run: memberDies},
		{Name: "static_member", Run: staticMember},
		{Name: "stale_commit_refused", Run: staleCommitRefused},
		{Name: "consumer_protocol_uniform", Run: serverSideUniform},
		{Name: "consumer_protocol_range", Run: serverSideRange},
		{Name: "consumer_protocol_resume", Run: serverSideResume},
		{Name: "consumer_protocol_static_member", Run: serverSideStaticMember},
		{Name: "consumer_protocol_pattern", Run: serverSidePattern},
		{Name: "consumer_protocol_member_dies", Run: serverSideMemberDies},
		{Name: "consumer_protocol_migration", Run: serverSideMigration},
		{Name: "read_offsets_topic", Run: readOffsetsTopic},
		{Name: "offsets_topic_is_protected", Run: offsetsTopicIsProtected},
		{Name: "auto_create", Run: autoCreate},
		{Name: "topic_admin", Run: topicAdmin},
		{Name: "group_admin", Run: groupAdmin},
		{Name: "cluster_admin", Run: clusterAdmin},
		{Name: "idempotent_producer", Run: idempotentProducer},
		{Name: "large_batches", Run: largeBatches},
		{Name: "long_poll", Run: longPoll},
		{Name: "transaction_commit", Run: func(t *harness.T) { transactions(t).Commit() }},
		{Name: "transaction_abort", Run: func(t *harness.T) { transactions(t).Abort() }},
		{Name: "transaction_open", Run: func(t *harness.T) { transactions(t).Open() }},
		{Name: "transaction_fence", Run: func(t *harness.T) { transactions(t).Fence() }},
		{Name: "transaction_timeout", Run: func(t *harness.T) { transactions(t).Timeout() }},
		{Name: "transaction_survives_kill", Run: func(t *harness.T) { transactions(t).SurviveKill() }},
		{Name: "transaction_offsets", Run: func(t *harness.T) { transactions(t).Offsets(false, false) }},
		{Name: "transaction_offsets_consumer_protocol", Run: func(t *harness.T) { transactions(t).Offsets(true, false) }},
		{Name: "transaction_offsets_survive_kill", Run: func(t *harness.T) { transactions(t).Offsets(false, true) }},
		{Name: "transaction_offsets_refused", Run: offsetsRefused},
		{Name: "transaction_admin", Run: transactionAdmin},
	})
}
