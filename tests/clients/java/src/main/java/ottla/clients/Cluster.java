package ottla.clients;

import java.util.Collection;
import org.apache.kafka.common.Node;

/** The cluster as an admin sees it. */
final class Cluster {
    private Cluster() {
    }

    static void admin(Run run) throws Exception {
        String before = describe(run);
        Expect.that(!before.isEmpty(), "the cluster id is empty");
        run.broker.restart();
        Expect.equal(before, describe(run), "cluster id after the restart");
    }

    /** Expects one node, the one that was asked, and returns the cluster's id. */
    private static String describe(Run run) throws Exception {
        var described = run.admin().describeCluster();
        Collection<Node> nodes = described.nodes().get();
        Expect.equal(1, nodes.size(), "nodes");
        Node node = nodes.iterator().next();
        Expect.equal(run.bootstrap, node.host() + ":" + node.port(), "address");
        Expect.equal(node.id(), described.controller().get().id(), "controller");
        return described.clusterId().get();
    }
}
