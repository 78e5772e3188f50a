package db

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// arrays sends columns of many rows, arrays of one dimension, with less work than pgx, which looks at each element by
// reflection and copies what it has each time that its buffer grows.
type arrays struct{ *pgtype.ArrayCodec }

// useArrays has a connection send [][]byte (nil is NULL), [][16]byte and []int64 so.
func useArrays(_ context.Context, c *pgx.Conn) error {
	registerArrays(c.TypeMap())
	return nil
}

func registerArrays(m *pgtype.Map) {
	for _, oid := range [...]uint32{pgtype.ByteaArrayOID, pgtype.UUIDArrayOID, pgtype.Int8ArrayOID} {
		t, _ := m.TypeForOID(oid) // which knows all types of PostgreSQL itself
		m.RegisterType(&pgtype.Type{Name: t.Name, OID: oid, Codec: arrays{t.Codec.(*pgtype.ArrayCodec)}})
	}
}

// PlanEncode implements [pgtype.Codec].
func (a arrays) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if format == pgtype.BinaryFormatCode {
		switch value.(type) {
		case [][]byte:
			return column[[]byte]{a.ElementType.OID, bytesSize, func(b, v []byte) []byte { return append(b, v...) }}
		case [][16]byte:
			return column[[16]byte]{a.ElementType.OID, func([16]byte) int { return 16 }, func(b []byte, v [16]byte) []byte { return append(b, v[:]...) }}
		case []int64:
			return column[int64]{a.ElementType.OID, func(int64) int { return 8 }, func(b []byte, v int64) []byte { return binary.BigEndian.AppendUint64(b, uint64(v)) }}
		}
	}
	return a.ArrayCodec.PlanEncode(m, oid, format, value)
}

func bytesSize(v []byte) int {
	if v == nil {
		return isNull
	}
	return len(v)
}

// isNull is the size of NULL.
const isNull = -1

// column encodes a []T in the binary format of array_send: how many dimensions, whether there are NULLs, the type of the
// elements, the dimension's length and first index; then each element after its size.
type column[T any] struct {
	element uint32
	size    func(T) int
	add     func([]byte, T) []byte
}

// Encode implements [pgtype.EncodePlan]. A nil slice is NULL.
func (c column[T]) Encode(value any, b []byte) ([]byte, error) {
	values := value.([]T)
	if values == nil {
		return nil, nil
	}
	const head, next = 20, 1 << 10 // bytes, and room for a short column after this one
	all, nulls := head+next, uint32(0)
	for _, v := range values {
		n := c.size(v)
		if n == isNull {
			nulls = 1
		}
		all += 4 + max(n, 0)
	}
	b = slices.Grow(b, all)
	for _, word := range [...]uint32{1, nulls, c.element, uint32(len(values)), 1} {
		b = binary.BigEndian.AppendUint32(b, word)
	}
	for _, v := range values {
		n := c.size(v)
		b = binary.BigEndian.AppendUint32(b, uint32(int32(n)))
		if n != isNull {
			b = c.add(b, v)
		}
	}
	return b, nil
}
