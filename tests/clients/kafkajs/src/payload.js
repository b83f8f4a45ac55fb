'use strict';

const assert = require('node:assert/strict');
const { CompressionTypes } = require('kafkajs');
const { createTopic, newProducer, send, range } = require('./client');
const { Member } = require('./member');

const BASE_TIME = 1_700_000_000_000;
const LOG_APPEND_TIME = 1;

function variety() {
  const text = Buffer.from;
  const messages = [
    { key: text('key'), value: text('value') },
    { key: null, value: text('null key') },
    { key: text('tombstone'), value: null },
    { key: text(''), value: text('empty key') },
    { key: text('empty value'), value: text('') },
    { key: text('large'), value: bytes(200 * 1024, 1) },
    { key: text('clé-ключ-鍵-🔑'), value: text('non-ASCII key') },
    {
      key: text('headers'),
      value: text('headers'),
      // KafkaJS cannot encode a null header value.
      headers: { repeated: [text('first'), text('second')], empty: text('') },
    },
  ];
  return messages.map((message, i) => {
    return { headers: {}, ...message, timestamp: String(BASE_TIME + i * 1000), partition: 0 };
  });
}

async function payloadVariety(run) {
  for (const [codec, number] of Object.entries(CompressionTypes)) {
    const topic = await createTopic(run, codec, 1);
    const sent = variety();
    await send(await newProducer(run), topic, sent, number);
    assert.deepEqual(await range(run, topic), { low: 0, high: sent.length }, `${codec}: offsets of the topic`);

    const member = await Member.join(run, run.name(codec), [topic]);
    const received = await member.receive(sent.length);
    received.forEach((message, i) => {
      const { key, value, headers, timestamp, partition } = message;
      assert.equal(Number(message.offset), i, `${codec}: offset`);
      assert.deepEqual({ key, value, headers: { ...headers }, timestamp, partition }, sent[i], `${codec}: record ${i}`);
    });
    await member.close();
  }
}

async function timestamps(run) {
  const explicit = '1600000000123';
  const producer = await newProducer(run);
  const readBack = async topic => {
    await send(producer, topic, [{ partition: 0, value: 'v', timestamp: explicit }]);
    const member = await Member.join(run, run.name(topic), [topic]);
    return (await member.receive(1))[0];
  };
  const created = await readBack(await createTopic(run, 'create', 1));
  assert.equal(created.timestamp, explicit, 'CreateTime timestamp');
  assert.notEqual(created.batchContext.timestampType, LOG_APPEND_TIME, 'CreateTime type');

  const topic = await createTopic(run, 'append', 1, { 'message.timestamp.type': 'LogAppendTime' });
  const before = Date.now() - 1000;
  const appended = await readBack(topic);
  const after = Date.now() + 1000;
  const timestamp = Number(appended.timestamp);
  assert.ok(before <= timestamp && timestamp <= after, `LogAppendTime ${timestamp} is not in ${before} … ${after}`);
  assert.equal(appended.batchContext.timestampType, LOG_APPEND_TIME, 'LogAppendTime type');
}

/** Data that is half noise, so that no codec can shrink it to nothing. */
function bytes(size, seed) {
  const data = Buffer.alloc(size);
  let state = seed + 1;
  for (let i = 0; i < size / 2; i++) {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    data[i] = state;
  }
  return data;
}

module.exports = { payloadVariety, timestamps, bytes };
