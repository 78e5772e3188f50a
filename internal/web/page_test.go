package web

import (
	"net/http/httptest"
	"strings"
	"testing"

	"rollway/internal/fault"
)

func TestPagesSetCodeApart(t *testing.T) {
	w := httptest.NewRecorder()
	Page(w, httptest.NewRequest("GET", "/", nil), Failure{Status: 400, Fault: fault.New(fault.Invalid, "x", "The parameter `a<b` is missing.")})
	if body := w.Body.String(); !strings.Contains(body, "<p>The parameter <code>a&lt;b</code> is missing.</p>") {
		t.Errorf("got %s", body)
	}
}
