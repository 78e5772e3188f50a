package app

import (
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"rollway/internal/db"
)

// Every operation of the record store's door with every kind of credential: nothing is done or told that the rules do not
// allow, and no answer holds a record of another organization or learner.
func TestRightsMatrix(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		w := newMatrixWorld(t, e)
		r := &matrixRun{matrixWorld: w, engine: e, operations: w.operations()}
		var group sync.WaitGroup
		for i, b := range w.bearers {
			group.Go(func() { r.everything(i, b) })
		}
		group.Wait()
		for _, b := range w.bearers {
			r.moreOf(b)
		}
		r.checkKept()
		least := int64(10_000)
		if testing.Short() {
			least /= 4
		}
		if r.granted.Load() < least/10 || r.cells.Load() < least {
			t.Errorf("only %d of %d cells were granted", r.granted.Load(), r.cells.Load())
		}
		if !t.Failed() {
			t.Logf("proof: %s: %d cells (%d operations, %d credentials, both versions, alternate syntax, HEAD, more): 0 unexpected 2xx, no record of another organization or learner",
				t.Name(), r.cells.Load(), len(r.operations), len(w.bearers))
		}
	})
}

type matrixRun struct {
	*matrixWorld
	engine         db.Engine
	operations     []operation
	cells, granted atomic.Int64
}

// everything sends one credential's operations in every way that they can be said; by default each in one of the ways, which
// differ from credential to credential, and on one of the engines, and one in four with a credential that is refused anyway;
// with -short one in four at all.
func (r *matrixRun) everything(at int, b bearerOf) {
	long := os.Getenv("ROLLWAY_LONG") != ""
	for i, o := range r.operations {
		turn := (i + at) % 4
		if !long && (b.bad != "" && i%4 != at%4 || (i/4+at/4)%2 != int(r.engine) || testing.Short() && i/8%4 != at%4) {
			continue
		}
		form := o.open == 0 && !o.plain
		if long || turn == 0 || turn == 1 && !form || turn == 2 && o.method != "GET" || turn == 1 && o.plain {
			r.cell(b, o, "1.0.3", false)
		}
		if form && (long || turn == 1) {
			r.cell(b, o, "1.0.3", true)
		}
		if long || turn == 3 {
			r.cell(b, o, "2.0.0", false)
		}
		if form && long {
			r.cell(b, o, "2.0.0", true)
		}
		if o.method == "GET" && (long || turn == 2) {
			o.method, o.told = "HEAD", nil
			r.cell(b, o, "1.0.3", false)
		}
	}
}

func (r *matrixRun) cell(b bearerOf, o operation, version string, form bool) {
	want := o.open
	switch {
	case want != 0:
	case form && version == "2.0.0":
		want = 400
	case b.bad != "":
		want = 401
	default:
		want = o.want(b)
	}
	if want == 0 {
		return
	}
	if o.fresh != nil {
		o.fresh(b, &o)
	}
	r.cells.Add(1)
	got := r.send(b, o, version, form)
	is := got.StatusCode
	if b.bad == "suspended" && is == 403 {
		is = 401 // the right secret of somebody who is kept out
	}
	if o.method == "TRACE" && is == 501 {
		is = 405
	}
	if is != want {
		r.Errorf("%s as %s (%s, form %v): %d, want %d\n%s", o.name, b.name, version, form, got.StatusCode, want, got.text)
	}
	if is < 300 {
		r.granted.Add(1)
	}
	found := marksIn(got.text)
	for _, m := range found {
		if !b.sees(m) {
			r.Errorf("%s as %s (%s, form %v): %d tells of %v", o.name, b.name, version, form, got.StatusCode, m)
		}
	}
	if o.told != nil && is == 200 {
		r.complete(b, o, found)
	}
}

// complete holds the seeds that an answer tells of against those that it must tell of.
func (r *matrixRun) complete(b bearerOf, o operation, found []mark) {
	var want, got []string
	for _, m := range o.of {
		if o.told(m) && b.sees(m) {
			want = append(want, m.String())
			if o.data && m.kind == "statement" {
				m.kind = "data"
				want = append(want, m.String())
			}
		}
	}
	for _, m := range found {
		if m.kind != "definition" {
			got = append(got, m.String())
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		r.Errorf("%s as %s: told of %v, want %v", o.name, b.name, got, want)
	}
}

func (r *matrixRun) send(b bearerOf, o operation, version string, form bool) reply {
	headers := []string{"Authorization: " + b.header, "X-Experience-API-Version: " + version}
	if o.header != "" {
		headers = append(headers, o.header)
	}
	if !form {
		return r.ask(o.method, "/xapi/"+o.path, o.body, headers...)
	}
	path, query, _ := strings.Cut(o.path, "?")
	fields, err := url.ParseQuery(query)
	if err != nil {
		r.Error(err)
	}
	for _, h := range append(headers, "Content-Type: application/json") {
		name, value, _ := strings.Cut(h, ": ")
		if value != "" && (name != "Content-Type" || fields.Get(name) == "") {
			fields.Set(name, value)
		}
	}
	if o.body != "" {
		fields.Set("content", o.body)
	}
	return r.ask("POST", "/xapi/"+path+"?method="+o.method, fields.Encode(), "Content-Type: application/x-www-form-urlencoded", "Authorization: ", "X-Experience-API-Version: ")
}

// moreOf takes a credential's links to more and lets everybody follow them, as they are and changed.
func (r *matrixRun) moreOf(b bearerOf) {
	if b.bad != "" || !b.may("statements/read/mine") {
		return
	}
	first := r.ask("GET", "/xapi/statements?limit=1", "", "Authorization: "+b.header, "X-Experience-API-Version: 1.0.3")
	_, rest, ok := strings.Cut(first.text, `"more":"`)
	more, _, _ := strings.Cut(rest, `"`)
	if !ok || first.StatusCode != 200 {
		r.Fatalf("%s: %d %s", b.name, first.StatusCode, first.text)
	}
	if more == "" {
		return // too few statements of its own
	}
	follow := func(other bearerOf, link string, want ...int) {
		for _, header := range []string{"1.0.3", "2.0.0"} {
			r.cells.Add(1)
			got := r.ask("GET", link, "", "Authorization: "+other.header, "X-Experience-API-Version: "+header)
			if !slices.Contains(want, got.StatusCode) {
				r.Errorf("more of %s as %s: %d, want %v", b.name, other.name, got.StatusCode, want)
			}
			for _, m := range marksIn(got.text) {
				if !other.sees(m) {
					r.Errorf("more of %s as %s tells of %v", b.name, other.name, m)
				}
			}
		}
	}
	follow(b, more, 200)
	for _, other := range r.bearers {
		switch {
		case other.name == b.name:
		case other.bad != "":
			follow(other, more, 401, 403)
		default:
			follow(other, more, 400, 403)
		}
	}
	token := more[strings.IndexByte(more, '=')+1:]
	for _, at := range []int{0, len(token) / 2, len(token) - 1} {
		changed := []byte(token)
		changed[at] = map[bool]byte{true: 'B', false: 'A'}[changed[at] == 'A']
		follow(b, more[:len(more)-len(token)]+string(changed), 400)
	}
	for _, added := range []string{"&limit=100", "&agent=" + escape(matrixActor("bob", "")), "&more=" + token, "A"} {
		follow(b, more+added, 400)
	}
}

// checkKept reads every seeded record again: what was refused has changed nothing.
func (r *matrixRun) checkKept() {
	for at, want := range r.kept {
		org, path, _ := strings.Cut(at, " ")
		if got := r.ask("GET", "/xapi/"+path, "", "Authorization: "+r.as(org+" account all").header, "X-Experience-API-Version: 1.0.3"); got.text != want {
			r.Errorf("%s is not what it was: %d %s", at, got.StatusCode, got.text)
		}
	}
	r.cells.Add(int64(len(r.kept)))
}
