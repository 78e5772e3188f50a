package app

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"rollway/internal/access"
	"rollway/internal/db"
	"rollway/internal/db/dbtest"
	"rollway/internal/id"
	"rollway/internal/mail"
)

// Mail that waited because there was no way for it to leave does so once a server runs that has one.
func TestMailLeavesWhileServing(t *testing.T) {
	t.Parallel()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(t.TempDir(), "out")
	c := Config{Data: t.TempDir(), DB: dbtest.URL(t, db.SQLite), HTTP: "127.0.0.1:0", CoursewareHTTP: "127.0.0.1:0", PublicURL: "https://learn.example", CoursewareURL: "https://content.example", MailFromName: "Learning House"}
	h, err := Open(t.Context(), c)
	must(err)
	must(h.DB.Write(t.Context(), func(tx *db.Tx) error {
		return h.Mail.PutTx(t.Context(), tx, mail.Message{Org: id.DefaultOrg, To: "ada@example.com", Lang: "fr", Kind: mail.Welcome, Data: mail.Data{Link: "https://learn.example/login"}})
	}))
	must(h.Close())

	c.Mail = "file:" + out
	h, err = Open(t.Context(), c)
	must(err)
	waiting, err := h.Mail.List(t.Context(), access.CommandLine(0), 0, 10)
	if must(err); len(waiting) != 1 || waiting[0].Attempts != 0 {
		t.Fatalf("%+v", waiting)
	}
	serve(t, h)
	var found []string
	for end := time.Now().Add(30 * time.Second); len(found) == 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not leave within 30 s")
		}
		found, err = filepath.Glob(filepath.Join(out, "*.eml"))
		must(err)
	}
	text, err := os.ReadFile(found[0])
	if must(err); !bytes.Contains(text, []byte("https://learn.example/login")) || !bytes.Contains(text, []byte(`From: "Learning House" <no-reply@learn.example>`)) {
		t.Errorf("%s", text)
	}
}
