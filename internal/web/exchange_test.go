package web

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// slowClient takes a piece of an answer in half a minute, and notes when the server would have given it up.
type slowClient struct {
	*httptest.ResponseRecorder
	until time.Time
	late  bool
}

func (c *slowClient) SetWriteDeadline(t time.Time) error {
	c.until = t
	return nil
}

func (c *slowClient) Write(b []byte) (int, error) {
	time.Sleep(time.Duration(len(b)) * (30 * time.Second) / sendAtOnce)
	c.late = c.late || time.Now().After(c.until)
	return c.ResponseRecorder.Write(b)
}

// A client may take its time over a long answer that is written at once, as long as it goes on taking some.
func TestLongAnswersGoOutInPieces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		long := bytes.Repeat([]byte("long "), sendAtOnce)
		c := &slowClient{httptest.NewRecorder(), time.Now().Add(writeStall), false} // as net/http does at first
		log, _ := logged()
		Guard(Config{Log: log}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if n, err := w.Write(long); n != len(long) || err != nil {
				t.Errorf("%d bytes of %d, %v", n, len(long), err)
			}
		})).ServeHTTP(c, httptest.NewRequest("GET", "/", nil))
		if c.late || !bytes.Equal(c.Body.Bytes(), long) {
			t.Errorf("late %v, %d bytes of %d", c.late, c.Body.Len(), len(long))
		}
	})
}
