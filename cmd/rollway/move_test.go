package main

import (
	"bytes"
	"crypto/sha256"
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
		sum := fmt.Sprintf("%x", sha256.Sum256([]byte(data)))
		text, sid := oneStatement()
		text = strings.TrimSuffix(text, "}") + fmt.Sprintf(`,"attachments":[{"usageType":"https://example.org/usage","display":{},"contentType":"text/plain","length":%d,"sha2":%q}]}`, len(data), sum)
		mixed := "--x\r\nContent-Type: application/json\r\n\r\n" + text + "\r\n--x\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\nX-Experience-API-Hash: " + sum + "\r\n\r\n" + data + "\r\n--x--\r\n"
		there.want(200, "POST", "/xapi/statements", append(token, "Content-Type: multipart/mixed; boundary=x"), mixed)
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
