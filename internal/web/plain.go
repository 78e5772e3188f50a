package web

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
)

// plainPage is a page that stands alone: a title, which is its heading too, a body, and one style sheet inside it.
type plainPage struct {
	*template.Template
	policy string // lets it have that style sheet and nothing else
}

const plainStyle = `:root{color-scheme:light dark}body{font:1.125rem/1.6 system-ui,sans-serif;max-width:36rem;margin:15vh auto 2rem;padding:0 1.25rem;overflow-wrap:anywhere}h1{font-size:1.5rem;line-height:1.25}`

// newPlainPage makes a page of what comes behind its heading, the end of main with it. Rules are added to its policy: where its
// forms lead, who may frame it.
func newPlainPage(style, body, rules string) plainPage {
	style = plainStyle + style
	hash := sha256.Sum256([]byte(style))
	t := template.Must(template.New("page").Funcs(template.FuncMap{"spans": spans}).Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title>
<style>` + style + `</style>
</head>
<body>
<main>
<h1>{{.Title}}</h1>
` + body + `
</body>
</html>
`))
	return plainPage{t, "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'; base-uri 'none'; " + rules}
}
