package db

import (
	"fmt"
	"hash/fnv"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

func stack() []byte { return debug.Stack() }

// micros scans integer microseconds into a time; NULL is the zero time.
type micros time.Time

// Scan implements sql.Scanner.
func (m *micros) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*m = micros{}
	case int64:
		*m = micros(time.UnixMicro(v).UTC())
	default:
		return fmt.Errorf("db: cannot read a time from %T", src)
	}
	return nil
}

type uuid interface{ UUID() [16]byte }

// bind turns arguments into what both drivers take. UUIDs differ: 16 bytes for SQLite, an array for pgx.
func bind(e Engine, args []any) []any {
	for i, a := range args {
		switch v := a.(type) {
		case time.Time:
			if v.IsZero() {
				args[i] = nil
			} else {
				args[i] = v.UnixMicro()
			}
		case uuid:
			u := v.UUID()
			switch {
			case u == [16]byte{}:
				args[i] = nil
			case e == PostgreSQL:
				args[i] = u
			default:
				args[i] = u[:]
			}
		}
	}
	return args
}

var rewritten sync.Map // query with ? → query with $1, $2, …

// dollar rewrites ? to $1, $2, … once per text. Quoted strings are left alone.
func dollar(query string) string {
	if q, ok := rewritten.Load(query); ok {
		return q.(string)
	}
	var b strings.Builder
	n, quoted := 0, false
	for i := range len(query) {
		c := query[i]
		switch {
		case c == '\'':
			quoted = !quoted
			b.WriteByte(c)
		case c == '?' && !quoted:
			n++
			b.WriteByte('$')
			b.WriteString(strconv.Itoa(n))
		default:
			b.WriteByte(c)
		}
	}
	rewritten.Store(query, b.String())
	return b.String()
}

// lockKeys hashes names to advisory-lock keys, sorted so that no two transactions take them in different order.
func lockKeys(names []string) []int64 {
	keys := make([]int64, len(names))
	for i, n := range names {
		h := fnv.New64a()
		h.Write([]byte(n))
		keys[i] = int64(h.Sum64())
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
