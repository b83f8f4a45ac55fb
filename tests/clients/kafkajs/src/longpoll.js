'use strict';

const assert = require('node:assert/strict');
const { READ_LIMIT, createTopic, newProducer, numbered, send, expectNumbered } = require('./client');
const { Member } = require('./member');

async function longPoll(run) {
  const topic = await createTopic(run, 't', 1);
  const producer = await newProducer(run);
  await send(producer, topic, numbered(0, 1));

  const quick = await deliveryTime(run, producer, topic, 1, { maxWaitTimeInMs: 5000 });
  assert.ok(quick <= 500, `a waiting consumer got the record after ${quick} ms`);
  const slow = await deliveryTime(run, producer, topic, 2, { maxWaitTimeInMs: 1000, minBytes: 100_000 });
  assert.ok(700 <= slow && slow <= 4000, `with minBytes the record came after ${slow} ms`);
}

/** Produces a record once the consumer has read the partition to its end and waits there. */
async function deliveryTime(run, producer, topic, end, consumer) {
  const member = await Member.join(run, run.name(`g${end}`), [topic], { consumer });
  let isWaiting = false;
  member.consumer.on(member.consumer.events.FETCH_START, () => {
    isWaiting = member.count === end;
  });
  await run.until(READ_LIMIT, 'a fetch at the end', () => isWaiting);
  expectNumbered(await member.receive(end), 0, end);
  const produced = performance.now();
  await send(producer, topic, numbered(end, end + 1));
  expectNumbered(await member.receive(1), end, end + 1);
  const took = performance.now() - produced;
  await member.close();
  return took;
}

module.exports = { longPoll };
