from librdkafka_client import LibrdkafkaClient
from ottla_scenarios import harness

harness.main(LibrdkafkaClient)
