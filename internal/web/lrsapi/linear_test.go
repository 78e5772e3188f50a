package lrsapi_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/go-json-experiment/json"

	"rollway/internal/db"
	"rollway/internal/db/dbtest"
)

// rounds is how often something is done: few times by default, all with ROLLWAY_LONG=1.
func rounds(short, long int) int {
	if os.Getenv("ROLLWAY_LONG") != "" {
		return long
	}
	return short
}

// proof logs what a test has proven, if it has.
func proof(t *testing.T, format string, args ...any) {
	t.Helper()
	if !t.Failed() {
		t.Logf("proof: "+t.Name()+": "+format, args...)
	}
}

// nodes are servers that share a database: two on PostgreSQL, one on SQLite.
func nodes(t *testing.T, d *db.DB) []*server {
	all := []*server{serve(t, d)}
	if d.Engine() == db.PostgreSQL {
		all = append(all, serve(t, d))
	}
	return all
}

// asked is one operation on a key of a history: a document or a statement.
type asked struct {
	key, method string
	blind       bool   // a PUT that is refused when there is a document: without a precondition, of a profile, in 2.0 of a state too
	match       string // If-Match names the document with this content
	none        bool   // If-None-Match: *
	content     string
}

// told is its answer.
type told struct {
	status  int
	content string
}

// documentModel is a document: its content as sorted JSON, empty while there is none.
func documentModel() porcupine.Model {
	return porcupine.Model{
		Partition: byKey,
		Init:      func() any { return "" },
		Step: func(state, input, output any) (bool, any) {
			was, a, b := state.(string), input.(asked), output.(told)
			if a.method == "GET" {
				return was == "" && b.status == 404 || was != "" && b.status == 200 && b.content == was, was
			}
			switch {
			case a.match != "" && a.match != was, a.none && was != "":
				return b.status == 412, was
			case a.method == "PUT" && a.blind && was != "" && a.match == "":
				return b.status == 409, was
			case b.status != 204:
				return false, was
			case a.method == "DELETE":
				return true, ""
			case a.method == "PUT" || was == "":
				return true, a.content
			}
			return true, mergedText(was, a.content)
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v → %+v", input, output) },
	}
}

// statementModel is a statement's id: nothing, then for ever the statement that came first.
func statementModel() porcupine.Model {
	return porcupine.Model{
		Partition: byKey,
		Init:      func() any { return "" },
		Step: func(state, input, output any) (bool, any) {
			was, a, b := state.(string), input.(asked), output.(told)
			switch {
			case a.method == "GET":
				return was == "" && b.status == 404 || was != "" && b.status == 200 && b.content == was, was
			case was != "" && was != a.content:
				return b.status == 409, was
			}
			return b.status == 204, a.content
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v → %+v", input, output) },
	}
}

func byKey(history []porcupine.Operation) [][]porcupine.Operation {
	parts := map[string][]porcupine.Operation{}
	for _, o := range history {
		key := o.Input.(asked).key
		parts[key] = append(parts[key], o)
	}
	return slices.Collect(maps.Values(parts))
}

func members(text string) map[string]string {
	m := map[string]string{}
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		panic(fmt.Sprintf("%q: %v", text, err))
	}
	return m
}

func sortedText(m map[string]string) string {
	text, err := json.Marshal(m, json.Deterministic(true))
	if err != nil {
		panic(err)
	}
	return string(text)
}

func mergedText(was, posted string) string {
	m := members(was)
	maps.Copy(m, members(posted))
	return sortedText(m)
}

// history is what clients asked and were told, and when.
type history struct {
	mu         sync.Mutex
	start      time.Time
	operations []porcupine.Operation
}

func (h *history) do(client int, a asked, send func() told) told {
	call := time.Since(h.start).Nanoseconds()
	b := send()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.operations = append(h.operations, porcupine.Operation{ClientId: client, Input: a, Call: call, Output: b, Return: time.Since(h.start).Nanoseconds()})
	return b
}

// check holds a history against a model, and sees that the checker notices when the answer to the last GET of a key is
// another than it was.
func (h *history) check(t *testing.T, model porcupine.Model, spoil func(content string) string) {
	t.Helper()
	if result := porcupine.CheckOperationsTimeout(model, h.operations, 2*time.Minute); result != porcupine.Ok {
		_, info := porcupine.CheckOperationsVerbose(model, h.operations, 10*time.Second)
		file := t.ArtifactDir() + "/history.html"
		t.Errorf("%d operations: %v; see %s (%v)", len(h.operations), result, file, porcupine.VisualizePath(model, info, file))
	}
	statuses := map[string]int{}
	for _, o := range h.operations {
		statuses[fmt.Sprint(o.Input.(asked).method, " ", o.Output.(told).status)]++
	}
	proof(t, "%d operations of %d clients on %d keys are linearizable: %v", len(h.operations), linearClients, len(byKey(h.operations)), statuses)
	spoilt := slices.Clone(h.operations)
	for i, o := range slices.Backward(spoilt) {
		if b := o.Output.(told); b.status == 200 {
			spoilt[i].Output = told{200, spoil(b.content)}
			break
		}
	}
	if porcupine.CheckOperationsTimeout(model, spoilt, 2*time.Minute) != porcupine.Illegal {
		t.Error("the checker does not see a read that is wrong")
	}
}

const linearClients = 8

// Documents are linearizable for clients on all nodes: what is read, merged, and refused for its ETag is always what one
// after the other would give.
func TestDocumentsAreLinearizable(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		servers := nodes(t, d)
		h := &history{start: time.Now()}
		paths := []string{}
		for i := range 3 {
			paths = append(paths, fmt.Sprintf("%s%d", state, i), fmt.Sprintf("%s%d", profile, i))
		}
		var group sync.WaitGroup
		for client := range linearClients {
			group.Go(func() {
				c := &documentClient{h: h, server: servers[client%len(servers)], number: client, tags: map[string]tagged{}}
				for n := range rounds(120, 1500) {
					c.step(t, paths[rand.IntN(len(paths))], n)
				}
			})
		}
		group.Wait()
		last := &documentClient{h: h, server: servers[0], number: linearClients, tags: map[string]tagged{}}
		for _, path := range paths {
			last.send(t, asked{key: path, method: "GET"}, "2.0.0", "")
		}
		h.check(t, documentModel(), func(content string) string {
			m := members(content)
			m["lost"] = "x"
			return sortedText(m)
		})
		lost := func(seen string) porcupine.CheckResult { // two merges, then a read
			op := func(at int64, a asked, b told) porcupine.Operation {
				return porcupine.Operation{Input: a, Output: b, Call: 10 * at, Return: 10*at + 15}
			}
			return porcupine.CheckOperationsTimeout(documentModel(), []porcupine.Operation{
				op(1, asked{method: "POST", content: `{"a":"1"}`}, told{status: 204}),
				op(2, asked{method: "POST", content: `{"b":"2"}`}, told{status: 204}),
				op(5, asked{method: "GET"}, told{200, seen}),
			}, time.Minute)
		}
		if lost(`{"a":"1","b":"2"}`) != porcupine.Ok || lost(`{"b":"2"}`) != porcupine.Illegal {
			t.Error("the checker does not see a lost merge")
		}
	})
}

// tagged is a document that was read: its ETag and its content.
type tagged struct{ etag, content string }

type documentClient struct {
	h      *history
	server *server
	number int
	tags   map[string]tagged
}

func (c *documentClient) step(t *testing.T, path string, n int) {
	name := fmt.Sprintf("%d-%d", c.number, n)
	tag, known := c.tags[path]
	ifMatch, version := "", "2.0.0"
	a := asked{key: path, method: "PUT", content: sortedText(map[string]string{"put": name})}
	switch rand.IntN(10) {
	case 0, 1, 2:
		a = asked{key: path, method: "GET"}
	case 3, 4:
		a = asked{key: path, method: "POST", content: sortedText(map[string]string{fmt.Sprintf("m%d", c.number): name})}
	case 5:
		a.none = true
	case 6:
		a = asked{key: path, method: "DELETE"}
		if known && rand.IntN(2) == 0 {
			a.match, ifMatch = tag.content, tag.etag
		}
	case 7:
		if a.blind = n%2 == 0 || !strings.HasPrefix(path, state); !a.blind {
			version = "1.0.3"
		}
	default:
		if !known {
			a = asked{key: path, method: "GET"}
		} else {
			a.match, ifMatch = tag.content, tag.etag
		}
	}
	header := ""
	if a.none {
		header = "If-None-Match: *"
	} else if ifMatch != "" {
		header = "If-Match: " + ifMatch
	}
	c.send(t, a, version, header)
}

func (c *documentClient) send(t *testing.T, a asked, version, header string) {
	c.h.do(c.number, a, func() told {
		got := c.server.do(t, exchange{method: a.method, path: a.key, header: "X-Experience-API-Version: " + version + "\n" + header, body: a.content})
		b := told{status: got.status}
		if a.method == "GET" && got.status == http.StatusOK {
			b.content = sortedText(members(got.body))
			c.tags[a.key] = tagged{got.header.Get("ETag"), b.content}
		}
		return b
	})
}

// A statement's id is linearizable: whoever comes first has it, equal ones are welcome, others are refused, and whoever asks
// afterwards is told of it.
func TestStatementIDsAreLinearizable(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		servers := nodes(t, d)
		h := &history{start: time.Now()}
		var group sync.WaitGroup
		ids := make([]string, rounds(60, 600))
		for i := range ids {
			ids[i] = fmt.Sprintf("00000000-0000-4000-9000-%012d", i)
		}
		for client := range linearClients {
			group.Go(func() {
				for i := range ids {
					for range 4 {
						statementStep(t, h, servers[client%len(servers)], client, ids[max(0, i-rand.IntN(3))])
					}
				}
			})
		}
		group.Wait()
		for _, sid := range ids {
			readStatement(t, h, servers[0], linearClients, sid)
		}
		h.check(t, statementModel(), func(string) string { return "v9" })
	})
}

func statementStep(t *testing.T, h *history, s *server, client int, sid string) {
	if rand.IntN(2) == 0 {
		readStatement(t, h, s, client, sid)
		return
	}
	verb := fmt.Sprintf("v%d", rand.IntN(3))
	body := statement(ann, "http://example.com/"+verb)
	h.do(client, asked{key: sid, method: "PUT", content: verb}, func() told {
		if rand.IntN(2) == 0 {
			return told{status: s.do(t, exchange{method: "PUT", path: "statements?statementId=" + sid, body: body}).status}
		}
		status := s.do(t, exchange{method: "POST", path: "statements", body: "[" + strings.Replace(body, "{", `{"id":"`+sid+`",`, 1) + "]"}).status
		if status == 200 {
			status = 204
		}
		return told{status: status}
	})
}

func readStatement(t *testing.T, h *history, s *server, client int, sid string) {
	h.do(client, asked{key: sid, method: "GET"}, func() told {
		got := s.do(t, exchange{method: "GET", path: "statements?statementId=" + sid})
		b := told{status: got.status}
		if got.status == 200 {
			_, rest, _ := strings.Cut(got.body, `"verb":{"id":"http://example.com/`)
			b.content, _, _ = strings.Cut(rest, `"`)
		}
		return b
	})
}
