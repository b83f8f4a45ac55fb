'use strict';

const assert = require('node:assert/strict');
const { READ_LIMIT, newProducer, numbered, send, fill, expectNumbered } = require('./client');
const { commitFor } = require('./commit');
const { Member } = require('./member');

async function resetEarliest(run) {
  const topic = await fill(run, 't', 10);
  const member = await Member.join(run, run.name('g'), [topic], { fromBeginning: true });
  expectNumbered(await member.receive(10), 0, 10);
}

async function resetLatest(run) {
  const topic = await fill(run, 't', 10);
  const member = await Member.join(run, run.name('g'), [topic], { fromBeginning: false });
  await expectAtEnd(run, member, topic, 10);
}

/**
 * Produces until the member, which starts at the end at a moment that it does not tell, sees a
 * record; from there on it must see all of them.
 */
async function expectAtEnd(run, member, topic, end) {
  const producer = await newProducer(run);
  let next = end;
  await run.until(READ_LIMIT, 'a new record', async () => {
    await send(producer, topic, numbered(next, next + 1));
    next += 1;
    return member.count > 0;
  });
  const first = member.read.get(`${topic}/0`)[0];
  assert.ok(first >= end, `read offset ${first}, which is before the end ${end}`);
  expectNumbered(await member.receive(next - first), first, next);
}

async function resetNone(run) {
  run.unsupported('subscribe has only fromBeginning true and false');
}

async function resetByDuration(run) {
  run.unsupported('subscribe has only fromBeginning true and false');
}

/** KafkaJS has no reset "none", so only the other two are seen. */
async function resetOutOfRange(run) {
  const topic = await fill(run, 't', 10);
  const join = async (suffix, fromBeginning) => {
    const groupId = run.name(suffix);
    await commitFor(run, groupId, topic, 1000);
    return Member.join(run, groupId, [topic], { fromBeginning });
  };
  const earliest = await join('earliest', true);
  expectNumbered(await earliest.receive(10), 0, 10);
  await expectAtEnd(run, await join('latest', false), topic, 10);
}

module.exports = { resetEarliest, resetLatest, resetNone, resetByDuration, resetOutOfRange };
