'use strict';

const { AssignerProtocol } = require('kafkajs');

/**
 * The range assignor of the Java client in KafkaJS's interface for assigners, as it brings none but
 * round robin: of every topic each member gets one run of partitions, the first members the longer.
 */
module.exports = ({ cluster }) => ({
  name: 'range',
  version: 0,

  protocol({ topics }) {
    return { name: this.name, metadata: AssignerProtocol.MemberMetadata.encode({ version: this.version, topics }) };
  },

  async assign({ members, topics }) {
    const ids = members.map(member => member.memberId).sort();
    const assignments = ids.map(() => ({}));
    for (const topic of topics) {
      const partitions = cluster.findTopicPartitionMetadata(topic).map(p => p.partitionId).sort((a, b) => a - b);
      const [short, longer] = [Math.floor(partitions.length / ids.length), partitions.length % ids.length];
      assignments.forEach((assignment, i) => {
        assignment[topic] = partitions.splice(0, short + (i < longer ? 1 : 0));
      });
    }
    return ids.map((memberId, i) => ({
      memberId,
      memberAssignment: AssignerProtocol.MemberAssignment.encode({ version: this.version, assignment: assignments[i] }),
    }));
  },
});
