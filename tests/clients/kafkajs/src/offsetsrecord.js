'use strict';
// The commit records of the topic __consumer_offsets.

/** Returns null for a record that is no commit. */
function parseCommitKey(data) {
  const reader = new Reader(data);
  const version = reader.int16();
  if (version > 1) return null;
  const key = { version, group: reader.string(), topic: reader.string(), partition: reader.int32() };
  reader.end();
  return key;
}

/**
 * Reads the versions that Kafka writes: 1 with an expiry, 3 without, and 4, the first flexible one,
 * for a commit that named its topic by id.
 */
function parseCommitValue(data) {
  const reader = new Reader(data);
  const version = reader.int16();
  if (![1, 3, 4].includes(version)) throw new Error(`commit value of version ${version}`);
  const offset = reader.int64();
  if (version >= 3) reader.int32(); // leader epoch, which a commit need not carry
  const metadata = version >= 4 ? reader.text(reader.uvarint() - 1) : reader.string();
  const timestamp = reader.int64();
  if (version === 1) reader.int64(); // expiry
  if (version >= 4) reader.skipTags();
  reader.end();
  return { offset, metadata, timestamp };
}

class Reader {
  #data;
  #at = 0;

  constructor(data) {
    this.#data = data;
  }

  #advance(size) {
    if (this.#at + size > this.#data.length) throw new Error('the record is too short');
    const start = this.#at;
    this.#at += size;
    return start;
  }

  int16() {
    return this.#data.readInt16BE(this.#advance(2));
  }

  int32() {
    return this.#data.readInt32BE(this.#advance(4));
  }

  int64() {
    return this.#data.readBigInt64BE(this.#advance(8));
  }

  uvarint() {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = this.#data[this.#advance(1)];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  string() {
    return this.text(this.int16());
  }

  text(length) {
    if (length < 0) throw new Error(`string of length ${length}`);
    const start = this.#advance(length);
    return this.#data.toString('utf8', start, start + length);
  }

  skipTags() {
    for (let count = this.uvarint(); count > 0; count--) {
      this.uvarint(); // the tag
      this.#advance(this.uvarint());
    }
  }

  end() {
    if (this.#at !== this.#data.length) throw new Error(`${this.#data.length - this.#at} bytes too many`);
  }
}

module.exports = { parseCommitKey, parseCommitValue };
