'use strict';

const assert = require('node:assert/strict');
const net = require('node:net');
const { PartitionAssigners } = require('kafkajs');
const { READ_LIMIT, createTopic, newProducer, numbered, sequence } = require('./client');
const { Member } = require('./member');
const rangeAssigner = require('./rangeassigner');

const REBALANCE_LIMIT = 30_000;

function assignRange(run) {
  return takeTurns(run, rangeAssigner);
}

function assignRoundRobin(run) {
  return takeTurns(run, PartitionAssigners.roundRobin);
}

async function assignCooperativeSticky(run) {
  run.unsupported('KafkaJS knows only the eager rebalance protocol');
}

async function staticMember(run) {
  run.unsupported('KafkaJS has no option for group.instance.id');
}

async function consumerProtocol(run) {
  run.unsupported('KafkaJS knows only the classic group protocol');
}

async function takeTurns(run, assigner) {
  const pair = await Pair.prepare(run);
  const options = { consumer: { partitionAssigners: [assigner] } };
  const stayer = await pair.join(options);
  await pair.awaitAll(stayer);
  const leaver = await pair.join(options);
  await pair.shareAndCommit(stayer, leaver);
  const kept = stayer.owned;
  await leaver.close();
  await pair.expectTakeover(stayer, kept);
}

async function memberDies(run) {
  const pair = await Pair.prepare(run);
  const consumer = { sessionTimeout: 6000 };
  const survivor = await pair.join({ consumer });
  const line = new Cable();
  const victim = await pair.join({
    kafka: { socketFactory: line.socketFactory, retry: { retries: 0 } },
    consumer: { ...consumer, retry: { retries: 0, restartOnFailure: async () => false } },
  });
  await pair.shareAndCommit(survivor, victim);
  const kept = survivor.owned;
  line.cut();
  await pair.expectTakeover(survivor, kept);
}

/** Connections that can all be cut, so that a member vanishes without a goodbye. */
class Cable {
  #sockets = [];
  #isCut = false;

  socketFactory = ({ host, port, onConnect }) => {
    const socket = net.connect({ host, port }, onConnect);
    this.#sockets.push(socket);
    if (this.#isCut) Cable.#destroy(socket);
    return socket;
  };

  cut() {
    this.#isCut = true;
    this.#sockets.forEach(Cable.#destroy);
  }

  // Without an error KafkaJS would wait for the answers until they time out.
  static #destroy(socket) {
    socket.destroy(new Error('the cable is cut'));
  }
}

/** A group of two members that share two topics of four partitions. */
class Pair {
  static async prepare(run) {
    const pair = new Pair();
    pair.run = run;
    pair.topics = [await createTopic(run, 'a', 4), await createTopic(run, 'b', 4)];
    pair.all = pair.topics.flatMap(topic => sequence(0, 4).map(partition => `${topic}/${partition}`));
    pair.producer = await newProducer(run);
    return pair;
  }

  join(options) {
    return Member.join(this.run, this.run.name('g'), this.topics, options);
  }

  awaitAll(member) {
    return this.run.until(REBALANCE_LIMIT, 'all partitions at one member', () => isSame(member.owned, this.all));
  }

  /** Appends records to all partitions, so that each gets the offsets from … to-1. */
  async fill(from, to) {
    const messages = sequence(0, 4).flatMap(partition => numbered(from, to, partition));
    await this.producer.sendBatch({ topicMessages: this.topics.map(topic => ({ topic, messages })) });
  }

  /**
   * Waits for the two to settle and lets each read ten records of its partitions, every record once.
   * The first then commits all it read, the second the half.
   */
  async shareAndCommit(first, second) {
    await this.run.until(REBALANCE_LIMIT, 'a settled group of two', () =>
      first.owned.length === 4 && isSame([...first.owned, ...second.owned].sort(), this.all));
    await this.fill(0, 10);
    await this.run.until(READ_LIMIT, 'all records', () => first.count + second.count >= 80);
    for (const member of [first, second]) {
      for (const partition of member.owned) assert.deepEqual(member.read.get(partition), sequence(0, 10), partition);
    }
    assert.equal(first.count + second.count, 80, 'records read');
    await this.#commit(first, 10);
    await this.#commit(second, 5);
  }

  #commit(member, offset) {
    return member.consumer.commitOffsets(member.owned.map(name => {
      const [topic, partition] = name.split('/');
      return { topic, partition: Number(partition), offset: String(offset) };
    }));
  }

  /** The survivor goes on from the commits: from 10 in what it kept, from 5 in what the other had. */
  async expectTakeover(survivor, kept) {
    await this.awaitAll(survivor);
    await this.fill(10, 15);
    await this.run.until(READ_LIMIT, 'the records since the commits', () => survivor.count >= 4 * 15 + 4 * 10);
    for (const partition of this.all) {
      const from = kept.includes(partition) ? 0 : 5;
      assert.deepEqual(survivor.read.get(partition), sequence(from, 15), partition);
    }
  }
}

function isSame(a, b) {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

module.exports = {
  assignRange, assignRoundRobin, assignCooperativeSticky, consumerProtocol, memberDies, staticMember,
};
