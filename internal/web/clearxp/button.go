package clearxp

import (
	"html/template"
	"net/http"

	"rollway/internal/web"
)

// The page's own style is allowed by its hash alone; there is no script.
var buttonPage = template.Must(template.New("open").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Open the course</title>
</head>
<body>
<main>
<h1>Open the course</h1>
<p>This link starts a course for one person.</p>
<form method="post" action="{{.}}"><button type="submit">Open</button></form>
</main>
</body>
</html>
`))

// openButton shows a page that starts the launch only when somebody presses its button.
func openButton(w http.ResponseWriter, r *http.Request) error {
	web.SecurityHeaders(w.Header(), "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self' http: https:")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	return buttonPage.Execute(w, r.URL.RequestURI())
}
