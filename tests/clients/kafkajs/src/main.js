'use strict';
// The scenarios of tests/clients/SCENARIOS.md with KafkaJS, in their order.

const harness = require('./harness');
const { registerCodecs } = require('./codecs');
const payload = require('./payload');
const producer = require('./producer');
const commit = require('./commit');
const reset = require('./reset');
const seek = require('./seek');
const transactions = require('./transactions');
const assign = require('./assign');
const offsetsTopic = require('./offsetstopic');
const admin = require('./admin');
const longPoll = require('./longpoll');

const scenarios = {
  payload_variety: payload.payloadVariety,
  timestamps: payload.timestamps,
  dense_offsets: producer.denseOffsets,
  resume_after_stop: commit.resumeAfterStop,
  auto_commit: commit.autoCommit,
  manual_commit_sync: commit.manualCommitSync,
  manual_commit_async: commit.manualCommitAsync,
  reset_earliest: reset.resetEarliest,
  reset_latest: reset.resetLatest,
  reset_none: reset.resetNone,
  reset_by_duration: reset.resetByDuration,
  reset_out_of_range: reset.resetOutOfRange,
  seek_positions: seek.seekPositions,
  seek_to_time: seek.seekToTime,
  external_offsets: seek.externalOffsets,
  assign_range: assign.assignRange,
  assign_roundrobin: assign.assignRoundRobin,
  assign_cooperative_sticky: assign.assignCooperativeSticky,
  member_dies: assign.memberDies,
  static_member: assign.staticMember,
  stale_commit_refused: commit.staleCommitRefused,
  consumer_protocol_uniform: assign.consumerProtocol,
  consumer_protocol_range: assign.consumerProtocol,
  consumer_protocol_resume: assign.consumerProtocol,
  consumer_protocol_static_member: assign.consumerProtocol,
  consumer_protocol_pattern: assign.consumerProtocol,
  consumer_protocol_member_dies: assign.consumerProtocol,
  consumer_protocol_migration: assign.consumerProtocol,
  read_offsets_topic: offsetsTopic.readOffsetsTopic,
  offsets_topic_is_protected: offsetsTopic.offsetsTopicIsProtected,
  auto_create: producer.autoCreate,
  topic_admin: admin.topicAdmin,
  group_admin: admin.groupAdmin,
  cluster_admin: admin.clusterAdmin,
  idempotent_producer: producer.idempotentProducer,
  large_batches: producer.largeBatches,
  long_poll: longPoll.longPoll,
  transaction_commit: transactions.commit,
  transaction_abort: transactions.abort,
  transaction_open: transactions.open,
  transaction_fence: transactions.fence,
  transaction_timeout: transactions.timeout,
  transaction_survives_kill: transactions.survivesKill,
  transaction_offsets: transactions.offsets,
  transaction_offsets_consumer_protocol: assign.consumerProtocol,
  transaction_offsets_survive_kill: transactions.offsetsSurviveKill,
  transaction_offsets_refused: transactions.offsetsRefused,
  transaction_admin: transactions.admin,
};

registerCodecs().then(() => harness.main(scenarios));
