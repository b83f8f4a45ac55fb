'use strict';
// KafkaJS cannot assign partitions; a sole member of a group that never commits comes to the same.

const assert = require('node:assert/strict');
const { CompressionTypes } = require('kafkajs');
const { createTopic, newAdmin, newProducer, numbered, send, fill, expectNumbered, range } = require('./client');
const { Member } = require('./member');

async function seekPositions(run) {
  const topic = await fill(run, 't', 100);
  const { low, high } = await range(run, topic);
  assert.deepEqual({ low, high }, { low: 0, high: 100 }, 'begin and end offset');
  const member = await Member.join(run, run.name('g'), [topic]);
  member.seek(topic, 42);
  expectNumbered(await member.receive(5), 42, 47);
  member.seek(topic, low);
  expectNumbered(await member.receive(5), 0, 5);
  member.seek(topic, high);
  await send(await newProducer(run), topic, numbered(100, 101));
  expectNumbered(await member.receive(1), 100, 101);
  assert.equal((await range(run, topic)).high, 101, 'end offset');
}

async function seekToTime(run) {
  const start = 1_700_000_000_000;
  const [step, count, wanted, perBatch] = [1000, 100, 50, 25];
  const admin = await newAdmin(run);
  const producer = await newProducer(run);
  for (const codec of ['None', 'GZIP']) {
    const topic = await createTopic(run, codec, 1);
    // A message has its place in the batch of its send: the wanted one is second in the third batch.
    for (let from = -1; from < count; from += perBatch) {
      const messages = numbered(Math.max(from, 0), Math.min(from + perBatch, count));
      messages.forEach(m => { m.timestamp = String(start + Number(m.value.split('-')[1]) * step); });
      await send(producer, topic, messages, CompressionTypes[codec]);
    }
    const lookUp = async time => {
      const [found] = await admin.fetchTopicOffsetsByTimestamp(topic, time);
      return Number(found.offset);
    };
    assert.equal(await lookUp(start + wanted * step), wanted, `${codec}: offset for a time`);
    assert.equal(await lookUp(start + wanted * step - 1), wanted, `${codec}: offset for 1 ms earlier`);
    // For "none" KafkaJS answers the end offset.
    assert.equal(await lookUp(start + count * step), count, `${codec}: offset after the last`);

    const member = await Member.join(run, run.name(codec), [topic]);
    member.seek(topic, await lookUp(start + wanted * step - 1));
    expectNumbered(await member.receive(count - wanted), wanted, count);
  }
}

async function externalOffsets(run) {
  const topic = await fill(run, 't', 100);
  let position = 0;
  const readSome = async count => {
    const member = await Member.join(run, run.name(`g${position}`), [topic]);
    member.seek(topic, position);
    expectNumbered(await member.receive(count), position, position + count);
    position += count;
    await member.close();
  };
  await readSome(37);
  await readSome(63);
}

module.exports = { seekPositions, seekToTime, externalOffsets };
