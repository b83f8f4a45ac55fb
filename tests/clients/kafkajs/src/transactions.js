'use strict';

const assert = require('node:assert/strict');
const {
  READ_LIMIT, createTopic, newProducer, numbered, sequence, send, fill, value, rejects,
} = require('./client');
const { expectCommitted } = require('./commit');
const { Member } = require('./member');

// Apache Kafka looks for transactions that are over their time every 10 seconds.
const TIMEOUT_LIMIT = 20_000;
// How long a reader waits for records that must not come.
const SILENCE = 300;
const STEP = 20;
const INPUT = 100;

// Each reader is a group of its own.
let readers = 0;

/** A producer that is ready for its first transaction; what its predecessor left open is aborted. */
async function transactional(run, id = 'id', transactionTimeout = 60_000) {
  const producer = await newProducer(run, {
    transactionalId: run.name(id), transactionTimeout, idempotent: true, maxInFlightRequests: 1,
  });
  // KafkaJS asks for its producer id, and so fences its predecessor, when the first transaction begins.
  await (await producer.transaction()).abort();
  return producer;
}

/** KafkaJS fails when a coordinator that is still loading is asked to end a transaction; asked for an id, it waits. */
async function killBroker(run) {
  await run.killBroker();
  await transactional(run, 'probe');
}

async function sendNumbered(sender, topic, from, to, partition = 0) {
  assert.deepEqual(await send(sender, topic, numbered(from, to, partition)), sequence(from, to), 'offsets');
}

/** Reads all partitions of a topic and finds exactly these offsets in each. */
async function expectRead(run, topic, offsets, { readUncommitted = false, partitions = 1 } = {}) {
  readers += 1;
  const member = await Member.join(run, run.name(`reader-${readers}`), [topic], { consumer: { readUncommitted } });
  const messages = await member.receive(offsets.length * partitions);
  await expectSilence(run, member);
  await member.close();
  for (const partition of sequence(0, partitions)) {
    const found = messages.filter(m => m.partition === partition);
    assert.deepEqual(found.map(m => Number(m.offset)), offsets, 'offsets read');
    assert.deepEqual(found.map(m => m.value.toString()), offsets.map(value), 'values read');
  }
}

/** It can only ever miss a late record, never fail falsely. */
async function expectSilence(run, member) {
  const end = Date.now() + SILENCE;
  await run.until(READ_LIMIT, 'some silence', () => member.messages.length > 0 || Date.now() > end);
  assert.equal(member.messages.length, 0, 'records too many');
}

async function commit(run) {
  const topics = [await createTopic(run, 'first', 2), await createTopic(run, 'second', 2)];
  const producer = await transactional(run);
  // A marker stands behind the records of each transaction and has an offset of its own.
  for (const base of [0, 11]) {
    const transaction = await producer.transaction();
    for (const topic of topics) {
      for (const partition of [0, 1]) await sendNumbered(transaction, topic, base, base + 10, partition);
    }
    await transaction.commit();
  }
  for (const topic of topics) {
    for (const readUncommitted of [false, true]) {
      const offsets = [...sequence(0, 10), ...sequence(11, 21)];
      await expectRead(run, topic, offsets, { readUncommitted, partitions: 2 });
    }
  }
}

async function abort(run) {
  const topic = await createTopic(run, 't', 1);
  const producer = await transactional(run);
  for (const base of [0, 11, 22]) {
    const transaction = await producer.transaction();
    await sendNumbered(transaction, topic, base, base + 10);
    await (base === 11 ? transaction.abort() : transaction.commit());
  }
  const all = [...sequence(0, 10), ...sequence(11, 21), ...sequence(22, 32)];
  await expectRead(run, topic, all.filter(offset => offset < 11 || offset > 20));
  await expectRead(run, topic, all, { readUncommitted: true });
}

/** KafkaJS asks for end offsets without an isolation level, so only the readers show where committed records end. */
async function open(run) {
  const topic = await createTopic(run, 't', 1);
  const plain = await newProducer(run);
  await sendNumbered(plain, topic, 0, 10);
  const transaction = await (await transactional(run)).transaction();
  await sendNumbered(transaction, topic, 10, 20);
  await sendNumbered(plain, topic, 20, 30);
  await expectRead(run, topic, sequence(0, 30), { readUncommitted: true });
  await expectRead(run, topic, sequence(0, 10));
  await transaction.commit();
  await expectRead(run, topic, sequence(0, 30));
}

async function fence(run) {
  const topic = await createTopic(run, 't', 1);
  const first = await (await transactional(run)).transaction();
  await sendNumbered(first, topic, 0, 10);
  const producer = await transactional(run);
  const second = await producer.transaction();
  // The marker that aborted the first one's transaction is at 10.
  await sendNumbered(second, topic, 11, 21);
  await rejects(first.commit(), 'PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH');
  await second.commit();
  await expectRead(run, topic, sequence(11, 21));

  const third = await (await transactional(run)).transaction();
  const late = await producer.transaction();
  await rejects(late.send({ topic, messages: numbered(22, 23) }), 'PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH');
  await sendNumbered(third, topic, 22, 23);
  await third.commit();
  await expectRead(run, topic, [...sequence(11, 21), 22]);
}

async function timeout(run) {
  const topic = await createTopic(run, 't', 1);
  const late = await (await transactional(run, 'id', 1000)).transaction();
  await sendNumbered(late, topic, 0, 10);
  await sendNumbered(await newProducer(run), topic, 10, 20);
  const member = await Member.join(run, run.name('waiting'), [topic]);
  await run.until(TIMEOUT_LIMIT, 'the end of the transaction that is left open', () => member.messages.length >= 10);
  await expectRead(run, topic, sequence(10, 20));
  await rejects(late.commit(), 'PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH');
  const next = await (await transactional(run)).transaction();
  await sendNumbered(next, topic, 21, 22);
  await next.commit();
  await expectRead(run, topic, [...sequence(10, 20), 21]);
}

async function survivesKill(run) {
  const topic = await createTopic(run, 't', 2);
  const open = [];
  for (const [i, id] of ['id', 'aborting', 'lost'].entries()) {
    open.push(await (await transactional(run, id)).transaction());
    for (const partition of [0, 1]) await sendNumbered(open[i], topic, 10 * i, 10 * i + 10, partition);
  }
  await killBroker(run);
  for (const partition of [0, 1]) await sendNumbered(open[0], topic, 30, 40, partition);
  // The transactions that are still open hold back what is committed behind their first records.
  await open[0].commit();
  await expectRead(run, topic, sequence(0, 10), { partitions: 2 });
  await open[1].abort();
  await expectRead(run, topic, sequence(0, 10), { partitions: 2 });
  // The third producer never comes back; its successor ends what it left.
  await transactional(run, 'lost');
  await expectRead(run, topic, [...sequence(0, 10), ...sequence(30, 40)], { partitions: 2 });
}

/** A copy of a topic in steps, each of which is a transaction. */
async function copy(run, isKilled) {
  const input = await fill(run, 'input', INPUT);
  const output = await createTopic(run, 'output', 1);
  const group = run.name('g');
  const awaitCommitted = offset => run.until(READ_LIMIT, `committed offset ${offset}`, async () => {
    try {
      await expectCommitted(run, group, input, 0, offset);
      return true;
    } catch (error) {
      if (error.code === 'ERR_ASSERTION') return false;
      throw error;
    }
  });
  const step = async (producer, from) => {
    // A member of its own for each step: KafkaJS goes back to the committed offset only when it joins.
    const member = await Member.join(run, group, [input]);
    const messages = await member.receive(STEP);
    await member.close();
    assert.deepEqual(messages.map(m => m.value.toString()), sequence(from, from + STEP).map(value), 'input');
    const transaction = await producer.transaction();
    await transaction.send({ topic: output, messages: messages.map(m => ({ partition: 0, value: m.value })) });
    const partitions = [{ partition: 0, offset: String(from + STEP) }];
    await transaction.sendOffsets({ consumerGroupId: group, topics: [{ topic: input, partitions }] });
    return transaction;
  };
  const producer = await transactional(run);
  const first = await step(producer, 0);
  await expectCommitted(run, group, input, 0, -1);
  if (isKilled) await killBroker(run);
  await first.commit();
  await awaitCommitted(20);

  await (await step(producer, 20)).abort();
  await expectCommitted(run, group, input, 0, 20);
  await (await step(producer, 20)).commit();
  await awaitCommitted(40);

  // The program ends in the middle of a transaction; its successor finds neither records nor offsets of it.
  const left = await step(producer, 40);
  const successor = await transactional(run);
  await rejects(left.commit(), 'PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH');
  for (let from = 40; from < INPUT; from += STEP) {
    const transaction = await step(successor, from);
    await transaction.commit();
    await awaitCommitted(from + STEP);
  }
  const reader = await Member.join(run, run.name('reader'), [output]);
  const copied = await reader.receive(INPUT);
  await expectSilence(run, reader);
  assert.deepEqual(copied.map(m => m.value.toString()), sequence(0, INPUT).map(value), 'output');
}

async function offsetsRefused(run) {
  run.unsupported('its producer names only the group, so the broker has no member to check');
}

async function admin(run) {
  run.unsupported("KafkaJS's admin client knows no transactions");
}

module.exports = {
  commit, abort, open, fence, timeout, survivesKill, offsetsRefused, admin,
  offsets: run => copy(run, false),
  offsetsSurviveKill: run => copy(run, true),
};
