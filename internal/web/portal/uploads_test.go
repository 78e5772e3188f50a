package portal

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"rollway/internal/fault"
	"rollway/internal/id"
	"rollway/internal/web"
)

// One organization uploads one file at a time, and strangers so many together; the operator's own is not kept waiting.
func TestUploadsAtOnce(t *testing.T) {
	t.Parallel()
	var u uploads
	var ends []func()
	for org := range id.OrgID(maxGuests) {
		end, err := u.begin(org + 2)
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, end)
	}
	busy := func(org id.OrgID) {
		t.Helper()
		if _, err := u.begin(org); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%d may begin: %v", org, err)
		}
	}
	busy(2)
	busy(maxGuests + 2)
	for range 2 {
		if _, err := u.begin(id.DefaultOrg); err != nil {
			t.Error(err)
		}
	}
	ends[0]()
	end, err := u.begin(maxGuests + 2)
	if err != nil {
		t.Fatal(err)
	}
	busy(2)
	end()
	if _, err := u.begin(2); err != nil {
		t.Error(err)
	}
}

// A stranger whose file does not come holds the place no longer than a while, and is told why.
func TestSlowUploads(t *testing.T) {
	t.Parallel()
	u := uploads{pace: web.Pace{Grace: 300 * time.Millisecond, Rate: 1 << 20}}
	s := httptest.NewServer(web.Guard(web.Config{Log: slog.New(slog.DiscardHandler)}, web.Handle(web.Envelope, func(w http.ResponseWriter, r *http.Request) error {
		_, _, _, err := u.take(r, 2)
		return err
	})))
	defer s.Close()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	lines := []string{"POST / HTTP/1.1", "Host: x", "Content-Length: 500000", "Content-Type: multipart/form-data; boundary=b", "",
		"--b", `Content-Disposition: form-data; name="file"; filename="a.zip"`, "", "PK and then nothing", ""}
	if _, err := io.WriteString(conn, strings.Join(lines, "\r\n")); err != nil { // at once, so that the machine may be slow
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.Contains(string(answer), "HTTP/1.1 400") || !strings.Contains(string(answer), `"upload_slow"`) {
		t.Errorf("%s, %v", answer, err)
	}
	if end, err := u.begin(2); err != nil {
		t.Errorf("the place is not free: %v", err)
	} else {
		end()
	}
}
