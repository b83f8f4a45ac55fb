'use strict';

const assert = require('node:assert/strict');
const { AssignerProtocol, ConfigResourceTypes } = require('kafkajs');
const { READ_LIMIT, createTopic, newAdmin, newProducer, numbered, send, fill, range, rejects } = require('./client');
const { expectCommitted } = require('./commit');
const { Member } = require('./member');

/** KafkaJS asks with versions that have no topic ids. */
async function topicAdmin(run) {
  const admin = await newAdmin(run);
  const configs = { 'retention.ms': '123456789', 'cleanup.policy': 'compact' };
  const topic = await createTopic(run, 't', 3, configs);
  // This is how KafkaJS tells TOPIC_ALREADY_EXISTS.
  assert.equal(await admin.createTopics({ topics: [{ topic, numPartitions: 3 }] }), false, 'create again');
  await rejects(admin.createTopics({ topics: [{ topic: 'not/a/name' }] }), 'INVALID_TOPIC_EXCEPTION');

  const partitions = await describe(admin, topic);
  assert.deepEqual(partitions.map(p => p.partitionId).sort(), [0, 1, 2], 'partitions');
  for (const p of partitions) {
    assert.equal(p.leader, partitions[0].leader, 'leader');
    assert.deepEqual(p.replicas, [p.leader], 'replicas');
  }
  await admin.createPartitions({ topicPartitions: [{ topic, count: 5 }] });
  await run.until(READ_LIMIT, 'five partitions', async () => (await describe(admin, topic)).length === 5);
  await rejects(admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] }), 'INVALID_PARTITIONS');

  const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic }];
  const described = await admin.describeConfigs({ resources, includeSynonyms: false });
  const entries = described.resources[0].configEntries.filter(entry => entry.configName in configs);
  const found = Object.fromEntries(entries.map(entry => [entry.configName, entry.configValue]));
  assert.deepEqual(found, configs, 'configs');

  await send(await newProducer(run), topic, numbered(0, 1).map(m => ({ ...m, key: 'k' })));
  await admin.deleteTopics({ topics: [topic] });
  await run.until(READ_LIMIT, 'the topic to be gone', async () => !(await admin.listTopics()).includes(topic));
  await rejects(withoutRetries(run, topic), 'UNKNOWN_TOPIC_OR_PARTITION');
  assert.equal(await createTopic(run, 't', 1), topic);
  assert.deepEqual(await range(run, topic), { low: 0, high: 0 }, 'offsets of the new topic');
}

async function describe(admin, topic) {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  return topics[0].partitions;
}

/** KafkaJS takes an unknown topic for one that is still being made, and asks again. */
async function withoutRetries(run, topic) {
  const admin = await newAdmin(run, { retry: { retries: 0 } });
  return describe(admin, topic);
}

/** KafkaJS lists groups without their states; describing them shows these. */
async function groupAdmin(run) {
  const admin = await newAdmin(run);
  const topic = await fill(run, 't', 10);
  const group = run.name('g');
  const clientId = run.name('client');
  const member = await Member.join(run, group, [topic], { kafka: { clientId } });
  await member.receive(10);
  await member.commit(topic, 0, 7);
  const isListed = async () => {
    const { groups } = await admin.listGroups();
    return groups.some(g => g.groupId === group && g.protocolType === 'consumer');
  };
  const describeGroup = async () => (await admin.describeGroups([group])).groups[0];
  assert.ok(await isListed(), 'a live group is listed');

  const live = await describeGroup();
  assert.deepEqual([live.state, live.protocolType, live.protocol], ['Stable', 'consumer', 'RoundRobinAssigner']);
  assert.equal(live.members.length, 1, 'count of members');
  assert.equal(live.members[0].memberId, member.memberId, 'member id');
  assert.equal(live.members[0].clientId, clientId, 'client id');
  const { assignment } = AssignerProtocol.MemberAssignment.decode(live.members[0].memberAssignment);
  assert.deepEqual({ ...assignment }, { [topic]: [0] }, 'assignment');
  await expectCommitted(run, group, topic, 0, 7);

  await member.close();
  await run.until(READ_LIMIT, 'the group to be Empty', async () => (await describeGroup()).state === 'Empty');
  assert.equal((await describeGroup()).members.length, 0, 'count of members');
  assert.ok(await isListed(), 'an empty group is listed');
}

async function clusterAdmin(run) {
  const describeCluster = async () => (await newAdmin(run)).describeCluster();
  const before = await describeCluster();
  assert.equal(before.brokers.length, 1, 'count of nodes');
  const [{ nodeId, host, port }] = before.brokers;
  assert.equal(`${host}:${port}`, run.bootstrap, 'node');
  assert.equal(before.controller, nodeId, 'controller');
  assert.ok(before.clusterId, 'the cluster has an id');
  await run.restartBroker();
  assert.equal((await describeCluster()).clusterId, before.clusterId, 'cluster id');
}

module.exports = { topicAdmin, groupAdmin, clusterAdmin };
