package lrs_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/id"
	"rollway/internal/lrs"
	"rollway/xapi"
)

// field is a statement as the field sends them, 1.2 KB: one of 1,000 actors, 200 activities and 30 verbs, a registration
// for each pair of actor and activity, three context activities.
func field(r *rand.Rand) []byte {
	actor, course, verb := r.IntN(1000), r.IntN(200), r.IntN(30)
	return fmt.Appendf(nil, `{"id":%q,"actor":{"objectType":"Agent","name":"Learner Number %04d","account":{"homePage":"https://hr.example.com/employees","name":"e%06d"}},`+
		`"verb":{"id":"http://adlnet.gov/expapi/verbs/verb-%02d","display":{"en-US":"verb %02d","de-DE":"Verb %02d"}},`+
		`"object":{"objectType":"Activity","id":"https://content.example.com/courses/%03d","definition":{"type":"http://adlnet.gov/expapi/activities/course",`+
		`"name":{"en-US":"A course with the number %03d"},"description":{"en-US":"What this course is about, told in a sentence of ordinary length."}}},`+
		`"result":{"score":{"scaled":0.%d,"raw":%d,"min":0,"max":100},"success":true,"completion":true,"duration":"PT12M34.5S"},`+
		`"context":{"registration":"6ba7b810-9dad-41d1-80b4-%06d%06d","platform":"Example platform 4.2","language":"en-US",`+
		`"contextActivities":{"parent":[{"id":"https://content.example.com/programs/%02d"}],"grouping":[{"id":"https://content.example.com/catalogs/%d"}],`+
		`"category":[{"id":"https://w3id.org/xapi/cmi5/context/categories/cmi5"}]},`+
		`"extensions":{"https://w3id.org/xapi/cmi5/context/extensions/sessionid":%q}},"timestamp":"2026-03-04T05:06:07.%03dZ"}`,
		id.New[id.StatementID](), actor, actor, verb, verb, verb, course, course, r.IntN(90)+10, r.IntN(100), actor, course, course%20, course%5, id.New[id.StatementID](), r.IntN(1000))
}

// fields is an array of so many of them.
func fields(r *rand.Rand, n int) []byte {
	body := []byte("[")
	for range n {
		body = append(append(body, field(r)...), ',')
	}
	body[len(body)-1] = ']'
	return body
}

// parallel runs 64 callers.
func parallel(b *testing.B, do func(r *rand.Rand) error) {
	var seed atomic.Uint64
	b.SetParallelism(32)
	b.ReportAllocs()
	used := processor()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		r := rand.New(rand.NewPCG(seed.Add(1), 1))
		for pb.Next() {
			if err := do(r); err != nil {
				b.Error(err)
				return
			}
		}
	})
	rate(b, b.N, used)
}

// rate reports statements and this process's processor time for each, which other work on the machine hardly touches.
func rate(b *testing.B, statements int, before time.Duration) {
	b.ReportMetric(float64(statements)/b.Elapsed().Seconds(), "statements/s")
	b.ReportMetric(float64((processor()-before).Microseconds())/float64(statements), "cpu-µs/statement")
}

// processor is the time that this process has had of the processors.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkPutStatement(b *testing.B) {
	for _, e := range dbtest.Engines {
		b.Run(e.String(), func(b *testing.B) {
			s, c := open(b, dbtest.Open(b, e)), system()
			go s.Run(b.Context(), func(err error) { b.Error(err) })
			parallel(b, func(r *rand.Rand) error {
				_, err := s.Put(context.Background(), c, xapi.V1, id.StatementID{}, field(r))
				return err
			})
		})
	}
}

func BenchmarkPutBatch(b *testing.B) {
	for _, e := range dbtest.Engines {
		b.Run(e.String(), func(b *testing.B) {
			s, c := open(b, dbtest.Open(b, e)), system()
			go s.Run(b.Context(), func(err error) { b.Error(err) })
			b.SetParallelism(2)
			used := processor()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				r := rand.New(rand.NewPCG(rand.Uint64(), 1))
				for pb.Next() {
					if _, err := s.Put(context.Background(), c, xapi.V1, id.StatementID{}, fields(r, 50)); err != nil {
						b.Error(err)
						return
					}
				}
			})
			rate(b, 50*b.N, used)
		})
	}
}

// BenchmarkFloor is what the driver does with bare rows of that size: five indexes, 50 rows in each durable transaction.
func BenchmarkFloor(b *testing.B) {
	columns := "id %s, verb %s, actor %s, activity %s, registration %s, body %s"
	indexes := []string{"CREATE UNIQUE INDEX floor_id ON floor (id)", "CREATE INDEX floor_verb ON floor (verb)", "CREATE INDEX floor_actor ON floor (actor, verb)", "CREATE INDEX floor_activity ON floor (activity)", "CREATE INDEX floor_registration ON floor (registration)"}
	row := func(r *rand.Rand) (sid id.StatementID, keys [4]int64, body []byte) {
		sid = id.New[id.StatementID]()
		for i, n := range []int{30, 1000, 200, 200000} {
			keys[i] = int64(r.IntN(n)) * 0x1e3779b97f4a7c15
		}
		return sid, keys, field(r)
	}
	b.Run("SQLite", func(b *testing.B) {
		pool, err := sql.Open("sqlite", "file:"+b.TempDir()+"/floor.db?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=cache_size(-65536)")
		if err != nil {
			b.Fatal(err)
		}
		defer pool.Close()
		pool.SetMaxOpenConns(1)
		for _, text := range append([]string{"CREATE TABLE floor (pos INTEGER PRIMARY KEY, " + fmt.Sprintf(columns, "BLOB", "INTEGER", "INTEGER", "INTEGER", "INTEGER", "BLOB") + ") STRICT"}, indexes...) {
			if _, err := pool.Exec(text); err != nil {
				b.Fatal(err)
			}
		}
		r := rand.New(rand.NewPCG(1, 1))
		used := processor()
		b.ResetTimer()
		for done := 0; done < b.N; {
			tx, err := pool.Begin()
			if err != nil {
				b.Fatal(err)
			}
			insert, err := tx.Prepare("INSERT INTO floor (id, verb, actor, activity, registration, body) VALUES (?, ?, ?, ?, ?, ?)")
			if err != nil {
				b.Fatal(err)
			}
			for range 50 {
				sid, k, body := row(r)
				if _, err := insert.Exec(sid[:], k[0], k[1], k[2], k[3], body); err != nil {
					b.Fatal(err)
				}
				done++
			}
			if err := tx.Commit(); err != nil {
				b.Fatal(err)
			}
		}
		rate(b, b.N, used)
	})
	b.Run("PostgreSQL", func(b *testing.B) {
		pool, err := pgxpool.New(b.Context(), dbtest.URL(b, db.PostgreSQL))
		if err != nil {
			b.Fatal(err)
		}
		defer pool.Close()
		for _, text := range append([]string{"CREATE TABLE floor (pos bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, " + fmt.Sprintf(columns, "uuid", "bigint", "bigint", "bigint", "bigint", "bytea") + ")"}, indexes...) {
			if _, err := pool.Exec(b.Context(), text); err != nil {
				b.Fatal(err)
			}
		}
		b.SetParallelism(2)
		used := processor()
		b.ResetTimer()
		b.RunParallel(func(pb *testing.PB) {
			r := rand.New(rand.NewPCG(rand.Uint64(), 1))
			for more := true; more; {
				var ids [][16]byte
				var keys [4][]int64
				var bodies [][]byte
				for len(ids) < 50 {
					if more = pb.Next(); !more {
						break
					}
					sid, k, body := row(r)
					ids, bodies = append(ids, sid), append(bodies, body)
					for i := range keys {
						keys[i] = append(keys[i], k[i])
					}
				}
				if _, err := pool.Exec(context.Background(), "INSERT INTO floor (id, verb, actor, activity, registration, body) SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[])", ids, keys[0], keys[1], keys[2], keys[3], bodies); err != nil {
					b.Error(err)
					return
				}
			}
		})
		rate(b, b.N, used)
	})
}

// BenchmarkFind asks what dashboards and content ask, of 30,000 statements of which most are in the index.
func BenchmarkFind(b *testing.B) {
	for _, e := range dbtest.Engines {
		s, c := open(b, dbtest.Open(b, e)), system()
		r := rand.New(rand.NewPCG(1, 1))
		for n := range 60 {
			if n == 50 {
				if err := s.Index(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			if _, err := s.Put(b.Context(), c, xapi.V1, id.StatementID{}, fields(r, 500)); err != nil {
				b.Fatal(err)
			}
		}
		for name, query := range map[string]func(r *rand.Rand) lrs.Query{
			"newest": func(*rand.Rand) lrs.Query { return lrs.Query{Limit: 25} },
			"agent and verb": func(r *rand.Rand) lrs.Query {
				return lrs.Query{Agent: employee(b, r), Verb: fmt.Sprintf("http://adlnet.gov/expapi/verbs/verb-%02d", r.IntN(30)), Limit: 25}
			},
			"agent":    func(r *rand.Rand) lrs.Query { return lrs.Query{Agent: employee(b, r), Limit: 25} },
			"activity": func(r *rand.Rand) lrs.Query { return lrs.Query{Activity: anyCourse(r), Limit: 25} },
			"agent and activity": func(r *rand.Rand) lrs.Query {
				return lrs.Query{Agent: employee(b, r), Activity: anyCourse(r), Limit: 25}
			},
			"verb and activity": func(r *rand.Rand) lrs.Query {
				return lrs.Query{Verb: fmt.Sprintf("http://adlnet.gov/expapi/verbs/verb-%02d", r.IntN(30)), Activity: anyCourse(r), Limit: 25}
			},
		} {
			b.Run(e.String()+"/"+name, func(b *testing.B) {
				parallel(b, func(r *rand.Rand) error {
					_, err := s.Find(context.Background(), c, query(r))
					return err
				})
			})
		}
	}
}

// BenchmarkStart is the first question to a new process when so many statements are not in the index that it would be written without a rest.
func BenchmarkStart(b *testing.B) {
	for _, e := range dbtest.Engines {
		b.Run(e.String(), func(b *testing.B) {
			d := dbtest.Open(b, e)
			s, c, r := open(b, d), system(), rand.New(rand.NewPCG(1, 1))
			for range lrs.IndexBehind / 1000 {
				if _, err := s.Put(b.Context(), c, xapi.V1, id.StatementID{}, fields(r, 1000)); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				if _, err := open(b, d).Find(b.Context(), c, lrs.Query{Agent: employee(b, r), Limit: 25}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func employee(b *testing.B, r *rand.Rand) xapi.IFI {
	b.Helper()
	i, err := xapi.ParseAccount("https://hr.example.com/employees", fmt.Sprintf("e%06d", r.IntN(1000)))
	if err != nil {
		b.Fatal(err)
	}
	return i
}

func anyCourse(r *rand.Rand) string {
	return fmt.Sprintf("https://content.example.com/courses/%03d", r.IntN(200))
}
