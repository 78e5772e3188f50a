package content

import (
	"context"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rollway/internal/db"
	"rollway/internal/id"
)

func TestLinks(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		link, err := h.AddLink(t.Context(), operator, courseID, "HTTPS://example.com/a b?q=ü#ä", " Elsewhere ")
		if code(err) != "link_url" {
			t.Fatal(err)
		}
		link, err = h.AddLink(t.Context(), operator, courseID, "HTTPS://example.com/ö?q=ü#ä", " Elsewhere ")
		want := Content{Activity: courseID, Kind: Link, URL: "https://example.com/%C3%B6?q=%C3%BC#%C3%A4", Title: "Elsewhere", Created: link.Created}
		if err != nil || link != want {
			t.Fatalf("%+v, %v", link, err)
		}
		if found, err := h.Find(t.Context(), id.DefaultOrg, courseID); err != nil || found != link {
			t.Fatalf("%+v, %v", found, err)
		}
		if again, err := h.AddLink(t.Context(), operator, courseID, link.URL, "Elsewhere"); err != nil || again != link {
			t.Fatalf("the same again: %+v, %v", again, err)
		}
		if n := h.count(t, "audit_entries"); n != 1 {
			t.Errorf("%d audit entries", n)
		}

		pkg := h.mustAdd(t, version("one")) // takes the activity over
		if found, err := h.Find(t.Context(), id.DefaultOrg, courseID); err != nil || found != pkg || pkg.Kind != XAPI || pkg.URL != "" || pkg.Created != link.Created {
			t.Fatalf("%+v, %v", found, err)
		}
		back, err := h.AddLink(t.Context(), operator, courseID, link.URL, link.Title)
		if err != nil || back != link {
			t.Fatalf("%+v, %v", back, err)
		}
		if found, err := h.Find(t.Context(), id.DefaultOrg, courseID); err != nil || found != link {
			t.Fatalf("%+v, %v", found, err)
		}
		if text, _ := h.read(t, pkg.Package, "start here.html"); text != "one" {
			t.Errorf("a launch that is going on reads %q", text)
		}
	})
}

func TestAddLinkRefuses(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		for _, c := range []struct{ activity, url, title, code string }{
			{"course", "https://example.com", "T", "link_activity"},
			{"", "https://example.com", "T", "link_activity"},
			{"https://example.com/" + strings.Repeat("x", maxIRI), "https://example.com", "T", "link_activity"},
			{courseID, "https://example.com", " ", "link_title"},
			{courseID, "https://example.com", "a\nb", "link_title"},
			{courseID, "https://example.com", "\xff", "link_title"},
			{courseID, "https://example.com", strings.Repeat("x", maxTitle+1), "link_title"},
			{courseID, "/a", "T", "link_url"},
		} {
			if _, err := h.AddLink(t.Context(), operator, c.activity, c.url, c.title); code(err) != c.code {
				t.Errorf("%.50q %.50q %.50q: %v, want %s", c.activity, c.url, c.title, err, c.code)
			}
		}
		if n := h.count(t, "contents"); n != 0 {
			t.Errorf("%d contents", n)
		}
	})
}

func TestLinkURL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ address, want, code string }{
		{"https://example.com", "https://example.com", ""},
		{"http://example.com:8080/a/b.html?x=1&y=%20#z", "http://example.com:8080/a/b.html?x=1&y=%20#z", ""},
		{"https://example.com/a%2Fb?", "https://example.com/a%2Fb?", ""},
		{"https://example.com/#/route?x=1", "https://example.com/#/route?x=1", ""},
		{"https://[::1]/x", "https://[::1]/x", ""},
		{"https://example.com/\"<>", "https://example.com/%22%3C%3E", ""},
		{"", "", "link_url"},
		{"example.com", "", "link_url"},
		{"//example.com", "", "link_url"},
		{"javascript:alert(1)", "", "link_url"},
		{"ftp://example.com", "", "link_url"},
		{"https:example.com", "", "link_url"},
		{"https:///x", "", "link_url"},
		{"https://:80/x", "", "link_url"},
		{"https://user@example.com", "", "link_url"},
		{"https://user:secret@example.com", "", "link_url"},
		{"https://example.com\\@evil.example", "", "link_url"},
		{"https://example.com/a\nb", "", "link_url"},
		{" https://example.com", "", "link_url"},
		{"https://exämple.com", "", "link_host"},
		{"https://ex%61mple.com", "", "link_url"},
		{"https://example.com:x/", "", "link_url"},
		{"https://example.com/%zz", "", "link_url"},
		{"https://example.com/#%", "", "link_url"},
		{"https://example.com/?a;b", "", "launch_address"},
		{"https://example.com/?auth=x", "", "launch_parameter"},
		{"https://example.com/?endpoint=https://evil.example", "", "launch_parameter"},
		{"https://example.com/" + strings.Repeat("x", maxURL), "", "link_url"},
		{"https://example.com/" + strings.Repeat("ü", maxURL/4), "", "link_url"},
	} {
		if got, err := linkURL(c.address); got != c.want || code(err) != c.code {
			t.Errorf("%.60q: %q, %v", c.address, got, err)
		}
	}
}

func FuzzLinkURL(f *testing.F) {
	for _, s := range []string{"https://example.com/ä?x=y#z", "http://[::1]:80/%2f", "https://u@h", "https://h\\x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		fit, err := linkURL(s)
		if err != nil {
			return
		}
		u, err := url.Parse(fit)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || len(fit) > maxURL {
			t.Fatalf("%q became %q, %v", s, fit, err)
		}
		for i := range len(fit) {
			if fit[i] <= ' ' || fit[i] >= 0x7f {
				t.Fatalf("%q became %q", s, fit)
			}
		}
		if again, err := linkURL(fit); err != nil || again != fit {
			t.Fatalf("%q became %q and then %q, %v", s, fit, again, err)
		}
	})
}

func TestChangesByOtherProcessesAreSeen(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		other := open(t, h.db, filepath.Join(t.TempDir(), "blobs"))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			h.changes.Poll(ctx, func(err error) { t.Error(err) })
		}()
		defer func() { cancel(); <-done }()
		for _, u := range []string{"https://example.com/1", "https://example.com/2"} {
			if _, err := other.AddLink(t.Context(), operator, courseID, u, "T"); err != nil {
				t.Fatal(err)
			}
			for until := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
				found, err := h.Find(t.Context(), id.DefaultOrg, courseID)
				if err != nil {
					t.Fatal(err)
				}
				if found.URL == u {
					break
				}
				if time.Now().After(until) {
					t.Fatalf("still %s", found.URL)
				}
			}
		}
	})
}

func TestWhatWasReadBeforeAChangeIsNotRemembered(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		if _, err := h.AddLink(t.Context(), operator, courseID, "https://example.com/1", "T"); err != nil {
			t.Fatal(err)
		}
		var stale Content
		round := h.known.round()
		if err := h.db.Read(t.Context(), func(tx *db.Tx) (err error) {
			stale, err = readContent(t.Context(), tx, id.DefaultOrg, courseID)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := h.AddLink(t.Context(), operator, courseID, "https://example.com/2", "T"); err != nil {
			t.Fatal(err)
		}
		h.known.put(round, contentKey{id.DefaultOrg, courseID}, stale)
		if found, err := h.Find(t.Context(), id.DefaultOrg, courseID); err != nil || found.URL != "https://example.com/2" {
			t.Fatalf("%+v, %v", found, err)
		}
	})
}

func TestRecentIsBoundedAndTrue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var r recent[int, int]
		model := map[int]int{}
		stale := r.round()
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"put", "get", "forget", "late", "many"}).Draw(t, "step") {
			case "put":
				k, v := rapid.IntRange(0, 9).Draw(t, "k"), rapid.Int().Draw(t, "v")
				r.put(r.round(), k, v)
				model[k] = v
			case "get":
				k := rapid.IntRange(0, 9).Draw(t, "k")
				if v, ok := r.get(k); ok && v != model[k] {
					t.Fatalf("%d is %d, want %d", k, v, model[k])
				}
			case "forget":
				stale = r.round()
				r.forget()
				clear(model)
			case "late":
				if stale != r.round() {
					r.put(stale, 0, -1)
				}
			case "many":
				for i := range recentSize {
					r.put(r.round(), 1000+i, 0)
				}
			}
			for k := range 10 {
				if _, there := model[k]; !there {
					if v, ok := r.get(k); ok {
						t.Fatalf("%d is %d after it was forgotten", k, v)
					}
				}
			}
			if len(r.young)+len(r.old) > 2*recentSize {
				t.Fatalf("%d values", len(r.young)+len(r.old))
			}
		}
	})
}
