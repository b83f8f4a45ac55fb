'use strict';

const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const { CompressionTypes } = require('kafkajs');
const {
  READ_LIMIT, createTopic, newAdmin, newProducer, numbered, sequence, send, expectNumbered, range,
} = require('./client');
const { Member } = require('./member');
const { bytes } = require('./payload');

async function denseOffsets(run) {
  const topic = await createTopic(run, 't', 1);
  const sendFrom = async (from, ...sizes) => {
    const producer = await newProducer(run);
    for (const size of sizes) {
      const offsets = await send(producer, topic, numbered(from, from + size));
      assert.deepEqual(offsets, sequence(from, from + size), 'acknowledged offsets');
      from += size;
    }
    await producer.disconnect();
  };
  await sendFrom(0, 1, 2, 7, 40, 50, 100, 300);
  await run.restartBroker();
  await sendFrom(500, 1, 99);
  await run.killBroker();
  await sendFrom(600, 99, 1);
  await expectLog(run, topic, 700);
}

async function idempotentProducer(run) {
  const count = 2000;
  const perSend = 5;
  const topic = await createTopic(run, 't', 1);
  const producer = await newProducer(run, { idempotent: true, maxInFlightRequests: 1 });

  let acknowledged = 0;
  const sendAll = async () => {
    for (let from = 0; from < count; from += perSend) {
      const offsets = await send(producer, topic, numbered(from, from + perSend));
      acknowledged += offsets.length;
    }
  };
  const kill = async () => {
    await run.until(READ_LIMIT, 'first acknowledgements', () => acknowledged >= 500);
    await run.killBroker();
  };
  await Promise.all([sendAll(), kill()]);
  assert.equal(acknowledged, count, 'acknowledged records');
  await expectLog(run, topic, count);
}

async function expectLog(run, topic, count) {
  const member = await Member.join(run, run.name('reader'), [topic]);
  expectNumbered(await member.receive(count), 0, count);
  assert.deepEqual(await range(run, topic), { low: 0, high: count }, 'offsets of the topic');
}

async function largeBatches(run) {
  const [size, partitions, perPartition, perSend] = [10_000, 4, 500, 50];
  const topic = await createTopic(run, 't', partitions);
  const producer = await newProducer(run);
  const sent = sequence(0, partitions).map(() => []);
  for (const partition of sent.keys()) {
    for (let from = 0; from < perPartition; from += perSend) {
      const values = sequence(from, from + perSend).map(i => bytes(size, i * partitions + partition));
      sent[partition].push(...values.map(checksum));
      await send(producer, topic, values.map(value => ({ partition, value })), CompressionTypes.LZ4);
    }
  }
  const member = await Member.join(run, run.name('g'), [topic]);
  const received = await member.receive(partitions * perPartition);
  for (const partition of sent.keys()) {
    const messages = received.filter(m => m.partition === partition);
    assert.deepEqual(messages.map(m => Number(m.offset)), sequence(0, perPartition), 'offsets');
    assert.deepEqual(messages.map(m => checksum(m.value)), sent[partition], 'checksums');
  }
}

function checksum(value) {
  return createHash('sha256').update(value).digest('hex');
}

async function autoCreate(run) {
  const topic = run.name('t');
  assert.deepEqual(await send(await newProducer(run), topic, numbered(0, 1)), [0], 'offsets');
  const { topics } = await (await newAdmin(run)).fetchTopicMetadata({ topics: [topic] });
  assert.deepEqual(topics[0].partitions.map(p => p.partitionId), [0], 'partitions');
  await expectLog(run, topic, 1);
}

module.exports = { denseOffsets, idempotentProducer, largeBatches, autoCreate };
