package web

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/go-json-experiment/json"

	"rollway/internal/fault"
)

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	for size, ok := range map[int]bool{0: true, 9: true, 10: true, 11: false, 5000: false} {
		for _, known := range []bool{true, false} {
			r := httptest.NewRequest("POST", "/", iotest.OneByteReader(strings.NewReader(strings.Repeat("x", size))))
			r.ContentLength = -1
			if known {
				r.ContentLength = int64(size)
			}
			b, err := Body(r, 10)
			if ok && (err != nil || len(b) != size) || !ok && !fault.Is(err, fault.TooLarge) {
				t.Errorf("%d bytes, length known %v: %d, %v", size, known, len(b), err)
			}
		}
	}
	r := httptest.NewRequest("POST", "/", iotest.ErrReader(errors.New("reset")))
	if _, err := Body(r, 10); !fault.Is(err, fault.Invalid) {
		t.Errorf("broken body: %v", err)
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	type inner struct {
		Minutes int `json:"minutes"`
	}
	type body struct {
		Name string  `json:"name"`
		List []inner `json:"list"`
	}
	deep := strings.Repeat("[", 70) + strings.Repeat("]", 70)
	for _, c := range []struct {
		contentType, body string
		status            int
		pointer           string
	}{
		{"application/json", `{"name":"a","list":[{"minutes":3}]}`, 0, ""},
		{"application/json; charset=UTF-8", `{}`, 0, ""},
		{"application/json", ` {"name":"[[[[[[[\"{{{"} `, 0, ""},
		{"application/json; charset=latin1", `{}`, 415, "Content-Type"},
		{"text/plain", `{}`, 415, "Content-Type"},
		{"", `{}`, 415, "Content-Type"},
		{"application/json", `{"list":[{"minutes":"3"}]}`, 400, "/list/0/minutes"},
		{"application/json", `{"list":[{"minutes":3.5}]}`, 400, "/list/0/minutes"},
		{"application/json", `{"Name":"a"}`, 400, "/Name"},
		{"application/json", `{"name":"a","name":"b"}`, 400, "/name"},
		{"application/json", `{"name":"` + "\xff" + `"}`, 400, "/name"},
		{"application/json", `{"name":"\ud800"}`, 400, "/name"},
		{"application/json", `{"name":"a"`, 400, ""},
		{"application/json", ``, 400, ""},
		{"application/json", `{} {}`, 400, ""},
		{"application/json", `{"name":` + deep + `}`, 400, ""},
		{"application/json", `{"name":"` + strings.Repeat("a", 300) + `"}`, 413, ""},
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.contentType)
		var v body
		err := JSON(r, 200, &v)
		if c.status == 0 {
			if err != nil {
				t.Errorf("%s: %v", c.body, err)
			}
			continue
		}
		if err == nil || StatusOf(err) != c.status {
			t.Errorf("%s %s: %v", c.contentType, c.body, err)
			continue
		}
		if f := fault.Of(err).Fields; c.pointer != "" && (len(f) != 1 || f[0].Name != c.pointer || f[0].Message == "") {
			t.Errorf("%s: %+v", c.body, f)
		}
	}
}

type deadlines struct {
	http.ResponseWriter
	last time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error { d.last = t; return nil }

func TestPace(t *testing.T) {
	t.Parallel()
	now := time.Now()
	d := &deadlines{ResponseWriter: httptest.NewRecorder()}
	r := httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", 8<<10)))
	pace(d, r, now)
	if got := d.last.Sub(now); got != slowest.Grace {
		t.Errorf("first deadline after %v", got)
	}
	if _, err := io.ReadFull(r.Body, make([]byte, 8<<10)); err != nil {
		t.Fatal(err)
	}
	if got := d.last.Sub(now); got != slowest.Grace+8*time.Second {
		t.Errorf("deadline after 8 KB %v", got)
	}
	if _, err := r.Body.Read(make([]byte, 1)); err != io.EOF || !d.last.IsZero() {
		t.Errorf("deadline at the end %v, %v", d.last, err)
	}
}

// wantNow fails the test unless a time is between another and now.
func wantNow(t *testing.T, got, after time.Time) {
	t.Helper()
	if now := time.Now(); got.Before(after) || got.After(now) {
		t.Errorf("%v is not between %v and %v", got, after, now)
	}
}

// A door may ask for another pace, which ends at the latest after so long.
func TestHurry(t *testing.T) {
	t.Parallel()
	d := &deadlines{ResponseWriter: httptest.NewRecorder()}
	r := httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", 1<<20)))
	pace(d, r, time.Now().Add(-time.Hour))
	before := time.Now()
	Hurry(r, Pace{Grace: 2 * time.Second, Rate: 64 << 10, Most: 10 * time.Second})
	wantNow(t, d.last.Add(-2*time.Second), before)
	first := d.last
	for _, want := range []time.Duration{0, 4, 8, 8} {
		if got := d.last.Sub(first); got != want*time.Second {
			t.Errorf("%v more, not %d s", got, want)
		}
		if _, err := io.ReadFull(r.Body, make([]byte, 256<<10)); err != nil {
			t.Fatal(err)
		}
	}
	Hurry(httptest.NewRequest("POST", "/", nil), Pace{}) // not under Guard
}

// What stands in a body, names included, is nothing for the log.
func TestBadJSONIsNotLogged(t *testing.T) {
	t.Parallel()
	const canary = "Canary7secret"
	for _, body := range []string{`{"` + canary + `":1}`, `{"name":{"` + canary + `":1}}`, `{"name":"a","name":"` + canary + `"}`, canary, `{"` + canary + `":1,"` + canary + `":2}`, `{"list":{"` + canary + `":[}}`} {
		for _, room := range []string{"", "yes"} {
			log, lines := logged()
			r := httptest.NewRequest("POST", "/api/x", strings.NewReader(body))
			r.Header.Set("X-Room", room)
			w := answer(Guard(Config{Log: log}, Handle(Envelope, func(_ http.ResponseWriter, r *http.Request) error {
				var v struct {
					Name string           `json:"name"`
					List map[string][]int `json:"list"`
				}
				b, err := Body(r, 1000)
				if err != nil {
					return err
				}
				if r.Header.Get("X-Room") != "" { // a room that decodes by itself, and gives its reason
					return fault.New(fault.Invalid, "bad_json", "This cannot be read.").Because(json.Unmarshal(b, &v, json.RejectUnknownMembers(true)))
				}
				return ParseJSON(b, &v)
			})), r)
			if w.Code != 400 || strings.Contains(lines.String(), canary) || !strings.Contains(lines.String(), `"code":"bad_json"`) {
				t.Errorf("%s: %d, log %s", body, w.Code, lines)
			}
		}
	}
}
