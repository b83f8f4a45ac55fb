package harness

import (
	"bytes"
	"fmt"
	"math/rand/v2"
)

// Record is a record without its place in the log. A nil Key, Value or header value is Kafka's null.
type Record struct {
	Key, Value []byte
	Headers    []Header
	Timestamp  int64
}

// Header is one header of a record.
type Header struct {
	Key   string
	Value []byte
}

// PayloadVariety is the record list of the scenario payload_variety.
func PayloadVariety() []Record {
	const base = 1_700_000_000_000
	records := []Record{
		{Key: []byte("key"), Value: []byte("value")},
		{Key: nil, Value: []byte("null key")},
		{Key: []byte("tombstone"), Value: nil},
		{Key: []byte{}, Value: []byte("empty key")},
		{Key: []byte("empty value"), Value: []byte{}},
		{Key: []byte("large"), Value: Bytes(200<<10, 1)},
		{Key: []byte("clé-ключ-鍵-🔑"), Value: []byte("non-ASCII key")},
		{Key: []byte("headers"), Value: []byte("headers"), Headers: []Header{
			{"repeated", []byte("first")}, {"empty", []byte{}}, {"repeated", []byte("second")}, {"null", nil},
		}},
	}
	for i := range records {
		records[i].Timestamp = base + int64(i)*1000
	}
	return records
}

// Equal tells whether the records are the same, null and empty being different.
func (r Record) Equal(other Record) bool {
	if len(r.Headers) != len(other.Headers) {
		return false
	}
	for i, h := range r.Headers {
		if h.Key != other.Headers[i].Key || !sameBytes(h.Value, other.Headers[i].Value) {
			return false
		}
	}
	return r.Timestamp == other.Timestamp && sameBytes(r.Key, other.Key) && sameBytes(r.Value, other.Value)
}

func (r Record) String() string {
	s := fmt.Sprintf("key %s, value %s, timestamp %d", shown(r.Key), shown(r.Value), r.Timestamp)
	for _, h := range r.Headers {
		s += fmt.Sprintf(", header %s=%s", h.Key, shown(h.Value))
	}
	return s
}

// Bytes makes data that is half noise, so that no codec can shrink it to nothing.
func Bytes(size int, seed uint64) []byte {
	noise := rand.New(rand.NewPCG(seed, seed))
	data := make([]byte, size)
	for i := range size / 2 {
		data[i] = byte(noise.Uint32())
	}
	return data
}

func sameBytes(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

func shown(b []byte) string {
	switch {
	case b == nil:
		return "null"
	case len(b) > 40:
		return fmt.Sprintf("%d bytes", len(b))
	}
	return fmt.Sprintf("%q", b)
}
