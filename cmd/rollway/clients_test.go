package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"rollway/internal/browsertest"
	"rollway/internal/db"
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
	for _, file := range []string{"tincan.xml", "index.html", "page.js"} {
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
	}
	h.must(json.Unmarshal([]byte(text), &told))
	if told.Failed != "" {
		t.Errorf("%s: the page says: %s", name, told.Failed)
		return
	}
	const response, verbs = "a+b c&d=e%20", "answered experienced terminated"
	if told.Activity != "https://clients.example/"+name || told.Stores != 1 || told.Response != response || strings.Join(told.Verbs, " ") != verbs ||
		told.State["page"] != 8.0 || told.State["text"] != "ünïcode +" || told.Profile["large"] != true {
		t.Errorf("%s: the page was told %s", name, text)
	}
	var seen []string
	for _, s := range h.records(reader, "registration="+told.Registration) {
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
	t.Logf("proof: %s: content written with %s sends statements, keeps state and profile, and reads them back", t.Name(), name)
}
