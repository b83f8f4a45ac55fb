from aiokafka_client import AiokafkaClient
from ottla_scenarios import harness

harness.main(AiokafkaClient)
