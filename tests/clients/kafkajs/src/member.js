'use strict';

const { READ_LIMIT, newKafka } = require('./client');

/**
 * A group member that reads in the background. KafkaJS has no other consumer: where a scenario asks
 * for one without a group, it gets a member of a group of its own.
 */
class Member {
  messages = []; // those that receive has not yet taken
  read = new Map(); // offsets by partition
  count = 0;
  owned = [];
  lost = 0;
  memberId = null;
  failure = null;

  /**
   * options: kafka, consumer and run are those of KafkaJS; fromBeginning defaults to true; onBatch
   * is awaited before a batch is taken.
   */
  static async join(run, groupId, topics, options = {}) {
    const member = new Member();
    member.run = run;
    member.onBatch = options.onBatch ?? (() => {});
    member.consumer = newKafka(run, options.kafka).consumer({
      groupId,
      heartbeatInterval: 300,
      maxWaitTimeInMs: 100, // a member notices a rebalance only between two fetches
      ...options.consumer,
    });
    run.defer(() => member.close());
    member.#listen();
    await member.consumer.connect();
    await member.consumer.subscribe({ topics, fromBeginning: options.fromBeginning ?? true });
    await member.consumer.run({ autoCommit: false, eachBatch: payload => member.#take(payload), ...options.run });
    // run returns too early when the first attempt to join fails, say because the coordinator is loading.
    await run.until(READ_LIMIT, 'the member to have joined', () => member.memberId !== null);
    return member;
  }

  #listen() {
    const { GROUP_JOIN, REBALANCING, CRASH } = this.consumer.events;
    this.consumer.on(GROUP_JOIN, ({ payload }) => {
      this.memberId = payload.memberId;
      this.owned = Object.entries(payload.memberAssignment)
        .flatMap(([topic, partitions]) => partitions.map(partition => `${topic}/${partition}`))
        .sort();
    });
    this.consumer.on(REBALANCING, () => {
      this.lost += this.owned.length;
      this.owned = [];
    });
    this.consumer.on(CRASH, ({ payload }) => {
      if (!payload.restart) this.failure ??= payload.error;
    });
  }

  async #take({ batch, isStale }) {
    await this.onBatch();
    // After a seek the batches that were on their way are stale.
    if (isStale()) return;
    const partition = `${batch.topic}/${batch.partition}`;
    if (!this.read.has(partition)) this.read.set(partition, []);
    for (const message of batch.messages) {
      this.messages.push({ ...message, topic: batch.topic, partition: batch.partition });
      this.read.get(partition).push(Number(message.offset));
      this.count += 1;
    }
  }

  /** Takes exactly count records. */
  async receive(count) {
    await this.run.until(READ_LIMIT, `${count} records at the member`, () => {
      if (this.failure) throw this.failure;
      return this.messages.length >= count;
    });
    return this.messages.splice(0, count);
  }

  seek(topic, offset) {
    this.messages = [];
    this.consumer.seek({ topic, partition: 0, offset: String(offset) });
  }

  /** Commits one partition. */
  commit(topic, partition, offset, metadata = null) {
    return this.consumer.commitOffsets([{ topic, partition, offset: String(offset), metadata }]);
  }

  close() {
    return this.consumer.disconnect();
  }
}

module.exports = { Member };
