from kafka_python_client import KafkaPythonClient
from ottla_scenarios import harness

harness.main(KafkaPythonClient)
