//! Empty: the package only names a release of librdkafka.
