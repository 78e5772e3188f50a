package main

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"rollway/internal/browsertest"
	"rollway/internal/db"
	"rollway/internal/id"
)

// TestClientLibraries runs packages whose pages use the libraries that content is written with, launched by our own link
// in a real browser, on both engines.
func TestClientLibraries(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		h := newHouse(t, e)
		reader := h.token("all/read")
		manager := bearer(h.token("people:write,credentials:mint,launch:create"))
		b := browsertest.Open(t)
		for _, client := range []struct{ name, script string }{
			{"tincanjs", "tincanjs/build/tincan.js"},
			{"xapi", "@xapi/xapi/dist/XAPI.umd.js"},
		} {
			file := filepath.Join(t.TempDir(), client.name+".zip")
			h.must(os.WriteFile(file, clientPackage(t, client.name, client.script), 0o600))
			h.run("content", "add", file)
			// A name that every encoding on the way has to carry.
			person := fmt.Sprintf(`{"name":"Ünï + ✓ O'Neil","account":{"homePage":"https://lms.example/a b+c","name":"%s ü+1"}}`, client.name)
			person = strings.Replace(person, "a b+c", "a%20b+c", 1)
			h.want(200, "PUT", "/api/actors/agents", manager, person)
			link := pick(t, h.want(200, "POST", "/api/activities/launch", manager, fmt.Sprintf(`{"activityId":"https://clients.example/%s","actor":%s}`, client.name, person)).body, "/url")
			b.Go(link)
			b.WaitFor(`document.querySelector("#told").textContent !== ""`)
			checkClient(t, h, reader, client.name, b.Text("#told"))
			b.Axe()
		}
	})
}

// wholeSteps are the fewest steps of a whole.js.
const wholeSteps = 16

// TestClientLibrariesInNode runs the same libraries in Node, with the key of a service account, on both engines.
func TestClientLibrariesInNode(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		h := newHouse(t, e)
		account := h.run("service-account", "create", "--name", "node", "--scope", "all", "-o", "json")
		auth := "Basic " + base64.StdEncoding.EncodeToString([]byte(pick(t, account, "/key")+":"+pick(t, account, "/secret")))
		for _, client := range []struct{ name, script string }{
			{"tincanjs", "tincanjs/build/tincan-node.js"},
			{"xapi", "@xapi/xapi/dist/XAPI.cjs.js"},
		} {
			browsertest.Script(t, client.script) // says what to do when it is not there
			library, err := filepath.Abs(filepath.Join("../../internal/browsertest/testdata/node_modules", client.script))
			h.must(err)
			config, err := json.Marshal(map[string]any{
				"endpoint": h.url + "/xapi/", "auth": auth, "adapter": "fetch", "voids": true, // with axios in Node, @xapi/xapi loses the type of its multipart
				"actor":    map[string]any{"name": "Ünï", "account": map[string]string{"homePage": "https://lms.example/a%20b+c", "name": client.name}},
				"activity": "https://clients.example/node/" + client.name, "registration": id.NewRandom[id.RegistrationID]().String(),
			})
			h.must(err)
			node := exec.CommandContext(t.Context(), "node", "testdata/clients/node.js", "./"+client.name+"/whole.js", library, string(config))
			var errs strings.Builder
			node.Stderr = &errs
			out, err := node.Output()
			if err != nil {
				t.Errorf("%s: %v\n%s", client.name, err, errs.String())
				continue
			}
			var steps []string
			h.must(json.Unmarshal(out, &steps))
			if len(steps) < wholeSteps+2 {
				t.Errorf("%s: only %v", client.name, steps)
			}
			t.Logf("proof: %s: %s in Node takes %d steps: %s", t.Name(), client.name, len(steps), strings.Join(steps, ", "))
		}
	})
}

func clientPackage(t testing.TB, name, script string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name string, text []byte) {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write(text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"tincan.xml", "index.html", "page.js", "whole.js"} {
		text, err := os.ReadFile(filepath.Join("testdata/clients", name, file))
		if err != nil {
			t.Fatal(err)
		}
		add(file, text)
	}
	add(path.Base(script), browsertest.Script(t, script))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// checkClient holds what the page was told against what the server has.
func checkClient(t *testing.T, h *house, reader, name, text string) {
	t.Helper()
	var told struct {
		Failed       string         `json:"failed"`
		Registration string         `json:"registration"`
		Activity     string         `json:"activity"`
		Stores       int            `json:"stores"`
		Statement    string         `json:"statement"`
		State        map[string]any `json:"state"`
		Profile      map[string]any `json:"profile"`
		Response     string         `json:"response"`
		Verbs        []string       `json:"verbs"`
		Essay        string         `json:"essay"`
		Steps        []string       `json:"steps"`
	}
	h.must(json.Unmarshal([]byte(text), &told))
	if told.Failed != "" {
		t.Errorf("%s: the page says: %s", name, told.Failed)
		return
	}
	const response, verbs = "a+b c&d=e%20", "answered experienced terminated"
	if told.Activity != "https://clients.example/"+name || told.Stores != 1 || told.Response != response || strings.Join(told.Verbs, " ") != verbs ||
		told.State["page"] != 8.0 || told.State["text"] != "ünïcode +" || told.Profile["large"] != true || len(told.Steps) < wholeSteps {
		t.Errorf("%s: the page was told %s", name, text)
	}
	if want := map[string]string{"tincanjs": "0 13 10 45 45 255 128 13 10 notes", "xapi": "essay ✓ notes"}[name]; told.Essay != want {
		t.Errorf("%s: the attachment came back as %q", name, told.Essay)
	}
	var seen []string
	for _, s := range h.records(reader, "registration="+told.Registration) {
		if strings.HasPrefix(s.Verb.ID, "https://clients.example/") {
			continue // of whole.js, which looks for itself
		}
		seen = append(seen, s.Verb.ID[strings.LastIndexByte(s.Verb.ID, '/')+1:])
		if s.Actor.Account.Name != name+" ü+1" || s.Object.ID != told.Activity {
			t.Errorf("%s: a statement is about %+v and %s", name, s.Actor, s.Object.ID)
		}
		if len(seen) == 1 && (s.Result.Response != response || s.Result.Score.Scaled != 0.75 || !s.Result.Success) {
			t.Errorf("%s: the result is %+v", name, s.Result)
		}
	}
	if strings.Join(seen, " ") != verbs {
		t.Errorf("%s: the server has %v", name, seen)
	}
	t.Logf("proof: %s: content written with %s sends statements, keeps state and profile, and reads them back; in a page on another origin it takes %d steps: %s",
		t.Name(), name, len(told.Steps), strings.Join(told.Steps, ", "))
}
