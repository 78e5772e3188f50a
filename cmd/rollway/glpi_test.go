package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
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
	service  string // secret of the token
	database string
	box      string // where mail lands
	answers  string // file that the answers of captchas are written to
}

func newDashboard(t *testing.T, e db.Engine, more ...string) *dashboard {
	t.Helper()
	box := t.TempDir()
	d := dashboardAt(t, e, "file:"+box, more...)
	d.box = box
	return d
}

// dashboardAt is one whose mail leaves in another way.
func dashboardAt(t *testing.T, e db.Engine, mail string, more ...string) *dashboard {
	t.Helper()
	data := t.TempDir()
	d := &dashboard{house: &house{TB: t}, database: dbtest.URL(t, e), answers: filepath.Join(data, "challenges.jsonl")}
	var err error
	d.server, err = newServer(environ("ROLLWAY_DATA="+data, "ROLLWAY_DB="+d.database), append(more, "--dev", "--mail", mail)...)
	d.must(err)
	d.must(d.start())
	t.Cleanup(func() {
		if err := d.stop(); err != nil {
			t.Error(err)
		}
	})
	d.service = pick(t, d.run("signup", "token", "create", "--name", "dashboard", "-o", "json"), "/token")
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
	for range 1500 { // 30 s, however long the machine stands still
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
		time.Sleep(20 * time.Millisecond)
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
			config, err := json.Marshal(map[string]string{"url": d.url + c.base, "token": d.service, "address": address, "password": newPassword})
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

// TestADashboardInABrowser is a page of another origin that signs somebody up and in with GLPI's own client, as Flyve MDM's
// dashboard does.
func TestADashboardInABrowser(t *testing.T) {
	t.Parallel()
	d := newDashboard(t, db.SQLite)
	client := browsertest.Script(t, "glpi-client-0.1.0-beta.12/lib/GlpiApiClient.js")
	page := newLoopback(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/client.js" {
			w.Header().Set("Content-Type", "text/javascript")
			if _, err := w.Write(client); err != nil {
				t.Error(err)
			}
			return
		}
		w.Header().Set("Content-Type", "text/html")
		if _, err := io.WriteString(w, `<!DOCTYPE html><title>Dashboard</title><script src="/client.js"></script><p id="ready">Ready`); err != nil {
			t.Error(err)
		}
	}))
	b := browsertest.Open(t)
	b.Go(page)
	b.Wait("#ready")
	const address = "browser@example.org"
	captcha := browsertest.Eval[struct{ ID, Type, Size string }](b, fmt.Sprintf(`(async () => {
		window.client = new (GlpiApiClient.default ?? GlpiApiClient)({url: %q});
		await client.initSessionByUserToken({userToken: %q});
		const {id} = await client.addItem({itemtype: "PluginFlyvemdmdemoCaptcha", input: {}});
		const picture = await client.genericRequest({path: "PluginFlyvemdmdemoCaptcha/" + id, queryString: {alt: "media"},
			requestParams: {headers: {"Content-Type": "application/octet-stream"}, responseType: "blob"}});
		const {width, height} = await createImageBitmap(picture);
		return {ID: String(id), Type: picture.type, Size: width + "×" + height};
	})()`, d.url+"/apirest.php", d.service))
	if captcha.Type != "image/jpeg" || captcha.Size != "150×40" {
		t.Errorf("the page shows %+v", captcha)
	}
	made := browsertest.Eval[int64](b, fmt.Sprintf(`client.registerUser({userToken: %q, itemtype: "PluginFlyvemdmdemoUser", userData: {name: %[2]q, realname: "Jane Doe", password: %[3]q, password2: %[3]q,
		_useremails: [%[2]q], _plugin_flyvemdmdemo_captchas_id: %[4]s, _answer: %[5]q}}).then((answer) => answer.id)`, d.service, address, newPassword, captcha.ID, d.answerOf(captcha.ID)))
	id, token := d.validation(address)
	if !browsertest.Eval[bool](b, fmt.Sprintf(`client.initSessionByUserToken({userToken: %q}).then(() => client.updateItem({itemtype: "PluginFlyvemdmdemoAccountvalidation", id: %[2]s, input: {_validate: %[3]q}}))
		.then((answer) => answer.some((item) => item[%[2]s]))`, d.service, id, token)) {
		t.Error("the account is not validated")
	}
	in := browsertest.Eval[struct {
		User  int64
		Email string
	}](b, fmt.Sprintf(`client.login({userName: %q, userPassword: %q}).then((login) => ({User: login.userData.id, Email: login.userEmails[0].email}))`, address, newPassword))
	if in.User != made || in.Email != address {
		t.Errorf("signed in as %+v, who signed up is %d", in, made)
	}
	told := browsertest.Eval[int](b, fmt.Sprintf(`client.killSession().then(() => client.genericRequest({path: "lostPassword", requestParams: {method: "PUT", headers: {"Content-Type": "application/json"}, body: JSON.stringify({email: %q})}}))
		.then((answer) => answer.length)`, address))
	if told != 1 {
		t.Errorf("a lost password is answered by %d texts", told)
	}
	t.Logf("proof: a page of another origin signs somebody up and in with GLPI's own client in a real browser")
}

// TestThePageOnGLPI runs the requests of docs/glpi.md as printed, in order, and holds the answers that the page shows against
// the real ones. What a request answers is what $SESSION, $CAPTCHA, … stand for in the next ones.
func TestThePageOnGLPI(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		d := newDashboard(t, e)
		page, err := os.ReadFile("../../docs/glpi.md")
		d.must(err)
		env := environ("HOST="+d.url, "USER_TOKEN="+d.service, "PASSWORD="+rand.Text())
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
