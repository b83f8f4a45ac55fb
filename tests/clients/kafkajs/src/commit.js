'use strict';

const assert = require('node:assert/strict');
const {
  READ_LIMIT, createTopic, newAdmin, newProducer, numbered, send, fill, expectNumbered, rejects,
} = require('./client');
const { Member } = require('./member');

async function resumeAfterStop(run) {
  const topic = await fill(run, 't', 100);
  const group = run.name('g');
  const readPart = async (from, to) => {
    const member = await Member.join(run, group, [topic]);
    expectNumbered(await member.receive(to - from), from, to);
    await member.commit(topic, 0, to);
    await member.close();
  };
  await readPart(0, 30);
  await readPart(30, 60);
  await run.restartBroker();
  await readPart(60, 80);
  await run.killBroker();
  await readPart(80, 100);
  await expectCommitted(run, group, topic, 0, 100);
}

async function autoCommit(run) {
  const topic = await fill(run, 't', 50);
  const group = run.name('g');
  const options = { run: { autoCommit: true, autoCommitInterval: 100 } };
  const member = await Member.join(run, group, [topic], options);
  expectNumbered(await member.receive(50), 0, 50);
  await member.close();
  await expectCommitted(run, group, topic, 0, 50);
  await send(await newProducer(run), topic, numbered(50, 60));
  const next = await Member.join(run, group, [topic], options);
  expectNumbered(await next.receive(10), 50, 60);
}

async function manualCommitSync(run) {
  const topic = await createTopic(run, 't', 3);
  const group = run.name('g');
  const producer = await newProducer(run);
  for (const partition of [0, 1, 2]) await send(producer, topic, numbered(0, 10, partition));
  const member = await Member.join(run, group, [topic]);
  await member.receive(30);
  await member.commit(topic, 0, 4, 'first');
  await member.commit(topic, 1, 7, 'second');
  await expectCommitted(run, group, topic, 0, 4, 'first');
  await expectCommitted(run, group, topic, 1, 7, 'second');
  await expectCommitted(run, group, topic, 2, -1);
  await member.commit(topic, 1, 2, 'back');
  await expectCommitted(run, group, topic, 1, 2, 'back');
}

/** The reaction to the promise is KafkaJS's form of a callback. */
async function manualCommitAsync(run) {
  const topic = await fill(run, 't', 10);
  const group = run.name('g');
  const member = await Member.join(run, group, [topic]);
  await member.receive(10);
  let outcome;
  member.commit(topic, 0, 6).then(() => { outcome = 'success'; }, error => { outcome = error; });
  await run.until(READ_LIMIT, 'the commit callback', () => outcome !== undefined);
  assert.equal(outcome, 'success', 'what the commit callback reports');
  await expectCommitted(run, group, topic, 0, 6);
}

/**
 * A member that is busy with a batch sends no heartbeat. While it is, the group goes on to its next
 * generation without it, and then it commits.
 */
async function staleCommitRefused(run) {
  const topic = await fill(run, 't', 10);
  const group = run.name('g');
  let release;
  let isBusy = false;
  const busy = new Promise(resolve => { release = resolve; });
  const consumer = { rebalanceTimeout: 1000 };
  const late = await Member.join(run, group, [topic], { consumer, onBatch: () => { isBusy = true; return busy; } });
  run.defer(release); // closing the member waits for its batch
  await run.until(READ_LIMIT, 'a batch at the first member', () => isBusy);
  await late.commit(topic, 0, 5);
  const next = await Member.join(run, group, [topic], { consumer });
  await run.until(READ_LIMIT, 'the partition at the second member', () => next.owned.length === 1);

  await rejects(late.commit(topic, 0, 9), 'UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS');
  await expectCommitted(run, group, topic, 0, 5);
  expectNumbered(await next.receive(5), 5, 10);
}

/** Commits partition 0 for a group that has no members afterwards. */
async function commitFor(run, group, topic, offset) {
  const member = await Member.join(run, group, [topic]);
  await member.commit(topic, 0, offset);
  await member.close();
}

/** Asks with a client of its own; offset -1 stands for no commit. */
async function expectCommitted(run, groupId, topic, partition, offset, metadata = null) {
  const admin = await newAdmin(run);
  const [answer] = await admin.fetchOffsets({ groupId, topics: [topic] });
  assert.equal(answer.topic, topic, 'topic of the fetched offsets');
  const found = answer.partitions.find(p => p.partition === partition);
  assert.deepEqual(found, { partition, offset: String(offset), metadata }, 'committed');
}

module.exports = {
  resumeAfterStop, autoCommit, manualCommitSync, manualCommitAsync, staleCommitRefused, commitFor, expectCommitted,
};
