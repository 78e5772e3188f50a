package web

import "net/http"

// Question is a page with one button.
type Question struct {
	Title, Text string
	Button      string
	Action      string // where the button posts to
}

// Browsers hold form-action against redirects too, and the answer to a button may lead to another origin.
var questionPage = newPlainPage(
	`button{font:inherit;font-weight:600;min-height:48px;padding:.5rem 2rem;border:0;border-radius:.5rem;color:#fff;background:#1d5fbf}button:hover{background:#174c99}button:focus-visible{outline:3px solid;outline-offset:3px}`,
	`<p>{{.Text}}</p>
<form method="post" action="{{.Action}}"><button>{{.Button}}</button></form>
</main>`,
	"form-action http: https:; frame-ancestors 'none'")

// Ask shows a page on which nothing happens until somebody presses the button.
func Ask(w http.ResponseWriter, q Question) error {
	SecurityHeaders(w.Header(), questionPage.policy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	return questionPage.Execute(w, q)
}
