package db

import (
	"bytes"
	"testing"

	"github.com/jackc/pgx/v5/pgtype"
	"pgregory.net/rapid"
)

// Columns are what pgx would have sent.
func TestArrays(t *testing.T) {
	t.Parallel()
	ours, theirs := pgtype.NewMap(), pgtype.NewMap()
	registerArrays(ours)
	same := func(t *rapid.T, oid uint32, v any) {
		got, err := ours.Encode(oid, pgtype.BinaryFormatCode, v, []byte("before"))
		want, err2 := theirs.Encode(oid, pgtype.BinaryFormatCode, v, []byte("before"))
		if err != nil || err2 != nil || !bytes.Equal(got, want) || (got == nil) != (want == nil) {
			t.Fatalf("%T %v is sent as\n%x, by pgx as\n%x (%v, %v)", v, v, got, want, err, err2)
		}
		var back any
		if err := ours.Scan(oid, pgtype.BinaryFormatCode, bytes.TrimPrefix(got, []byte("before")), &back); got != nil && err != nil {
			t.Fatal(err)
		}
	}
	few := rapid.SliceOfN(rapid.Byte(), 0, 300)
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOf(rapid.OneOf(rapid.Just([]byte(nil)), few)).Draw(t, "bytea")
		same(t, pgtype.ByteaArrayOID, texts)
		same(t, pgtype.Int8ArrayOID, rapid.SliceOf(rapid.Int64()).Draw(t, "bigint"))
		ids := make([][16]byte, len(texts))
		for i := range ids {
			copy(ids[i][:], texts[i])
		}
		same(t, pgtype.UUIDArrayOID, ids)
		same(t, pgtype.ByteaArrayOID, [][]byte(nil))
		same(t, pgtype.Int8ArrayOID, []pgtype.Int8{{Int64: 1, Valid: true}, {}})
	})
}

func BenchmarkArrays(b *testing.B) {
	bodies := make([][]byte, 32)
	for i := range bodies {
		bodies[i] = make([]byte, 1400)
	}
	for _, who := range []string{"ours", "pgx"} {
		b.Run(who, func(b *testing.B) {
			m := pgtype.NewMap()
			if who == "ours" {
				registerArrays(m)
			}
			for b.Loop() {
				if _, err := m.Encode(pgtype.ByteaArrayOID, pgtype.BinaryFormatCode, bodies, make([]byte, 0, 256)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
