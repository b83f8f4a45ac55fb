'use strict';

const assert = require('node:assert/strict');
const { READ_LIMIT, createTopic, newProducer, fill, range, rejects } = require('./client');
const { commitFor } = require('./commit');
const { Member } = require('./member');
const { parseCommitKey, parseCommitValue } = require('./offsetsrecord');

const OFFSETS_TOPIC = '__consumer_offsets';

/** KafkaJS cannot assign partitions; as the sole member of its group the reader gets all fifty. */
async function readOffsetsTopic(run) {
  const topic = await fill(run, 't', 10);
  const group = run.name('g');
  const member = await Member.join(run, group, [topic]);
  const before = Date.now();
  await member.commit(topic, 0, 1234, 'about the commit');
  const after = Date.now();

  const reader = await Member.join(run, run.name('reader'), [OFFSETS_TOPIC]);
  assert.equal(reader.owned.length, 50, 'partitions of the offsets topic');
  const isWanted = message => {
    const key = parseCommitKey(message.key);
    return key?.version === 1 && key.group === group && key.topic === topic && key.partition === 0;
  };
  await run.until(READ_LIMIT, 'the record of the commit', () => reader.messages.some(isWanted));
  const { timestamp, ...value } = parseCommitValue(reader.messages.find(isWanted).value);
  assert.deepEqual(value, { offset: 1234n, metadata: 'about the commit' }, 'commit');
  const isInTime = before <= timestamp && timestamp <= after;
  assert.ok(isInTime, `commit timestamp ${timestamp} is not in ${before} … ${after}`);
}

async function offsetsTopicIsProtected(run) {
  // A commit makes sure that the topic is there.
  const topic = await createTopic(run, 't', 1);
  await commitFor(run, run.name('g'), topic, 1);
  const before = await range(run, OFFSETS_TOPIC);
  const producer = await newProducer(run);
  const forged = { partition: 0, key: 'forged', value: 'forged' };
  await rejects(producer.send({ topic: OFFSETS_TOPIC, messages: [forged] }), 'INVALID_TOPIC_EXCEPTION');

  // The broker's own records about other groups may come at any time.
  const after = await range(run, OFFSETS_TOPIC);
  const reader = await Member.join(run, run.name('reader'), [OFFSETS_TOPIC]);
  const lastRead = () => reader.read.get(`${OFFSETS_TOPIC}/0`)?.at(-1);
  const isAtEnd = () => after.high === before.high || lastRead() >= after.high - 1;
  await run.until(READ_LIMIT, 'the end of the partition', isAtEnd);
  assert.ok(!reader.messages.some(m => m.key?.toString() === 'forged'), 'the forged record was appended');
}

module.exports = { readOffsetsTopic, offsetsTopicIsProtected };
