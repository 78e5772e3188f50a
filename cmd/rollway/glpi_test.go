package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"rollway/internal/browsertest"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
)

// dashboard is a server with a service token for a dashboard, whose mail lands in a directory.
type dashboard struct {
	*house
	box, token string
	answers    string // file that the answers of captchas are written to
}

func newDashboard(t *testing.T, e db.Engine) *dashboard {
	t.Helper()
	data := t.TempDir()
	d := &dashboard{house: &house{TB: t}, box: t.TempDir(), answers: filepath.Join(data, "challenges.jsonl")}
	var err error
	d.server, err = newServer(environ("ROLLWAY_DATA="+data, "ROLLWAY_DB="+dbtest.URL(t, e)), "--dev", "--mail", "file:"+d.box)
	d.must(err)
	d.must(d.start())
	t.Cleanup(func() {
		if err := d.stop(); err != nil {
			t.Error(err)
		}
	})
	d.token = pick(t, d.run("signup", "token", "create", "--name", "dashboard", "-o", "json"), "/token")
	return d
}

// answerOf is what the picture of a captcha shows.
func (d *dashboard) answerOf(captcha string) string {
	d.Helper()
	lines, err := os.ReadFile(d.answers)
	d.must(err)
	for line := range strings.Lines(string(lines)) {
		if pick(d, line, "/id") == captcha {
			return pick(d, line, "/answer")
		}
	}
	d.Fatalf("nothing tells the answer of captcha %s:\n%s", captcha, lines)
	return ""
}

var confirmation = regexp.MustCompile(`/confirm/(\d+)/([0-9a-f]{64})`)

// validation waits for the mail that confirms an address, and returns the id and the token of its link.
func (d *dashboard) validation(address string) (id, token string) {
	d.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		files, err := filepath.Glob(filepath.Join(d.box, "*.eml"))
		d.must(err)
		for _, f := range files {
			text, err := os.ReadFile(f)
			d.must(err)
			plain := strings.NewReplacer("=\r\n", "", "=\n", "", "=3D", "=").Replace(string(text))
			if m := confirmation.FindStringSubmatch(plain); m != nil && strings.Contains(plain, "To: <"+address+">") {
				return m[1], m[2]
			}
		}
	}
	d.Fatalf("no mail for %s", address)
	return "", ""
}

const newPassword = "a field of orange tents"

// TestGLPIClients runs both versions of GLPI's own client for JavaScript through a sign-up and a sign-in, on both engines: the
// older at the root, with tokens in the query, the newer below /apirest.php, with tokens in headers.
func TestGLPIClients(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		d := newDashboard(t, e)
		for _, c := range []struct{ library, base string }{{"glpi-client-0.0.0", ""}, {"glpi-client-0.1.0-beta.12", "/apirest.php"}} {
			browsertest.Script(t, c.library+"/package.json") // says what to do when it is not there
			modules, err := filepath.Abs("../../internal/browsertest/testdata/node_modules")
			d.must(err)
			address := c.library + "@example.org"
			config, err := json.Marshal(map[string]string{"url": d.url + c.base, "token": d.token, "address": address, "password": newPassword})
			d.must(err)
			patience, stop := context.WithTimeout(t.Context(), time.Minute)
			steps, err := d.converse(exec.CommandContext(patience, "node", "testdata/clients/glpi.js", filepath.Join(modules, c.library), filepath.Join(modules, "xhr2"), string(config)))
			stop()
			if err != nil {
				t.Errorf("%s: %v", c.library, err)
				continue
			}
			if len(steps) < 14 {
				t.Errorf("%s: only %v", c.library, steps)
			}
			t.Logf("proof: %s: %s takes %d steps: %s", t.Name(), c.library, len(steps), strings.Join(steps, ", "))
		}
	})
}

// converse runs a client that asks what people read off pictures and mails.
func (d *dashboard) converse(client *exec.Cmd) (steps []string, err error) {
	d.Helper()
	var errs strings.Builder
	client.Stderr = &errs
	in, err := client.StdinPipe()
	d.must(err)
	out, err := client.StdoutPipe()
	d.must(err)
	d.must(client.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var said struct {
			Step string `json:"step"`
			Ask  string `json:"ask"`
			Of   any    `json:"of"`
		}
		d.must(json.Unmarshal(lines.Bytes(), &said))
		switch said.Ask {
		case "":
			steps = append(steps, said.Step)
		case "answer":
			_, err = io.WriteString(in, d.answerOf(fmt.Sprintf("%.f", said.Of))+"\n")
		case "mail":
			id, token := d.validation(fmt.Sprint(said.Of))
			_, err = io.WriteString(in, id+" "+token+"\n")
		}
		if err != nil {
			break
		}
	}
	if ended := client.Wait(); ended != nil {
		return steps, fmt.Errorf("after %v: %w\n%s", steps, ended, errs.String())
	}
	return steps, err
}

// TestThePageOnGLPI runs the requests of docs/glpi.md as printed, in order, and holds the answers that the page shows against
// the real ones. What a request answers is what $SESSION, $CAPTCHA, … stand for in the next ones.
func TestThePageOnGLPI(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		d := newDashboard(t, e)
		page, err := os.ReadFile("../../docs/glpi.md")
		d.must(err)
		env := environ("HOST="+d.url, "USER_TOKEN="+d.token, "PASSWORD="+rand.Text())
		learn := []func(out string){
			func(out string) { env = append(env, "SESSION="+pick(t, out, "/session_token")) },
			func(out string) {
				captcha := pick(t, out, "/id")
				env = append(env, "CAPTCHA="+captcha, "ANSWER="+d.answerOf(captcha))
			},
			nil,
			func(string) {
				id, token := d.validation("emailaddress@domain.com")
				env = append(env, "ID="+id, "VALIDATION="+token)
			},
			nil, nil,
		}
		examples := examplesOf(string(page), "<!-- glpi -->", "HTTP/")
		if len(examples) != len(learn) {
			t.Fatalf("the page has %d requests", len(examples))
		}
		dir := t.TempDir()
		for i, x := range examples {
			request := exec.Command("bash", "-euc", strings.TrimSuffix(x.script, "\n"))
			request.Dir, request.Env = dir, env
			out, err := request.Output()
			if err != nil {
				t.Fatalf("line %d: %v", x.line, err)
			}
			checkExample(t, fmt.Sprintf("docs/glpi.md:%d", x.line), x, string(out))
			if learn[i] != nil {
				learn[i](string(out))
			}
		}
		if picture, err := os.ReadFile(filepath.Join(dir, "picture.jpg")); err != nil || !strings.HasPrefix(string(picture), "\xff\xd8\xff") {
			t.Errorf("the picture: %v", err)
		}
		t.Logf("proof: %s: the %d requests of docs/glpi.md answer as shown", t.Name(), len(examples))
	})
}
