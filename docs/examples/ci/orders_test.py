import contextlib
import subprocess
import unittest

from confluent_kafka import Consumer, Producer


@contextlib.contextmanager
def ottla(*settings):
    """A broker in memory on a free port. With pytest, make it a fixture."""
    command = ["ottla", "serve", "--memory", "--listen", "127.0.0.1:0"]
    for setting in settings:
        command += ["-c", setting]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            ready = process.stdout.readline().split()
            if ready[:2] != ["ottla", "ready"]:
                raise RuntimeError("the broker did not start; see its log on standard error")
            yield ready[2]
        finally:
            process.terminate()


class Orders(unittest.TestCase):
    def test_an_order_arrives(self):
        with ottla("num.partitions=3") as bootstrap:
            producer = Producer({"bootstrap.servers": bootstrap})
            producer.produce("orders", key="42", value="tea")
            producer.flush()
            consumer = Consumer({
                "bootstrap.servers": bootstrap,
                "group.id": "kitchen",
                "auto.offset.reset": "earliest",
            })
            consumer.subscribe(["orders"])
            order = consumer.poll(30)
            self.assertEqual((order.key(), order.value()), (b"42", b"tea"))
            consumer.close()


if __name__ == "__main__":
    unittest.main()
