package web

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
)

// Question is a page with one button.
type Question struct {
	Title, Text string
	Button      string
	Action      string // where the button posts to
}

const questionStyle = pageStyle + `button{font:inherit;font-weight:600;min-height:48px;padding:.5rem 2rem;border:0;border-radius:.5rem;color:#fff;background:#1d5fbf}button:hover{background:#174c99}button:focus-visible{outline:3px solid;outline-offset:3px}`

var (
	questionStyleHash = sha256.Sum256([]byte(questionStyle))
	// Browsers hold form-action against redirects too, and the answer to a button may lead to another origin.
	questionPolicy = "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(questionStyleHash[:]) + "'; base-uri 'none'; form-action http: https:; frame-ancestors 'none'"
	questionPage   = template.Must(template.New("question").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title>
<style>` + questionStyle + `</style>
</head>
<body>
<main>
<h1>{{.Title}}</h1>
<p>{{.Text}}</p>
<form method="post" action="{{.Action}}"><button>{{.Button}}</button></form>
</main>
</body>
</html>
`))
)

// Ask shows a page on which nothing happens until somebody presses the button.
func Ask(w http.ResponseWriter, q Question) error {
	SecurityHeaders(w.Header(), questionPolicy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	return questionPage.Execute(w, q)
}
