package app

import (
	"testing"

	"rollway/internal/browsertest"
	"rollway/internal/db"
)

// The link in the mail, opened where nobody signed up: it takes the password from there, or one that is chosen now, and says
// nothing of the other.
func TestConfirmElsewhere(t *testing.T) {
	eachEngine(t, func(t *testing.T, e db.Engine) {
		g := served(t, e)
		link, digits := g.signUp("ada@example.org")
		g.wants(g.get(link), 200, `<form method="post" action="`+link+`"><button`)
		g.forget()
		if s := g.post("/signup/check", "code", digits); s.path != "/signup" {
			t.Errorf("elsewhere the digits lead to %s", s.path)
		}
		g.signUp("eve@example.org") // another sign-up of this browser is none of this one
		g.wants(g.get(link), 200, "ada@example.org", `name="password"`, `autocomplete="current-password"`, `value="ada@example.org" autocomplete="username" readonly hidden`, `href="`+link+`?choose=yes"`)
		g.wants(g.post(link), 422, `href="#password"`)
		g.wants(g.post(link, "password", "a wholly other passphrase"), 422, `href="#password"`, `autocomplete="current-password"`)
		g.wants(g.post("/login", "email", "ada@example.org", "password", "a wholly other passphrase"), 422)
		g.wants(g.get("/"), 200, `href="/login"`)
		g.wants(g.post(link, "password", passphrase), 200, `href="/arrived"`) // and is not asked for again
		g.wants(g.get("/arrived"), 200, "Hello, Ada")

		g.forget()
		link, _ = g.signUp("grace@example.org")
		g.forget()
		g.wants(g.get(link+"?choose=yes"), 200, `name="choose"`, `autocomplete="new-password"`, `href="`+link+`"`)
		g.wants(g.post(link, "choose", "yes", "password", "too short"), 422, `href="#password"`, `name="choose"`, `autocomplete="new-password"`)
		g.wants(g.post(link, "choose", "yes", "password", "a wholly other passphrase"), 200, `href="/arrived"`)
		g.wants(g.get("/arrived"), 200, "Hello, Ada")
		g.wants(g.post(link), 200, "already", `href="/login"`)
		g.wants(g.post("/login", "email", "grace@example.org", "password", passphrase), 422)
		g.wants(g.post("/login", "email", "grace@example.org", "password", "a wholly other passphrase"), 200, "Ada")
	})
}

// The same in a browser on another device, without scripts.
func TestConfirmOnAnotherDevice(t *testing.T) {
	t.Parallel()
	g := served(t, db.SQLite)
	link, _ := g.signUp("ada@example.org")
	b := browsertest.Open(t)
	b.NoScript()
	b.Phone()
	b.Go(g.url + link)
	b.Wait("#password")
	look(b, "confirm-elsewhere")
	b.Type("#password", "not the right password")
	b.Click("button.main")
	b.Wait("#problems")
	look(b, "confirm-wrong")
	b.Click(`a[href="` + link + `?choose=yes"]`)
	b.Wait(`[autocomplete="new-password"]`)
	look(b, "confirm-new")
	b.Type("#password", "a wholly other passphrase")
	b.Click("button.main")
	b.Wait(`a[href="/arrived"]`)
	look(b, "confirmed-in")
	b.Click(`a[href="/arrived"]`)
	b.Wait(".heading")
}
