package main

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"rollway/internal/db"
	"rollway/internal/id"
)

// TestImportBesideTheServer imports into a running server's database, kills the import with SIGKILL and resumes it, while
// others store over HTTP. A follower that goes by X-Experience-API-Consistent-Through misses nothing, and each statement is
// there once.
func TestImportBesideTheServer(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		h := newHouse(t, e)
		token := bearer(h.token("all"))
		var lines bytes.Buffer
		wanted := map[string]bool{}
		for range 8000 {
			text, sid := oneStatement()
			wanted[sid] = true
			fmt.Fprintln(&lines, text)
		}
		file := filepath.Join(t.TempDir(), "all.ndjson")
		h.must(os.WriteFile(file, lines.Bytes(), 0o600))

		followed, done, follower := map[string]bool{}, make(chan struct{}), sync.WaitGroup{}
		follower.Go(func() { h.follow(token, followed, done) })
		var mu sync.Mutex
		var writers sync.WaitGroup
		stop := make(chan struct{})
		for range 3 {
			writers.Go(func() {
				for {
					text, sid := oneStatement()
					if a := h.ask("POST", "/xapi/statements", token, text); a.status != 200 {
						t.Errorf("beside an import the server answers %d: %s", a.status, a.body)
						return
					}
					mu.Lock()
					wanted[sid] = true
					mu.Unlock()
					select {
					case <-stop:
						return
					case <-time.After(5 * time.Millisecond):
					}
				}
			})
		}
		path, err := program()
		h.must(err)
		broken := exec.Command(path, "statements", "import", file)
		broken.Env = h.env
		h.must(broken.Start())
		time.Sleep(400 * time.Millisecond)
		h.must(broken.Process.Kill())
		if err := broken.Wait(); err != nil && broken.ProcessState == nil {
			t.Fatal(err)
		}
		out := h.run("statements", "import", file, "--resume", "-o", "json")
		close(stop)
		writers.Wait()
		close(done)
		follower.Wait()
		var result struct {
			Stored   int `json:"stored"`
			Known    int `json:"alreadyHere"`
			Problems int `json:"problems"`
		}
		h.must(json.Unmarshal([]byte(out), &result))
		if result.Stored+result.Known != 8000 || result.Problems != 0 {
			t.Errorf("the import answers %s", out)
		}
		missed := 0
		for sid := range wanted {
			if !followed[sid] {
				missed++
			}
		}
		if missed > 0 || len(followed) != len(wanted) {
			t.Errorf("%d of %d statements were missed", missed, len(wanted))
		}
		if out := h.run("statements", "verify", "-o", "json"); !strings.HasPrefix(out, fmt.Sprintf(`{"statements":%d,"findings":0,`, len(wanted))) {
			t.Errorf("verify answers %s", out)
		}
		if !t.Failed() {
			t.Logf("proof: %v: %d statements, 8000 of them by an import that was killed and resumed beside the server; a follower missed none, none is there twice", e, len(wanted))
		}
	})
}

// TestImportFromAnotherHouse moves statements with the data of their attachments, voided ones too, from one installation to
// another over its public address.
func TestImportFromAnotherHouse(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		there, here := newHouse(t, e), newHouse(t, e)
		made := there.run("service-account", "create", "--name", "move", "--scope", "all", "-o", "json")
		token := bearer(pick(t, made, "/token"))
		data := "an essay"
		text, sid := oneStatement()
		there.want(200, "POST", "/xapi/statements", append(token, mixedType), mixed(attaching(text, data), data))
		there.want(200, "POST", "/xapi/statements", token, fmt.Sprintf(`{"actor":{"mbox":"mailto:ann@example.org"},"verb":{"id":"http://adlnet.gov/expapi/verbs/voided"},"object":{"objectType":"StatementRef","id":%q}}`, sid))

		secret := filepath.Join(t.TempDir(), "secret")
		here.must(os.WriteFile(secret, []byte(pick(t, made, "/secret")), 0o600))
		here.run("statements", "import", "--from", there.url+"/xapi", "--user", pick(t, made, "/key"), "--password-file", secret)
		got := here.want(200, "GET", "/xapi/statements?attachments=true&voidedStatementId="+sid, bearer(here.token("all")), "")
		if !strings.Contains(got.body, "\r\n\r\n"+data+"\r\n--") {
			t.Errorf("without its data: %s", got.body)
		}
		var listed []struct {
			Import   int       `json:"import"`
			Stored   int       `json:"stored"`
			Problems int       `json:"problems"`
			Source   string    `json:"source"`
			Ended    time.Time `json:"ended"`
		}
		here.must(json.Unmarshal([]byte(here.run("statements", "imports", "-o", "json")), &listed))
		if len(listed) != 1 || listed[0].Import != 1 || listed[0].Stored != 2 || listed[0].Problems != 0 || listed[0].Ended.IsZero() || !strings.HasPrefix(listed[0].Source, there.url+"/xapi as ") {
			t.Errorf("listed are %+v", listed)
		}
	})
}

// TestExportResumes kills an export with SIGKILL, tears its last line, and goes on: the file is then what one export would have
// written, and again when more has come. A file that is no export of this store is refused and stays as it is.
func TestExportResumes(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		h := newHouse(t, e)
		token := bearer(h.token("all"))
		dir := t.TempDir()
		in := func(name string) string { return filepath.Join(dir, name) }
		post := func(n int) {
			texts := make([]string, n)
			for i := range texts {
				text, _ := oneStatement()
				texts[i] = strings.TrimSuffix(text, "}") + `,"result":{"response":"` + strings.Repeat("essay ", 300) + `"}}`
			}
			h.want(200, "POST", "/xapi/statements", token, "["+strings.Join(texts, ",")+"]")
		}
		same := func(when, one, other string) {
			t.Helper()
			a, err := os.ReadFile(in(one))
			h.must(err)
			b, err := os.ReadFile(in(other))
			h.must(err)
			if !bytes.Equal(a, b) {
				t.Errorf("%s, the file has %d bytes, and one export %d", when, len(a), len(b))
			}
		}
		for range 5 {
			post(1000)
		}
		h.run("statements", "export", "--out", in("whole"))
		path, err := program()
		h.must(err)
		broken := exec.Command(path, "statements", "export", "--out", in("file"))
		broken.Env = h.env
		h.must(broken.Start())
		size := func() int64 {
			info, err := os.Stat(in("file"))
			if err != nil {
				return 0
			}
			return info.Size()
		}
		for end := time.Now().Add(30 * time.Second); size() == 0; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("nothing was exported in 30 s")
			}
		}
		h.must(broken.Process.Kill())
		if err := broken.Wait(); err != nil && broken.ProcessState == nil {
			t.Fatal(err)
		}
		left := size()
		for _, torn := range []int64{left, left - 1, left / 2, 10, 0} {
			h.must(os.Truncate(in("file"), torn))
			h.run("statements", "export", "--out", in("file"), "--resume")
			same(fmt.Sprintf("resumed from %d bytes", torn), "file", "whole")
		}
		post(7)
		h.run("statements", "export", "--out", in("file"), "--resume")
		h.run("statements", "export", "--out", in("all"))
		same("with what came since", "file", "all")
		unknown, _ := oneStatement()
		for name, text := range map[string]string{"words": "no statement\n", "a torn text": "no statement", "another's": unknown + "\n", "no id": "{}\n"} {
			h.must(os.WriteFile(in("foreign"), []byte(text), 0o600))
			cmd := exec.Command(path, "statements", "export", "--out", in("foreign"), "--resume")
			cmd.Env = h.env
			out, err := cmd.CombinedOutput()
			if now, read := os.ReadFile(in("foreign")); err == nil || read != nil || string(now) != text {
				t.Errorf("%s: %v, %s, and then the file holds %.100q", name, err, out, now)
			}
		}
		if !t.Failed() {
			t.Logf("proof: %s: an export of 5,000 statements killed at %d bytes and torn in five ways is whole when resumed; files that are none are left alone", t.Name(), left)
		}
	})
}

func oneStatement() (text, sid string) {
	sid = id.NewRandom[id.StatementID]().String()
	return fmt.Sprintf(`{"id":%q,"actor":{"mbox":"mailto:ann@example.org"},"verb":{"id":"https://example.org/did"},"object":{"id":"https://example.org/course"}}`, sid), sid
}

// follow reads what is new, again and again, until everything that was stored before done is covered.
func (h *house) follow(token []string, got map[string]bool, done chan struct{}) {
	since, last := "1970-01-01T00:00:00.000Z", time.Time{}
	for {
		address := "/xapi/statements?ascending=true&limit=1000&since=" + url.QueryEscape(since)
		through := ""
		for address != "" {
			a := h.ask("GET", address, token, "")
			var page statementsPage
			if err := json.Unmarshal([]byte(a.body), &page); err != nil || a.status != 200 {
				h.Errorf("%d %v: %s", a.status, err, a.body)
				return
			}
			for _, st := range page.Statements {
				got[st.ID] = true
			}
			if through == "" {
				through = a.header.Get("X-Experience-API-Consistent-Through")
			}
			address = page.More
		}
		since = through
		select {
		case <-done:
			if last.IsZero() {
				last = time.Now()
			}
			if at, err := time.Parse(time.RFC3339Nano, through); err != nil || at.After(last) {
				return
			}
		case <-time.After(10 * time.Millisecond):
		}
	}
}
