package harness

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// OffsetsTopic is the name of the topic in which the broker keeps the commits of all groups.
const OffsetsTopic = "__consumer_offsets"

// CommitKey is the key of a commit record in the offsets topic, key version 1.
type CommitKey struct {
	Group, Topic string
	Partition    int32
}

// CommitValue is the value of a commit record in the offsets topic.
type CommitValue struct {
	Offset    int64
	Metadata  string
	Timestamp int64
}

// ParseCommitKey tells with ok whether the record is a commit at all.
func ParseCommitKey(data []byte) (key CommitKey, ok bool, err error) {
	r := &reader{data: bytes.NewReader(data)}
	if version := read[int16](r); r.err != nil || version > 1 {
		return key, false, r.err
	}
	key = CommitKey{Group: r.string(), Topic: r.string(), Partition: read[int32](r)}
	return key, true, r.end()
}

// ParseCommitValue reads the versions that Kafka writes: 1 with an expiry, 3 without, and 4, the
// first flexible one, for a commit that named its topic by id.
func ParseCommitValue(data []byte) (value CommitValue, err error) {
	r := &reader{data: bytes.NewReader(data)}
	version := read[int16](r)
	if r.err == nil && version != 1 && version != 3 && version != 4 {
		return value, fmt.Errorf("commit value of version %d", version)
	}
	value.Offset = read[int64](r)
	if version >= 3 {
		read[int32](r) // leader epoch, which a commit need not carry
	}
	if version >= 4 {
		value.Metadata = r.text(int(r.uvarint()) - 1)
	} else {
		value.Metadata = r.string()
	}
	value.Timestamp = read[int64](r)
	if version == 1 {
		read[int64](r) // expiry
	}
	if version >= 4 {
		r.skipTags()
	}
	return value, r.end()
}

type reader struct {
	data *bytes.Reader
	err  error
}

func read[V int16 | int32 | int64](r *reader) (v V) {
	if r.err == nil {
		r.err = binary.Read(r.data, binary.BigEndian, &v)
	}
	return v
}

func (r *reader) uvarint() (v uint64) {
	if r.err == nil {
		v, r.err = binary.ReadUvarint(r.data)
	}
	return v
}

func (r *reader) string() string { return r.text(int(read[int16](r))) }

func (r *reader) text(length int) string {
	if r.err == nil && (length < 0 || length > r.data.Len()) {
		r.err = fmt.Errorf("string of length %d", length)
	}
	if r.err != nil {
		return ""
	}
	text := make([]byte, length)
	_, r.err = io.ReadFull(r.data, text)
	return string(text)
}

func (r *reader) skipTags() {
	for count := r.uvarint(); count > 0 && r.err == nil; count-- {
		r.uvarint() // the tag
		r.text(int(r.uvarint()))
	}
}

func (r *reader) end() error {
	if r.err == nil && r.data.Len() > 0 {
		r.err = fmt.Errorf("%d bytes too many", r.data.Len())
	}
	return r.err
}
