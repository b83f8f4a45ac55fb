'use strict';

const assert = require('node:assert/strict');
const { Kafka, logLevel } = require('kafkajs');

// How long a scenario waits for records that must come.
const READ_LIMIT = 20_000;

function newKafka(run, options = {}) {
  return new Kafka({
    brokers: [run.bootstrap],
    clientId: 'ottla-kafkajs',
    logLevel: logLevel.ERROR, // the levels below go to standard output, which is the harness's
    retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 60 },
    ...options,
  });
}

async function newAdmin(run, options) {
  const admin = newKafka(run, options).admin();
  run.defer(() => admin.disconnect());
  await admin.connect();
  return admin;
}

async function newProducer(run, options = {}) {
  const producer = newKafka(run).producer(options);
  run.defer(() => producer.disconnect());
  await producer.connect();
  return producer;
}

async function createTopic(run, suffix, numPartitions, configs = {}) {
  const topic = run.name(suffix);
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
  const admin = await newAdmin(run);
  const topics = [{ topic, numPartitions, replicationFactor: 1, configEntries }];
  // KafkaJS's own wait gives up when the broker does not know the new topic at once.
  assert.equal(await admin.createTopics({ topics, waitForLeaders: false }), true, `create topic ${topic}`);
  await run.until(READ_LIMIT, 'the new topic', async () => (await admin.listTopics()).includes(topic));
  return topic;
}

/** Messages for one partition with the values value-FROM … value-(TO-1). */
function numbered(from, to, partition = 0) {
  return sequence(from, to).map(i => ({ partition, value: value(i) }));
}

function value(i) {
  return `value-${i}`;
}

function sequence(from, to) {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** Sends messages of one partition, which become one batch, and returns their offsets. */
async function send(producer, topic, messages, compression) {
  const results = await producer.send({ topic, messages, compression });
  assert.equal(results.length, 1, 'results of a send to one partition');
  assert.equal(results[0].errorCode, 0, 'error code of a send');
  const base = Number(results[0].baseOffset);
  return sequence(base, base + messages.length);
}

/** Makes a topic of one partition with count numbered records. */
async function fill(run, suffix, count) {
  const topic = await createTopic(run, suffix, 1);
  await send(await newProducer(run), topic, numbered(0, count));
  return topic;
}

/** Fails unless the records are number from … to-1 of a topic filled from offset 0 on. */
function expectNumbered(messages, from, to) {
  assert.deepEqual(messages.map(m => Number(m.offset)), sequence(from, to), 'offsets');
  assert.deepEqual(messages.map(m => m.value.toString()), sequence(from, to).map(value), 'values');
}

/** The first offset and the end offset of a partition. */
async function range(run, topic, partition = 0) {
  const admin = await newAdmin(run);
  const all = await admin.fetchTopicOffsets(topic);
  const { low, high } = all.find(p => p.partition === partition);
  return { low: Number(low), high: Number(high) };
}

/** Fails unless the promise is rejected with an error of one of the types. */
async function rejects(promise, ...types) {
  await assert.rejects(promise, error => {
    // The type may sit in an aggregate or behind the error that counts the retries.
    const type = error.errors?.[0]?.type ?? error.type ?? error.cause?.type;
    assert.ok(types.includes(type), `error type ${type}, expected ${types}: ${error}`);
    return true;
  });
}

module.exports = {
  READ_LIMIT, newKafka, newAdmin, newProducer, createTopic, numbered, sequence, send, fill, value,
  expectNumbered, range, rejects,
};
